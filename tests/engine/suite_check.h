/* SPDX-License-Identifier: GPL-2.0-only */
/** tests/engine/suite_check.h - what the files of the suite share: expectations, a log of handlers. */
#ifndef SPILE_TESTS_ENGINE_SUITE_CHECK_H
#define SPILE_TESTS_ENGINE_SUITE_CHECK_H

#include "engine/arch/x86/regs.h"
#include "engine/host.h"
#include "spile/kprobes.h"
#include "tests/engine/suite.h"

struct suite_case {
	const char *name;
	void (*run)(void);
};

#define CASE(name) { #name, case_##name }

/** suite_mix.c's and suite_fault.c's; they end with NULL. */
extern const struct suite_case suite_mix_cases[], suite_fault_cases[];

const struct suite_home *suite_home(void);
void suite_check(bool ok, const char *file, int line, const char *what, long long is,
		 long long should);

#define CHECK_EQ(is, should)                                                                       \
	do {                                                                                       \
		long long is_ = (long long)(is), should_ = (long long)(should);                    \
		suite_check(is_ == should_, __FILE__, __LINE__, #is, is_, should_);                \
	} while (0)
#define ADDR(fn) ((kprobe_opcode_t *)(uintptr_t)(fn))

/** What handlers did since the case began. */
extern struct suite_seen {
	char events[64];
	unsigned n;
	uint64_t value, arg0, arg1, ip;
} seen;

void seen_reset(void);
void log_event(char event);
bool log_is(const char *expected);

#define CHECK_LOG(expected) CHECK_EQ(log_is(expected), true)

/* Handlers that log one letter, their last. */
int pre_a(struct kprobe *p, struct pt_regs *regs); /* keeps arg0, arg1 and ip, too */
int pre_b(struct kprobe *p, struct pt_regs *regs);
int pre_c(struct kprobe *p, struct pt_regs *regs);
void post_p(struct kprobe *p, struct pt_regs *regs, unsigned long flags);
int return_r(struct kretprobe_instance *ri, struct pt_regs *regs);

#endif
