/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/arch.h - the architecture contract: what planters ask of a processor's code.
 *
 * The engine's core knows no instruction set. What does is in engine/arch/<name>/, freestanding and
 * used in both homes: it never patches text, allocates or waits; it looks at bytes and registers
 * that it is given and writes code into buffers that it is given. Patching, executable memory and
 * quiescence are the host's and the planter's.
 *
 * Porting to another architecture means a folder with the headers below under an include for it, and
 * these, in the order in which they become useful:
 *
 *  1. regs.h: struct pt_regs with the kernel's layout, regs_arg(), regs_arg_address(), and
 *     ARCH_BREAKPOINT_BYTES: by how much ip has passed a breakpoint when a hit is handled.
 *     With this alone the planters that need no text knowledge work (ftrace, native).
 *  2. struct arch_insn and arch_decode(): length and nature of an instruction;
 *     arch_boundary_check(): is there one at an address. On a machine with instructions of one
 *     length the latter is a test for alignment.
 *  3. arch_slot_*(): have one instruction done away from home, after a trap. Emulate what depends
 *     on its address, copy the rest. Gives the breakpoint planter.
 *  4. arch_optimize_check(): which instructions a jump would replace, and whether it may.
 *  5. arch_detour_build(): save, call, restore, copies, jump back; arch_jump_encode(): the jump.
 *     Gives the jump planter. Where one instruction is as long as a jump the region is that one
 *     instruction and nearly all checks fall away.
 *  6. ARCH_BREAKPOINT: the byte or bytes that trap.
 *  7. arch_jprobe_call(), arch_jprobe_return(): enter a function in another's place. Gives jprobes,
 *     under every planter.
 *
 * Rules that hold for all of them: a copy leaves no trace (no register, flag or memory that the
 * original would not have touched; return addresses are the original's), what is not understood is
 * refused, and every function says in which context it may run. tests/unit/test_relocate.c,
 * test_emulate.c, test_detour.c and test_optimize.c compare with the processor itself: a port
 * begins with its own versions of them.
 *
 * Planters use the names below; tests of an architecture use its own.
 */
#ifndef SPILE_ENGINE_ARCH_H
#define SPILE_ENGINE_ARCH_H

#if defined(__x86_64__)

#include "engine/arch/x86/regs.h"
#include "engine/arch/x86/decode.h"
#include "engine/arch/x86/emulate.h"
#include "engine/arch/x86/slot.h"
#include "engine/arch/x86/optimize.h"
#include "engine/arch/x86/detour.h"
#include "engine/arch/x86/jprobe.h"

#define ARCH_BREAKPOINT 0xcc
#define ARCH_INSN_MAX X86_INSN_MAX
#define ARCH_JUMP_BYTES X86_JUMP_BYTES
#define ARCH_SLOT_BYTES X86_SLOT_BYTES
#define ARCH_DETOUR_MAX X86_DETOUR_MAX

#define arch_insn x86_insn
#define arch_decode x86_decode
#define arch_boundary_check x86_boundary_check
#define arch_memory x86_memory
#define arch_slot x86_slot
#define arch_slot_check x86_slot_check
#define arch_slot_is_needed x86_slot_is_needed
#define arch_slot_build x86_slot_build
#define arch_slot_go x86_slot_go
#define arch_slot_boosted x86_slot_boosted
#define arch_slot_step_end x86_slot_step_end
#define arch_slot_stepped x86_slot_stepped
#define arch_slot_original_ip x86_slot_original_ip
#define arch_optimize x86_optimize
#define arch_region x86_region
#define arch_optimize_check x86_optimize_check
#define arch_verdict_text x86_verdict_text
#define arch_detour_plan x86_detour_plan
#define arch_detour x86_detour
#define arch_detour_build x86_detour_build
#define arch_detour_copy_ip x86_detour_copy_ip
#define arch_detour_original_ip x86_detour_original_ip
#define arch_jump_encode x86_jump_encode
#define arch_jprobe_call x86_jprobe_call
#define arch_jprobe_return x86_jprobe_return

#else
#error "no engine/arch folder for this architecture"
#endif

#endif
