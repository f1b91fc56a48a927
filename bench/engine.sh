#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a hit and an attachment cost, ours beside the kernel's own kprobes, in one guest.
#
# Method. A module (engine.kernel.c) calls a kernel function that does next to nothing 1,000 times, and
# takes the best of 40 such windows: bare, with our probe, with the kernel's, 7 rounds. Cost = time per
# call less the bare call; the medians count, the best are in brackets. Every handler adds one to a counter. Cases:
#   entry             a probe on the function's entry; peer: kprobe, which uses ftrace there
#   return            a return probe, prototype known; peer: kretprobe
#   return-pool       the same, prototype not known
#   entry-and-return  both on one function
#   mid-jump          an instruction with room for a jump; peer: kprobe, optimized
#   breakpoint        the same with a post_handler; peer: kprobe, stepped
#   attach-10000      registering 10,000 entry probes in one batch; peer: a batch of 100 of the
#                     kernel's (it arms one by one), both per function
# Under TCG, which has no speculation and dear memory accesses, ratios differ from a real CPU's.
#
# usage: engine.sh [JSON [KERNEL]]
set -eu
cd "$(dirname "$0")/.."
out=${1:-build/bench/engine.json}
kernel=${2:-6.1}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

build/bin/spile-vm -k "$kernel" --timeout 900 -- sh -c '
    build/bin/spile-run --load
    build/bin/spile-run --fit build/bench/engine.o engine_bench /tmp/engine_bench.ko
    busybox insmod /tmp/engine_bench.ko
    busybox rmmod engine_bench
    build/bin/spile-run --unload
    dmesg' >"$tmp/log"

echo "engine on $kernel: medians of 7 rounds, best in brackets; ns a hit, attach: us a function"
sed -n 's/.*engine-bench: # /  /p' "$tmp/log"
sed -n 's/.*engine-bench: \([a-z]\)/\1/p' "$tmp/log" | awk -v out="$out.new" '
    BEGIN { printf "%-18s %18s %-18s %20s %7s\n", "case", "ours", "peer-name", "peer", "ratio" }
    {
        unit = $5 == "ps" ? "ns" : "us/function"
        ours = sprintf("%.1f [%.1f]", $2 / 1000, $6 / 1000)
        peer = sprintf("%.1f [%.1f]", $3 / 1000, $7 / 1000)
        printf "%-18s %18s %-18s %20s %7.3f\n", $1, ours, $4, peer, $2 / $3
        line = sprintf("{\"case\": \"%s\", \"ours\": %.1f, \"peer\": %.1f, \"peer_name\": \"%s\", \"ratio\": %.4f, \"unit\": \"%s\"}",
                       $1, $2 / 1000, $3 / 1000, $4, $2 / $3, unit)
        printf "%s%s", NR == 1 ? "[" : ",\n ", line >out
    }
    END { if (NR) print "]" >out; exit !NR }'
mv "$out.new" "$out"
