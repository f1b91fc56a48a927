# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# Lines, inlined copies, callees, labels and exported functions of a module built with -g, and a local
# variable at a line. Oracle: the module counts for itself what it did, and logs it.

module=$PWD/build/kbuild/$(uname -r)/kernel/place_target.ko
source=tests/vm/kbuild/place_target.c
if [ ! -e "$module" ]; then
    echo "no modules for $(uname -r): its headers were not installed when they were built"
    exit 77
fi
before=$(text-sum)
busybox insmod "$module"
trap 'busybox rmmod place_target' EXIT

line_of() { # WORDS
    grep -n "/\* $1 \*/" $source | cut -d: -f1
}
odd=$(line_of "the odd line")
even=$(line_of "the even line")

cat >/tmp/places.stp <<X
global n, sum
probe module("$module").statement("place_branch@place_target.c:$odd") { n["odd"]++; sum += \$twice }
probe module("$module").statement("*@place_target.c:$even") { n["even"]++ }
probe module("$module").function("place_clamp").inline { n["clamped"]++ }
probe module("$module").function("place_loop").label("retry") { n["again"]++ }
probe module("$module").function("place_first").callee("place_leaf") { n["first"]++ }
probe module("$module").function("place_first").callee("place_leaf").return { n["first return"]++ }
probe module("$module").function("*@place_target.c").exported { n["leaves"]++ }
probe module("place_target").function("place_leaf").return { n["leaves return"]++ }
probe module("$module").function("*@place_target.c:$odd") { n["around"]++ }
probe module("$module").statement("place_branch@place_target.c+5") { n["relative"]++ }
probe end {
    printf("odd %d even %d clamped %d again %d first %d leaves %d\n", n["odd"], n["even"], n["clamped"],
           n["again"], n["first"], n["leaves"])
    printf("returns %d %d around %d relative %d sum %d\n", n["first return"], n["leaves return"],
           n["around"], n["relative"], sum)
}
X
spile /tmp/places.stp -c 'sh -c "echo 30 >/sys/module/place_target/parameters/run"' >/tmp/out 2>/tmp/err
cat /tmp/out
truth=$(dmesg | sed -n 's/.*place_target: //p' | tail -1)
echo "the module: $truth"
set -- $truth # odd N even N sum N clamped N again N first N leaves N
grep -qx "odd $2 even $4 clamped $8 again ${10} first ${12} leaves ${14}" /tmp/out
grep -qx "returns ${12} ${14} around $(($2 + $4)) relative $2 sum $6" /tmp/out
after=$(text-sum)
[ "$before" = "$after" ] || { echo "text changed: $before, now $after"; exit 1; }

# A place inside an instruction is refused, with those around it.
if spile -e "probe module(\"$module\").statement(\"place_leaf+1\") { exit() }" 2>/tmp/err; then
    echo "a place inside an instruction was taken"
    exit 1
fi
grep -q 'place_leaf+0x1 is inside an instruction: one starts at +0x0, the next at +0x' /tmp/err

# An address of this boot, in guru mode; amid an instruction the kernel refuses it, by name.
address=0x$(awk '$3 == "place_leaf" { print $1 }' /proc/kallsyms)
cat >/tmp/absolute.stp <<X
global n
probe kernel.statement($address).absolute { n++ }
probe end { println(n) }
X
spile -g /tmp/absolute.stp -c 'sh -c "echo 5 >/sys/module/place_target/parameters/run"' >/tmp/out 2>/tmp/err
grep -qx 10 /tmp/out
sed -i "s/$address/${address%?}1/" /tmp/absolute.stp # functions begin at multiples of 16
if spile -g /tmp/absolute.stp -c true >/tmp/out 2>/tmp/err; then
    echo "an address inside an instruction was armed"
    exit 1
fi
grep -q "cannot arm kernel.statement(${address%?}1).absolute: no instruction begins there" /tmp/err
