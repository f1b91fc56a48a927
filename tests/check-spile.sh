#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command spile: options, exit statuses, what each pass shows, the cache. No kernel is touched.
# The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
spile=$PWD/build/bin/spile
. tests/count.sh
export SPILE_CACHE=$tmp/cache

# expect NAME STATUS STREAM PATTERN ARGS...: runs spile; a line of out or err matches the pattern.
expect() {
	local name=$1 status=$2 stream=$3 pattern=$4 got
	shift 4
	timeout 60 "$spile" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ $got = "$status" ] && grep -q -e "$pattern" "$tmp/$stream"
	ok "$name: status $got, wanted $status and '$pattern' on $stream"
}

hello='probe begin { print("hello\n") exit() }'
expect "no script" 1 err 'no script is given'
expect "unknown option" 1 err 'option not understood: --nope' --nope x
expect "unsupported option" 1 err 'option -M is not supported yet: bulk mode' -M -e "$hello"
expect "unsupported word" 1 err 'option --remote is not supported yet' --remote=x -e "$hello"
expect "needless option" 0 err 'WARNING: option -d is not needed: symbols' -d kernel -p1 -e "$hello"
# Each long option that is refused, with an argument where it must have one.
sed -n 's/^OPTION("\([a-z-]*\)", [^,]*, \(NULL\|"[^"]*"\), REFUSED.*/\1 \2/p' tools/options.def >"$tmp/refused"
while read -r word argument; do
	case $argument in
	NULL | '"['*) arg=--$word ;;
	*) arg=--$word=1 ;;
	esac
	expect "--$word is refused by name" 1 err "option --$word is not supported yet: " "$arg" -e "$hello"
done <"$tmp/refused"
expect "-E adds script" 0 out '^added$' --runtime=process -E 'probe begin { println("added") exit() }' -e 'probe never { }'
expect "-E shares its globals" 0 out '^7$' --runtime=process -E 'global seven = 7' -e 'probe begin { println(seven) exit() }'
expect "-G number" 0 out '^-42$' --runtime=process -G x=-42 -e 'global x = 1 probe begin { println(x) exit() }'
expect "-G without a value in the script" 0 out '^ab c$' --runtime=process -G 'x=ab c' -e 'global x probe begin { println(x) exit() }'
expect "-G of nothing" 1 err 'no such global variable' -G y=1 -e 'global x probe begin { println(x) exit() }'
expect "-G of an array" 1 err 'an array cannot' -G x=1 -e 'global x[2] probe begin { x[1] = 1 }'
expect "-G is another start" 0 out '^8$' --runtime=process -G x=8 -e 'global x = 1 probe begin { println(x) exit() }'
expect "-W makes warnings fatal" 1 err 'warnings are errors' -W -p4 -e 'probe begin { x = 1 exit() }'
expect "-W without warnings" 0 out '/scripts/' -W -p4 -e "$hello"
expect "-u keeps functions" 0 out 'f_unused' -u -p3 -e 'function unused() { println(1) } probe begin { exit() }'
"$spile" -p3 -e 'function unused() { println(1) } probe begin { exit() }' 2>/dev/null | grep -q f_unused
[ $? = 1 ]
ok "unused function is kept"
"$spile" -t --runtime=process -e 'global n probe timer.ms(5) { if (++n == 7) exit() } probe begin, never { println("x") }
	probe end { for (i = 0; i < 500; i++) ; println("end") }' >"$tmp/out" 2>"$tmp/err"
awk '/^----- probe hit report: $/ { report = 1 } !report { next } { print }
	/^timer.ms\(5\), \(<input>:1:16\), hits: 7, cycles: / { timer = 1 }
	/^begin, .* hits: 1, .* index: 1$/ { begin = 1 }
	/^end, \(<input>:2:[0-9]*\), hits: 1, / { split($0, a, /cycles: |min\/|avg\/|max/); long = a[2] > 500 && a[2] == a[3] && a[3] == a[4] }
	/max/ { split($0, a, /cycles: |min\/|avg\/|max/); if (a[2] > a[3] || a[3] > a[4]) wrong = 1 }
	END { exit !(timer && begin && long && !wrong) }' "$tmp/out" >"$tmp/report"
ok "-t"

# What nobody reads is left out: assignments, what only they read, functions that only they call.
dead='global g function pure(x) { g1 = x + g return g1 } function loud(x) { println("loud") return x }
	probe begin { a = pure(3) b = loud(4) c = 5 d = c + 1 e = d f = g = 3 println("end") exit() }'
"$spile" -w -p3 -e "$dead" >"$tmp/out" 2>/dev/null
! grep -q 'l_[acdef] =\|f_pure' "$tmp/out" && grep -q 'f_loud_1(c, 4LL)' "$tmp/out" && grep -q 'g_g' "$tmp/out"
ok "dead code"
expect "dead code does what else it does" 0 out '^loud$' -w --runtime=process -e "$dead"
expect "-u keeps dead code" 0 out 'l_e = ' -u -w -p3 -e "$dead"
expect "-u keeps what it calls" 0 out 'f_pure_0(c, 3LL)' -u -w -p3 -e "$dead"
expect "--vp tells one pass" 0 err '^Pass 3: translated' --vp 001 --disable-cache -p4 -e "$hello"
grep -q 'Pass [1245]' "$tmp/err"
[ $? = 1 ]
ok "--vp: other passes"
expect "--vp is checked" 1 err '--vp wants' --vp x -e "$hello"
expect "--compatible" 0 out 'println("old")' --compatible=1.0 -p1 -e '%( systemtap_v < "2.0" %? probe begin { println("old") } %: %)'
expect "--compatible with the future" 1 err 'the newest version is' --compatible=99 -e "$hello"
mkdir -p "$tmp/kernel" && echo 9.8.7-test >"$tmp/kernel/release"
printf '# CONFIG_OFF is not set\nCONFIG_ON=y\nCONFIG_MODULE=m\nCONFIG_TEXT="a text"\nCONFIG_NUMBER=1000\nXCONFIG_Y=y\n' >"$tmp/kernel/config"
config() { # NAME WANTED CONDITION
	expect "$1" 0 out "^probe $2" -r "$tmp/kernel/" -p1 -e "%( $3 %? probe begin { } %: probe end { } %)"
}
config "CONFIG y" begin 'CONFIG_ON == "y"'
config "CONFIG m" begin 'CONFIG_MODULE == "m" && CONFIG_MODULE != "y"'
config "CONFIG wildcard" begin 'CONFIG_MODULE == "[my]"'
config "CONFIG not set" end 'CONFIG_OFF == "y"'
config "CONFIG not set is empty" begin 'CONFIG_OFF == "" && CONFIG_Y == ""'
config "CONFIG text" begin 'CONFIG_TEXT == "a text"'
config "CONFIG number" begin 'CONFIG_NUMBER == "1000"'
config "kernel_v of -r" begin 'kernel_v == "9.8.7" && kernel_v > "9.8.6" && kernel_v < "9.10"'
config "kernel_vr of -r" begin 'kernel_vr == "9.8.*-test"'
config "arch" begin 'arch == "x86_64" && arch != "i?86"'
config "or, and" begin 'arch == "x" && arch == "y" || guru_mode == 0'
config "defined" end 'defined(@1)'
expect "runtime" 0 out '^probe begin' --runtime=process -p1 -e '%( runtime == "process" %? probe begin { } %: probe end { } %)'
expect "guru_mode" 0 out '^probe begin' -g -p1 -e '%( guru_mode == 1 %? probe begin { } %: probe end { } %)'
expect "an argument as a condition" 0 out '^probe begin' -p1 -e '%( $1 > 5 && @2 == "x" %? probe begin { } %: probe end { } %)' 7 x
expect "-b" 0 err 'WARNING: option -b is not needed: each CPU' -b -p1 -e "$hello"
expect "--suppress-handler-errors" 0 err 'Number of errors: 3' --runtime=process --suppress-handler-errors \
	-e 'global n probe timer.ms(1) { if (n++ < 3) println(1 / (n - n)) else exit() } probe error { println("no") } probe end { println("end") }'
grep -qx end "$tmp/out" && ! grep -q ERROR "$tmp/err" && passed=$((passed + 1)) || { failed=$((failed + 1)); echo "  FAIL suppressed errors"; }

# Files of -o: none passes its size, no line is torn, the last ones stay; the whole is what was printed.
lines='probe begin { for (i = 0; i < 300; i++) printf("line %d of the output\n", i); exit() }'
expect "-S needs -o" 2 err '-S needs -o' --runtime=process -S 1 -e "$lines"
expect "-S is checked" 2 err '-S takes megabytes' --runtime=process -S 1,0 -o "$tmp/x" -e "$lines"
"$spile" --runtime=process -S 0.001 -o "$tmp/whole" -e "$lines"
"$spile" --runtime=process -S 0.001,2 -o "$tmp/kept" -e "$lines"
seq -f 'line %g of the output' 0 299 >"$tmp/want"
cat "$tmp"/whole.? | cmp -s - "$tmp/want" && ! find "$tmp" -name 'whole.*' -size +1048c | grep -q . &&
	[ "$(cd "$tmp" && echo kept.*)" = "kept.5 kept.6" ] && cmp -s "$tmp/kept.6" "$tmp/whole.6" &&
	passed=$((passed + 1)) || { failed=$((failed + 1)); echo "  FAIL -S"; ls -l "$tmp"; }
# switch_file() and SIGUSR2; in the background, messages beside the output.
expect "-F needs -o" 2 err '-F needs -o' --runtime=process -F -e "$hello"
expect "-S and --vm" 1 err 'exclude each other' --vm -S 1 -o "$tmp/x" -e "$hello"
expect "-F and --vm" 1 err 'exclude each other' --vm -F -o "$tmp/x" -e "$hello"
expect "-F tells how the script failed to start" 1 err '^' --runtime=process -F -o "$tmp/nodir/x" -e "$hello"
expect "-F" 0 out '^[0-9]*$' --runtime=process -F -o "$tmp/behind" -e 'global n
	probe begin { println("one") switch_file() println("two") } probe timer.ms(10) { if (!n++) warn("ticks") }
	probe end { println("end") }'
pid=$(cat "$tmp/out")
for _ in $(seq 200); do grep -q ticks "$tmp/behind.1" && break; sleep 0.05; done
kill -USR2 "$pid"
for _ in $(seq 200); do [ -e "$tmp/behind.2" ] && break; sleep 0.05; done
kill "$pid"
for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
[ "$(cat "$tmp/behind")" = one ] && [ "$(cat "$tmp/behind.1")" = "$(printf 'two\nWARNING: ticks')" ] &&
	[ "$(cat "$tmp/behind.2")" = end ] && passed=$((passed + 1)) ||
	{ failed=$((failed + 1)); echo "  FAIL -F: files"; head "$tmp"/behind*; }
expect "-a" 1 err '-a: not supported: arm64' -a arm64 -e "$hello"
expect "--privilege" 1 err 'without privileges' --privilege=stapusr -e "$hello"
expect "--suppress-time-limits needs -g" 1 err 'needs guru mode' --suppress-time-limits -e "$hello"
expect "--suppress-time-limits" 0 out '^100000$' -g --suppress-time-limits --runtime=process -e 'probe begin { for (i = 0; i < 100000; i++) ; println(i) exit() }'
expect "the limit otherwise" 1 err 'MAXACTION exceeded' --runtime=process -e 'probe begin { for (i = 0; i < 100000; i++) ; println(i) exit() }'
expect "--no-global-var-display" 0 out '^shown$' --runtime=process --no-global-var-display -e 'global x probe begin { x = 5 println("shown") exit() }'
grep -q 'x=5' "$tmp/out"
[ $? = 1 ]
ok "--no-global-var-display"
expect "--rlimit-fsize" 1 err 'wants a number' --rlimit-fsize=x -e "$hello"
expect "--rlimit-as" 134 err 'out of memory' --rlimit-as=1000000 --runtime=process -p4 -e "$hello"
expect "--dump-probe-types" 0 out '^timer.ms' --dump-probe-types
expect "--dump-functions: run-time" 0 out '^substr:string (arg1:string, arg2:long, arg3:long)$' --dump-functions
expect "--dump-functions: tapset" 0 out '^lib_next()$' -I tests/script/tapset --dump-functions
expect "--dump-probe-aliases" 0 out '^lib.sub.deep$' -I tests/script/tapset --dump-probe-aliases
mkdir "$tmp/dir" && echo '-w -p1' >"$tmp/dir/rc"
SYSTEMTAP_DIR=$tmp/dir expect "options of the rc file" 0 out '^probe begin' -e "$hello"
SYSTEMTAP_RELEASE=1.2.3 expect "SYSTEMTAP_RELEASE" 1 err 'no description of this kernel' -e "$hello"
expect "missing argument" 1 err 'option needs an argument: -e' -e
expect "bad pass" 1 err '-p wants a pass' -p7 -e "$hello"
expect "needless limit" 0 err 'WARNING: limit MINSTACKSPACE=9 is not needed: ' -D MINSTACKSPACE=9 -p1 -e "$hello"
expect "needless flag" 0 err 'WARNING: limit STP_NO_OVERLOAD is not needed: ' -DSTP_NO_OVERLOAD -p1 -e "$hello"
expect "bad limit" 1 err 'there is no such limit' -D MAXNONSENSE=1 -e "$hello"
expect "bad module name" 1 err '-m wants' -m 'A b' -e "$hello"
expect "the core's module name" 1 err "the core's module" -m spile -e "$hello"
expect "missing file" 1 err '/nonexistent' -p4 /nonexistent
expect "unknown kernel" 1 err 'no description of this kernel' -r 1.2.3 -e "$hello"
expect "version" 0 out '^spile ' --version
expect "help names the limits" 0 out 'MAXSTRINGLEN' --help
expect "help tells the exit status" 0 out '^Exit status: ' --help

expect "pass 1 shows the script" 0 out '^probe begin' -p1 -e "$hello"
expect "pass 2 shows locals and types" 0 out 'x:string' -p2 -e 'probe begin { x = "a" println(x) }'
expect "each probe begins a line" 0 out '^end$' -p2 -e 'probe begin { exit() } probe end { }'
expect "pass 3 shows C" 0 out 'spl_print(c, 0, 0);' -p3 -e "$hello"
expect "pass 4 shows the object" 0 out "^$tmp/cache/scripts/[0-9a-f]*\.o\$" -p4 -e "$hello"
expect "a known start skips the passes" 0 err 'took a known start' -v -p4 -e "$hello"
expect "other arguments are another start" 0 err 'Pass 3' -v -p4 -e "$hello" other
expect "a limit is another start" 0 err 'Pass 4: compiled' -v -p4 -D MAXACTION=7 -e "$hello"
expect "warnings are told" 0 err 'never read' -p4 -e 'probe begin { x = 1 exit() }'
expect "and told again for a known start" 0 err 'never read' -p4 -e 'probe begin { x = 1 exit() }'
expect "-k tells where the C is" 0 err 'generated C is .*\.c' -k -p4 -e "$hello"
expect "-m names the module" 0 out '/scripts/' -m my_name -p4 -e "$hello"
grep -q 'my_name' "$(cat "$tmp/out")"
ok "-m: the name is not in the object"

object=$("$spile" -p4 -e "$hello")
touch -d '2001-01-01' "$object"
"$spile" --disable-cache -p4 -e "$hello" >/dev/null && [ "$(stat -c %Y "$object")" -gt 1000000000 ]
ok "--disable-cache"
touch -d '2001-01-01' "$object"
"$spile" --poison-cache -p4 -e "$hello" >/dev/null && [ "$(stat -c %Y "$object")" -gt 1000000000 ]
ok "--poison-cache"
"$spile" --clean-cache && [ ! -e "$object" ]
ok "--clean-cache"

expect "parse error" 1 err '^Pass 1: parse failed' -e 'probe begin {'
expect "semantic error" 1 err '^Pass 2: analysis failed' -e 'probe begin { nope() }'
expect "-l of what is not there" 1 err 'unknown probe point' -l 'no.such'
expect "-l takes several points" 0 out '^end$' -l 'begin, end'
expect "-l lists" 0 out '^timer.ms(5)$' -l 'timer.ms(5)'
expect "process home" 0 out '^hello$' --runtime=process -e "$hello"
"$spile" --runtime=process -o "$tmp/file" -e 'probe begin { print("to file\n") exit() }' 2>"$tmp/err"
grep -q '^to file$' "$tmp/file"
ok "-o"
"$spile" --runtime=process -o "$tmp/in-%Y-%%" -e "$hello" 2>"$tmp/err"
[ -e "$tmp/in-$(date +%Y)-%" ]
ok "-o with the time in the name"
expect "--skip-badvars" 0 out '^5 0  0 0 none 1$' --runtime=process --skip-badvars -e 'probe begin {
	println(5 + $x, " ", $y->z[1], " ", $o$$, $$vars, " ", @cast(16, "timeval", "<sys/time.h>")->tv_sec, " ", @defined($x), " ",
	@choose_defined($x, "none"), " ", @defined(@cast(0, "timeval", "<sys/time.h>")->tv_sec)) exit() }'
expect "--skip-badvars in constants and C code" 0 out '^1 1$' --runtime=process -g --skip-badvars -e '
	function in_c:long() %{ STAP_RETURN(STP_SKIP_BADVARS); %}
	probe begin { println(@const("STP_SKIP_BADVARS"), " ", in_c()) exit() }'
expect "--skip-badvars and what is written" 1 err 'not available in probe begin' --runtime=process -g --skip-badvars -e 'probe begin { $x = 3 }'

# Every option of stap(1) is known: none is taken for something else, or not understood.
unknown=
for option in -b -d:x -D:MAXACTION=9 -e:x -E:x -F -g -G:x=1 -h -i -I:x -k -l:begin -L:begin -m:x -M -o:x -p:1 -P -r:x -R:x -s:1 -S:1 -t -T:1 \
	-u -v -V -w -W -x:1 -a:x86_64 -B:x=y -c:true --help --version --vp:00000 --interactive --ldd --all-modules --modinfo:x=y \
	--skip-badvars --prologue-searching=never --suppress-handler-errors --compatible:4.8 --check-version --clean-cache --color=never \
	--disable-cache --poison-cache --privilege:stapdev --unprivileged --use-server --use-http-server:x --use-server-on-error=no \
	--list-servers --trust-servers --sign-module --dump-probe-types --dump-probe-aliases --dump-functions --remote:x --remote-prefix \
	--download-debuginfo=no --rlimit-as:1G --rlimit-cpu:9 --rlimit-nproc:9 --rlimit-stack:9 --rlimit-fsize:9 --sysroot:x --sysenv:x=y \
	--suppress-time-limits --runtime:process --dyninst --bpf --save-uprobes --target-namespaces:1 --monitor=1 --example:x \
	--no-global-var-display --tmpdir:x --use-cache --language-server; do
	# the option that is not there ends the command before anything is done
	argument=${option#*:}
	[ "$argument" != "$option" ] || argument=
	timeout 60 "$spile" "${option%%:*}" ${argument:+"$argument"} --not-an-option >"$tmp/out" 2>"$tmp/err" </dev/null
	grep -q "not understood: ${option%%[:=]*}" "$tmp/err" && unknown="$unknown $option"
done
[ -z "$unknown" ]
ok "options of stap that are not known:$unknown"
"$spile" -o "$tmp/shown" -p1 -e "$hello"
expect "-o takes what -p shows" 0 out 'probe begin' -p1 "$tmp/shown"
expect "-o that cannot be opened" 1 err 'cannot write /nonexistent/x: No such file' -o /nonexistent/x -l begin
expect "a full disk, pass 1" 1 err 'cannot write the output: No space' -o /dev/full -p1 -e "$hello"
expect "a full disk, run" 1 err 'cannot write the output: No space' --runtime=process -o /dev/full -e "$hello"
echo 'probe begin { printf("%s %d\n", @1, $2) exit() }' >"$tmp/args.stp"
expect "script arguments" 0 out '^word 5$' --runtime=process "$tmp/args.stp" word 5
count_end
