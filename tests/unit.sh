#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs unit test programs: unit.sh PROGRAM...; the last line is "N passed, N failed".
#
# Counts what cmocka reports. A program that reports no test, or ends with an error status without
# a failed test (a crash, a sanitizer's finding), counts as one failed test.
set -u
passed=0 failed=0 skipped=0
out=$(mktemp)
trap 'rm -f "$out" "$out.err" "$out.took"' EXIT
TIMEFORMAT='%1R s, processor %1U + %1S s'

# Sum of the numbers N in cmocka's lines "[ $1 ] ... N test(s)".
sum() {
    sed -n "s/^\[  $1  *\] .*[^0-9]\([0-9][0-9]*\) test(s).*/\1/p; s/^\[  $1  *\] \([0-9][0-9]*\) test(s).*/\1/p" \
        "$out" | awk '{ n += $1 } END { print n + 0 }'
}

for program; do
    # Apart, since the two are buffered differently and would cut each other's lines.
    { time "$program" >"$out" 2>"$out.err" </dev/null; } 2>"$out.took"
    status=$?
    echo "RUN $program ($(tail -n 1 "$out.took"))"
    cat "$out.err" >>"$out"
    p=$(sum PASSED) f=$(sum FAILED) s=$(sum SKIPPED)
    why="$f failed"
    [ "$status" = 0 ] || [ "$f" -gt 0 ] || { f=1 why="ended with status $status"; }
    [ $((p + f + s)) -gt 0 ] || { f=1 why="ran no test"; }
    if [ "$f" -gt 0 ]; then
        cat "$out"
        echo "FAIL $program: $why"
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ]
