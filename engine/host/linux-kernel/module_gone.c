// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probed modules that are removed, and init text, which goes when a module's init has returned.
 *
 * The kernel tells who asks (register_module_notifier) before it frees anything:
 *
 *   GOING  the module's exit has returned, or its init has failed; nobody uses it any more. Its text
 *          is still mapped and may still be written. Afterwards ftrace drops the module's places and
 *          the memory is freed.
 *   LIVE   its init has returned; the init text will be freed.
 *
 * So the engine can take its probes out in the ordinary way, whichever planter they have. We ask to be
 * told before the kernel's own kprobes are (priority 0), so that a kernel kprobe underneath one of
 * ours is unregistered while the kernel still counts it among the good ones. What the kernel had
 * optimized to a jump it puts back lazily: wait for that before the text goes. That goes for probes that
 * were unregistered a moment ago, too: 7.2 otherwise keeps a record of one, and stumbles over it
 * when the next module lies at the same place.
 *
 * A registration that is under way holds a reference to the module (home_pin()), so either it is done
 * when the module begins to go, or it finds the module going and fails.
 *
 * Task context.
 */
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/home.h"

#define BEFORE_KPROBES 1

bool kernel_module_text(struct module *module, enum kernel_text which, uint64_t *ret_start,
			uint64_t *ret_end)
{
	long index = which == KERNEL_TEXT_CORE ? kenum(mod_text) : kenum(mod_init_text);
	struct module_memory *memory;
	uint64_t size;

	if (khas(module_mem)) {
		memory = (struct module_memory *)((char *)&kfield(module, module, mem) +
						  index * (long)ksize(module_memory));
		*ret_start = (uint64_t)kfield(memory, module_memory, base);
		size = kfield(memory, module_memory, size);
	} else if (which == KERNEL_TEXT_CORE) {
		*ret_start = (uint64_t)kfield(module, module, core_base);
		size = kfield(module, module, core_size);
	} else {
		*ret_start = (uint64_t)kfield(module, module, init_base);
		size = kfield(module, module, init_size);
	}
	*ret_end = *ret_start + size;
	return *ret_start && size;
}

static unsigned text_gone(struct module *module, enum kernel_text which)
{
	uint64_t start, end;

	return kernel_module_text(module, which, &start, &end) ? engine_gone(start, end) : 0;
}

static int on_module(struct notifier_block *block, unsigned long action, void *data)
{
	bool going = action == (unsigned long)kenum(module_state_going);
	struct module *module = data;
	unsigned n;

	if (!going && action != (unsigned long)kenum(module_state_live))
		return 0;
	n = text_gone(module, KERNEL_TEXT_INIT);
	if (going)
		n += text_gone(module, KERNEL_TEXT_CORE);
	if (khas(wait_for_kprobe_optimizer))
		kfn_wait_for_kprobe_optimizer();
	if (!n)
		return 0;
	host_log("%u probed places have gone with %s of module %s", n,
		 going ? "the text" : "the init text",
		 &kfield(module, module, name));
	return 0;
}

static struct notifier_block notifier;

int kernel_home_watch(void)
{
	kfield(&notifier, notifier_block, notifier_call) = on_module;
	kfield(&notifier, notifier_block, priority) = BEFORE_KPROBES;
	return kfn_register_module_notifier(&notifier);
}

void kernel_home_unwatch(void)
{
	kfn_unregister_module_notifier(&notifier);
}
