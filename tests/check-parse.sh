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
. tests/count.sh
driver=build/tests/test_script_files
list=tests/script/examples.bad
out=$tmp/out

[ -x "$driver" ] || make -s "$driver" || { count_end; exit; }
scripts=$(example_scripts)
macros=()
for file in tapset/*.stpm; do macros+=(-m "$file"); done
if [ -z "$scripts" ]; then
	echo "the package systemtap-doc is not installed: tools/setup.sh installs it"
	count_end
	exit
fi

parse() {
	"$driver" "${macros[@]}" "$@" >"$out" 2>&1
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
	[ $((status != 0)) = $wanted ]
	ok "$script ${args[*]}: status $status"
done
bad=$(grep -c '^[^#]*:' $list)
total=$((passed + failed))
echo "pass 1: $((passed - bad)) of $((total - bad)) example scripts ($((100 * (passed - bad) / (total - bad))) %)"
count_end
