// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares the decoder with objdump on real text, instruction by instruction:
 *
 *     objdump -d -w -z FILE | compare-objdump NAME
 *
 * For each instruction: the length; the kind, from the mnemonic; the target of a branch and the
 * address of a rip-relative operand, from the operands. The decoder is given the bytes that follow
 * the instruction too, so it can be wrong in both directions. Where objdump writes one instruction
 * in another way than the processor reads it, a rule below says so and is counted; README.md has
 * the reasons. Everything else is a difference, and the exit status is 1 if there is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/arch/x86/decode.h"

#define LINES 4096
#define AHEAD 16 /* lines that stay behind so that the last one compared has 15 bytes after it */
#define SHOWN 20 /* differences that are printed */

struct line {
	uint64_t address;
	unsigned offset, length; /* in `bytes` */
	char text[120];
};

static struct line lines[LINES];
static uint8_t bytes[LINES * X86_INSN_MAX + 64];
static unsigned line_count, byte_count;
static unsigned long compared, differences, joined, waits, bads, newer;
static const char *name;

static void differ(const struct line *l, const char *what, uint64_t ours, uint64_t theirs)
{
	unsigned i;

	if (differences++ >= SHOWN)
		return;
	printf("%s: %lx: %s %lx, objdump %lx:", name, l->address, what, ours, theirs);
	for (i = 0; i < l->length; i++)
		printf(" %02x", bytes[l->offset + i]);
	printf("  %s\n", l->text);
}

/* --- objdump's text --- */

/* Prefixes that objdump writes in front of a mnemonic, or alone on a line. */
static bool is_prefix_word(const char *word, size_t length)
{
	static const char *const words[] = {
		"addr32", "bnd", "cs", "data16", "ds", "es", "fs", "gs", "lock", "notrack", "rep",
		"repnz", "repz", "ss", "xacquire", "xrelease",
	};
	size_t i;

	if (length >= 3 && memcmp(word, "rex", 3) == 0 && (length == 3 || word[3] == '.'))
		return true;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == length && memcmp(word, words[i], length) == 0)
			return true;
	return false;
}

/* The text from the mnemonic on; "" for a line that holds prefixes alone. */
static const char *mnemonic(const char *text)
{
	for (;;) {
		size_t length;

		text += strspn(text, " ");
		length = strcspn(text, " ");
		if (!length || !is_prefix_word(text, length))
			return text;
		text += length;
	}
}

struct spelling {
	const char *name; /* a trailing * stands for any rest */
	enum x86_kind kind;
};

static const struct spelling spellings[] = {
	{ "call", X86_CALL }, { "callw", X86_CALL }, { "cli", X86_CLI }, { "cldemote", X86_NOP },
	{ "cmpsb", X86_STRING }, { "cmpsw", X86_STRING }, { "cmpsl", X86_STRING },
	{ "cmpsq", X86_STRING }, { "endbr64", X86_ENDBR }, { "endbr32", X86_ENDBR },
	{ "hlt", X86_HLT }, { "insb", X86_STRING }, { "insw", X86_STRING },
	{ "insl", X86_STRING }, { "int", X86_INT }, { "int1", X86_INT1 },
	{ "int3", X86_INT3 }, { "iret*", X86_IRET }, { "jmp", X86_JMP }, { "jmpw", X86_JMP },
	{ "jecxz", X86_LOOP }, { "jrcxz", X86_LOOP }, { "j*", X86_JCC }, { "lcall*", X86_CALL_FAR },
	{ "lea", X86_LEA }, { "ljmp*", X86_JMP_FAR }, { "lods", X86_STRING }, { "loop*", X86_LOOP },
	{ "lret*", X86_RET_FAR }, { "lss", X86_LOAD_SS }, { "movsb", X86_STRING },
	{ "movsw", X86_STRING }, { "movsl", X86_STRING }, { "movsq", X86_STRING },
	{ "nop*", X86_NOP }, { "outs*", X86_STRING }, { "popf*", X86_POPF }, { "pop", X86_POP },
	{ "popq", X86_POP }, { "popw", X86_POP }, { "prefetchnta", X86_NOP },
	{ "prefetcht*", X86_NOP }, { "prefetchit*", X86_NOP }, { "push", X86_PUSH },
	{ "pushq", X86_PUSH }, { "pushw", X86_PUSH }, { "pushf*", X86_PUSHF }, { "ret*", X86_RET },
	{ "rsm", X86_IRET }, { "scas", X86_STRING }, { "sti", X86_STI }, { "stos", X86_STRING },
	{ "syscall", X86_SYSCALL }, { "sysenter", X86_SYSENTER }, { "sysexit*", X86_SYSEXIT },
	{ "sysret*", X86_SYSRET }, { "ud0", X86_UD }, { "ud1", X86_UD }, { "ud2", X86_UD },
	{ "uiret", X86_IRET }, { "xbegin", X86_XBEGIN },
};

static bool spelled(const char *pattern, const char *word, size_t length)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] == '*')
		return length >= n - 1 && memcmp(pattern, word, n - 1) == 0;
	return length == n && memcmp(pattern, word, n) == 0;
}

static enum x86_kind kind_of_text(const char *text)
{
	size_t length = strcspn(text, " "), i;
	bool star = text[length + strspn(text + length, " ")] == '*';

	if (spelled("mov", text, length) && strstr(text, ",%ss"))
		return X86_LOAD_SS;
	if (strcmp(text, "xchg   %ax,%ax") == 0)
		return X86_NOP; /* 66 90 */
	for (i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		enum x86_kind kind = spellings[i].kind;

		if (spellings[i].name[0] != text[0] || !spelled(spellings[i].name, text, length))
			continue;
		if (star && kind == X86_JMP)
			return X86_JMP_INDIRECT;
		if (star && kind == X86_CALL)
			return X86_CALL_INDIRECT;
		return kind;
	}
	return X86_PLAIN;
}

/* --- comparison --- */

static void compare_kind(const struct line *l, const struct x86_insn *insn, const char *text)
{
	enum x86_kind kind = kind_of_text(text);
	const char *operand = text + strcspn(text, " ");
	const char *comment = strstr(text, "# ");

	if (kind != insn->kind)
		differ(l, "kind", insn->kind, kind);
	else if (x86_insn_target(insn, 1)) {
		uint64_t target = strtoull(operand, NULL, 16);

		if (x86_insn_target(insn, l->address) != target)
			differ(l, "target", x86_insn_target(insn, l->address), target);
	}
	if (!!(insn->flags & X86_INSN_RIP_RELATIVE) !=
	    (strstr(text, "(%rip)") || strstr(text, "(%eip)")))
		differ(l, "rip-relative", insn->flags & X86_INSN_RIP_RELATIVE, 0);
	else if (insn->flags & X86_INSN_RIP_RELATIVE && comment &&
		 x86_insn_operand(insn, l->address) != strtoull(comment + 2, NULL, 16))
		differ(l, "operand", x86_insn_operand(insn, l->address),
		       strtoull(comment + 2, NULL, 16));
}

/* Rule "newer": udb, lkgs, eretu and erets, rmpread are younger than binutils 2.40. */
static bool is_newer(const struct x86_insn *insn)
{
	bool f2 = insn->prefixes & X86_PREFIX_REPNE, f3 = insn->prefixes & X86_PREFIX_REP;

	if (insn->map == X86_MAP_1)
		return insn->opcode == 0xd6;
	if (insn->map != X86_MAP_0F)
		return false;
	if (insn->opcode == 0x00)
		return (insn->modrm >> 3 & 7) == 6;
	if (insn->opcode != 0x01)
		return false;
	return (insn->modrm == 0xca && (f2 || f3)) || (insn->modrm == 0xfd && f2);
}

/*
 * Compares the instruction at line `i`; returns how many lines it takes, more than one where
 * objdump put parts of it on lines of their own.
 */
static unsigned compare(unsigned i, unsigned end)
{
	const struct line *l = &lines[i];
	unsigned length = l->length, used = 1;
	const char *text = mnemonic(l->text);
	struct x86_insn insn;
	int ours = x86_decode(bytes + l->offset, byte_count - l->offset, &insn);

	compared++;
	/* Rule "joined": a line of prefixes belongs to the instruction on the next line. */
	while (!*text && i + used < end) {
		length += lines[i + used].length;
		text = mnemonic(lines[i + used].text);
		used++;
		joined++;
	}
	if (strstr(text, "(bad)")) {
		if (ours >= 0 && is_newer(&insn)) {
			newer++;
			while (length < (unsigned)ours && i + used < end)
				length += lines[i + used++].length;
			return used;
		}
		if (ours >= 0)
			differ(l, "length", ours, 0);
		bads++;
		return used;
	}
	/* Rule "wait": objdump takes 9b for a prefix of the x87 instruction behind it. */
	if (ours == 1 && bytes[l->offset] == 0x9b && length > 1) {
		waits++;
		ours = x86_decode(bytes + l->offset + 1, byte_count - l->offset - 1, &insn) + 1;
		if ((unsigned)ours != length)
			differ(l, "length behind wait", ours, length);
		return used;
	}
	if (ours < 0 || (unsigned)ours != length)
		differ(l, "length", ours, length);
	else if (is_newer(&insn))
		newer++;
	else
		compare_kind(l, &insn, text);
	return used;
}

/* Compares all lines but the last `keep`, and moves those to the front. */
static void flush(unsigned keep)
{
	unsigned i = 0, end = line_count;

	while (i + keep < end)
		i += compare(i, end);
	if (i >= end) {
		line_count = byte_count = 0;
		return;
	}
	memmove(bytes, bytes + lines[i].offset, byte_count - lines[i].offset);
	byte_count -= lines[i].offset;
	line_count = end - i;
	memmove(lines, lines + i, line_count * sizeof(lines[0]));
	for (i = line_count; i-- > 0;)
		lines[i].offset -= lines[0].offset;
}

static int hex_digit(int c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "  address:\tb1 b2 ...  \ttext" */
static bool parse(char *in, struct line *l)
{
	char *p = in + strspn(in, " ");
	size_t length;

	l->address = 0;
	for (; hex_digit(*p) >= 0; p++)
		l->address = l->address << 4 | hex_digit(*p);
	if (p[0] != ':' || p[1] != '\t')
		return false;
	p += 2;
	l->offset = byte_count;
	for (; hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0 && p[2] == ' '; p += 3)
		bytes[byte_count++] = hex_digit(p[0]) << 4 | hex_digit(p[1]);
	l->length = byte_count - l->offset;
	p += strspn(p, " \t");
	length = strcspn(p, "\n");
	while (length && p[length - 1] == ' ')
		length--;
	if (length >= sizeof(l->text))
		length = sizeof(l->text) - 1;
	memcpy(l->text, p, length);
	l->text[length] = 0;
	return l->length > 0;
}

static void add(char *text)
{
	struct line l, *last = line_count ? &lines[line_count - 1] : NULL;
	unsigned before = byte_count;

	if (!parse(text, &l))
		return;
	if (last && last->address + last->length != l.address) {
		uint8_t fresh[64];

		memcpy(fresh, bytes + before, l.length);
		byte_count = before;
		flush(0);
		memcpy(bytes, fresh, l.length);
		l.offset = 0;
		byte_count = l.length;
	}
	lines[line_count++] = l;
	if (line_count == LINES)
		flush(AHEAD);
}

int main(int argc, char **argv)
{
	static char buffer[4096];

	name = argc > 1 ? argv[1] : "-";
	while (fgets(buffer, sizeof(buffer), stdin))
		add(buffer);
	flush(0);
	printf("%s: %lu instructions, %lu differences "
	       "(rules: joined %lu, wait %lu, bad %lu, newer %lu)\n",
	       name, compared, differences, joined, waits, bads, newer);
	return differences || !compared;
}
