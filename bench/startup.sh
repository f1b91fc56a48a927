#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How long it takes to get from a script to something that can be loaded.
#
# Method. Each command runs RUNS times in turn with the others (so that a busy moment hits all of
# them) and the median of the wall-clock times counts. Cases:
#   hello-cold       spile -p4 of hello-world with an empty script cache; peers: bpftrace's whole run
#                    of the same one-liner, and kbuild making a module of the C that pass 3 printed
#   hello-cached     the same command again, the object comes from the cache; peer: bpftrace
#   ten-probes-cold  spile -p4 of ten probes with target variables, cache empty; peers: bpftrace -d of
#                    the same ten probes (it compiles and does not attach), and kbuild
# The disk cache is warm for all. bpftrace's time includes loading its program; ours ends with the
# finished object, since the machine that runs the benchmark may take no modules.
set -eu
cd "$(dirname "$0")/.."
out=${1:-build/bench/startup.json}
RUNS=${RUNS:-11}
KBUILD_RUNS=${KBUILD_RUNS:-3}

spile=build/bin/spile
kernel=$(build/bin/spile-vm --print-dir)
headers=/lib/modules/$(cat "$kernel/release")/build
[ -d "$headers" ] || headers=$(ls -d /usr/src/linux-headers-*-amd64 2>/dev/null | tail -n 1)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ln -s "$(dirname "$kernel")" "$tmp/kernels"
export SPILE_CACHE=$tmp

# run NAME COMMAND...: appends the milliseconds that the command took to $tmp/NAME.
run() {
    local name=$1 start end
    shift
    start=$(date +%s%N)
    "$@" >"$tmp/out" 2>"$tmp/err" || { echo "bench: failed: $*" >&2; cat "$tmp/err" >&2; exit 1; }
    end=$(date +%s%N)
    awk "BEGIN { printf \"%.2f\\n\", ($end - $start) / 1e6 }" >>"$tmp/$name"
}
median() { sort -n "$tmp/$1" | awk '{ v[NR] = $1 } END { printf "%.1f", v[int((NR + 1) / 2)] }'; }
spread() { sort -n "$tmp/$1" | awk '{ v[NR] = $1 } END { printf "%.1f-%.1f", v[1], v[NR] }'; }
cold() { rm -rf "$tmp/scripts"; }

kbuild_setup() { # NAME SCRIPT: a folder where kbuild can make the module of pass 3's C
    mkdir -p "$tmp/kbuild-$1"
    {
        echo '#include <linux/module.h>'
        cat runtime/script.h codegen/support.h
        $spile -p3 -r "$kernel" "$2"
        echo 'MODULE_LICENSE("GPL");'
    } >"$tmp/kbuild-$1/mod_$1.c"
    echo "obj-m := mod_$1.o" >"$tmp/kbuild-$1/Makefile"
}
kbuild_once() { # NAME
    rm -f "$tmp/kbuild-$1"/*.o "$tmp/kbuild-$1"/*.ko
    make -C "$headers" M="$tmp/kbuild-$1" KBUILD_MODPOST_WARN=1 CONFIG_DEBUG_INFO_BTF_MODULES= \
        KCFLAGS="-DSPILE_MODULE -DSPILE_SCRIPT_NAME=KBUILD_MODNAME -w" modules
}

hello_bt='BEGIN { printf("hello world\n"); exit(); }'
ten_bt=$(sed -n '/^\/\* bpftrace$/,/^\*\/$/p' bench/ten-probes.stp | sed '1d;$d')

have_bpftrace=1
bpftrace -e "$hello_bt" >/dev/null 2>&1 || have_bpftrace=
i=0
while [ $i -lt "$RUNS" ]; do
    cold
    run hello-cold $spile -p4 -r "$kernel" samples/hello-world.stp
    run hello-cached $spile -p4 -r "$kernel" samples/hello-world.stp
    cold
    run ten-cold $spile -p4 -r "$kernel" bench/ten-probes.stp
    if [ -n "$have_bpftrace" ]; then
        run hello-bpftrace bpftrace -e "$hello_bt"
        run ten-bpftrace bpftrace -d -e "$ten_bt"
    fi
    i=$((i + 1))
done
if [ -d "$headers" ]; then
    kbuild_setup hello samples/hello-world.stp
    kbuild_setup ten bench/ten-probes.stp
    i=0
    while [ $i -lt "$KBUILD_RUNS" ]; do
        run hello-kbuild kbuild_once hello
        run ten-kbuild kbuild_once ten
        i=$((i + 1))
    done
fi

echo "startup: milliseconds, medians of $RUNS runs (kbuild: $KBUILD_RUNS), least-most in brackets; $(nproc) CPUs"
printf '%-18s %20s %-10s %22s %7s\n' case ours peer-name peer ratio
sep='['
row() { # CASE OURS PEER PEERNAME
    [ -f "$tmp/$3" ] || { echo "  $1: no $4 here" >&2; return 0; }
    local ours peer
    ours=$(median "$2"); peer=$(median "$3")
    awk -v c="$1" -v o="$ours" -v os="$(spread "$2")" -v p="$peer" -v ps="$(spread "$3")" -v n="$4" \
        'BEGIN { printf "%-18s %7s [%s] %-10s %7s [%s] %7.3f\n", c, o, os, n, p, ps, o / p }'
    printf '%s{"case": "%s", "ours": %s, "peer": %s, "peer_name": "%s", "ratio": %s, "unit": "ms"}' \
        "$sep" "$1" "$ours" "$peer" "$4" "$(awk "BEGIN { printf \"%.4f\", $ours / $peer }")" >>"$tmp/json"
    sep=$',\n '
}
row hello-cold hello-cold hello-bpftrace bpftrace
row hello-cold hello-cold hello-kbuild kbuild
row hello-cached hello-cached hello-bpftrace bpftrace
row ten-probes-cold ten-cold ten-bpftrace bpftrace
row ten-probes-cold ten-cold ten-kbuild kbuild
echo ']' >>"$tmp/json"
mkdir -p "$(dirname "$out")"
cp "$tmp/json" "$out"
