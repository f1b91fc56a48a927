#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The decoder against others: check-decode.sh [--full] [FILE...]
# The last line is "N passed, N failed".
#
#   objdump  every instruction in the text of libc and of a kernel; with --full, of every kernel in
#            the cache; with FILEs, of those. tests/decode/README.md says what is compared.
#   Zydis    1,000,000 random strings; with --full 20,000,000, from a seed that differs each time
#   fuzz     a walk over mutated text, with sanitizers
set -u
cd "$(dirname "$0")/.." || exit 1
cache=${SPILE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spile}
programs=build/tests/decode
full=
. tests/count.sh
[ "${1:-}" = --full ] && { full=1; shift; }

# The sections that hold code and nothing that changes: data that is executable too is no text.
text_sections() {
    objdump -hw "$1" | awk '/READONLY, CODE/ { print "-j " $2 }'
}

compare_text() { # FILE NAME
    objdump -d -w -z $(text_sections "$1") "$1" | "$programs/compare-objdump" "$2"
    ok "$programs/compare-objdump on $1"
}

# One kernel's ELF a line; the newest alone has the most instructions that others lack.
kernels() {
    ls -d "$cache"/kernels/*/vmlinux 2>/dev/null | sort -V | tail -n "${full:++}1"
}

make -s decoder-programs && make -s build/fuzz/fuzz_decode || {
    count_end
    exit
}

if [ $# -gt 0 ]; then
    for file; do
        compare_text "$file" "$file"
    done
else
    libc=$(ldd build/tests/decode/compare-objdump | awk '/libc\.so/ { print $3 }')
    compare_text "$libc" libc
    for kernel in $(kernels); do
        compare_text "$kernel" "$(basename "$(dirname "$kernel")")"
    done
    [ "$(kernels)" ] || echo "no kernel in $cache yet (tools/spile-vm fetches one): libc only"
fi

if [ "$full" ]; then
    strings=20000000 inputs=30000 seed=$(date +%s)
else
    strings=1000000 inputs=2000 seed=1
fi
"$programs/compare-zydis" $strings $seed
ok compare-zydis
build/fuzz/fuzz_decode -n $inputs -s $seed "$programs/compare-objdump"
ok fuzz_decode

count_end
