#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# spile-run with hand-written scripts (tests/run/*.c) in the process home, plain and with sanitizers.
# The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/count.sh
CC=${CC:-cc}

${MAKE:-make} -s build/bin/spile-run build/san/bin/spile-run >"$tmp/make" 2>&1 || {
    tail -5 "$tmp/make"
    count_end
    exit
}
# Copies, so that a build that goes on meanwhile does not matter.
cp build/bin/spile-run "$tmp/plain"
cp build/san/bin/spile-run "$tmp/san"
for c in tests/run/*.c; do
    # shellcheck disable=SC2086
    $CC -std=gnu11 -O1 -g -I. -nostdinc -shared -fPIC -Wall -Wextra -Wno-unused-parameter \
        "$c" -o "$tmp/$(basename "$c" .c).so" || exit 1
done

# spile ARGS...: runs with a time limit; output in $tmp/out and $tmp/err, status in $status.
spile() {
    timeout 60 "$run" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
}

out_is() { printf "$1" | cmp -s - "$tmp/out"; }
err_is() { printf "$1" | cmp -s - "$tmp/err"; }
err_has() { grep -q -- "$1" "$tmp/err"; }

# background SCRIPT ARGS...: starts it and waits until it says "ready"; $pid. A shell starts
# background commands with SIGINT ignored; env undoes that.
background() {
    script=$1
    shift
    : >"$tmp/out" # or the ready of the last one would be seen
    env --default-signal=HUP,INT,QUIT "$run" "$@" "$tmp/$script.so" >"$tmp/out" 2>"$tmp/err" \
        </dev/null &
    pid=$!
    for _ in $(seq 600); do
        grep -q ready "$tmp/out" && return 0
        sleep 0.05
    done
    return 1
}

# Waits for its end; a watchdog ends what hangs.
ended() {
    (sleep 30 && kill -KILL "$pid") >/dev/null 2>&1 &
    watchdog=$!
    wait "$pid" 2>/dev/null
    status=$?
    kill "$watchdog" 2>/dev/null
}

test_output() {
    spile "$tmp/hello.so"
    [ "$status" = 0 ] && out_is 'hello world\nbye -7 x\n' && err_is ''
    ok 'hello: begin, exit(), end'
    spile "$tmp/timer.so"
    [ "$status" = 0 ] && err_is '' &&
        out_is 'tick 1\ntick 2\ntick 3\ntick 4\ntick 5\nend after 5\n'
    ok 'timer: five ticks in order'
    spile "$tmp/map.so"
    [ "$status" = 0 ] && out_is 'pear   3\nfig    2\napple  1\n' && err_is ''
    ok 'map: sorted by value'
    spile -o "$tmp/file" "$tmp/hello.so"
    [ "$status" = 0 ] && out_is '' && [ "$(cat "$tmp/file")" = "$(printf 'hello world\nbye -7 x')" ]
    ok '-o FILE'
    timeout 60 "$run" "$tmp/messages.so" >"$tmp/out" 2>&1
    out_is 'one\nWARNING: look out\nfor the record\ntwo\n'
    ok 'messages are in order with the output'
    spile "$tmp/messages.so"
    [ "$status" = 0 ] && out_is 'one\ntwo\n' && err_is 'WARNING: look out\nfor the record\n'
    ok 'messages go to standard error'
}

test_errors() {
    spile "$tmp/error.so"
    [ "$status" = 1 ] && out_is 'before\nin error\n' && err_has '^ERROR: division by 0 near' &&
        err_has '^WARNING: Number of errors: 1, skipped probes: 0$'
    ok 'a script error: error probe, status 1'
    spile "$tmp/entry.so"
    [ "$status" = 1 ] && out_is '' && err_has '^ERROR: kernel.function("vfs_read"):'
    ok 'a code probe is refused by name'
    spile "$tmp/none.so"
    [ "$status" = 1 ] && err_has 'No such file'
    ok 'no object'
    spile /bin/sh
    [ "$status" = 1 ] && err_has '^ERROR: '
    ok 'a program is no object'
    echo text >"$tmp/text.so"
    spile "$tmp/text.so"
    [ "$status" = 1 ] && err_has 'not an x86-64 ELF object'
    ok 'a text is no object'
    spile
    [ "$status" = 2 ] && err_has 'no object given'
    ok 'usage: no object'
    spile -T never "$tmp/hello.so"
    [ "$status" = 2 ]
    ok 'usage: -T'
    spile -x 0 "$tmp/hello.so"
    [ "$status" = 2 ]
    ok 'usage: -x'
    spile -x 4194305 "$tmp/hello.so"
    [ "$status" = 1 ] && err_has 'no process 4194305'
    ok '-x of nobody'
    "$run" "$tmp/forever.so" 2>"$tmp/err" | head -1 >"$tmp/out"
    out_is 'ready\n'
    ok 'a closed pipe ends it'
    timeout 60 "$run" "$tmp/forever.so" >/dev/full 2>"$tmp/err"
    [ $? = 1 ] && err_has 'cannot write the output: No space'
    ok 'a full disk ends it with status 1'
}

test_signals() {
    for signal in INT TERM HUP; do
        background forever && kill -$signal "$pid" && ended && [ "$status" = 0 ] &&
            [ "$(tail -1 "$tmp/out")" = end ]
        ok "SIG$signal ends it in order"
    done
    background forever && kill -KILL "$pid" && ended
    [ "$status" = 137 ] && [ "$(tail -1 "$tmp/out")" != end ]
    ok 'SIGKILL'
    spile -T 0.05 "$tmp/forever.so"
    [ "$status" = 0 ] && [ "$(tail -1 "$tmp/out")" = end ]
    ok '-T ends it in order'
}

test_command() {
    spile -c 'true' "$tmp/forever.so"
    [ "$status" = 0 ] && [ "$(tail -1 "$tmp/out")" = end ] && err_is ''
    ok '-c true'
    spile -c 'sh -c "exit 3"' "$tmp/forever.so"
    [ "$status" = 1 ] && err_is 'WARNING: Child process exited with status 3\n' &&
        [ "$(tail -1 "$tmp/out")" = end ]
    ok '-c with a failing command'
    spile -c 'kill -9 $$' "$tmp/forever.so"
    [ "$status" = 1 ] && err_has 'Child process exited with signal 9 (Killed)'
    ok '-c with a killed command'
    spile -c "$tmp/nothing" "$tmp/forever.so"
    [ "$status" = 1 ] && err_has "cannot run '$tmp/nothing'" && err_has 'status 127'
    ok '-c with no such command'
    spile -c " printf  %s-%s  a   b " "$tmp/forever.so"
    [ "$status" = 0 ] && grep -q 'a-b' "$tmp/out"
    ok '-c splits words'
    spile -c 'echo "a  b" | tr a c' "$tmp/forever.so"
    [ "$status" = 0 ] && grep -q '^c  b$' "$tmp/out"
    ok '-c with a shell line'
    spile -c "touch $tmp/ran" "$tmp/hello.so"
    [ "$status" = 0 ] && [ ! -e "$tmp/ran" ]
    ok '-c is not run when begin exits'
    spile -c 'sleep 1000' "$tmp/timer.so"
    [ "$status" = 0 ] && err_is ''
    ok '-c is ended when the script exits first'
    background forever -c 'sleep 1000' && kill -INT "$pid" && ended && [ "$status" = 0 ] && err_is ''
    ok 'SIGINT with -c'
}

# What flood prints if nothing is lost.
whole_flood() { seq 0 3999999 | sed 's/$/ some string/' && echo end; }

# One number: records that came, and those that are reported as lost.
came_or_lost() {
    echo $(($(wc -l <"$tmp/out") + $(sed -n 's/^WARNING: \([0-9]*\) records lost.*/\1/p' "$tmp/err" | grep . || echo 0)))
}

# stuck ARGS...: runs flood into a pipe that is read only when $tmp/go is there; $pid
stuck() {
    rm -f "$tmp/pipe" "$tmp/go"
    mkfifo "$tmp/pipe"
    (
        exec <"$tmp/pipe"
        while [ ! -e "$tmp/go" ]; do sleep 0.1; done
        cat >"$tmp/out"
    ) &
    cat=$!
    env --default-signal=HUP,INT,QUIT "$run" "$@" "$tmp/flood.so" >"$tmp/pipe" 2>"$tmp/err" \
        </dev/null &
    pid=$!
}

test_room() {
    spile -o "$tmp/file" --report-file="$tmp/report" "$tmp/flood.so"
    whole_flood | cmp -s - "$tmp/file" && [ "$status" = 0 ] && err_is '' &&
        grep -q '"exit_status": 0, "errors": 0, "lost": 0,' "$tmp/report"
    ok 'four million records: nothing is lost to a file'
    stuck
    sleep 1
    : >"$tmp/go"
    ended
    wait "$cat"
    whole_flood | cmp -s - "$tmp/out" && [ "$status" = 0 ] && err_is ''
    ok 'output that stands still for a while: nothing is lost'
    stuck --patience=0.1
    sleep 2
    : >"$tmp/go"
    ended
    wait "$cat"
    [ "$status" = 3 ] && [ "$(came_or_lost)" = 4000001 ] && [ "$(wc -l <"$tmp/out")" -lt 4000001 ]
    ok 'output that stands still for longer than --patience: what is lost is counted, status 3'
    stuck
    sleep 1
    kill -INT "$pid" && sleep 0.2 && kill -INT "$pid"
    ended
    : >"$tmp/go"
    wait "$cat"
    [ "$status" = 1 ]
    ok 'output that nobody reads: a second SIGINT ends it'
    spile --patience=x "$tmp/hello.so"
    [ "$status" = 2 ]
    ok 'usage: --patience'
}

test_accounting() {
    spile --patience=0 -s 0.0625 "$tmp/burst.so"
    lost=$(sed -n 's/^WARNING: \([0-9]*\) records lost.*/\1/p' "$tmp/err")
    [ "$status" = 3 ] && [ "${lost:-0}" -gt 0 ] && [ $((lost + $(wc -l <"$tmp/out"))) = 100000 ]
    ok 'lost records: counted, status 3'
    spile -s 0.0625 "$tmp/burst.so"
    [ "$status" = 0 ] && [ "$(wc -l <"$tmp/out")" = 100000 ] && err_is '' &&
        [ "$(sort -n "$tmp/out" | cksum)" = "$(cksum <"$tmp/out")" ]
    ok 'a small ring, and time to wait: nothing lost, in order'
    spile --report=json "$tmp/timer.so"
    python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
assert r["script"] == "spile_test" and r["exit_status"] == 0 and r["lost"] == 0, r
assert [p["hits"] for p in r["probes"]] == [5, 1], r
assert r["probes"][0]["probe"] == "timer.ms(2)" and r["probes"][0]["planter"] == "timer", r
' "$tmp/err"
    ok '--report=json'
    spile --report-file="$tmp/report" --patience=0 -s 0.0625 "$tmp/burst.so"
    python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
assert r["exit_status"] == 3 and r["lost"] > 0 and sum(r["lost_per_cpu"]) == r["lost"], r
' "$tmp/report"
    ok '--report-file'
    spile --report=text "$tmp/timer.so"
    err_has '^ *5 .*timer.ms(2)$'
    ok '--report=text'
    spile -v "$tmp/hello.so"
    [ "$status" = 0 ] && err_has 'attach .* ms' && err_has 'resident'
    ok '-v'
}

for kind in plain san; do
    run=$tmp/$kind
    test_output
    test_errors
    test_signals
    test_command
    test_room
    test_accounting
done
count_end
