#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs VM tests: run.sh [-k KERNEL] [--marked] [NAME...]; the last line is "N passed, N failed".
#
# Without names: every tests/vm/*.test.sh; with --marked only those that say "# kernels: all". As
# many as possible share one guest (tests/vm/guest.sh). When one fails, or the guest panics or hangs
# (then the test that ran counts as failed), those after it go on in a new guest.
#
# All CPUs of a guest share one thread of the emulator (SPILE_TCG_THREAD=multi: one each), because
# tests change the kernel's text all the time, and QEMU before 8.1 then executes stale code now and
# then: a CPU hangs at a breakpoint that has been taken out.
set -u
: "${SPILE_TCG_THREAD:=single}"
export SPILE_TCG_THREAD
cd "$(dirname "$0")/../.." || exit 1

kernel=6.1
marked=
while :; do
    case ${1-} in
    -k) kernel=$2; shift 2 ;;
    --marked) marked=1; shift ;;
    *) break ;;
    esac
done

if [ $# = 0 ]; then
    for f in tests/vm/*.test.sh; do
        [ -z "$marked" ] || grep -q '^# kernels: all' "$f" || continue
        name=${f#tests/vm/}
        set -- "$@" "${name%.test.sh}"
    done
fi

# Files of this run's own, since another may be under way; the log's place at the end is shared.
mkdir -p build/tests
tmp=$(mktemp -d "build/tests/vm-$kernel.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$tmp/cc"
log=$tmp/log
all=$tmp/results
: >"$all"
tests/vm/cc-host.sh "$tmp/cc" </dev/null & # until $tmp goes away

# What the tests may take together, by their own word, and the guest's start.
limit() {
    for name; do
        sed -n 's/^# timeout: *//p' "tests/vm/$name.test.sh" | grep . || echo 60
    done | awk '{ sum += $1 } END { print sum + 60 }'
}

while [ $# -gt 0 ]; do
    build/bin/spile-vm -k "$kernel" --timeout "${SPILE_TEST_TIMEOUT:-$(limit "$@")}" --log "$log" -- \
        env SPILE_STRESS_SECONDS="${SPILE_STRESS_SECONDS:-}" SPILE_CC_DIR="$PWD/$tmp/cc" \
        sh tests/vm/guest.sh "$@" 2>&1 </dev/null | tee "$all.now" | grep --line-buffered -v '^BEGIN '
    cat "$all.now" >>"$all"
    if [ -e "$log" ]; then # by a rename, so that nobody finds half of it
        cp "$log" "$tmp/copy" && mv "$tmp/copy" "build/tests/vm-$kernel.log"
    fi
    # Drop what has a verdict from the list; a test begun without one ended the guest.
    begun=$(sed -n 's/^BEGIN //p' "$all.now" | tail -1)
    if [ -z "$begun" ]; then
        echo "FAIL $1: the guest did not get to it" | tee -a "$all"
        shift
        continue
    fi
    while [ "$1" != "$begun" ]; do
        shift
    done
    shift
    grep -qE "^(PASS|FAIL|SKIP) $begun(:|\$)" "$all.now" ||
        echo "FAIL $begun: it ended the guest" | tee -a "$all"
done

count() {
    grep -c "^$1 " "$all"
}
skipped=$(count SKIP)
echo "$(count PASS) passed, $(count FAIL) failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$(count FAIL)" = 0 ]
