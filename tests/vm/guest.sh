#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs tests one after the other inside a guest: guest.sh NAME... (tests/vm/NAME.test.sh).
#
# Writes for each "BEGIN NAME", its output and /tmp/err when it fails, and a verdict: "PASS NAME: N s",
# "FAIL NAME: reason" or "SKIP NAME: reason". A test passes when it exits with 0 and leaves the
# kernel as it was: see invariants(). Exit status 77 means skipped; the last line says why. Ends
# after the first failure: run.sh gives those that are left a guest that is not spoiled.

out=/tmp/spile-test.out
PATH=$PWD/build/bin:$PWD/build/tests/vm:$PATH
SPILE_CACHE=$SPILE_CC_DIR/cache
CC=$PWD/tests/vm/cc-guest.sh # scripts are compiled on the host, but for those of a test that unsets it
LC_ALL=C # no program reads a locale
export PATH SPILE_CACHE CC LC_ALL

# What is worse than out-of-tree (bit 12) and unsigned (bit 13) modules.
bad_taint() {
    echo $(($(cat /proc/sys/kernel/tainted) & ~(4096 | 8192)))
}

# The kernel log since a test began. From /dev/kmsg, which `dmesg -c` of a test doesn't empty; it
# gives a record for each read, "level,number,time,flags;text".
log_since() {
    dd if=/dev/kmsg iflag=nonblock bs=8192 2>/dev/null |
        awk -v mark="spile-test: begin $1" '{ sub(/^[^;]*;/, "") } seen; $0 == mark { seen = 1 }'
}

# Prints what test $1 left behind that it must not.
invariants() {
    log_since "$1" >/tmp/spile-test.dmesg
    if grep -qE 'WARNING:|BUG:|Oops|general protection fault|INFO: task|stack segment' \
        /tmp/spile-test.dmesg; then
        echo "the kernel log has a warning"
        sed 's/^/  | /' /tmp/spile-test.dmesg | head -60 >&3
    elif [ "$(bad_taint)" != 0 ]; then
        echo "the kernel is tainted: $(cat /proc/sys/kernel/tainted)"
    elif grep -q '(.*O.*)$' /proc/modules; then
        echo "left loaded: $(sed -n 's/ .*(.*O.*)$//p' /proc/modules | tr '\n' ' ')"
    fi
}

verdict() { # NAME STATUS REASON-FROM-INVARIANTS SECONDS
    if [ "$2" = 77 ]; then
        echo "SKIP $1: $(tail -1 "$out")"
    elif [ "$2" = 124 ]; then
        echo "FAIL $1: not done within its time"
    elif [ "$2" != 0 ]; then
        echo "FAIL $1: exit status $2"
    elif [ -n "$3" ]; then
        echo "FAIL $1: $3"
    else
        echo "PASS $1: $4 s"
    fi
}

run() {
    test=tests/vm/$1.test.sh
    limit=$(sed -n 's/^# timeout: *//p' "$test")
    echo "spile-test: begin $1" >/dev/kmsg
    echo "BEGIN $1"
    read -r began _ </proc/uptime
    rm -f /tmp/err
    timeout -k 5 "${limit:-60}" sh -eu "$test" >"$out" 2>&1 </dev/null
    status=$?
    left=$(invariants "$1" 3>/tmp/spile-test.left)
    if [ "$status" != 0 ] && [ "$status" != 77 ] || [ -n "$left" ]; then
        sed 's/^/  | /' "$out"
        [ ! -s /tmp/err ] || sed 's/^/  | err: /' /tmp/err
        cat /tmp/spile-test.left
    fi
    read -r ended _ </proc/uptime
    verdict "$1" "$status" "$left" $((${ended%.*} - ${began%.*})) | tee /tmp/spile-test.verdict
    ! grep -q '^FAIL' /tmp/spile-test.verdict
}

for name; do
    run "$name" || exit 1
done
