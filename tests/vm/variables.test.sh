# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# Target variables of a module that is built with -g (kbuild/vars_target.c). Oracle: what the module
# itself prints of the same variables, and of what has been changed under it.
modules=build/kbuild/$(uname -r)/kernel
if [ ! -e "$modules/vars_target.ko" ]; then
    echo "no module for $(uname -r): its headers were not installed when it was built"
    exit 77
fi
module=$PWD/$modules/vars_target.ko
line=$(sed -n '/HERE/=' tests/vm/kbuild/vars_target.c)
busybox insmod "$module"

# run SCRIPT: while the module works; what the script and the module say goes to /tmp/out, /tmp/log.
run() {
    dmesg -c >/dev/null
    spile -g "$1" -c 'sh -c "echo 3 >/sys/module/vars_target/parameters/run; true"' \
        >/tmp/out 2>/tmp/err || true
    dmesg -c | sed -n 's/^.*vars: //p' >/tmp/log
}
fail() {
    echo "$*"
    cat /tmp/out /tmp/err /tmp/log
    exit 1
}
says() { grep -qxF -e "$1" "/tmp/$2" || fail "no '$1' in $2:"; }

cat >/tmp/read.stp <<END
probe module("$module").function("vars_work") {
	i = 1
	o = \$object
	printf("numbers n=%d small=%d x=%d y=%d\n", \$n, \$small, \$by_value->x, \$by_value->y)
	printf("object level=%u low=%u high=%d colour=%d x=%d y=%d name=%s\n", \$object->level, \$object->low,
	       \$object->high, \$object->colour, o->points[i]->x, \$object->points[1]->y,
	       kernel_string(\$object->name))
	printf("deep %s\n", \$object\$\$)
	printf("shallow %s\n", \$object\$)
	printf("parts %s %s %s\n", \$object->next->name\$, \$by_value\$, \$object->points\$)
	printf("grid %d %d %d\n", \$object->grid[i][2], &\$object->name - &\$object->grid, \$object->grid[1][0])
	printf("same %d\n", &\$object->points[1] == &\$object->points[0] + 16 &&
	       @cast(\$object, "struct list_head")->next == @cast(&\$object[0], "list_head", "kernel")->next)
	printf("total %d %d\n", @var("vars_total@vars_target.c"), @defined(\$nothing) || !@defined(\$small))
}
probe module("$module").statement("vars_work@*:$line") {
	printf("line i=%d squared=%d sum=%d\n", \$i, \$squared, \$sum)
	if (\$i == 1) printf("locals %s\n", \$\$locals)
}
probe module("$module").function("vars_work").return {
	printf("result %d n=%d\n", \$return, \$n)
}
probe end { printf("per-cpu %d\n", @var("this_cpu_off") != 0) }
END
run /tmp/read.stp
says 'numbers n=3 small=-3 x=11 y=22' out
says "$(grep '^object' /tmp/log)" out
object="level='\\310', .low=5, .high=-17, .colour=VARS_GREEN"
grep -qF "deep {.$object, .points=[{.x=1, .y=-2}, {.x=3, .y=4000000000}], <union>={.whole=21474836486, .halves=[6, 5]}, .grid=[[1, 2, 3], [4, 5, 6]], .name=\"an object\", .title=\"its title\", .next=0x" /tmp/out || fail 'deep:'
grep -qF "shallow {.$object, .points=[...], <union>={...}, .grid=[...], .name=[...], .title=\"its title\", .next=0x" /tmp/out || fail 'shallow:'
says 'parts "other" {.x=11, .y=22} [{...}, {...}]' out
says 'grid 6 12 4' out
says 'same 1' out
says 'total 100 0' out
grep '^line' /tmp/log >/tmp/lines
[ "$(wc -l </tmp/lines)" = 3 ] || fail 'the module did not work:'
grep '^line' /tmp/out | cmp - /tmp/lines || fail 'other lines:'
grep -q 'locals .*sum=0x.* i=0x1 squared=0x' /tmp/out || fail 'locals:'
says "$(grep '^result' /tmp/log) n=3" out
says 'per-cpu 1' out

# What is written is there for the module: registers at the entry, memory, bit-fields, the result.
cat >/tmp/write.stp <<END
probe module("$module").function("vars_work") {
	\$n = 2
	\$small += 8
	printf("high %d\n", \$object->high++)
	\$object->low = 2
	\$object->level -= 195
	\$object->colour = -2
	\$object->points[1]->x = \$object->points[0]->y = 77
	@var("vars_total@vars_target.c") = 1000
}
probe module("$module").statement("vars_work@*:$line") { if (\$i == 1) \$sum = 500 }
probe module("$module").function("vars_work").return { \$return = -4 }
END
run /tmp/write.stp
says 'high -17' out
says 'line i=1 squared=6 sum=500' log
says 'work n=2 small=5 sum=533 total=1533' log
says 'result -4' log
says 'object level=5 low=2 high=-16 colour=-2 x=77 y=4000000000 name=an object' log

# Error injection into a function that would have succeeded.
cat >/tmp/inject.stp <<END
probe module("$module").function("vars_check").return { \$return = -5 }
END
run /tmp/inject.stp
says 'error -5' log

# A bad pointer is an error that names what was read there, and the handler's end.
cat >/tmp/bad.stp <<END
probe module("$module").function("vars_work") {
	try { println(\$object->next->next->next->name[3]) } catch (e) { printf("1 %s\n", e) }
	try { println(@cast(16, "file")->f_mode) } catch (e) { printf("2 %s\n", e) }
	try { @cast(0xdead000000000000, "file")->f_mode = 3 } catch (e) { printf("3 %s\n", e) }
	try { @cast(4096, "file")->f_mode = 3 } catch (e) { printf("4 %s\n", e) }
	printf("5 %s\n", @cast(16, "file")\$)
	println(\$object->next->next->low)
	println("not reached")
}
END
run /tmp/bad.stp
says '1 kernel read fault at 0x0000000000000050' out
says '2 kernel read fault at 0x0000000000000054' out
grep -q '^3 kernel write fault at 0xdead0000000000' /tmp/out || fail 'write:'
grep -q '^4 kernel write fault at 0x0000000000001044' /tmp/out || fail 'write to user space:'
says '5 ERROR' out
grep -q "kernel read fault at 0x0000000000000001 near identifier '\$object->next->next->low' at /tmp/bad.stp:7:" \
    /tmp/err || fail 'named:'
grep -q 'not reached' /tmp/out && fail 'it went on:'
busybox rmmod vars_target
