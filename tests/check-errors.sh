#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every tag of the message catalogues has a test that is named after it and expects it. The last line is
# "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/count.sh

for entry in $(sed -n 's/^DIAG(\([A-Z]*\), \([A-Z_0-9]*\),.*/\1:\2/p' script/*errors.def); do
	pass=${entry%%:*} tag=${entry#*:}
	case $pass in
	PARSE) file=tests/script/parse-err/$tag.stp ;;
	RESOLVE) file=tests/script/resolve-err/$tag.stp ;;
	*) file=tests/script/warn/$tag.stp ;;
	esac
	grep -q "^# expect: $tag\( \|\$\)" "$file" 2>/dev/null
	ok "$tag: no test in $file"
done
count_end
