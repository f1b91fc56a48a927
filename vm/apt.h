/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * vm/apt.h - a private apt folder that looks at one suite of Debian.
 *
 * Nothing of the system's package state is touched and root is not needed: lists and downloads live
 * below the folder, and nothing is installed. Proxies and the like come from the system's apt.conf.
 */
#ifndef SPILE_VM_APT_H
#define SPILE_VM_APT_H

#include "base/error.h"

struct apt; /* owned by apt_create()'s caller */

/** Prepares the folder for `suite`, with the mirror of /etc/apt. */
struct error *apt_create(const char *dir, const char *suite, struct apt **ret);
void apt_destroy(struct apt *apt);

/** Fetches the suite's package lists. */
struct error *apt_update(struct apt *apt);

/**
 * Lists the packages that make up the kernel that `package` stands for: follows its dependencies
 * through every package named linux-image-, -binary-, -modules- or -base- and a digit. *ret is
 * one name a line, for the caller to free; the one that depends on the others comes first.
 */
struct error *apt_kernel_packages(struct apt *apt, const char *package, char **ret);

/** Downloads the .deb of a package into folder `into`. */
struct error *apt_download(struct apt *apt, const char *package, const char *into);

#endif
