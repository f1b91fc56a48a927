// SPDX-License-Identifier: GPL-2.0-only
#include "vm/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define PANIC_MARK "Kernel panic - not syncing: "
#define KERNEL_RIP "RIP: 0010:" /* 0010 is the kernel's code segment */
#define PANIC_LINES 45 /* registers and stack are about this long */

bool story_has_panic(const char *log)
{
	return strstr(log, PANIC_MARK) != NULL;
}

/* Length of the rest of a line without the carriage return of a serial console. */
static int line_len(const char *s)
{
	return strcspn(s, "\r\n");
}

void story_add_tail(struct strbuf *out, const char *log, int lines)
{
	const char *end = log + strlen(log), *p;

	while (end > log && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	p = end;
	while (p > log) {
		if (p[-1] == '\n' && --lines <= 0)
			break;
		p--;
	}
	while (p < end) {
		strbuf_addf(out, "    %.*s\n", line_len(p), p);
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
}

/* Where the trouble starts in the log, which may be well before the panic that ends it. */
static const char *first_sign(const char *log)
{
	static const char *const signs[] = {
		"BUG: ", "kernel BUG at ", "general protection fault", "stack segment", "Oops: ",
		"invalid opcode", "int3: ", PANIC_MARK,
	};
	const char *first = NULL;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const char *p = strstr(log, signs[i]);

		if (p && (!first || p < first))
			first = p;
	}
	return first;
}

static const char *line_start(const char *log, const char *p)
{
	while (p > log && p[-1] != '\n')
		p--;
	return p;
}

/* Adds the log from `p` on; what is too long loses its middle. */
static void add_from(struct strbuf *out, const char *p)
{
	int lines = 0;

	for (; *p && lines < PANIC_LINES; lines++) {
		strbuf_addf(out, "    %.*s\n", line_len(p), p);
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	if (!*p)
		return;
	strbuf_adds(out, "    ...\n");
	story_add_tail(out, p, 4);
}

void story_add_trouble(struct strbuf *out, const char *log)
{
	const char *sign = first_sign(log);

	if (sign)
		add_from(out, line_start(log, sign));
	else
		story_add_tail(out, log, PANIC_LINES);
}

/* "; at FUNCTION+OFFSET", if a register dump of the kernel follows the first sign. */
static void add_first_place(struct strbuf *out, const char *log)
{
	const char *sign = first_sign(log);
	const char *place = sign ? strstr(sign, KERNEL_RIP) : NULL;

	if (place) {
		place += strlen(KERNEL_RIP);
		strbuf_addf(out, "; at %.*s", line_len(place), place);
	}
}

void story_add_panic(struct strbuf *out, const char *log)
{
	const char *reason = strstr(log, PANIC_MARK), *sign = first_sign(log);

	reason = reason ? reason + strlen(PANIC_MARK) : "(the log does not say why)";
	strbuf_addf(out, "guest panic: %.*s", line_len(reason), reason);
	if (sign && strncmp(sign, PANIC_MARK, strlen(PANIC_MARK)))
		strbuf_addf(out, "; %.*s", line_len(sign), sign);
	add_first_place(out, log);
	strbuf_adds(out, "\nkernel log from there on:\n");
	story_add_trouble(out, log);
}

/* --- places ------------------------------------------------------------------------------------ */

/* How far the kernel was moved at boot, which a panic message tells. */
static bool kernel_offset(const char *log, uint64_t *ret)
{
	const char *p = strstr(log, "Kernel Offset: ");

	if (!p)
		return false;
	p += strlen("Kernel Offset: ");
	*ret = strncmp(p, "disabled", 8) ? strtoull(p, NULL, 16) : 0;
	return true;
}

/* The kernel's own function at or below `addr`; false if none is within 1 MB. Where modules are
 * differs between boots, so those of the boot that wrote `kallsyms` don't count. */
static bool find_function(const char *kallsyms, uint64_t addr, char *name, size_t size,
			  uint64_t *ret_offset)
{
	uint64_t best = 0;

	for (const char *p = kallsyms; *p;) {
		uint64_t at;
		char *rest;

		at = strtoull(p, &rest, 16);
		if (at <= addr && at > best && rest[0] == ' ' && strchr("tTwW", rest[1]) &&
		    rest[3 + strcspn(rest + 3, "\t\n")] != '\t') {
			best = at;
			snprintf(name, size, "%.*s", (int)strcspn(rest + 3, " \t\n"), rest + 3);
		}
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	*ret_offset = addr - best;
	return best && addr - best < 1 << 20;
}

static void add_place(struct strbuf *out, uint64_t rip, const char *log, const char *kallsyms)
{
	uint64_t moved, offset;
	char name[256];

	strbuf_addf(out, "in the kernel at 0x%" PRIx64, rip);
	if (kallsyms && kernel_offset(log, &moved) &&
	    find_function(kallsyms, rip - moved, name, sizeof(name), &offset))
		strbuf_addf(out, ", %s+0x%" PRIx64, name, offset);
	strbuf_addc(out, '\n');
}

/* The number behind "NAME=" within [p, end); hexadecimal. */
static bool find_register(const char *p, const char *end, const char *name, uint64_t *ret)
{
	const char *at = strstr(p, name);

	if (!at || at >= end)
		return false;
	*ret = strtoull(at + strlen(name), NULL, 16);
	return true;
}

void story_add_places(struct strbuf *out, const char *registers, const char *log,
		      const char *kallsyms)
{
	const char *p = strstr(registers, "CPU#"), *next;

	for (; p; p = *next ? next : NULL) {
		uint64_t rip = 0, level = 0, halted = 0;

		next = strstr(p + 4, "CPU#");
		if (!next)
			next = p + strlen(p);
		if (!find_register(p, next, "RIP=", &rip))
			continue;
		find_register(p, next, "CPL=", &level);
		find_register(p, next, "HLT=", &halted);
		strbuf_addf(out, "    processor %d: ", atoi(p + 4));
		if (halted)
			strbuf_adds(out, "idle, ");
		if (level)
			strbuf_addf(out, "in user space at 0x%" PRIx64 "\n", rip);
		else
			add_place(out, rip, log, kallsyms);
	}
}
