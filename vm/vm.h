/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * vm/vm.h - run a command in a guest with a stock Debian kernel.
 *
 * The guest sees the host's files: its root is the host's, read-only; shared folders are
 * read-write; /tmp, /var/tmp and /run are its own and empty; /lib/modules/RELEASE has the guest
 * kernel's modules; the command runs as root, with this process's environment (and
 * SPILE_VM=RELEASE, SPILE_KERNEL_DIR=the kernel's description, /usr/sbin and /sbin in PATH) and
 * current folder. So every program of the host, freshly built ones too, runs
 * there as it would here, under another kernel.
 *
 * A kernel's name is "6.1" (Debian 12's own, the default), "5.10", "6.12", "newest", or the release
 * (`uname -r`) of one that was fetched before. Kernels are Debian packages, downloaded through the
 * system's apt sources into a cache folder and unpacked there; nothing is installed.
 */
#ifndef SPILE_VM_VM_H
#define SPILE_VM_VM_H

#include <stdbool.h>

#include "base/error.h"

enum vm_accel {
	VM_ACCEL_AUTO, /* KVM if the processor has it and it starts, else TCG */
	VM_ACCEL_KVM,
	VM_ACCEL_TCG,
};

/** All zero is a good default but for `argv` and the three descriptors. */
struct vm_options {
	const char *kernel;        /* NULL: the default */
	unsigned int memory_mb;    /* 0: 1024 */
	unsigned int cpus;         /* 0: 2 */
	unsigned int timeout_s;    /* for the command, not for the boot; 0: none */
	enum vm_accel accel;
	const char *const *shares; /* read-write folders, NULL-terminated; NULL: the current one */
	const char *cwd;           /* NULL: the current folder */
	const char *log_path;      /* where the kernel log goes; NULL: nowhere in the end */
	const char *append;        /* more for the kernel's command line, or NULL */
	bool nokaslr;
	bool cold;                 /* boot, though a saved state of such a guest may be there */
	bool verbose;              /* tell on stderr what is used and how long the boot took */
	int in, out, err;          /* the command's stdin, stdout, stderr; `in` may be -1: none */
	char *const *argv;         /* command and arguments, NULL-terminated; found in PATH */
};

enum vm_outcome {
	VM_EXITED,    /* `status` is the command's, 128 + n if signal n ended it */
	VM_PANICKED,
	VM_TIMED_OUT,
};

struct vm_result {
	enum vm_outcome outcome;
	int status;
	char *story; /* for a panic or a time-out: what happened and where, several lines; owned */
};

/** Exit statuses by which the commands tell these apart; the message does so in any case. */
enum {
	VM_STATUS_NOT_STARTED = 123,
	VM_STATUS_TIMED_OUT = 124,
	VM_STATUS_PANICKED = 125,
};

/**
 * Boots a guest, runs the command in it, streams its output as it comes, and ends the guest.
 * SIGINT, SIGTERM and SIGHUP that reach this process meanwhile go to the command; three seconds
 * later, or at the next one, the guest is ended. An error means that the command never started.
 */
struct error *vm_run(const struct vm_options *options, struct vm_result *ret);
void vm_result_deinit(struct vm_result *result);

/**
 * Makes the description of a kernel, and gives its folder (for the caller to free), which holds
 *	release   the line `uname -r`         vmlinux   ELF          btf   raw BTF
 *	modules/  what belongs in /lib/modules/RELEASE               config  its configuration
 *	kallsyms, functions, blacklist       as a boot without address randomisation shows
 *		/proc/kallsyms, tracefs available_filter_functions and debugfs kprobes/blacklist
 * Fetches the kernel and boots it once if need be; both are done once per kernel.
 */
struct error *vm_kernel_prepare(const char *kernel, char **ret_dir);

#endif
