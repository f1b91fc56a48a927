/* SPDX-License-Identifier: GPL-2.0-only */
/** vm/qemu.h - the machine: QEMU's arguments, its process, and its monitor. */
#ifndef SPILE_VM_QEMU_H
#define SPILE_VM_QEMU_H

#include <sys/types.h>

#include "vm/vm.h"

struct qemu_config {
	const char *vmlinux, *initrd;
	const char *log_path;
	const char *append; /* may be NULL */
	unsigned int memory_mb, cpus;
	bool kvm, nokaslr;
	const char *const *shares; /* NULL-terminated; share n has the mount tag "share<n>" */
	const char *state;         /* go on from this file (vm/warm.h) instead of booting; or NULL */
};

struct qemu {
	pid_t pid;
	int port;    /* guest/proto.h is spoken here */
	int monitor; /* QMP */
	int errors;  /* QEMU's stderr */
};

/** True if KVM can be used; else *why says why not. */
bool qemu_kvm_works(const char **why);

/** What every guest's kernel command line starts with. */
const char *qemu_kernel_parameters(void);

/** QEMU's -cpu. */
extern const char qemu_cpu[];

struct error *qemu_start(const struct qemu_config *config, struct qemu *ret);
/** Ends the process if it still runs, reaps it, closes the descriptors. */
void qemu_stop(struct qemu *qemu);

/**
 * Gives the monitor's answer to a command of QMP (JSON, without newline), or NULL if there is none
 * within `ms` milliseconds. The caller frees it. Fit for a handful of commands at the end only.
 */
char *qemu_monitor(struct qemu *qemu, const char *command, int ms);

#endif
