#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tapset search: which files are read when, the index in the cache, -I, errors in tapset files.
# The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
spile=$PWD/build/bin/spile
. tests/count.sh
export SPILE_CACHE=$tmp/cache
lib=tests/script/tapset

run() { timeout 60 "$spile" --runtime=process "$@" >"$tmp/out" 2>"$tmp/err" </dev/null; }

# Files of the library that a run opens; the index is one of the cache.
opened() { strace -f -e trace=openat -o "$tmp/trace" "$spile" "$@" >"$tmp/out" 2>"$tmp/err"
	grep -o '[^"]*\.\(stpm\?\|index\)"' "$tmp/trace" | tr -d '"' | sort -u; }

run -I $lib -p2 -e 'probe begin { println("hello") exit() }' && ! ls "$tmp"/cache/scripts/*.index >/dev/null 2>&1
ok "a script that uses nothing of the library makes no index"
run -I $lib -e 'probe begin { println(lib_next()) exit() }' && [ "$(cat "$tmp/out")" = 11 ] &&
	[ "$(ls "$tmp"/cache/scripts/*.index | wc -l)" = 1 ]
ok "the first use makes the index"
if command -v strace >/dev/null; then
	opened --runtime=process -I $lib -p2 -e 'probe begin { println(lib_place()) exit() }' >"$tmp/list"
	grep -q 'x86_64/arch.stp' "$tmp/list" && ! grep -q 'lib.stp\|broken.stp\|/place.stp' "$tmp/list"
	ok "only the file that defines the name is read, by the index"
fi

# The index against grep: every function at the beginning of a line.
sed -n 's/^function \([a-z_]*\).*/f\1/p; s/^.*%[?:] function \([a-z_]*\).*/f\1/p' $lib/*.stp $lib/*/*.stp | sort -u >"$tmp/want"
grep -h '^flib_\|^fother_' "$tmp"/cache/scripts/*.index | cut -f1 | sort -u | diff "$tmp/want" - >"$tmp/out"
ok "the index names every function that grep finds"
grep -q '^.lib_step\|^.hidden\|^.calls' "$tmp"/cache/scripts/*.index
[ $? = 1 ]
ok "private names are not in the index"

cp -r $lib "$tmp/lib"
text='probe begin { println(lib_place()) exit() }'
run -I "$tmp/lib" -e "$text" && [ "$(cat "$tmp/out")" = x86_64 ]
ok "the folder of the architecture comes first"
rm "$tmp/lib/x86_64/arch.stp"
run -I "$tmp/lib" -e "$text" && [ "$(cat "$tmp/out")" = everywhere ]
ok "a file that is gone is noticed, known start and all"
mkdir -p "$tmp/lib/$(uname -r)"
echo 'function lib_place:string () { return "this kernel" }' >"$tmp/lib/$(uname -r)/place.stp"
run -I "$tmp/lib" -e "$text" && [ "$(cat "$tmp/out")" = "this kernel" ]
ok "a file that is new is noticed; the kernel's own folder comes first"
sed -i 's/everywhere/changed/' "$tmp/lib/place.stp" && rm -r "${tmp:?}/lib/$(uname -r)"
run -I "$tmp/lib" -e "$text" && [ "$(cat "$tmp/out")" = changed ]
ok "a file that changed is noticed"
mkdir "$tmp/first" && echo 'function lib_place:string () { return "first" }' >"$tmp/first/a.stp"
run -I "$tmp/first" -I "$tmp/lib" -e "$text" && [ "$(cat "$tmp/out")" = first ]
ok "-I: the first folder wins"
echo damaged >"$(ls -t "$tmp"/cache/scripts/*.index | head -n 1)"
run -I "$tmp/first" -I "$tmp/lib" -D MAXACTION=500 -e "$text" && [ "$(cat "$tmp/out")" = first ]
ok "a damaged index is made again"
run -I "$tmp/nowhere" -e 'probe begin { println("x") exit() }' && [ "$(cat "$tmp/out")" = x ]
ok "-I of no folder"
SYSTEMTAP_TAPSET=$tmp/first run -p2 -e "$text"
ok "SYSTEMTAP_TAPSET names the folder"

run -I $lib -e 'probe begin { println(lib_broken()) exit() }'
[ $? = 1 ] && grep -q "at $lib/broken.stp:1:38" "$tmp/err" && grep -q 'Pass 2: analysis failed' "$tmp/err"
ok "an error in a tapset file names the file and the place"
run -I $lib -e 'probe begin { println(lib_coun(1)) exit() }'
[ $? = 1 ] && grep -q "did you mean 'lib_count'" "$tmp/err"
ok "spelling help knows the library"
run -I $lib -e 'probe begin { println(lib_step(1)) exit() }'
[ $? = 1 ] && grep -q "unknown function 'lib_step'" "$tmp/err"
ok "private functions are not seen"
run -I $lib -e 'probe lib.*.nothing { exit() }'
[ $? = 1 ] && grep -q "unknown probe point 'lib.\*.nothing'" "$tmp/err"
ok "a wildcard that comes to nothing"
run -I $lib -e 'probe lib.one { exit() }' && ! grep -q 'never read' "$tmp/err"
ok "no warning about an alias's unused variables"
run -I $lib -l 'lib.*' && [ "$(sort "$tmp/out" | tr '\n' ' ')" = "lib.both lib.late lib.one lib.two " ]
ok "-l lists aliases by their names"
run -e 'probe begin { println(@defined(@task(0)->pid)) exit() }'
! grep -q 'no operator or macro' "$tmp/err"
ok "tapset/macros.stpm is found"
count_end
