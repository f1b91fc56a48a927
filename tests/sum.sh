#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the parts of a test run and adds them up: sum.sh PART...; each PART is a shell command whose
# last line is "N passed, N failed[, N skipped]". So is this one's, the sum of all.
#
# A part that says nothing of the kind, that ran no test at all, or that ends with an error status
# although it counts no failure, adds one failed test: silence is not success.
#
# A part that begins with "&" is started at once, beside the others; what it said is shown in its turn.
set -u
passed=0 failed=0 skipped=0
tmp=$(mktemp -d)
out=$tmp/out
trap 'rm -rf "$tmp"' EXIT

add() { # PART STATUS
    line=$(tail -1 "$out" | grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$')
    set -- "$1" "$2" $(echo "${line:-0 passed, 0 failed}" | tr -cd '0-9 ') 0
    p=$3 f=$4 s=$5
    if [ -z "$line" ]; then
        f=1
        echo "FAIL $1: no count of tests in its last line (status $2)"
    elif [ $((p + f + s)) = 0 ]; then
        f=1
        echo "FAIL $1: ran no test"
    elif [ "$2" != 0 ] && [ "$f" = 0 ]; then
        f=1
        echo "FAIL $1: status $2"
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

run() { # PART
    sh -c "$1" 2>&1
    echo $? >"$2.status"
}

n=0
for part; do
    n=$((n + 1))
    case $part in
    '&'*) run "${part#&}" "$tmp/$n" </dev/null >"$tmp/$n" & eval "job$n=$!" ;;
    esac
done
n=0
for part; do
    n=$((n + 1))
    echo "== ${part#&}"
    case $part in
    '&'*) eval "wait \$job$n"; cat "$tmp/$n" ;;
    *) run "$part" "$tmp/$n" | tee "$tmp/$n" ;;
    esac
    mv "$tmp/$n" "$out"
    add "${part#&}" "$(cat "$tmp/$n.status")"
done
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ]
