// SPDX-License-Identifier: GPL-2.0-only
/*
 * What cannot be probed, for the listing: what the kernel's own kprobes refuse, which is a list that
 * changes with modules, and our own text. (home_check() decides; it asks the kernel for one address.)
 * Task context.
 */
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/home.h"

static void kernel_ranges(void (*each)(uint64_t start, uint64_t end, void *arg), void *arg)
{
	struct list_head *head = &kvar_kprobe_blacklist, *at;

	kfn_mutex_lock(&kvar_kprobe_mutex);
	for (at = kfield(head, list_head, next); at != head; at = kfield(at, list_head, next)) {
		struct kprobe_blacklist_entry *entry =
			(void *)((char *)at - (long)koff_kprobe_blacklist_entry_list);

		each(kfield(entry, kprobe_blacklist_entry, start_addr),
		     kfield(entry, kprobe_blacklist_entry, end_addr), arg);
	}
	kfn_mutex_unlock(&kvar_kprobe_mutex);
}

void kernel_home_blacklist(void (*each)(uint64_t start, uint64_t end, void *arg), void *arg)
{
	uint64_t start, end;

	if (khas(kprobe_blacklist) && khas(kprobe_mutex) && khas(list_head_next) &&
	    khas(kprobe_blacklist_entry_list))
		kernel_ranges(each, arg);
	if (kernel_module_text(&__this_module, KERNEL_TEXT_CORE, &start, &end))
		each(start, end, arg);
}
