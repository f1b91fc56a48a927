#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Freestanding is proven, not promised: what the core's objects of ring/, runtime/ and engine/
# (without its hosts) need from outside must be the host contract, each other, or what the
# compiler itself calls for (the kernel's thunks). Reads the objects that the build made.
#
# usage: tests/check-freestanding.sh [build folder]; the last line is "N passed, N failed"

B=${1:-build}
cd "$(dirname "$0")/.." || exit 1
. tests/count.sh

objects=$(find "$B/core/ring" "$B/core/runtime" "$B/core/engine/core" "$B/core/engine/arch" \
	-name '*.o' 2>/dev/null)
if [ -z "$objects" ]; then
	echo "check-freestanding: no objects in $B/core; run make $B/kmod/spile.o first"
	exit 1
fi

# What may stay undefined: the functions of engine/host.h, and what generated code calls back.
grep -oE '\b(host_[a-z_]+|mem(cpy|move|set|cmp))\(' engine/host.h | tr -d '(' | sort -u >"$tmp/host"
# The kernel gives the shortest of them inline; what those use is a part of them.
inline=engine/host/linux-kernel/host_inline.h
grep -oE '\b(host_[a-z_]+|kcpu_[a-z_]+)\b' $inline | sort -u >>"$tmp/host"
printf '%s\n' __x86_return_thunk >>"$tmp/host"
for r in rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15; do
	echo "__x86_indirect_thunk_$r"
done >>"$tmp/host"
nm -g --defined-only $objects | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/defined"
sort -u "$tmp/host" "$tmp/defined" >"$tmp/allowed"

for o in $objects; do
	nm -u "$o" | awk '{ print $2 }' | sort -u | comm -23 - "$tmp/allowed" >"$tmp/strange"
	[ ! -s "$tmp/strange" ]
	ok "$o needs what is not in engine/host.h: $(tr '\n' ' ' <"$tmp/strange")"
done

# memcpy and its kin must not call themselves: the compiler turns loops into calls of them.
self=$(objdump -dr "$B/core/runtime/mem.kernel.o" 2>/dev/null |
	awk '/^[0-9a-f]+ <.*>:/ { name = substr($2, 2, length($2) - 3) }
	     /R_X86_64_(PLT|PC)32/ { split($3, sym, "-"); if (sym[1] == name) print name }')
[ -z "$self" ]
ok "runtime/mem.kernel.c calls itself: $self"
count_end
