#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Pass 1 over every example script of the systemtap-doc package: each must parse, and its printed
# form must parse to the same tree. The last line is "N passed, N failed".
#
# The arguments of a script are those of the test line in the .meta file beside it. A script that
# wants arguments and has no such line gets numbers, or a word and numbers. tests/script/examples.bad lists what is no valid
# script, with the reason: those must fail.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/examples.sh
driver=build/tests/test_script_files
list=tests/script/examples.bad
passed=0 failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

[ -x "$driver" ] || make -s "$driver" || { echo "0 passed, 1 failed"; exit 1; }
scripts=$(example_scripts)
if [ -z "$scripts" ]; then
	echo "the package systemtap-doc is not installed: tools/setup.sh installs it"
	echo "0 passed, 1 failed"
	exit 1
fi

parse() {
	"$driver" -m tapset/macros.stpm -m tests/script/examples.stpm "$@" >"$out" 2>&1
}

for script in $scripts; do
	mapfile -t args < <(arguments_of "$script")
	[ "${#args[@]}" = 1 ] && [ -z "${args[0]}" ] && args=()
	parse "$script" "${args[@]}" ||
		{ grep -q 'script argument' "$out" &&
			{ parse "$script" 1 2 3 4 5 || parse "$script" word 2 3 4 5; }; }
	status=$?
	wanted=0
	grep -q "^${script##*/}:" $list && wanted=1
	if [ $((status != 0)) = $wanted ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $script ${args[*]}: status $status"
		head -n 5 "$out"
	fi
done
bad=$(grep -c '^[^#]*:' $list)
total=$((passed + failed))
echo "pass 1: $((passed - bad)) of $((total - bad)) example scripts ($((100 * (passed - bad) / (total - bad))) %)"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
