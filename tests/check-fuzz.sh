#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A short run of each fuzz target with a fixed seed: the same inputs every time. The last line is
# "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/count.sh

# run TARGET ARGUMENT...
run() {
	target=$1
	shift
	make -s "build/fuzz/$target" >"$tmp/out" 2>&1 &&
		"build/fuzz/$target" -s 1 "$@" >"$tmp/out" 2>&1
	ok "$target $*"
}

run fuzz_lex -n 3000 -d fuzz/script.words tests/script/parse-ok/*.stp tests/script/parse-err/*.stp
run fuzz_preprocess -n 2000 -d fuzz/script.words tests/script/parse-ok/*.stp tests/script/parse-err/[!MT]*.stp
run fuzz_parse -n 3000 -d fuzz/script.words tests/script/parse-ok/*.stp tests/script/parse-err/[!T]*.stp
run fuzz_resolve -n 1500 -d fuzz/script.words tests/script/resolve-err/*.stp tests/script/run-ok/*.stp
make -s build/places/programs/list
run fuzz_places -n 400 build/places/programs/gcc-O2-5 build/places/programs/clang-O2-5
run fuzz_btf -n 6000 tests/places/fixture.c build/places/programs/gcc-O2-5
count_end
