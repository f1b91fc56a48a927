# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# kernels: all
# An argument that the code has lost amid a function that calls itself: kept by a hidden probe at the entry
# (runtime/kept.h), refused where the entry cannot be probed. Oracle: what the module (kept.kernel.c) says.
. tests/vm/module.sh
line=$(sed -n '/\/\* DEEP /=' tests/vm/kept.kernel.c)
: >/tmp/log

fail() {
    echo "$*"
    for file in out err log; do tail -n 12 /tmp/$file; done
    exit 1
}
# What is loaded has no debug information any more; what it was made of has.
run() { # OBJECT MODULE
    module_load "$1" "$2"
    cat >/tmp/kept.stp <<END
global unknown
probe module("$PWD/build/tests/vm/$1.o").statement("kept_deep@*:$line") {
	try { printf("depth=%d lost=%d\n", \$depth, \$lost) } catch { unknown++ }
}
probe end { printf("unknown %d\n", unknown) }
END
    status=0
    spile -v /tmp/kept.stp -c 'sleep 1' >/tmp/out 2>/tmp/err || status=$?
    busybox rmmod "$2"
    dmesg | sed -n 's/^.*kept: //p' >/tmp/log
}

run kept-sites kept_sites
[ $status = 0 ] || fail 'no script:'
[ "$(sed -n 's/unknown //p' /tmp/out)" -le 3 ] || fail 'calls that had not begun before the script:'
for depth in 0 1 2; do
    [ "$(grep -c "^depth=$depth" /tmp/out)" -ge 3 ] || fail "depth $depth:"
done
grep '^depth' /tmp/out | sort -u >/tmp/said
sort -u /tmp/log | comm -23 /tmp/said - >/tmp/invented
[ ! -s /tmp/invented ] || fail "invented: $(cat /tmp/invented)"
grep -q '^place: kept_sites:kept_deep: planter ftrace; hidden: ' /tmp/err || fail 'not told:'

run kept kept
[ $status = 1 ] || fail 'its entry was probed:'
grep -q "no variable 'lost' .*the entry of kept_deep is known, which cannot be probed: the kernel made no trace" \
    /tmp/err || fail 'not refused by name:'
