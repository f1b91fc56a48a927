#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Probe points that need debug information, resolved for the default kernel: those of the unlinked
# fixture (tests/places) as a module, whose source tells what must come; and those of a kernel that
# has none. Debug information that this machine may have is hidden by an empty cache.
# The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/count.sh
build/bin/spile-vm -- true || { echo "0 passed, 1 failed"; exit 1; }
kernel=$(build/bin/spile-vm --print-dir)
export SPILE_CACHE=$tmp/cache
make -s build/places/programs/list || exit 1
module=$PWD/build/places/programs/object.ko
src=tests/places/fixture.c

line_of() { # TEXT: the first line that has it
	grep -nF -- "$1" $src | head -1 | cut -d: -f1
}

# lists NAME POINT COUNT PATTERN: -l prints COUNT lines, all of which match.
lists() {
	build/bin/spile -w -r "$kernel" -l "module(\"$module\").$2" >"$tmp/out" 2>"$tmp/err"
	[ "$(wc -l <"$tmp/out")" = "$3" ] && [ "$(grep -c "^module(\"object\").$4\$" "$tmp/out")" = "$3" ]
	ok "$1: wanted $3 lines '$4'"
}

# fails NAME POINT PATTERN: the message has a line that matches.
fails() {
	build/bin/spile -w -r "$kernel" -p2 -e "probe $2 { exit() }" >"$tmp/out" 2>"$tmp/err"
	[ $? = 1 ] && grep -q -- "$3" "$tmp/err"
	ok "$1: wanted '$3'"
}

at='@.*fixture\.c'
labels=$(line_of 'static __attribute__((noinline)) int labels(')
lists "a function of a file" 'function("labels@fixture.c")' 1 "function(\"labels$at:$labels\")"
lists "a file's, by pattern" 'function("lab*@*/fixture.c").call' 1 "function(\"labels$at:$labels\").call"
lists "a name that no file has" 'function("labels@other.c") ?' 0 x
lists "the function around a line" "function(\"*@fixture.c:$((labels + 5))\")" 1 \
	"function(\"labels$at:$labels\")"
lists "a return" 'function("labels@fixture.c").return.maxactive(3)' 1 \
	"function(\"labels$at:$labels\").return.maxactive(3)"
lists "a label" 'function("labels").label("aga*")' 1 "function(\"labels$at:[0-9]*\").label(\"again\")"
lists "both labels" 'function("labels").label("*")' 2 "function(\"labels$at:[0-9]*\").label(\"[a-z]*\")"
line=$(line_of 'if (tries < n)')
lists "a line" "statement(\"labels@fixture.c:$line\")" 1 "statement(\"labels$at:$line\")"
lists "a line of any function" "statement(\"*@fixture.c:$line\")" 1 "statement(\"labels$at:$line\")"
lists "a line counted from the function's" "statement(\"labels@fixture.c+$((line - labels))\")" 1 \
	"statement(\"labels$at:$line\")"
lists "the same behind a colon" "statement(\"labels@fixture.c:+$((line - labels))\")" 1 \
	"statement(\"labels$at:$line\")"
lists "the nearest line" "statement(\"labels@fixture.c:$labels\").nearest" 1 \
	"statement(\"labels$at:$((labels + 1))\").nearest"
lists "lines and ranges" "statement(\"labels@fixture.c:$((labels + 1)),$((line - 1))-$line\")" 3 \
	"statement(\"labels$at:[0-9]*\")"
lists "bytes behind the entry" 'statement("labels+0")' 1 "statement(\"labels$at:[0-9]*\")"
clamp=$(line_of 'int clamp(')
copies=$(build/bin/spile -w -r "$kernel" -p2 -e "probe module(\"$module\").function(\"clamp\") { exit() }" \
	2>/dev/null | grep -c '^module')
[ "$copies" -gt 2 ]
ok "clamp is inlined more than twice: $copies"
lists "inlined copies, each line once" 'function("clamp").inline' 1 "function(\"clamp$at:$clamp\").inline"
lists "inlined copies without a word" 'function("clamp@fixture.c")' 1 "function(\"clamp$at:$clamp\")"
lists "no inlined copies" 'function("clamp@fixture.c").call ?' 0 x
lists "nothing is exported" 'function("*@fixture.c").exported ?' 0 x
never=$(grep -c '	never("' $src)
planted=$(build/bin/spile -w -r "$kernel" -p2 -e "probe module(\"$module\").function(\"split\").callee(\"n*\") { exit() }" \
	2>/dev/null | grep -c '^module')
[ "$planted" = "$never" ]
ok "each call of a callee: wanted $never, there are $planted"
lists "a callee" 'function("split").callee("n*")' 1 "function(\"split$at:[0-9]*\").callee(\"never\")"

fails "inside an instruction" "module(\"$module\").statement(\"labels+1\")" \
	'labels+0x1 is inside an instruction: one starts at +0x0, the next at +0x'
fails "a line without code" "module(\"$module\").statement(\"labels@fixture.c:1\")" 'no code of line 1'
fails "a misspelt function" "module(\"$module\").function(\"lables@fixture.c\")" 'did you mean labels?'
fails "a file that the function is not in" "module(\"$module\").function(\"labels@fixtrue.c\")" \
	'has no function labels in fixtrue.c: it is in .*fixture.c'
fails "a function that is not inlined" "module(\"$module\").function(\"labels\").inline" \
	'labels is not inlined anywhere in'
fails "a function of a module that is not there" 'module("no_such_module").function("f")' \
	'has no module no_such_module'
fails "a function that is not exported" 'kernel.function("do_exit").exported' 'do_exit is not exported'
fails "an address outside of all functions" 'kernel.statement(0)' '0x0 is in no function'
fails "a module that is not there" 'module("no_such_module").statement("f@x.c:1")' 'has no module no_such_module'
mkfifo "$tmp/pipe.ko"
fails "a pipe for a module" "module(\"$tmp/pipe.ko\").function(\"f@x.c\")" 'no regular file'
fails "a kernel without" 'kernel.function("*@net/socket.c")' 'install the kernel.s debug package'
fails "absolute addresses" 'kernel.statement(0xffffffff81000000).absolute' 'guru mode'
build/bin/spile -w -g -r "$kernel" -p3 -e 'probe kernel.statement(0xffffffff81000000).absolute { exit() }' >"$tmp/out" 2>"$tmp/err" &&
	grep -q 'SPL_PROBE_STATEMENT, 0, 0xffffffff81000000ULL' "$tmp/out"
ok "absolute addresses in guru mode"

# An address of the kernel, as nm and kallsyms (without randomization) print it, needs no DWARF.
address=0x$(awk '$3 == "vfs_read" { print $1 }' "$kernel/kallsyms")
for what in statement function; do
	build/bin/spile -w -r "$kernel" -p3 -e "probe kernel.$what($address) { exit() }" >"$tmp/out" 2>"$tmp/err" &&
		grep -q '(spl_u64)kaddr_vfs_read, ' "$tmp/out"
	ok "kernel.$what of an address"
done
fails "an address inside an instruction" "kernel.statement($(printf '0x%x' $((address + 1))))" 'vfs_read+0x1 is inside an instruction'

# A module of the kernel's own that is not loaded: its file has the symbols and the types.
own=$(find "$kernel/modules" -name 'xfs.ko' | head -1)
if [ -n "$own" ]; then
	build/bin/spile -w -r "$kernel" -L 'module("xfs").function("xfs_file_open")' >"$tmp/out" 2>"$tmp/err"
	grep -qx 'module("xfs").function("xfs_file_open") $inode:struct inode\* $file:struct file\*' "$tmp/out"
	ok "a module's types"
else
	skip "a module's types" "the kernel's description has no xfs"
fi

# Variables of places, as -L lists them; of a return only what is left of them.
shows() { # NAME POINT VARIABLES, each line
	build/bin/spile -w -r "$kernel" -L "module(\"$module\").$2" 2>"$tmp/err" | sed 's/^[^$]*//' | sort -u >"$tmp/out"
	[ "$(cat "$tmp/out")" = "$3" ]
	ok "$1: wanted '$3'"
}
shows "an entry's variables" 'function("labels@fixture.c")' '$n:int $tries:int'
shows "a return's" 'function("labels@fixture.c").return' '$return:int $n:int'
shows "a line's" "statement(\"labels@fixture.c:$line\")" '$n:int $tries:int'
shows "types of structures" 'function("structures@fixture.c")' \
	'$m:struct mixed* $p:struct pair const* $local:struct mixed $mask:short unsigned int'
shows "each inlined copy's own" 'function("clamp").inline' '$high:int $low:int $value:int $result:int'

# Before anything is planted, -v tells what else there is.
build/bin/spile -w -v -r "$kernel" -p2 -e 'probe kernel.function("do_exit"), kernel.function("vfs_read") { exit() }' \
	>"$tmp/out" 2>"$tmp/err"
grep -q '^place: do_exit: planter ftrace.*unlikely parts elsewhere: do_exit.cold' "$tmp/err" &&
	grep -q '^place: vfs_read: planter ftrace$' "$tmp/err"
ok "-v"
build/bin/spile -w -v -r "$kernel" -p2 -e "probe module(\"$module\").function(\"clamp@fixture.c\") { exit() }" \
	>"$tmp/out" 2>"$tmp/err"
grep -q '^place: object:.*: planter native; inlined copies, probed too, in ' "$tmp/err"
ok "-v tells inlined copies"
count_end
