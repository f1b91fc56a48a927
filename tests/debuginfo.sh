#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The default kernel's debug information, whole: fetches Debian's package (860 MB) unless its vmlinux is
# the cache already, keeps only that (630 MB), runs tests/unit/test_debuginfo.c on it, and scripts that
# need it in a guest (debuginfo-scripts.sh).
set -eu
cd "$(dirname "$0")/.."
dir=$(build/bin/spile-vm --print-dir)
release=$(cat "$dir/release")
cache=${SPILE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spile}/debuginfo
vmlinux=$cache/vmlinux-$release

if [ ! -e "$vmlinux" ]; then
	mkdir -p "$cache"
	tmp=$(mktemp -d "$cache/fetch.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	echo "fetching linux-image-$release-dbg, 860 MB, once..." >&2
	(cd "$tmp" && apt-get download -q "linux-image-$release-dbg" >&2)
	echo "unpacking its vmlinux..." >&2
	dpkg-deb --fsys-tarfile "$tmp"/*.deb |
		tar -xO "./usr/lib/debug/boot/vmlinux-$release" >"$tmp/vmlinux"
	mv "$tmp/vmlinux" "$vmlinux"
fi
export SPILE_VMLINUX="$vmlinux" SPILE_KERNEL_DIR="$dir"
exec tests/sum.sh 'tests/unit.sh build/tests/test_debuginfo' tests/debuginfo-scripts.sh
