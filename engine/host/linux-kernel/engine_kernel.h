/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-kernel/engine_kernel.h - the engine's API and the kernel's in one file.
 *
 * Both have a struct kprobe, kretprobe and kretprobe_instance, by intention. Where both are needed
 * the kernel's go by kernel_kprobe, kernel_kretprobe and kernel_kretprobe_instance, and their
 * fields are reached through knative(), since kfield() names the structure.
 */
#ifndef SPILE_HOST_LINUX_KERNEL_ENGINE_KERNEL_H
#define SPILE_HOST_LINUX_KERNEL_ENGINE_KERNEL_H

#define kprobe kernel_kprobe
#define kretprobe kernel_kretprobe
#define kretprobe_instance kernel_kretprobe_instance
#include "engine/host/linux-kernel/kernel.h"
#undef kprobe
#undef kretprobe
#undef kretprobe_instance

#include "engine/core/engine.h"
#include "engine/host.h"
#include "spile/session.h"

/** Field `name` of the kernel's struct `strct` (kprobe, kretprobe, kretprobe_instance) at p. */
#define knative(p, strct, name)                                                                    \
	(*(kfieldtype_##strct##_##name *)(knative_base_(strct, p) + (long)koff_##strct##_##name))
#define knative_base_(strct, p)                                                                    \
	({                                                                                         \
		const struct kernel_##strct *knative_p_ = (p);                                     \
		(char *)knative_p_;                                                                \
	})

#endif
