// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables by which the kernel's module loader finds the core's functions, for modules that were
 * made by kbuild. (Script modules need none: the fitter binds them.)
 *
 *   __ksymtab_gpl      struct kernel_symbol: three distances of 4 bytes, each from its own place, to
 *                      the function, its name and the name of its namespace ("": none)
 *   __ksymtab_strings  the names
 *   __kcrctab_gpl      the checksums, in the same order
 *
 * That is the form of kernels with two tables, one for modules of any license and one for GPL
 * modules; where a kernel has only one, the fitter makes it of these (symbols/fit_exports.c).
 *
 * The checksum is that of the declarations in spile/kprobes.h, the same for all (exports.mk).
 */
#include "exports_crc.h"

#define EXPORT(name)                                                                               \
	__asm__(".pushsection __ksymtab_strings, \"a\"\n"                                          \
		"1:	.asciz \"" #name "\"\n"                                                     \
		"2:	.asciz \"\"\n"                                                              \
		".popsection\n"                                                                    \
		".pushsection __ksymtab_gpl, \"a\"\n"                                              \
		"	.balign 4\n"                                                               \
		"	.long " #name " - .\n"                                                     \
		"	.long 1b - .\n"                                                            \
		"	.long 2b - .\n"                                                            \
		".popsection\n"                                                                    \
		".pushsection __kcrctab_gpl, \"a\"\n"                                              \
		"	.balign 4\n"                                                               \
		"	.long " EXPORTS_CRC "\n"                                                   \
		".popsection\n");
#include "kmod/exports.def"
