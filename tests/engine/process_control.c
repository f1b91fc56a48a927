// SPDX-License-Identifier: GPL-2.0-only
/* The document's control files as calls: what is listed, and the two switches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spile/process.h"
#include "tests/engine/process.h"
#include "tests/engine/suite.h"

static int hits;

static int count(struct kprobe *p, struct pt_regs *regs)
{
	hits++;
	return 0;
}

static int count_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	hits++;
	return 0;
}

static void post_nothing(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static void jprobe_other(long a, long b)
{
	jprobe_return();
}

/* What a listing function tells, to be freed. */
static char *text_of(size_t (*list)(char *to, size_t size))
{
	size_t len = list(NULL, 0);
	char *text = calloc(1, len + 1);

	CHECK_EQ(list(text, len), len);
	return text;
}

static bool has_line(const char *text, const struct kprobe *p, const char *rest)
{
	char line[256];

	snprintf(line, sizeof(line), "%016lx  %s\n", (unsigned long)p->addr, rest);
	return strstr(text, line) != NULL;
}

static unsigned lines_of(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void case_list(void)
{
	struct kprobe jump = { .symbol_name = "target_mov", .pre_handler = count };
	struct kprobe slow = { .symbol_name = "target_add", .post_handler = post_nothing };
	struct kprobe off = { .symbol_name = "target_many", .flags = KPROBE_FLAG_DISABLED };
	struct kprobe libc = { .symbol_name = "libc:getenv", .post_handler = post_nothing };
	struct kretprobe ret = { .kp.symbol_name = "target_inner", .handler = count_return };
	struct jprobe j = { .kp.symbol_name = "target_other", .entry = (void *)jprobe_other };
	char *text, few[11] = "..........";

	CHECK_EQ(register_kprobe(&jump) | register_kprobe(&slow) | register_kprobe(&off), 0);
	CHECK_EQ(register_kprobe(&libc) | register_kretprobe(&ret) | register_jprobe(&j), 0);
	text = text_of(spile_kprobes_list);
	CHECK_EQ(lines_of(text), 6);
	CHECK_EQ(has_line(text, &jump, "k  target_mov+0x0    [OPTIMIZED][jump]"), true);
	CHECK_EQ(strstr(text, "k  target_add+0x0    [jump]") ||
			 strstr(text, "k  target_add+0x0    [breakpoint]"), true);
	CHECK_EQ(strstr(text, "k  target_many+0x0    [DISABLED][") != NULL, true);
	CHECK_EQ(strstr(text, "k  getenv+0x0  libc.so.6 [") != NULL, true);
	CHECK_EQ(strstr(text, "r  target_inner+0x0    ") != NULL, true);
	CHECK_EQ(strstr(text, "j  target_other+0x0    ") != NULL, true);
	CHECK_EQ(spile_kprobes_list(few, 5), strlen(text));
	CHECK_EQ(!memcmp(few, text, 5) && few[5] == '.', true);
	free(text);
	unregister_jprobe(&j);
	unregister_kretprobe(&ret);
	unregister_kprobe(&libc);
	unregister_kprobe(&off);
	unregister_kprobe(&slow);
	unregister_kprobe(&jump);
	CHECK_EQ(spile_kprobes_list(NULL, 0), 0);
}

static void case_blacklist(void)
{
	unsigned long own = (unsigned long)library_function(), start, end;
	char *text = text_of(spile_kprobes_blacklist), *line;
	bool found = false;

	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, "0x%lx-0x%lx", &start, &end) == 2)
			found |= own >= start && own < end;
	CHECK_EQ(found, true);
	free(text);
}

static void case_enabled(void)
{
	struct kprobe p = { .symbol_name = "target_add", .pre_handler = count };
	struct kprobe off = { .symbol_name = "target_add", .pre_handler = count,
			      .flags = KPROBE_FLAG_DISABLED };
	struct kretprobe later = { .kp.symbol_name = "target_add", .handler = count_return };

	CHECK_EQ(spile_kprobes_enabled(), 1);
	CHECK_EQ(register_kprobe(&p) | register_kprobe(&off), 0);
	target_add(1, 1);
	CHECK_EQ(hits, 1);
	CHECK_EQ(spile_kprobes_enable(0), 0);
	CHECK_EQ(spile_kprobes_enabled(), 0);
	CHECK_EQ(register_kretprobe(&later), 0);
	target_add(1, 1);
	CHECK_EQ(hits, 1);
	CHECK_EQ(p.flags & KPROBE_FLAG_DISABLED, 0);
	CHECK_EQ(spile_kprobes_enable(1), 0);
	target_add(1, 1);
	CHECK_EQ(hits, 3);
	unregister_kretprobe(&later);
	unregister_kprobe(&off);
	unregister_kprobe(&p);
}

static void case_optimization(void)
{
	struct kprobe p = { .symbol_name = "target_mov", .pre_handler = count };
	char *text;

	CHECK_EQ(spile_optimization_enabled(), 1);
	CHECK_EQ(register_kprobe(&p), 0);
	spile_optimization(0);
	CHECK_EQ(spile_optimization_enabled(), 0);
	text = text_of(spile_kprobes_list);
	CHECK_EQ(has_line(text, &p, "k  target_mov+0x0    [jump]"), true);
	free(text);
	spile_optimization(1);
	CHECK_EQ(p.flags & KPROBE_FLAG_OPTIMIZED, KPROBE_FLAG_OPTIMIZED);
	unregister_kprobe(&p);
}

static const struct process_case cases[] = {
	CASE(list),
	CASE(blacklist),
	CASE(enabled),
	CASE(optimization),
};

static void prepare(void)
{
	hits = 0;
}

void process_control_cases(void)
{
	run_cases(cases, sizeof(cases) / sizeof(cases[0]), prepare);
}
