#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tests of spile-vm itself: it starts guests and looks at what comes back. The last line is
# "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
vm=$PWD/build/bin/spile-vm
. tests/count.sh

# test_that NAME STATUS CONDITION: the last run ended with STATUS and CONDITION holds.
test_that() {
    [ "$status" = "$2" ] && eval "$3"
    ok "$1: status $status, must be $2, and $3"
}

run() {
    timeout -k 5 200 "$vm" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
}

out_is() {
    [ "$(cat "$tmp/out")" = "$1" ]
}

err_has() {
    grep -q -- "$1" "$tmp/err"
}

# The streams, the status, the folder, the arguments, in one boot.
mkdir "$tmp/share dir"
run --share "$PWD" --share "$tmp/share dir" --log "$tmp/log" -- sh -c \
    'echo to-out; echo to-err >&2; echo "$1" >"$2/file"; echo "<4>a mark" >/dev/kmsg; exit 7' sh 'an "argument"' "$tmp/share dir"
test_that 'stdout is stdout' 7 'out_is to-out'
test_that 'stderr is stderr, and nothing else is in it' 7 '[ "$(cat "$tmp/err")" = to-err ]'
test_that 'share is written, arguments are kept' 7 '[ "$(cat "$tmp/share dir/file")" = "an \"argument\"" ]'
test_that 'the log is kept' 7 'grep -q "a mark" "$tmp/log"'

# The environment: the caller's, where the kernel is described, and system commands in PATH.
SPILE_KERNEL_DIR=/nowhere PATH=/usr/bin:/bin MINE=kept run -- sh -c \
    'head -1 "$SPILE_KERNEL_DIR/release"; echo "$SPILE_VM"; echo "$PATH"; echo "$MINE"'
release=$(head -1 "$tmp/out")
test_that 'the environment' 0 '[ -n "$release" ] && out_is "$release
$release
/usr/bin:/bin:/usr/sbin:/sbin
kept"'

# stdin, a lot of it both ways; the sum of what arrives is that of what was sent.
seq 1 300000 >"$tmp/in"
timeout -k 5 200 "$vm" -- cat <"$tmp/in" >"$tmp/out" 2>"$tmp/err"
status=$?
test_that 'two megabytes through stdin and stdout' 0 'cmp -s "$tmp/in" "$tmp/out"'
: >"$tmp/out"

run -- sh -c 'kill -9 $$'
test_that 'a signal is 128 + n' 137 true
run -- /no/such/command
test_that 'no such command is 127' 127 'err_has "cannot run /no/such/command"'

# Ctrl-C: the command sees it and ends the way it likes.
timeout -s INT 30 "$vm" -- sh -c 'trap "echo bye; exit 5" INT; echo up; while :; do sleep 0.1; done' \
    >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
while kill -0 $pid 2>/dev/null && ! grep -q up "$tmp/out"; do
    sleep 0.2
done
child=$(cat /proc/$pid/task/$pid/children)
kill -INT ${child:-$pid}
wait $pid
status=$?
test_that 'SIGINT goes to the command' 5 'grep -q bye "$tmp/out"'

run -- sh -c 'echo before; echo c >/proc/sysrq-trigger'
test_that 'a panic is 125 and told' 125 'out_is before && err_has "guest panic: sysrq triggered crash"'
run --timeout 2 -- sleep 1000
test_that 'a time-out is 124 and tells the place' 124 \
    'err_has "did not end within 2 s" && err_has "processor 1: .*in the kernel at 0x[0-9a-f]*, .*+0x"'

# One processor, interrupts off, in an endless loop: only the NMI gets through to it.
run --smp 1 --timeout 20 --log "$tmp/log" -- sh -c '
    build/bin/spile-run --fit build/tests/vm/hang.o hang /tmp/hang.ko && busybox insmod /tmp/hang.ko'
test_that 'a hang is told by function and offset' 124 \
    'err_has "processor 0: in the kernel at 0x" && err_has "RIP: 0010:hang_here+0x"'

run -k 9.9 -- true
test_that 'an unknown kernel' 123 'err_has "no kernel is called \"9.9\"; there are 6.1, 5.10, 6.12, newest"'
run --share / -- true
test_that 'the root is not shared' 123 'err_has "sharing / would"'
run --share "$tmp/none" -- true
test_that 'a share that is not there' 123 'err_has "cannot share .*none: No such file"'
run -m lots -- true
test_that 'a bad number' 123 'err_has "takes a number from"'
run
test_that 'no command' 123 'err_has "no command given"'

run -k newest -- uname -r
newest=$(cat "$tmp/out")
test_that 'another kernel' 0 '[ -n "$newest" ]'
run -- uname -r
test_that 'the default is a 6.1' 0 'grep -q "^6\.1\." "$tmp/out" && ! out_is "$newest"'

run --print-dir
dir=$(cat "$tmp/out")
test_that 'a kernel is described' 0 '[ -s "$dir/btf" ] && [ -s "$dir/functions" ] &&
    [ -s "$dir/blacklist" ] && grep -q " T vfs_read$" "$dir/kallsyms"'

# A saved state of the guest is used, and one that can't be loaded is not missed.
run -m 301 --cold -v -- true
test_that 'a cold start boots' 0 'err_has "is up after"'
run -m 301 -- true
before=$(date +%s)
run -m 301 -v -- date +%s
after=$(date +%s)
test_that 'the next start goes on from there' 0 'err_has "goes on after"'
test_that 'its clock is right' 0 '[ "$(cat "$tmp/out")" -ge $((before - 1)) ] && [ "$(cat "$tmp/out")" -le $((after + 1)) ]'
state=$(sed -n 's/.* goes on after .*, from //p' "$tmp/err")
test_that 'its state is told' 0 '[ -s "$state" ]'
echo damaged >"$state"
run -m 301 -v -- echo done
test_that 'a damaged state means a boot' 0 'out_is done && err_has "is up after"'
rm -f "$state"

count_end
