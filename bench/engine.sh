#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a hit and an attachment cost, ours beside the kernel's own, in one guest; and in a process.
#
# Method, guest. A module (engine.kernel.c) calls a function that does next to nothing 100 times, and
# takes the best of 400 such windows and more: bare, with our probe, with the kernel's, 12 rounds in turn.
# Cost = time per call less the bare call. Every handler adds one to a counter. Shown are the median of the
# rounds and, in brackets, the best of all; the median of the rounds' ratios, and the ratio of the best,
# which on a busy machine is nearer to the truth. All stays on one CPU. Cases, with the letters of the kprobes document:
#   entry k             a probe on a function's entry; peer: kprobe, which uses ftrace there
#   jprobe j, jprobe-and-return jr   kernels have no jprobes any more: no peer
#   return r            a return probe, prototype known; return-pool: not known; peer: kretprobe
#   entry-and-return kr both on one function
#   breakpoint k        inside a function, with a post_handler; peer: kprobe, stepped
#   boosted b           inside, where no jump may be written; peer: kprobe, boosted
#   mid-jump o          inside, where there is room for a jump; peer: kprobe, optimized
#   return-boosted rb, return-optimized ro   of functions without an ftrace site; peer: kretprobe
#   two-threads         entry with two threads at once; "peer": with one. No hit may be missing
#   attach-10000        registering 10,000 entry probes in one batch; peer: a batch of 100 of the
#                       kernel's (it arms one by one), both per function
# Under TCG, which has no speculation and dear traps, ratios differ from a real CPU's.
#
# Method, process. bench/process.c, the same way on the machine's own CPU: 31 rounds, a window is 4,000
# calls (100 where a hit traps). Peers: an LTTng-UST tracepoint with one argument, into a buffer that is
# overwritten; a uprobe with an event that a filter drops, on a first instruction that the kernel
# emulates (push) or steps. Uprobes are measured in the guest, since the machine's kernel may have none,
# beside our cases in the same guest.
#
# usage: engine.sh [JSON [KERNEL]]
set -eu
cd "$(dirname "$0")/.."
out=${1:-build/bench/engine.json}
kernel=${2:-6.1}
tmp=$(mktemp -d)
sessiond=
trap '[ -z "$sessiond" ] || kill "$sessiond"; rm -rf "$tmp"' EXIT

# --- in the guest ---------------------------------------------------------------------------------
cat >"$tmp/guest" <<'END'
build/bin/spile-run --load
build/bin/spile-run --fit build/bench/engine.o engine_bench /tmp/engine_bench.ko
busybox taskset 2 busybox insmod /tmp/engine_bench.ko
busybox rmmod engine_bench
build/bin/spile-run --unload
dmesg
export LD_LIBRARY_PATH=$PWD/build
cp build/bench/process /tmp/process
tracing=/sys/kernel/tracing
[ -e $tracing/uprobe_events ] || mount -t tracefs tracefs $tracing
uprobe() { # TARGET...: turns a uprobe on and times calls
    echo "p:bench/hit /tmp/process:$(/tmp/process --show "target_$1")" >$tracing/uprobe_events
    echo 'common_pid == 0' >$tracing/events/bench/hit/filter
    echo 1 >$tracing/events/bench/hit/enable
    echo "guest-process: uprobe-$1 $(/tmp/process external 1 "$1")"
    echo 0 >$tracing/events/bench/hit/enable
    echo >$tracing/uprobe_events
}
for c in bare jump breakpoint; do echo "guest-process: $c $(/tmp/process $c)"; done
uprobe push
uprobe step
END
# With a thread for each CPU an older QEMU may run stale code for ever while text is changed (vm/qemu.c).
SPILE_TCG_THREAD=single build/bin/spile-vm -k "$kernel" --timeout 1200 -- sh -c "$(cat "$tmp/guest")" >"$tmp/log" 2>&1

# --- on this machine --------------------------------------------------------------------------------
for c in bare "bare 2" jump "jump 2" return breakpoint; do
    # shellcheck disable=SC2086
    build/bench/process $c >>"$tmp/process"
done
if command -v lttng-sessiond >/dev/null && [ "$(build/bench/process lttng 2>/dev/null)" ]; then
    export LTTNG_HOME="$tmp"
    {
        lttng-sessiond --daemonize --no-kernel --pidfile "$tmp/pid"
        sessiond=$(cat "$tmp/pid")
        lttng create bench --snapshot --output="$tmp/trace"
        lttng enable-event -u spile_bench:hit
        lttng start
        build/bench/process lttng >>"$tmp/process"
        lttng destroy
    } >"$tmp/lttng" 2>&1 || echo "engine: no LTTng tracepoint here: $(tail -n 1 "$tmp/lttng")" >&2
fi

# --- rows: CASE OURS PEER PEERNAME UNIT OURSBEST PEERBEST LETTERS [RATIO], in ps or ns; RATIO in 1/1000 ---
sed -n 's/.*engine-bench: \([a-z]\)/\1/p' "$tmp/log" >"$tmp/rows"
awk '
    FILENAME == ARGV[1] { median[$1 $2] = $3; best[$1 $2] = $4; next }
    /^guest-process: / { g_median[$2] = $5; g_best[$2] = $6 }
    function row(name, m, b, pm, pb, peer) { print name, m, pm, peer, "ps", b, pb, "-" }
    END {
        bm = median["bare1"]; bb = best["bare1"]; lm = lb = 0; lttng = "none"
        if ("lttng1" in median) { lttng = "lttng-ust"; lm = median["lttng1"] - bm; lb = best["lttng1"] - bb }
        row("process-jump", median["jump1"], best["jump1"], lm, lb, lttng)
        row("process-return", median["return1"], best["return1"], 0, 0, "none")
        row("process-breakpoint", median["breakpoint1"], best["breakpoint1"], 0, 0, "none")
        row("process-two-threads", median["jump2"] + median["bare2"], best["jump2"] + best["bare2"],
            median["jump1"] + bm, best["jump1"] + bb, "one-thread")
        if (!("uprobe-push" in g_median)) exit
        gm = g_median["bare"]; gb = g_best["bare"]
        row("guest-process-jump", g_median["jump"], g_best["jump"], g_median["uprobe-push"] - gm,
            g_best["uprobe-push"] - gb, "uprobe-emulated")
        row("guest-process-jump", g_median["jump"], g_best["jump"], g_median["uprobe-step"] - gm,
            g_best["uprobe-step"] - gb, "uprobe-stepped")
        row("guest-process-breakpoint", g_median["breakpoint"], g_best["breakpoint"],
            g_median["uprobe-step"] - gm, g_best["uprobe-step"] - gb, "uprobe-stepped")
    }' "$tmp/process" "$tmp/log" >>"$tmp/rows"

echo "engine on $kernel: median and [best] of the rounds; ns a hit above the bare call, attach: us a function"
sed -n 's/.*engine-bench: # /  /p' "$tmp/log"
awk -v out="$out.new" '
    BEGIN { printf "%-24s %-3s %20s %-20s %22s %7s %7s\n", "case", "", "ours", "peer-name", "peer", "ratio", "of best" }
    {
        unit = $5 == "ps" ? "ns" : "us/function"
        ours = sprintf("%.1f [%.1f]", $2 / 1000, $6 / 1000)
        peer = $3 ? sprintf("%.1f [%.1f]", $3 / 1000, $7 / 1000) : "-"
        r = $9 ? $9 / 1000 : $3 ? $2 / $3 : 0
        ratio = $3 ? sprintf("%.3f", r) : "-"
        best = $7 ? sprintf("%.3f", $6 / $7) : "-"
        printf "%-24s %-3s %20s %-20s %22s %7s %7s\n", $1, $8, ours, $4, peer, ratio, best
        line = sprintf("{\"case\": \"%s\", \"letters\": \"%s\", \"ours\": %.1f, \"ours_best\": %.1f, ", $1, $8, $2 / 1000, $6 / 1000)
        line = line (!$3 ? "\"peer\": null, \"peer_best\": null, \"ratio\": null, \"ratio_best\": null" : \
            sprintf("\"peer\": %.1f, \"peer_best\": %.1f, \"ratio\": %.4f, \"ratio_best\": %s",
                    $3 / 1000, $7 / 1000, r, best == "-" ? "null" : best))
        line = line sprintf(", \"peer_name\": \"%s\", \"unit\": \"%s\"}", $4, unit)
        printf "%s%s", NR == 1 ? "[" : ",\n ", line >out
    }
    END { if (NR) print "]" >out; exit !NR }' "$tmp/rows"
mv "$out.new" "$out"
