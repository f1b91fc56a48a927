#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a question about places costs, the whole command, beside `perf probe` for the same question.
#
# Method. Each command runs RUNS times in turn with the others; the median of its processor time
# (user and system, children included: what a busy machine does not change) counts, the wall-clock median
# stands beside it. The disk cache is warm. Cases:
#   entry-btf      arguments at vfs_read's entry, from BTF, no debug information: as scripts ask (spile -L)
#   entry-probe    the same asked of spile-probe
#   vars           variables at a function's entry; fixture and kernel
#   line           one line of a function to addresses and event lines (-nv; perf -D)
#   file           all functions of a source file
#   inlines        every inlined copy of sock_hold with its variables, from the index
#   index          making that index, once for a kernel
# The kernel's cases need its vmlinux with debug information in the cache (`make check-debuginfo`
# fetches it) and are left out without. perf has no question for `file` and `index`. perf is given the
# same file (-x, or -k).
set -u
cd "$(dirname "$0")/.." || exit 1
out=${1:-build/bench/symbols.json}
RUNS=${RUNS:-7}
probe=build/bin/spile-probe
program=build/places/programs/gcc-O2-5
kernel=$(build/bin/spile-vm --print-dir)
release=$(cat "$kernel/release")
cache=${SPILE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spile}
vmlinux=$cache/debuginfo/vmlinux-$release
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# run NAME COMMAND...: appends processor and wall-clock milliseconds to $tmp/NAME.
run() {
    local name=$1
    shift
    TIMEFORMAT='%U %S %R'
    { time "$@" >"$tmp/out" 2>"$tmp/err" </dev/null; } 2>"$tmp/time"
    local status=$?
    if [ $status != 0 ] && [ ! -s "$tmp/out" ]; then
        [ -e "$tmp/$name.failed" ] || echo "bench: no answer: $*: $(tail -n 1 "$tmp/err")" >&2
        touch "$tmp/$name.failed"
        return
    fi
    awk '{ printf "%.1f %.1f\n", ($1 + $2) * 1000, $3 * 1000 }' "$tmp/time" >>"$tmp/$name"
}
median() { # FILE COLUMN
    [ -s "$tmp/$1" ] && sort -n -k "$2" "$tmp/$1" |
        awk -v c="$2" '{ v[NR] = $c } END { printf "%.1f", v[int((NR + 1) / 2)] }'
}

empty=$tmp/empty # a cache that describes the kernel, without its debug information
mkdir -p "$empty"
i=0
while [ $i -lt "$RUNS" ]; do
    SPILE_CACHE=$empty run entry-btf build/bin/spile -r "$kernel" -L 'kernel.function("vfs_read")'
    SPILE_CACHE=$empty run entry-probe $probe -r "$kernel" -V vfs_read
    run vars-program $probe -x $program -V other_sum
    run vars-program.perf perf probe -x $program -V other_sum
    run line-program $probe -x $program -nv 'other_sum:4'
    run line-program.perf perf probe -x $program -D 'other_sum:4'
    if [ -e "$vmlinux" ]; then
        run vars-kernel $probe -r "$release" -k "$vmlinux" -V vfs_read
        run vars-kernel.perf perf probe -k "$vmlinux" -V vfs_read
        run line-kernel $probe -r "$release" -k "$vmlinux" -nv 'vfs_read:6'
        run line-kernel.perf perf probe -k "$vmlinux" -D 'vfs_read:6'
        run file-kernel $probe -r "$release" -k "$vmlinux" -F '*@net/socket.c'
        [ $i = 0 ] && rm -f "$cache"/places/* &&
            run index-kernel $probe -r "$release" -k "$vmlinux" -F 'sock_*@sock.h'
        run inlines-kernel $probe -r "$release" -k "$vmlinux" -V sock_hold
    fi
    i=$((i + 1))
done

printf '%-16s %12s %12s %12s %12s %8s\n' case 'ours ms cpu' 'ours ms wall' 'perf ms cpu' 'perf ms wall' ratio
{
    echo '['
    comma=
    for name in entry-btf entry-probe vars-program line-program vars-kernel line-kernel file-kernel index-kernel \
        inlines-kernel; do
        [ -s "$tmp/$name" ] || continue
        ours=$(median $name 1) peer=$(median $name.perf 1)
        ratio=$([ -n "$peer" ] && awk "BEGIN { printf \"%.3f\", $ours / ($peer > 0 ? $peer : 1) }")
        printf '%-16s %12s %12s %12s %12s %8s\n' $name "$ours" "$(median $name 2)" "${peer:--}" \
            "$(median $name.perf 2 || echo -)" "${ratio:--}" >&2
        printf '%s{"case": "%s", "ours": %s, "peer": %s, "peer_name": "perf probe", "ratio": %s, "unit": "ms of processor time"}\n' \
            "$comma" $name "$ours" "${peer:-null}" "${ratio:-null}"
        comma=,
    done
    echo ']'
} 2>"$tmp/table" >"$out"
cat "$tmp/table"
