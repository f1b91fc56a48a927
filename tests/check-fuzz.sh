#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A short run of each fuzz target with a fixed seed: the same inputs every time. The last line is
# "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# run TARGET ARGUMENT...
run() {
	target=$1
	shift
	make -s "build/fuzz/$target" >"$out" 2>&1 &&
		"build/fuzz/$target" -s 1 "$@" >"$out" 2>&1
	if [ $? = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $target $*"
		tail -n 40 "$out"
	fi
}

run fuzz_parse -n 3000 -d fuzz/script.words tests/script/parse-ok/*.stp tests/script/parse-err/[!T]*.stp
make -s build/places/programs/list
run fuzz_places -n 400 build/places/programs/gcc-O2-5 build/places/programs/clang-O2-5
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
