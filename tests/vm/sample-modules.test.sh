# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# samples/kprobes as the slides show them. Oracles: /proc/kallsyms for addresses, strace for the
# arguments and results of the clone calls of one command.
modules=build/kbuild/$(uname -r)
if [ ! -e "$modules/samples/kprobe_example.ko" ]; then
    echo "no modules for $(uname -r): its headers were not installed when they were built"
    exit 77
fi

fail() {
    echo "$*"
    cat /tmp/samples.log
    exit 1
}

address_of() { # SYMBOL [MODULE]
    awk -v s="$1" -v m="${2:+[$2]}" '$3 == s && $4 == m { print $1 }' /proc/kallsyms
}

# Lines of the kernel log since the last time, without times.
log() {
    dmesg -c | sed 's/^\[[^]]*\] //' >/tmp/samples.log
}

# has PATTERN [AT-LEAST]: the log has whole lines like that (an extended regular expression).
has() {
    n=$(grep -cxE "$1" /tmp/samples.log || true)
    [ "$n" -ge "${2:-1}" ] || fail "expected ${2:-1} lines '$1', there are $n:"
}

# Makes processes; /tmp/clones has "FLAGS PID" of each, as strace saw them. vfork(2) has no flags; by
# its manual it is clone(CLONE_VM | CLONE_VFORK | SIGCHLD). A call may stand in two lines.
work() {
    strace -f -e raw=clone,vfork -e trace=clone,clone3,fork,vfork -o /tmp/strace \
        sh -c '(exit 0); (exit 0); x=$(exit 0); cat /dev/null; ls /dev/null'
    awk '/ clone\(/ { flags[$1] = $2; gsub(/clone\(|,/, "", flags[$1]) }
         / vfork\(/ { flags[$1] = "0x4111" }
         / = 0x[0-9a-f]+$/ { print flags[$1], $NF }' /tmp/strace |
        while read -r flags pid; do echo "$flags $((pid))"; done >/tmp/clones
    if [ "$(wc -l </tmp/clones)" -lt 3 ] || grep -q 'clone3\| fork' /tmp/strace; then
        fail "not the calls that this test knows: $(cat /tmp/strace)"
    fi
}

clone=$(address_of kernel_clone)
[ "${clone%0}" != "$clone" ]
next=${clone%0}1
spile-run --load

# kprobe: addr and ip by kallsyms; interrupts are on in the flags, and bit 1 is always set.
log
busybox insmod "$modules/samples/kprobe_example.ko"
work
if spile-run --unload 2>/dev/null; then
    fail "the core was unloaded under a module that uses it"
fi
busybox rmmod kprobe_example
log
clones=$(wc -l </tmp/clones)
has "Planted kprobe at $clone"
has "pre_handler: p->addr = 0x$clone, ip = $next, flags = 0x[2-3][0-9a-f][0-9a-f]" "$clones"
has "post_handler: p->addr = 0x$clone, flags = 0x[2-3][0-9a-f][0-9a-f]" "$clones"
has "kprobe at $clone unregistered"
grep -E '^(pre|post)_handler' /tmp/samples.log | cut -d: -f1 | uniq -c |
    awk '$1 != 1 { exit 1 }' || fail "pre and post do not alternate:"

# Its parameter, and a bad one.
busybox insmod "$modules/samples/kprobe_example.ko" symbol=ksys_sync
sync
busybox rmmod kprobe_example
log
has "pre_handler: p->addr = 0x$(address_of ksys_sync), ip = .*"
[ "$(grep -c pre_handler /tmp/samples.log)" = 1 ] || fail "one sync(1) is one hit:"
if busybox insmod "$modules/samples/kprobe_example.ko" symbol=no_such_function 2>/dev/null; then
    fail "a probe on no_such_function was planted"
fi
log
has "register_kprobe failed, returned -2"

# jprobe: the flags that strace saw, as often as it saw them, and the stack of a fork.
busybox insmod "$modules/samples/jprobe_example.ko"
handler=$(address_of j_kernel_clone jprobe_example)
work
busybox rmmod jprobe_example
log
has "Planted jprobe at $clone, handler addr $handler"
cut -d' ' -f1 /tmp/clones | sort | uniq -c | while read -r n flags; do
    has "jprobe: clone_flags = $flags, stack_start = 0x[0-9a-f]* stack_size = 0x[0-9a-f]*" "$n"
done
has "jprobe: clone_flags = 0x1200011, stack_start = 0x0 stack_size = 0x0"
has "jprobe at $clone unregistered"

# kretprobe: every process that strace saw come out of clone().
busybox insmod "$modules/samples/kretprobe_example.ko"
work
busybox rmmod kretprobe_example
log
has "Planted return probe at kernel_clone: $clone"
while read -r flags pid; do
    has "kernel_clone returned $pid and took [0-9]+ ns to execute"
done </tmp/clones
has "kretprobe at $clone unregistered"
has "Missed probing 0 instances of kernel_clone"

# A module written for a 4.x kernel: what it says of one read, of which stat(1) knows the inode.
cp "$modules/spile/old_jprobe.ko" /tmp
head -c 30000 /dev/zero >/tmp/to-read
busybox insmod /tmp/old_jprobe.ko wanted=4321
dd if=/tmp/to-read of=/dev/null bs=4321 count=3 2>/dev/null
busybox rmmod old_jprobe
log
inode=$(stat -c %i /tmp/to-read)
for at in 0 4321 8642; do
    has "old_jprobe: dd reads 4321 bytes of inode $inode at $at"
done
has "old_jprobe: pre_handler saw 3, nmissed 0"

spile-run --unload
