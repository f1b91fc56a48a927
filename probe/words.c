// SPDX-License-Identifier: GPL-2.0-only
#include "probe/words.h"

#include <capstone/capstone.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Capstone's tables hold 80,000 addresses; relocating them takes 4 ms at each start of a program that is
 * linked with it. So only the command that needs it loads it. */
struct words {
	void *library;
	csh handle;
	cs_err (*open)(cs_arch arch, cs_mode mode, csh *handle);
	cs_err (*close)(csh *handle);
	cs_err (*option)(csh handle, cs_opt_type type, size_t value);
	size_t (*disasm)(csh handle, const uint8_t *code, size_t size, uint64_t address,
	                 size_t count, cs_insn **insn);
	void (*free)(cs_insn *insn, size_t count);
};

#define TEXT(x) TEXT_OF(x)
#define TEXT_OF(x) #x

const char *words_library(void)
{
	return "libcapstone.so." TEXT(CS_API_MAJOR);
}

static bool load(struct words *words)
{
	words->library = dlopen(words_library(), RTLD_NOW | RTLD_LOCAL);
	if (!words->library)
		return false;
	words->open = dlsym(words->library, "cs_open");
	words->close = dlsym(words->library, "cs_close");
	words->option = dlsym(words->library, "cs_option");
	words->disasm = dlsym(words->library, "cs_disasm");
	words->free = dlsym(words->library, "cs_free");
	return words->open && words->close && words->option && words->disasm && words->free;
}

struct words *words_create(void)
{
	struct words *words = calloc(1, sizeof(*words));

	if (!words)
		abort();
	if (!load(words) || words->open(CS_ARCH_X86, CS_MODE_64, &words->handle) != CS_ERR_OK) {
		words->handle = 0;
		words_destroy(words);
		return NULL;
	}
	words->option(words->handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
	return words;
}

void words_destroy(struct words *words)
{
	if (!words)
		return;
	if (words->handle)
		words->close(&words->handle);
	if (words->library)
		dlclose(words->library);
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
	size_t n = words->disasm(words->handle, bytes, size, address, 1, &insn);

	if (n && insn->size == size)
		snprintf(ret, room, "%-8s %s", insn->mnemonic, insn->op_str);
	else
		as_bytes(bytes, size, ret, room);
	if (n)
		words->free(insn, n);
}
