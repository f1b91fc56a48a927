#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Functions of the tapset in the process home: against what python3 works out (tapset-oracle.py), and
# those whose results depend on the machine. Every function and macro has its comment, too.
# The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
spile=$PWD/build/bin/spile
. tests/count.sh
export SPILE_CACHE=$tmp/cache

run() { timeout 60 "$spile" --runtime=process "$@" >"$tmp/out" 2>"$tmp/err" </dev/null; }
gives() { # TEXT EXPRESSION
	run -e "probe begin { println($2) exit() }" && [ "$(cat "$tmp/out")" = "$1" ]
	ok "$2 gives $1"
}

seed=${SEED:-$RANDOM}
python3 tests/tapset-oracle.py "$seed" "$tmp/oracle.stp" "$tmp/want"
run -g -D MAXACTION=100000 "$tmp/oracle.stp"
diff -a "$tmp/want" "$tmp/out" >"$tmp/err" && [ "$(wc -l <"$tmp/want")" -gt 900 ]
ok "$(wc -l <"$tmp/want") calls with random arguments; SEED=$seed tests/check-tapset-functions.sh repeats them"

python3 tests/floatingpoint-oracle.py "$seed" "$tmp/fp.stp" "$tmp/want"
run -D MAXACTION=100000 "$tmp/fp.stp"
diff "$tmp/want" "$tmp/out" >>"$tmp/err" && [ "$(wc -l <"$tmp/want")" -gt 1500 ]
ok "$(wc -l <"$tmp/want") calls of floating point; SEED=$seed tests/check-tapset-functions.sh repeats them"
run -e 'probe begin { println(fp_to_string(string_to_fp("1e"), 2), fp_to_string(0x7ff0000000000000, 1), " ", fp_to_string(-1, 0), " ", fp_to_long(0x7ff0000000000000, 0, 0))
	try { fp_to_string(0x7fe0000000000000, 1) } catch (m) { println(m) } try { string_to_fp("1234567890123456789") } catch (m) { println(m) } exit() }' &&
	[ "$(cat "$tmp/out")" = "1.00inf nan -9223372036854775808
fp_to_string: the number is too large
string_to_fp: '1234567890123456789' has more than 18 digits before the point" ]
ok "floating point that cannot be written"
gives 1 'randint(1000) != randint(1000) || randint(1000) != randint(1000)'
gives 0 'randint(1)'
run -e 'probe begin { for (i = 0; i < 300; i++) { n = randint(7) if (n < 0 || n > 6) println("out") seen |= 1 << n }
	println(seen) exit() }' && [ "$(cat "$tmp/out")" = 127 ]
ok "randint reaches every number and no other"
run -e 'probe begin { println(randint(0)) }'
[ $? = 1 ] && grep -q 'randint: the limit must be positive' "$tmp/err"
ok "randint of nothing"
run -e 'probe begin { println(ctime(2147483648)) }'
[ $? = 1 ] && grep -q 'too far from 1970' "$tmp/err"
ok "ctime beyond 32 bits"
run -e 'probe begin { println(ctime(), "|", gettimeofday_s()) exit() }' &&
	[ "$(LC_ALL=C date -u -d "@$(cut -d'|' -f2 "$tmp/out")" '+%a %b %e %T %Y')" = "$(cut -d'|' -f1 "$tmp/out")" ]
ok "ctime() is now"
run -e 'probe begin { a = speculation() b = speculation() speculate(a, "1") speculate(b, "no") speculate(a, "2")
	discard(b) commit(b) commit(a) commit(a) println("|") exit() }' && [ "$(cat "$tmp/out")" = "12|" ]
ok "speculation: only what is committed is printed, once, in order"
run -g -e 'probe begin { t = local_clock_us() mdelay(3) udelay(500) println(local_clock_us() - t >= 3500) exit() }' &&
	[ "$(cat "$tmp/out")" = 1 ]
ok "mdelay and udelay"
run -e 'probe begin { udelay(1) }'
[ $? = 1 ] && grep -q 'guru' "$tmp/err"
ok "udelay needs guru mode"
# Two of three are done: one after 8 ms of waiting and 4 of serving at least, the others wait as long.
run -g -e 'probe begin { qsq_start("q") for (i = 0; i < 3; i++) qs_wait("q") mdelay(8) qs_run("q") mdelay(4) qs_done("q") qs_run("q") qs_done("q")
	println(qsq_service_time("q", 1) >= 1990, qsq_wait_time("q", 1) >= 17900, qsq_wait_time("q", 1) >= qsq_service_time("q", 1),
		qsq_throughput("q", 1000000000) > 0, qsq_blocked("q", 1000) <= 1000, qsq_utilization("q", 1000) <= qsq_blocked("q", 1000),
		qsq_wait_queue_length("q", 1000) <= 3000, qsq_wait_queue_length("q", 1000) > qsq_blocked("q", 1000), qsq_service_time("r", 1))
	qsq_print("q") exit() }' && [ "$(head -n 1 "$tmp/out")" = 111111110 ] &&
	tail -n 1 "$tmp/out" | grep -Eqx 'q: [0-9]+\.[0-9]{3} ops/s, [0-9]\.[0-9]{3} qlen, [0-9]+ await, [0-9]+ svctm, [0-9]+% wait, [0-9]+% utilization'
ok "queues"
run -e 'probe begin { print(__json_start(), __json_next("", ""), __json_quote("a\"\\b"), ": 1", __json_next("arr", "x"), "\"k\": 2", __json_next("arr", "x"),
	"\"l\": 3", __json_next("arr", "y"), "\"k\": 4", __json_next("", ""), "\"z\": 5", __json_next("b", "x"), "\"k\": 6", __json_end()) exit() }' &&
	python3 -c 'import json, sys
assert json.load(open(sys.argv[1])) == {"a\"\\b": 1, "arr": [{"__id": "x", "k": 2, "l": 3}, {"__id": "y", "k": 4}], "z": 5, "b": [{"__id": "x", "k": 6}]}' "$tmp/out"
ok "JSON that python3 reads"
run -e 'probe begin { json_set_prefix("p") json_add_array("arr", "d") json_add_array_numeric_metric("arr", "k", "", "u") json_add_numeric_metric("z", "", "")
	try { json_add_numeric_metric("z", "", "") } catch (m) { println(m) } try { json_add_array_string_metric("no", "k", "") } catch (m) { println(m) } exit() }' &&
	[ "$(cat "$tmp/out")" = "json: there is a metric 'z' already
json: there is no array 'no'" ]
ok "JSON metrics"
run -e 'probe begin { println(probe_type(), "|", probemod(), "|", pn(), "|", "xaby" =~ "ab+" ? matched_str() : "") @this1 = 4 @this2 = "x" println(@this1, @this2) exit() }' &&
	[ "$(cat "$tmp/out")" = "begin||begin|ab
4x" ]
ok "of the probe, of the match, of the thread"
"$spile" -p1 -e 'probe prometheus { @prometheus_dump_array2_map(a, "m", "x", "y", sprint, f, g) @prometheus_dump_array1_map_unquoted(b, "n", "z", h, sprint) }' >"$tmp/out" 2>"$tmp/err"
grep -qF '$value .= sprintf("%s{%s=\"%s\",%s=\"%s\"} %s\n", "m", "x", f(__k1), "y", g(__k2), sprint(a[__k1, __k2]))' "$tmp/out" &&
	grep -qF '$value .= sprintf("%s{%s=%s} %s\n", "n", "z", sprint(__k1), h(b[__k1]))' "$tmp/out"
ok "macros for Prometheus"
TZ=XYZ-2:30 gives "-9000 XYZ Thu Jan  1 02:30:00 1970 XYZ" 'tz_gmtoff(), " ", tz_name(), " ", tz_ctime(0)'
TZ=ABC5 gives "18000 ABC Wed Dec 31 19:00:00 1969 ABC" 'tz_gmtoff(), " ", tz_name(), " ", tz_ctime(0)'
run -e 'probe begin { try { assert(0, "so it is") } catch (m) { println(m) } assert(1) assert(0) }'
[ $? = 1 ] && [ "$(cat "$tmp/out")" = "so it is" ] && grep -q 'assertion failed' "$tmp/err"
ok "assert"
run -e 'probe begin { printf("%s%s%s%s|", indent(1), indent(2), indent(-2), indent(-1))
	println(indent_depth(3), indent_depth(-3), thread_indent_depth(1), thread_indent_depth(1), thread_indent_depth(-1),
	thread_indent_depth(-1), thread_indent_depth(1)) exit() }' && [ "$(cat "$tmp/out")" = "        |3312211" ]
ok "indent, indent_depth, thread_indent_depth"
run -e 'probe begin { start_stopwatch("a") start_stopwatch("b") stop_stopwatch("b") }
	probe timer.ms(30) { a = read_stopwatch_ms("a") b = read_stopwatch_ms("b")
	println(a >= 25, b < a, read_stopwatch_ns("none")) delete_stopwatch("a") println(read_stopwatch_us("a")) exit() }' &&
	[ "$(tr '\n' ' ' <"$tmp/out")" = "110 0 " ]
ok "stopwatches"
run -e 'probe begin { ansi_clear_screen() ansi_cursor_move(3, 7) ansi_set_color(31) ansi_set_color(31, 44)
	ansi_set_color(31, 44, 1) ansi_reset_color() ansi_cursor_hide() ansi_cursor_show() ansi_cursor_save()
	ansi_cursor_restore() ansi_new_line() exit() }' &&
	printf '\033[1;1H\033[J\033[3;7H\033[31m\033[44;31m\033[44;31;1m\033[0;0m\033[?25l\033[?25h\033[s\033[u\n' | cmp - "$tmp/out"
ok "ansi_*"
run -e 'probe begin { println(user_char(1), user_int8(1), user_uint64(1), user_short_warn(1), user_string_n(1, 4, "none"))
	try { user_int16_error(1) } catch (m) { println(m) } println(user_string_warn(1, "mine"), user_string_n_quoted(16, 3)) exit() }' &&
	[ "$(tr '\n' ' ' <"$tmp/out")" = "0000none user read fault at 0x0000000000000001 mine0x10 " ] &&
	[ "$(grep -c 'WARNING: user .* fault' "$tmp/err")" = 2 ]
ok "user memory that cannot be read"
run -x $$ -m named -e 'probe begin { println(module_name(), registers_valid(), addr(), is_return(), user_mode(), HZ() >= 100, cpuid() >= 0,
	local_clock_ns() > 0, cpu_clock_s(0) <= local_clock_s(), ktime_get_ns() > 0) exit() }' && [ "$(cat "$tmp/out")" = named000011111 ]
ok "context functions without registers"
run -e 'probe begin { try { println(register("rax")) } catch (m) { println(m) } exit() }' &&
	grep -q 'this probe has no registers' "$tmp/out"
ok "register() without registers"

run -g -e 'probe begin { try { set_int_arg(1, 2) } catch (m) { println(m) } try { set_u64_arg(0, 2) } catch (m) { println(m) }
	set_user_string_arg(1, "x") println(remote_id(), remote_uri()) exit() }' &&
	[ "$(cat "$tmp/out")" = "arguments cannot be written in this probe
there is no argument 0
-1" ] && grep -q 'WARNING: user write fault' "$tmp/err"
ok "writing what is not there; no other machine"

echo 'function later:string () { return argv[2] }' >"$tmp/later.stp"
for script in 'println(argc, argv_1, argv_2, "|", argv_3, "|", argv[1], argv[2], [3] in argv)' 'println("2ab||ab0", later() == "b" ? "" : "no")'; do
	run -I "$tmp" -e "probe begin { $script exit() }" a b && [ "$(cat "$tmp/out")" = '2ab||ab0' ]
	ok "arguments as variables: $script"
done
run -e 'probe begin { println(signal_str(9), signal_str(17), signal_str(34), signal_str(65), signal_str(-1)) exit() }' &&
	[ "$(cat "$tmp/out")" = 'SIGKILLSIGCHLDSIGRTMIN+2UNKNOWN(65)UNKNOWN(-1)' ]
ok signal_str

run -e 'probe begin { println(symdata(16), symname(16)) print_syms("0x10  ff") try { modname(5) } catch (m) { println(m) } exit() }' &&
	printf '0x10\n 0x0000000000000010 : 0x10\n 0x00000000000000ff : 0xff\nmodname: no function is known at 0x5\n' | cmp - "$tmp/out"
ok "symbols that are not known"

awk '/^##/ { said = 1; next }
	/^(function|probe|@define) / { name = $2; sub(/[(:].*/, "", name)
		if (!said && name !~ /^_/ && ($1 != "probe" || / \+?= /)) print FILENAME ": " name " has no comment" }
	{ said = 0 }' tapset/*.stp* >"$tmp/out"
[ ! -s "$tmp/out" ]
ok "everything in the tapset has its comment"
make -s man >"$tmp/out" 2>"$tmp/err"
[ "$(ls build/man/man3 | wc -l)" = "$(awk '/^##/ { said = 1; next }
	said && /^(function|probe|@define) / { sub(/[(:=+].*/, "", $2); print $1 $2 } { said = 0 }' tapset/*.stp* | sort -u | wc -l)" ]
ok "make man writes a page for each name"
grep -q '^strpos:long(s1:string, s2:string)$' 'build/man/man3/function::strpos.3stap' &&
	[ "$(grep -c '^ctime:string(' 'build/man/man3/function::ctime.3stap')" = 2 ] &&
	grep -q '^.I srch_str$' 'build/man/man3/function::str_replace.3stap'
ok "a page has synopsis and arguments"
count_end
