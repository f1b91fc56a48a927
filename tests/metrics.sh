#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Prints where the code is larger than its habit: functions over 50 lines, files over 800, and the
# medians. A number here is a signal to look, not a verdict; tables and switches may be long.
set -eu
cd "$(dirname "$0")/.."

files=$(git ls-files '*.c' '*.h')

# A function in this code's brace style opens with "{" and closes with "}" in column 1.
lengths() {
    awk 'FNR == 1 { open = 0 }
         /^[a-zA-Z_].*\(/ { head = $0 }
         /^{/ { open = FNR }
         /^}/ && open { print FNR - open - 1, FILENAME ":" open, head; open = 0 }' $files
}

median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)]; else print 0 }'; }

echo "functions: $(lengths | wc -l), median $(lengths | median) lines"
echo "over 50 lines:"
lengths | sort -rn | awk '$1 > 50 { print "  " $0 }'
echo "files: $(echo "$files" | wc -l), median $(wc -l $files | grep -v ' total$' | median) lines"
echo "over 800 lines:"
wc -l $files | grep -v ' total$' | sort -rn | awk '$1 > 800 { print "  " $1 " " $2 }'
