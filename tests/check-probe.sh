#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# spile-probe on the fixture's programs (tests/places), and on a described kernel if one is there. The
# last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
make -s build/bin/spile-probe build/places/programs/list || exit 1
probe=build/bin/spile-probe
programs=build/places/programs
. tests/count.sh

# expect STATUS PATTERN ARGUMENT...: spile-probe's exit status, and a line of its output (ERE).
expect() {
	status=$1 pattern=$2
	shift 2
	"$probe" "$@" >"$tmp/out" 2>&1 </dev/null
	got=$?
	[ "$got" = "$status" ] && grep -Eq -- "$pattern" "$tmp/out"
	ok "spile-probe $* (status $got, wanted $status and \"$pattern\")"
}

# never PATTERN ARGUMENT...: no line of the output matches.
never() {
	pattern=$1
	shift
	"$probe" "$@" >"$tmp/out" 2>&1 </dev/null
	! grep -Eq -- "$pattern" "$tmp/out"
	ok "spile-probe $* (must not have \"$pattern\")"
}

O0=$programs/gcc-O0-5
O2=$programs/gcc-O2-5
C2=$programs/clang-O2-5

expect 0 '^<other_sum@.*/other.c:0>$' -x $O0 -L other_sum
expect 0 '^      0  .*int other_sum\(int a' -x $O0 -L other_sum
expect 0 '^      4  .*for \(int i = a' -x $O0 -L other_sum
expect 0 '^         $' -x $O0 -L other_sum
never '^ +[36]  ' -x $O0 -L other_sum
expect 0 '^      5  .*int step' -x $O0 -L other_sum:4-6
never 'int sum' -x $O0 -L other_sum:4-6
expect 0 '^      5  .*int step' -x $O0 -L other_sum:4+2
never 'int step' -x $O0 -L other_sum:4+1
expect 1 'the source .* is not there.*-s' -x $O0 -s /nonexistent -L other_sum
expect 0 'int step' -x $O0 -s tests -L other_sum

expect 0 '^	@<other_sum\+[0-9]+> .*other.c:' -x $O0 -V other_sum:5
expect 0 '^		int	i$' -x $O0 -V other_sum:5
expect 0 '^		const struct pair \*	p$' -x $O0 -V structures:5
expect 0 'clamp inlined into main' -x $C2 -V clamp
expect 0 'optimized out' -x $O2 -V by_value
expect 1 'no debug information.*compile with -g' -x $programs/stripped -V other_sum

expect 0 '^other_sum$' -x $O0 -F
expect 0 '^other_sum$' -x $programs/stripped -F 'other_*'
never '^main$' -x $O0 -F '*@other.c'
expect 0 '^by_value$' -x $O0 -F '*@other.c'

expect 0 'p:probe_gcc_O0_5/other_sum_L5 /.*:0x[0-9a-f]+ a=-20\(%bp\):s32 sum=-4\(%bp\):s32$' \
	-x $O0 -nv 'other_sum:5 a sum'
expect 0 'x=[+]0\(-[0-9]+\(%bp\)\):s32 two=[+]8\(-[0-9]+\(%bp\)\):s64$' \
	-x $O0 -nv 'structures:5 x=p->first two=p->second'
expect 0 '^p:probe_gcc_O0_5/structures_L5 /[^ ]* name=\+0\(\+24\(-[0-9]+\(%bp\)\)\):string numbers=\+56\(' \
	-x $O0 -D 'structures:5 m->name:string m->numbers[2]'
expect 0 ' name=\+u0\(\+u24\(-[0-9]+\(%bp\)\)\):string$' -x $O0 -D 'structures:5 m->name:string@user'
expect 0 ' step_x=-12\(%bp\):x32 n=-12\(%bp\):u8$' -x $O0 -D 'other_sum:5 step:x n=step:u8'
expect 0 ' m=-[0-9]+\(%bp\):x64 p=-[0-9]+\(%bp\):x64$' -x $O0 -D 'structures:5 $params'
expect 0 ' p=[^ ]* mask=[^ ]*:u16$' -x $O0 -D 'structures:5 $vars'
expect 0 '^p:mine/e /[^ ]* a=' -x $O0 -D 'mine:e=other_sum a'
expect 0 '^r:probe_gcc_O0_5/other_sum__return /[^ ]* \$retval$' -x $O0 -D 'other_sum%return $retval'
expect 0 '^p:[^ ]* /[^ ]* %ax n=%bx:u16$' -x $programs/stripped -D 'other_sum %ax n=%bx:u16'
expect 0 '^p:probe_gcc_O0_5/other_sum_1 ' -x $O0 -D 'other.c;sum*'
never planter -x $O0 -D other_sum
expect 1 'no line with code matches' -x $O0 -D 'other_sum;product*'
expect 1 'is not there to look for' -x $O0 -s /nonexistent -D 'other_sum;sum*'
expect 1 'behind a function.s name stands %return' -x $O0 -D 'other_sum%retrun'
expect 1 'is of a function, not of a line' -x $O0 -D 'other_sum:5%return'
expect 1 'variables are gone' -x $O0 -D 'other_sum%return a'
expect 1 '"q" is no type' -x $O0 -D 'other_sum:5 step:q'
expect 1 'no register %rax' -x $O0 -D 'other_sum %rax'
expect 1 'in brackets stands a number' -x $O0 -D 'structures:5 m->numbers[x]'
expect 1 'no array in memory and no pointer' -x $O0 -D 'structures:5 mask[1]'
expect 1 'GROUP:.EVENT' -x $O0 -D '3a=main'
expect 1 'no variable setp is visible there \(did you mean step\?\)' -x $O0 -D 'other_sum:5 setp'
expect 1 'has no member nonesuch' -x $O0 -nv 'structures:5 p->nonesuch'
expect 1 'an event line cannot say where it is' -x $O2 -nv 'by_value:0 copy'
expect 1 'one starts at \+0x1, the next at \+0x4' -x $O0 -nv 'other_sum+2'
expect 1 'did you mean other_sum' -x $O0 -nv 'other_smu'
expect 0 'planter (jump|breakpoint)' -x $programs/stripped -nv 'other_sum'

expect 0 '^  \+0x0 +(jump|breakpoint) ' -x $O2 --disasm other_sum
expect 0 'int sum = 0|for \(int i' -x $O2 --disasm other_sum
expect 0 '<other_duplicate>' -x $O2 --disasm tail
expect 0 'no jump: too near to the function' -x $O2 --disasm split
expect 0 '^[0-9]+ instructions, 0 cannot be probed' -x $programs/stripped --disasm other_sum
expect 1 '--disasm takes a function' -x $O2 --disasm other_sum:3

expect 2 'come with events' -l
expect 2 '--help' -V main -L main
expect 0 '^usage: spile-probe' --help
expect 1 'cannot open' -x /nonexistent -F
expect 1 'cannot read|not an ELF' -x tests/places/fixture.c -F

# perf probe finds the same places and reads the same there (it has a probe for each row of a line, we one
# for each copy: the first).
same_as_perf() { # PROGRAM DEFINITION
	perf probe -x "$1" -D "$2" 2>"$tmp/err" | head -1 | sed 's/^\(.\):[^/]*/\1:/' >"$tmp/perf"
	"$probe" -x "$1" -D "$2" 2>"$tmp/err" | head -1 | sed 's/^\(.\):[^/]*/\1:/' >"$tmp/ours"
	[ -s "$tmp/perf" ] && cmp -s "$tmp/perf" "$tmp/ours"
	ok "-D '$2' $1: perf $(cat "$tmp/perf"), we $(cat "$tmp/ours")"
}
if perf probe -x "$O0" -D main >"$tmp/out" 2>&1; then
	for definition in 'structures:5 p->first m->name:string m->numbers[2] m->next->name:string' \
		'structures:5 local.numbers[1]' 'structures:5 $params' 'g:e=other_sum a' 'labels;tries++*' \
		'other_sum:5 step:x step:u8 step:s' 'other_sum%return $retval' 'other_sum;sum+=*' \
		'other_sum %ax name=%bx:u16' 'main @sink:u32' 'structures:5 m->name:string@user' \
		'duplicate@other.c' 'other_sum+4'; do
		same_as_perf $O0 "$definition"
	done
	for definition in other_sum 'other_sum%return r=$retval:s32' clamp 'other_sum a b c'; do
		same_as_perf $O2 "$definition"
	done
else
	skip "places beside perf probe's" "perf is not there"
fi

# A symbol that no function of the source is called by; and what is no program.
R5=$programs/rows-5
expect 0 '^also_second$' -x $R5 -F 'also*'
expect 0 '/rows-5:0x[0-9a-f]* n=-4\(%bp\):s32$' -x $R5 -D 'also_second n'
expect 0 '^p:probe_rows_5/second_L5 ' -x $R5 -D also_second:5
expect 0 '^		int	n$' -x $R5 -V also_second
expect 0 '^      5  .*return n - 1' -x $R5 -L also_second
expect 1 'no process runs .*-m ' -x $programs/object.ko -D other_sum

# Damaged files: a message, not a crash.
for bytes in 100 3000 9000 16000; do
	head -c $bytes $O2 >"$tmp/cut"
	expect 1 '^spile-probe: ' -x "$tmp/cut" -V other_sum
done

# A kernel of the cache, by its own means: BTF, kallsyms, the image.
kernel=$(build/bin/spile-vm --print-dir 2>/dev/null)
if [ -n "$kernel" ] && [ -e "$kernel/vmlinux" ]; then
	export SPILE_CACHE=build/places/cache # not what check-debuginfo may have fetched
	expect 0 '^vfs_read$' -r "$kernel" -F 'vfs_*'
	expect 0 '^		struct file \*	file' -r "$kernel" -V vfs_read
	expect 0 'planter ftrace' -r "$kernel" -nv vfs_read
	expect 0 '^    p:probe/vfs_read vfs_read\+0$' -r "$kernel" -nv vfs_read
	expect 0 '^  \+0x0 +ftrace +callq .*<__fentry__>' -r "$kernel" --disasm vfs_read
	expect 1 'linux-image-.*-dbg' -r "$kernel" -V vfs_read:3
	expect 1 'one starts at \+0x0, the next at \+0x5' -r "$kernel" -nv vfs_read+1
	expect 0 '^		struct msghdr \*	msg' -r "$kernel" -m af-key -V pfkey_sendmsg
	expect 0 'af-key:pfkey_release\+0' -r "$kernel" -m af-key -nv pfkey_release
fi
count_end
