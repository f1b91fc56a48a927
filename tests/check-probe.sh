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
