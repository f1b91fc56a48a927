/* SPDX-License-Identifier: GPL-2.0-only */
/** probe/words.h - an instruction in assembler's words, by Capstone, whose names clash with ours. */
#ifndef SPILE_PROBE_WORDS_H
#define SPILE_PROBE_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct words;

/** NULL when Capstone cannot be loaded or does not start; then the name of its library is for the message. */
struct words *words_create(void);
const char *words_library(void);
void words_destroy(struct words *words);
/** Writes the `size` bytes of one instruction at `address` as text; ".byte ..." when Capstone does
 *  not know it. */
void words_of(struct words *words, const uint8_t *bytes, size_t size, uint64_t address, char *ret,
	      size_t room);

#endif
