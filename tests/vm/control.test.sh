# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# The control files under debugfs spile/; control.kernel.c holds the probes. Oracles: the kernel's own
# kprobes/blacklist and kprobes/list, /proc/kallsyms, and lines that handlers write to the log.
kernels=/sys/kernel/debug/kprobes
dir=/sys/kernel/debug/spile
list=$dir/kprobes/list
enabled=$dir/kprobes/enabled
optimization=$dir/kprobes-optimization
text=$dir/kprobes-text

fail() {
    echo "$*"
    cat $list
    exit 1
}

# TEXT FILE: says EINVAL, and the file stays as it was
refused() {
    before=$(cat "$2")
    if printf "$1" | dd of="$2" 2>/tmp/said; then fail "$2 took '$1'"; fi
    grep -qi 'invalid argument' /tmp/said || fail "$2: $(cat /tmp/said)"
    [ "$(cat "$2")" = "$before" ] || fail "$2 was changed by '$1'"
}

# REGEX: one line of the list is like that, with the address that kallsyms has
listed() {
    [ "$(grep -cE "^[0-9a-f]{16}  $1\$" $list)" = 1 ] || fail "not listed: $1"
}

# how many handlers one sync(2) runs
seen() {
    dmesg -c >/dev/null
    busybox sync
    dmesg | grep -c 'control-test: hit' || true
}

# 0|1 ADDRESS: whether the kernel's own list says that the probe there is optimized, in some time
optimized() {
    for i in $(seq 100); do
        now=$(grep "^$2" $kernels/list | grep -c 'OPTIMIZED' || true)
        [ "$now" != "$1" ] || return 0
        sleep 0.1
    done
    cat $kernels/list
    fail "optimized is not $1"
}

before=$(text-sum --save /tmp/text)
spile-run --load
[ "$(stat -c '%a %u' $list $dir/kprobes/blacklist $enabled $optimization $text | tr '\n' ,)" = \
    '400 0,400 0,600 0,600 0,600 0,' ] || fail "modes or owners"
[ -z "$(cat $list)" ] || fail "not empty"
[ "$(cat $enabled) $(cat $optimization) $(cat $text)" = '1 1 0' ] || fail "not on"

for name in control_one control_two; do
    spile-run --fit build/tests/vm/control.o $name /tmp/$name.ko
done
busybox insmod /tmp/control_one.ko
listed 'k  ksys_sync\+0x[04]    \[FTRACE\]\[ftrace\]'
listed 'j  ksys_sync\+0x[04]    \[FTRACE\]\[ftrace\]'
listed 'r  ksys_sync\+0x[04]    (\[FTRACE\]\[ftrace-return\]|\[native-return\])'
listed 'k  control_target\+0x3  control_one (\[OPTIMIZED\])?\[[a-z]+\]'
listed 'k  control_target\+0xf  control_one \[DISABLED\](\[OPTIMIZED\])?\[[a-z]+\]'
[ "$(wc -l <$list)" = 5 ]
address=$(sed -n 's/^\([0-9a-f]*\)  k  control_target+0x3 .*/\1/p' $list)
start=$(awk '$3 == "control_target" { print $1 }' /proc/kallsyms)
[ $((0x${address#ffffffff} - 0x${start#ffffffff})) = 3 ] || fail "address $address, not $start + 3"
dd if=$list bs=7 2>/dev/null | cmp - $list # read in pieces

# All off and on. What is registered meanwhile stays off, what is disabled too.
[ "$(seen)" = 3 ] || fail "$(seen) seen"
cat $list >/tmp/list
echo 0 >$enabled
[ "$(cat $enabled)" = 0 ]
[ "$(seen)" = 0 ] || fail "$(seen) seen while off"
cmp $list /tmp/list # nothing is DISABLED by that
busybox insmod /tmp/control_two.ko
[ "$(seen)" = 0 ] || fail "$(seen) seen of two while off"
printf on >$enabled
[ "$(seen)" = 6 ] || fail "$(seen) seen of two"
busybox rmmod control_two
[ "$(seen)" = 3 ] || fail "$(seen) seen of one"
cmp $list /tmp/list

# Jumps off and on: by the kernel's list, for a probe that is the kernel's underneath.
if listed 'k  control_target\+0x3  control_one \[native\]' 2>/dev/null; then
    optimized 1 "$address"
    echo 0 >$optimization
    optimized 0 "$address"
    [ "$(cat $optimization)" = 0 ]
    busybox insmod /tmp/control_two.ko # a new one is not optimized either
    sleep 1
    second=$(sed -n 's/^\([0-9a-f]*\)  k  control_target+0x3  control_two.*/\1/p' $list)
    optimized 0 "$second"
    echo 1 >$optimization
    optimized 1 "$address"
    optimized 1 "$second"
    busybox rmmod control_two
fi

# Patches of our own for what comes from now on.
echo 1 >$text
[ "$(cat $text)" = 1 ]
busybox insmod /tmp/control_two.ko
listed 'k  control_target\+0x3  control_two (\[OPTIMIZED\])?\[jump\]'
busybox rmmod control_two
echo 0 >$text

for file in $enabled $optimization $text; do
    for what in 2 x '' '1 ' 'a long text, longer than any' '\n'; do
        [ -z "$what" ] || refused "$what" $file
    done
done

# The kernel's blacklist, and our own text.
grep -vxFf $kernels/blacklist $dir/kprobes/blacklist >/tmp/more
[ "$(wc -l <$dir/kprobes/blacklist)" = $(($(wc -l <$kernels/blacklist) + 1)) ] || fail "blacklist"
[ "$(wc -l </tmp/more)" = 1 ] && grep -q '\[spile\]$' /tmp/more || fail "blacklist: $(cat /tmp/more)"

exec 9<$list # an open file holds the core
busybox rmmod control_one
! spile-run --unload 2>/dev/null || fail "unloaded"
exec 9<&-
spile-run --unload
[ ! -e $dir ]
[ "$(text-sum)" = "$before" ] || text-sum --diff /tmp/text
