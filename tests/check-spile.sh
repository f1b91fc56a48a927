#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command spile: options, exit statuses, what each pass shows, the cache. No kernel is touched.
# The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
spile=$PWD/build/bin/spile
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export SPILE_CACHE=$tmp/cache
passed=0 failed=0

# expect NAME STATUS STREAM PATTERN ARGS...: runs spile; a line of out or err matches the pattern.
expect() {
	local name=$1 status=$2 stream=$3 pattern=$4 got
	shift 4
	timeout 60 "$spile" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	if [ $got = "$status" ] && grep -q -e "$pattern" "$tmp/$stream"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "  FAIL $name: status $got, wanted $status and '$pattern' on $stream"
		head -n 5 "$tmp/out" "$tmp/err" | sed 's/^/      /'
	fi
}

hello='probe begin { print("hello\n") exit() }'
expect "no script" 1 err 'no script is given'
expect "unknown option" 1 err 'option not understood: --nope' --nope x
expect "unsupported option" 1 err 'option not supported yet: -t' -t -e "$hello"
expect "missing argument" 1 err 'option needs an argument: -e' -e
expect "bad pass" 1 err '-p wants a pass' -p7 -e "$hello"
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
grep -q 'my_name' "$(cat "$tmp/out")" && passed=$((passed + 1)) ||
	{ failed=$((failed + 1)); echo "  FAIL -m: the name is not in the object"; }

expect "parse error" 1 err '^Pass 1: parse failed' -e 'probe begin {'
expect "semantic error" 1 err '^Pass 2: analysis failed' -e 'probe begin { nope() }'
expect "-l of what is not there" 1 err 'unknown probe point' -l 'no.such'
expect "-l takes several points" 0 out '^end$' -l 'begin, end'
expect "-l lists" 0 out '^timer.ms(5)$' -l 'timer.ms(5)'
expect "process home" 0 out '^hello$' --runtime=process -e "$hello"
"$spile" --runtime=process -o "$tmp/file" -e 'probe begin { print("to file\n") exit() }' 2>"$tmp/err"
grep -q '^to file$' "$tmp/file" && passed=$((passed + 1)) || { failed=$((failed + 1)); echo "  FAIL -o"; }
"$spile" -o "$tmp/shown" -p1 -e "$hello"
expect "-o takes what -p shows" 0 out 'probe begin' -p1 "$tmp/shown"
expect "-o that cannot be opened" 1 err 'cannot write /nonexistent/x: No such file' -o /nonexistent/x -l begin
expect "a full disk, pass 1" 1 err 'cannot write the output: No space' -o /dev/full -p1 -e "$hello"
expect "a full disk, run" 1 err 'cannot write the output: No space' --runtime=process -o /dev/full -e "$hello"
echo 'probe begin { printf("%s %d\n", @1, $2) exit() }' >"$tmp/args.stp"
expect "script arguments" 0 out '^word 5$' --runtime=process "$tmp/args.stp" word 5
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
