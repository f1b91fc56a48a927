#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Installs what is missing of the Debian packages that Spile is built, run and tested with.
# The list stands here and nowhere else. `setup.sh bench` adds the
# peers that benchmarks measure. Quick when all is there.
set -eu

BUILD="gcc make libc6-dev binutils libelf-dev libdw-dev libbpf-dev libzstd-dev liblzma-dev zlib1g-dev uthash-dev libcapstone-dev"
VM="qemu-system-x86 busybox-static strace"
TEST="libcmocka-dev systemtap-doc libzydis-dev linux-headers-amd64 python3 procps gdb clang lld dwz"
BENCH="bpftrace liblttng-ust-dev lttng-tools linux-perf systemtap"
packages="$BUILD $VM $TEST"
[ "${1:-}" = bench ] && packages="$packages $BENCH"

missing=
for p in $packages; do
    case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null) in
    *" installed") ;;
    *) missing="$missing $p" ;;
    esac
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
    echo "setup: missing packages:$missing (run as root: apt-get install$missing)" >&2
    exit 1
fi
echo "setup: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends $missing >/dev/null 2>&1 || {
    apt-get update >/dev/null
    apt-get install -y --no-install-recommends $missing >/dev/null
}
