// SPDX-License-Identifier: GPL-2.0-only
/* Kernel text: see text_write.h. Task context. */
#include "engine/host/linux-kernel/text_write.h"
#include "engine/host.h"
#include "engine/host/linux-kernel/kernel.h"

#define WRITE_MAX 16

/* On a preemptible kernel tasks are put aside anywhere, and only this tells when they are back. */
static bool can_quiesce(void)
{
	return !khas(preempt_schedule) || khas(synchronize_rcu_tasks);
}

bool text_is_available(void)
{
	return khas(text_poke) && khas(text_poke_sync) && khas(text_mutex) &&
	       khas(register_die_notifier) && khas(unregister_die_notifier) &&
	       khas(die_args_regs) && khas(die_int3) && khas(kallsyms_lookup_size_offset) &&
	       can_quiesce();
}

int text_read(uint64_t addr, uint8_t *dst, size_t n)
{
	size_t left = 4096 - addr % 4096; /* where text ends, a page ends */

	if (!host_read_kernel(dst, addr, n))
		return (int)n;
	if (left >= n || host_read_kernel(dst, addr, left))
		return -EFAULT;
	return (int)left;
}

void text_lock(void)
{
	kfn_mutex_lock(&kvar_text_mutex);
}

void text_unlock(void)
{
	kfn_mutex_unlock(&kvar_text_mutex);
}

static int expect(uint64_t addr, const uint8_t *bytes, size_t n)
{
	uint8_t now[WRITE_MAX];

	if (host_read_kernel(now, addr, n))
		return -EFAULT;
	return memcmp(now, bytes, n) ? -EBUSY : 0;
}

int text_write(uint64_t addr, const uint8_t *old, const uint8_t *new, size_t n)
{
	int err = expect(addr, old, n);

	if (err)
		return err;
	kfn_text_poke((void *)addr, new, n);
	return expect(addr, new, n);
}

/* A page at a time is what the kernel takes. */
int text_fill(uint64_t addr, const uint8_t *bytes, size_t n)
{
	uint64_t at = addr, end = addr + n;

	while (at < end) {
		uint64_t stop = (at | 4095) + 1 < end ? (at | 4095) + 1 : end;

		kfn_text_poke((void *)at, bytes + (at - addr), stop - at);
		at = stop;
	}
	return memcmp((const void *)addr, bytes, n) ? -EBUSY : 0;
}

void text_sync(void)
{
	kfn_text_poke_sync();
}

static int nothing(void *unused)
{
	return 0;
}

/*
 * stop_machine() puts another task on every CPU: tasks that are not preemptible, idle ones among
 * them, have then come to a place where they may be switched, which is in none of our code and in no
 * region that a jump may replace. Preempted tasks are waited for by the second.
 */
void text_quiesce(void)
{
	kfn_stop_machine(nothing, NULL, NULL);
	if (khas(synchronize_rcu_tasks))
		kfn_synchronize_rcu_tasks();
}
