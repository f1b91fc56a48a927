#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# `make demo`: the slides' scripts on a stock Debian kernel in QEMU, output as it comes.
# Compiles each script here for the guest's kernel, then starts one guest and runs them all in it.
set -eu
cd "$(dirname "$0")/.."
bin=build/bin

say() { printf '\033[1m== %s\033[0m\n' "$*"; }

say "kernel"
dir=$($bin/spile-vm --print-dir)
echo "Debian's Linux $(cat "$dir/release"), described in $dir"

watched=samples/inode-watch.stp
say "asking a guest for the device and inode of $watched"
id=$($bin/spile-vm -- stat -c '%D %i' $watched)
device=$((0x${id% *})) inode=${id#* }
echo "device $((device >> 8)):$((device & 255)), inode $inode"

say "compiling the scripts for it (passes 1 to 4)"
jobs=build/demo
rm -rf $jobs
mkdir -p $jobs
compile() { # NAME ARGS...
    name=$1
    shift
    start=$(date +%s%N)
    object=$($bin/spile -p4 -r "$dir" "samples/$name.stp" "$@")
    cp "$object" "$jobs/$name.o"
    echo "$name: $((($(date +%s%N) - start) / 1000000)) ms"
}
compile hello-world
compile timer-jiffies
compile socket-trace
compile strace-open
compile inode-watch $((device >> 8)) $((device & 255)) "$inode"

say "starting the guest"
exec $bin/spile-vm -- sh samples/demo-guest.sh $jobs
