// SPDX-License-Identifier: GPL-2.0-only
#include "probe/words.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>

struct words {
	csh handle;
};

struct words *words_create(void)
{
	struct words *words = calloc(1, sizeof(*words));

	if (!words)
		abort();
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &words->handle) != CS_ERR_OK) {
		free(words);
		return NULL;
	}
	cs_option(words->handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
	return words;
}

void words_destroy(struct words *words)
{
	if (!words)
		return;
	cs_close(&words->handle);
	free(words);
}

static void as_bytes(const uint8_t *bytes, size_t size, char *ret, size_t room)
{
	size_t at = snprintf(ret, room, ".byte   ");

	for (size_t i = 0; i < size && at < room; i++)
		at += snprintf(ret + at, room - at, " 0x%02x", bytes[i]);
}

void words_of(struct words *words, const uint8_t *bytes, size_t size, uint64_t address, char *ret,
              size_t room)
{
	cs_insn *insn;
	size_t n = cs_disasm(words->handle, bytes, size, address, 1, &insn);

	if (n && insn->size == size)
		snprintf(ret, room, "%-8s %s", insn->mnemonic, insn->op_str);
	else
		as_bytes(bytes, size, ret, room);
	if (n)
		cs_free(insn, n);
}
