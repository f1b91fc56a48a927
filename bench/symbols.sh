#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a question about places costs, the whole command, beside `perf probe` and SystemTap's `stap`
# for the same question.
#
# Method. Each command runs in turn with the others, ours RUNS times, the peers PEER_RUNS times; the
# median of its processor time (user and system, children included: what a busy machine does not
# change) counts, the wall-clock median stands beside it. The disk cache is warm. Cases:
#   entry-btf      arguments at vfs_read's entry, from BTF, no debug information: as scripts ask (spile -L)
#   entry-probe    the same asked of spile-probe
#   vars           variables at a function's entry; a program (vars-program), the kernel (vars-kernel)
#   line           one line of a function to addresses and event lines (-nv; perf -D; stap -l)
#   file           all functions of a source file
#   ...-indexed    the same of the kernel, when its index was made before
#   index          making the index, once for a kernel
#   inlines        every inlined copy of sock_hold with its variables, from the index
#   header-line    all places of one line of a header, from the index: one for each of 130 copies
#   all-lines      the places of all lines of an inlined function, from the index
# The kernel's cases need its vmlinux with debug information in the cache (`make check-debuginfo`
# fetches it) and are left out without. All tools are given the same file: perf by -x and -k, stap by
# SYSTEMTAP_DEBUGINFO_PATH and a folder in which that file has the name that it looks for.
# A peer's "-" has its reason below the table: what it answered, or that it has no such question.
set -u
cd "$(dirname "$0")/.." || exit 1
out=${1:-build/bench/symbols.json}
RUNS=${RUNS:-7} PEER_RUNS=${PEER_RUNS:-3}
probe=build/bin/spile-probe
program=$PWD/build/places/programs/gcc-O2-5
kernel=$(build/bin/spile-vm --print-dir)
release=$(cat "$kernel/release")
cache=${SPILE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spile}
unset SPILE_CACHE
vmlinux=$cache/debuginfo/vmlinux-$release
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cases=

# run NAME COMMAND...: appends processor and wall-clock milliseconds to $tmp/NAME; or says in
# $tmp/NAME.why, once, why there is no answer.
run() {
    local name=$1
    shift
    TIMEFORMAT='%U %S %R'
    { time "$@" >"$tmp/out" 2>"$tmp/err" </dev/null; } 2>"$tmp/time"
    local status=$?
    if [ $status != 0 ] || [ ! -s "$tmp/out" ]; then
        [ -s "$tmp/out" ] || tail -n 2 "$tmp/err" | tr '\n' ' ' >"$tmp/$name.why"
        [ -s "$tmp/$name.why" ] && return
        [ $status = 0 ] && echo "it finds nothing" >"$tmp/$name.why" && return
    fi
    awk '{ printf "%.1f %.1f\n", ($1 + $2) * 1000, $3 * 1000 }' "$tmp/time" >>"$tmp/$name"
}
ours() { # CASE COMMAND...
    case " $cases " in *" $1 "*) ;; *) cases="$cases $1" ;; esac
    run "$@"
}
# peer CASE TOOL COMMAND..., while it answers and PEER_RUNS are not full.
peer() {
    local name=$1.$2
    shift 2
    [ $i -lt "$PEER_RUNS" ] && [ ! -e "$tmp/$name.why" ] && run "$name" "$@"
}
stap_kernel() { # CASE OPTION PROBE
    peer "$1" stap env HOME="$tmp/home" SYSTEMTAP_DEBUGINFO_PATH="$tmp/debug" \
        stap -r "$release" "$2" "$3"
}
without() { # CASE TOOL REASON
    echo "$3" >"$tmp/$1.$2.why"
}
median() { # FILE COLUMN
    [ -s "$tmp/$1" ] && sort -n -k "$2" "$tmp/$1" |
        awk -v c="$2" '{ v[NR] = $c } END { printf "%.1f", v[int((NR + 1) / 2)] }'
}
spread() { # FILE: lowest-highest processor time
    [ -s "$tmp/$1" ] && sort -n "$tmp/$1" | awk 'NR == 1 { low = $1 } { high = $1 }
        END { printf "%.0f-%.0f", low, high }'
}

# Caches of the run's own: without debug information, without an index, with one.
empty=$tmp/empty plain=$tmp/plain indexed=$tmp/indexed
for dir in "$plain" "$indexed"; do
    mkdir -p "$dir"
    ln -s "$cache/kernels" "$cache/debuginfo" "$dir"
done
mkdir -p "$empty" "$tmp/home" "$tmp/debug/boot" "$tmp/debug/lib/modules/$release"
ln -s "$vmlinux" "$tmp/debug/boot/vmlinux-$release"
ln -s "$vmlinux" "$tmp/debug/lib/modules/$release/vmlinux"
for name in entry-btf entry-probe; do
    without $name perf "perf probe reads no BTF: without debug information it has no arguments"
    without $name stap "stap reads no BTF: without debug information it has no arguments"
done
without all-lines perf "perf probe has no wildcard for lines"
without file-kernel perf "perf probe lists functions by name (-F), not by source file"
for tool in perf stap; do
    without index-kernel $tool "it keeps no index"
    for name in vars line file; do
        without $name-indexed $tool "it keeps no index"
    done
done

i=0
while [ $i -lt "$RUNS" ]; do
    SPILE_CACHE=$empty ours entry-btf build/bin/spile -r "$kernel" -L 'kernel.function("vfs_read")'
    SPILE_CACHE=$empty ours entry-probe $probe -r "$kernel" -V vfs_read
    ours vars-program $probe -x "$program" -V other_sum
    peer vars-program perf perf probe -x "$program" -V other_sum
    stap_kernel vars-program -L "process(\"$program\").function(\"other_sum\")"
    # Line 4 of it shares its address with others, where perf refuses.
    ours line-program $probe -x "$program" -nv 'other_sum:11'
    peer line-program perf perf probe -x "$program" -D 'other_sum:11'
    stap_kernel line-program -l "process(\"$program\").statement(\"other_sum@*+11\")"
    if [ -e "$vmlinux" ]; then
        rm -rf "$plain/places"
        SPILE_CACHE=$plain ours vars-kernel $probe -r "$release" -k "$vmlinux" -V vfs_read
        SPILE_CACHE=$plain ours line-kernel $probe -r "$release" -k "$vmlinux" -nv 'vfs_read:6'
        SPILE_CACHE=$plain ours file-kernel $probe -r "$release" -k "$vmlinux" -F '*@net/socket.c'
        export SPILE_CACHE=$indexed
        rm -rf "$indexed/places"
        ours index-kernel $probe -r "$release" -k "$vmlinux" -F 'sock_*@sock.h'
        ours vars-indexed $probe -r "$release" -k "$vmlinux" -V vfs_read
        ours line-indexed $probe -r "$release" -k "$vmlinux" -nv 'vfs_read:6'
        ours file-indexed $probe -r "$release" -k "$vmlinux" -F '*@net/socket.c'
        ours inlines-kernel $probe -r "$release" -k "$vmlinux" -V sock_hold
        ours header-line $probe -r "$release" -k "$vmlinux" -nv 'include/net/sock.h:2096'
        ours all-lines build/bin/spile -r "$kernel" -l 'kernel.statement("sock_put@*:*")'
        unset SPILE_CACHE
        peer vars-kernel perf perf probe -k "$vmlinux" -V vfs_read
        stap_kernel vars-kernel -L 'kernel.function("vfs_read")'
        peer line-kernel perf perf probe -k "$vmlinux" -D 'vfs_read:6'
        stap_kernel line-kernel -l 'kernel.statement("vfs_read@fs/read_write.c+6")'
        stap_kernel file-kernel -l 'kernel.function("*@net/socket.c")'
        peer inlines-kernel perf perf probe -k "$vmlinux" --max-probes=1000 -V sock_hold
        stap_kernel inlines-kernel -L 'kernel.function("sock_hold").inline'
        peer header-line perf perf probe -k "$vmlinux" --max-probes=1000 -D 'include/net/sock.h:2096'
        stap_kernel header-line -l 'kernel.statement("sock_put@include/net/sock.h:2096")'
        stap_kernel all-lines -l 'kernel.statement("sock_put@*:*")'
    fi
    i=$((i + 1))
done

{
    printf '%-14s %8s %8s %8s %9s %9s %9s %9s %8s %8s\n' case 'ms cpu' spread 'ms wall' \
        'perf cpu' 'wall' 'stap cpu' 'wall' '/ perf' '/ stap'
    echo '[' >"$out"
    comma=
    for name in $cases; do
        ours=$(median "$name" 1)
        for tool in perf stap; do
            theirs=$(median "$name.$tool" 1)
            ratio=$([ -n "$theirs" ] && awk "BEGIN { printf \"%.3f\", $ours / ($theirs > 0 ? $theirs : 1) }")
            declare "$tool=${theirs:--}" "wall_$tool=$(median "$name.$tool" 2 || echo -)" "ratio_$tool=${ratio:--}"
            printf '%s{"case": "%s", "ours": %s, "peer": %s, "peer_name": "%s", "ratio": %s, "unit": "ms of processor time"}\n' \
                "$comma" "$name" "$ours" "${theirs:-null}" "$tool" "${ratio:-null}" >>"$out"
            comma=,
        done
        printf '%-14s %8s %8s %8s %9s %9s %9s %9s %8s %8s\n' "$name" "$ours" "$(spread "$name")" \
            "$(median "$name" 2)" "$perf" "$wall_perf" "$stap" "$wall_stap" "$ratio_perf" "$ratio_stap"
    done
    echo ']' >>"$out"
    for why in "$tmp"/*.why; do
        name=$(basename "$why" .why)
        case $name in
        *.perf | *.stap) echo "no answer, ${name##*.}, ${name%.*}: $(cat "$why")" ;;
        *) echo "no answer of ours, $name: $(cat "$why")" ;;
        esac
    done
}
