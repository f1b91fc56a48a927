// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that probes itself: a function of its own at entry and return, one of libc's, and a
 * variable. After `make install`:
 *
 *     cc probe_self.c -o probe_self -lspile
 *     ./probe_self
 *
 * In the tree, after `make`, from its top:
 *
 *     cc -I include samples/process/probe_self.c -o probe_self -L build -lspile -Wl,-rpath,$PWD/build
 *
 * Handlers run like signal handlers, so they count, and main() prints.
 */
#include <asm/ptrace.h> /* struct pt_regs */
#include <stdio.h>
#include <stdlib.h>

#include "spile/process.h"
#include "spile/watchpoint.h"

static volatile int total;
static int calls, last_argument, last_result, lookups, changes;

__attribute__((noipa)) int square(int n)
{
	total += n * n;
	return n * n;
}

static int on_square(struct kprobe *p, struct pt_regs *regs)
{
	calls++;
	last_argument = (int)regs->rdi;
	return 0;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	last_result = (int)regs->rax;
	return 0;
}

static int on_getenv(struct kprobe *p, struct pt_regs *regs)
{
	lookups++;
	return 0;
}

static void on_change(struct spile_watchpoint *wp, struct pt_regs *regs)
{
	changes++;
}

static struct kprobe entry = { .addr = (void *)square, .pre_handler = on_square };
static struct kretprobe ret = { .kp.addr = (void *)square, .handler = on_return };
static struct kprobe libc = { .symbol_name = "libc:getenv", .pre_handler = on_getenv };
static struct spile_watchpoint watch = { .bp_addr = (uintptr_t)&total, .bp_len = sizeof(total),
					 .bp_type = SPILE_WATCH_WRITE, .handler = on_change };

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: error %d\n", what, err);
	exit(1);
}

int main(void)
{
	int can_watch;

	check(register_kprobe(&entry), "square");
	check(register_kretprobe(&ret), "square's return");
	check(register_kprobe(&libc), "libc's getenv");
	can_watch = !spile_register_watchpoint(&watch); /* not every kernel lets us */
	for (int i = 1; i <= 5; i++)
		square(i);
	getenv("HOME");
	getenv("PATH");
	if (can_watch)
		spile_unregister_watchpoint(&watch);
	unregister_kprobe(&libc);
	unregister_kretprobe(&ret);
	unregister_kprobe(&entry);
	square(6);
	printf("square: %d calls, the last square(%d) = %d\n", calls, last_argument, last_result);
	printf("getenv: %d calls\n", lookups);
	if (can_watch)
		printf("total: %d changes\n", changes);
	else
		printf("total: not watched\n");
	return 0;
}
