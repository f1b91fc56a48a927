# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# What arguments were at the entry: amid a function that has lost them (DW_OP_entry_value, by a hidden probe at
# the entry), and at the return of one that got them on the stack. Oracle: what the module prints of them.
modules=build/kbuild/$(uname -r)/kernel
if [ ! -e "$modules/vars_target.ko" ]; then
    echo "no module for $(uname -r): its headers were not installed when it was built"
    exit 77
fi
module=$PWD/$modules/vars_target.ko
parameters=/sys/module/vars_target/parameters
line_of() { sed -n "/\/\* $1 /=" tests/vm/kbuild/vars_target.c; }
busybox insmod "$module"

fail() {
    echo "$*"
    cat /tmp/out /tmp/err /tmp/log
    exit 1
}
# run SCRIPT COMMAND: what the script and the module say goes to /tmp/out, /tmp/log.
run() {
    dmesg -c >/dev/null
    spile -v "$1" -c "sh -c \"$2; true\"" >/tmp/out 2>/tmp/err || true
    dmesg -c | sed -n 's/^.*vars: //p' >/tmp/log
}
# same WORD N: the script has said the module's N lines that begin so.
same() {
    grep "^$1" /tmp/log >/tmp/expected
    grep "^$1" /tmp/out | cmp - /tmp/expected || fail "other $1:"
    [ "$(wc -l </tmp/expected)" = "$2" ] || fail "not $2 times $1:"
}

# Three calls inside each other; the innermost statement is reached first. The same places again with a return
# probe on the function, which swaps the return address, and with a handler on its entry.
for beside in '' ", module(\"$module\").function(\"vars_deep\").return, module(\"$module\").function(\"vars_deep\")"; do
    cat >/tmp/deep.stp <<END
probe module("$module").statement("*@*:$(line_of DEEP)") { printf("deep depth=%d lost=%d\n", \$depth, \$lost) }
probe module("$module").statement("vars_tell@*:$(line_of INNER)") {
	printf("inner depth=%d lost=%d\n", \$depth, given() - 1000)
}
function given() { return \$given }
probe never$beside { n++ }
END
    run /tmp/deep.stp "echo 2 >$parameters/run; echo 2 >$parameters/run"
    same deep 6
    same inner 6
    grep -q '^place: vars_target:vars_deep: planter ftrace; hidden: ' /tmp/err || fail 'not told:'
    [ "$(grep -c 'hidden: ' /tmp/err)" = 1 ] || fail 'more than one hidden probe:'
done

# Nothing is planted for who only asks whether it could be, or lists what there is.
cat >/tmp/defined.stp <<END
probe module("$module").statement("*@*:$(line_of DEEP)") {
	printf("defined %d %s\n", @defined(\$lost), \$\$parms)
}
END
run /tmp/defined.stp "echo 2 >$parameters/run"
grep -q '^defined 1 depth=.* lost=?' /tmp/out || fail 'defined:'
grep -q 'hidden: ' /tmp/err && fail 'planted for nothing:'

# A call that has begun before the script is not known; those that come afterwards are, also while one sleeps.
cat >/tmp/nap.stp <<END
global n
probe module("$module").statement("vars_nap@*:$(line_of NAP)") {
	try { printf("nap lost=%d\n", \$lost) } catch (e) { printf("unknown %s\n", e) }
	if (++n == 4) printf("not reached %d\n", \$lost)
}
END
echo 3 >"$parameters/nap"
run /tmp/nap.stp "echo 1 >$parameters/wake; echo 2 >$parameters/nap; echo 1 >$parameters/nap; echo 0 >$parameters/nap; sleep 0.5; echo 2 >$parameters/wake; sleep 0.5; echo 3 >$parameters/wake; sleep 0.5"
grep '^nap' /tmp/log | sort >/tmp/log.sorted
(for n in 5000 5001 5002 5003; do echo "nap lost=$n"; done) | cmp - /tmp/log.sorted || fail 'the module:'
grep '^nap' /tmp/out | sort >/tmp/expected
head -3 /tmp/log.sorted | cmp - /tmp/expected || fail 'calls since the script began:'
[ "$(grep -c "^unknown the value at the function's entry is not known" /tmp/out)" = 1 ] || fail 'before it:'
grep -q "ERROR: the value at the function's entry is not known.* near identifier '\$lost' at /tmp/nap.stp:4:" /tmp/err || fail 'unnamed:'

# Arguments on the stack, which the function has changed by the time it returns.
cat >/tmp/many.stp <<END
probe module("$module").function("vars_many").return {
	printf("many a=%d seventh=%d x=%d z=%d ninth=%d\n", \$a, \$seventh, \$three->x, \$three->z, \$ninth)
	printf("sum %d\nwhole %s\n", \$return, \$three\$)
}
END
run /tmp/many.stp "echo 2 >$parameters/run"
same many 1
same sum 1
grep -qx 'whole {.x=8, .y=9, .z=-10}' /tmp/out || fail 'whole:'

# The file that is named must be that of the module that is loaded.
mkdir /tmp/other
cp "$modules/place_target.ko" /tmp/other/vars_target.ko
spile -p2 -e 'probe module("/tmp/other/vars_target.ko").function("*") { println($$parms) }' >/tmp/out 2>/tmp/err &&
    fail 'another file was taken:'
grep -q 'vars_target.ko is not the module that is loaded (its build id is .*load this one, or name' /tmp/err ||
    fail 'why not:'
busybox rmmod vars_target
spile -p2 -e 'probe module("/tmp/other/vars_target.ko").function("*") { println($$parms) }' >/tmp/out 2>/tmp/err ||
    fail 'nothing is loaded that could differ:'
