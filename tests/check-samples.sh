#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs each sample through `spile --vm` and compares what it printed with an oracle that is not ours:
# the kernel's configuration, stat(1), strace(1), nesting and balance.
set -u
cd "$(dirname "$0")/.."
spile=build/bin/spile
. tests/count.sh

ok() { passed=$((passed + 1)); echo "  PASS sample $1"; }
bad() {
    failed=$((failed + 1))
    echo "  FAIL sample $1: $2"
    tail -n 20 "$tmp/err" "$tmp/out" 2>/dev/null | sed 's/^/      /'
}
# sample NAME ARGS...: runs it in a guest; output in $tmp/out and $tmp/err, status returned.
sample() {
    local name=$1
    shift
    timeout 120 $spile --vm "samples/$name.stp" "$@" >"$tmp/out" 2>"$tmp/err"
}

hello_world() {
    sample hello-world || { bad hello-world "exit status $?"; return; }
    printf 'hello world\n' | cmp -s - "$tmp/out" && ok hello-world || bad hello-world "output differs"
}

# Oracle: CONFIG_HZ of the kernel's own configuration file.
timer_jiffies() {
    local dir hz got
    dir=$(build/bin/spile-vm --print-dir)
    hz=$(sed -n 's/^CONFIG_HZ=//p' "$dir/config")
    [ -n "$hz" ] || { bad timer-jiffies "no CONFIG_HZ in $dir/config"; return; }
    sample timer-jiffies || { bad timer-jiffies "exit status $?"; return; }
    got=$(sed -n 's/^jiffies:ms ratio [0-9]*:[0-9]* => CONFIG_HZ=\([0-9]*\)$/\1/p' "$tmp/out")
    [ -n "$got" ] && [ $((got * 100)) -ge $((hz * 95)) ] && [ $((got * 100)) -le $((hz * 105)) ] &&
        ok timer-jiffies || bad timer-jiffies "CONFIG_HZ=$hz, printed '$got'"
}

# Oracle: per thread, calls nest, each return closes the innermost open call, and all are closed.
socket_trace() {
    sample socket-trace -c "sh -c 'for i in 1 2 3; do logger -d -n 127.0.0.1 hello; done'" ||
        { bad socket-trace "exit status $?"; return; }
    awk '{
            if (!match($0, /[^ ]+\([0-9]+\):/)) next
            thread = substr($0, RSTART, RLENGTH)
            rest = substr($0, RSTART + RLENGTH)
            indent = match(rest, /(->|<-)/) - 1
            direction = substr(rest, RSTART, 2)
            name = substr(rest, RSTART + 3)
            events++
            if (direction == "->") {
                stack[thread, ++depth[thread]] = name
                if (indent != depth[thread]) { print "indent " indent " at depth " depth[thread] ": " $0; wrong++ }
            } else {
                if (depth[thread] < 1 || stack[thread, depth[thread]] != name) { print "unbalanced: " $0; wrong++ }
                depth[thread]--
            }
        }
        END {
            for (t in depth) if (depth[t] != 0 && t ~ /^logger/) { print t " left open " depth[t]; wrong++ }
            if (events < 12) { print "only " events + 0 " events"; wrong++ }
            exit wrong != 0
        }' "$tmp/out" >"$tmp/why" && ok socket-trace || bad socket-trace "$(head -n 3 "$tmp/why")"
}

# Oracle: stat(1) in the guest names the file; another file read at the same time prints nothing.
inode_watch() {
    local file=samples/hello-world.stp other=samples/functions.stp id dev inode
    id=$(build/bin/spile-vm -- stat -c '%D %i' $file) || { bad inode-watch "no stat in the guest"; return; }
    dev=$((0x${id% *})) inode=${id#* }
    sample inode-watch $((dev >> 8)) $((dev & 255)) "$inode" \
        -c "sh -c 'cat $file $other >/dev/null; cat $file >/dev/null; stat -c %D/%i $file'" ||
        { bad inode-watch "exit status $?"; return; }
    grep -q "^${id% *}/$inode\$" "$tmp/out" || { bad inode-watch "the guest's inode changed"; return; }
    # Each of the two cats reads the file until end of file: two vfs_read each.
    awk -v want="0x$(printf %x $dev)/$inode" '
        /vfs_(read|write)/ { n++; if ($1 !~ /^cat\(/ || $NF != want) wrong++ }
        END { exit !(n == 4 && !wrong) }' "$tmp/out" &&
        ok inode-watch || bad inode-watch "expected 4 lines for 0x$(printf %x $dev)/$inode and no other"
}

# The slides' functions script: a script function's value at begin, another's per hit.
functions() {
    local file=samples/hello-world.stp id dev inode
    id=$(build/bin/spile-vm -- stat -c '%D %i' $file) || { bad functions "no stat in the guest"; return; }
    dev=$((0x${id% *})) inode=${id#* }
    sample functions $((dev >> 8)) $((dev & 255)) "$inode" -c "cat $file" ||
        { bad functions "exit status $?"; return; }
    grep -q '^uid: 0, system_uid_p(): 1$' "$tmp/out" &&
        [ "$(grep -c "^cat([0-9]*) vfs_read 0x[0-9a-f]*/$inode, input dev_nr: 0x[0-9a-f]*\$" "$tmp/out")" = 2 ] &&
        ok functions || bad functions "output differs"
}

# Oracle: strace -c counts the same command's openat calls.
strace_open() {
    local want got
    sample strace-open -c "sh -c 'strace -c -e trace=openat -o /tmp/count ls -lR samples >/dev/null; cat /tmp/count >&2'" ||
        { bad strace-open "exit status $?"; return; }
    want=$(awk '$NF == "openat" { print $4 }' "$tmp/err")
    got=$(grep -c '^ls([0-9]*) open (' "$tmp/out")
    [ -n "$want" ] && [ "$want" -gt 0 ] && [ "$got" = "$want" ] && ok strace-open ||
        bad strace-open "strace counted '$want', the script '$got'"
}

hello_world
timer_jiffies
socket_trace
inode_watch
functions
strace_open
count_end
