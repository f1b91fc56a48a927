#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every tag of the message catalogues has a test that is named after it and expects it. The last line is
# "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0

for entry in $(sed -n 's/^DIAG(\([A-Z]*\), \([A-Z_0-9]*\),.*/\1:\2/p' script/*errors.def); do
	pass=${entry%%:*} tag=${entry#*:}
	case $pass in
	PARSE) file=tests/script/parse-err/$tag.stp ;;
	RESOLVE) file=tests/script/resolve-err/$tag.stp ;;
	*) file=tests/script/warn/$tag.stp ;;
	esac
	if grep -q "^# expect: $tag\( \|\$\)" "$file" 2>/dev/null; then
		passed=$((passed + 1))
	else
		echo "FAIL $tag: no test in $file"
		failed=$((failed + 1))
	fi
done
[ "$passed" -gt 0 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
