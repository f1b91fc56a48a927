// SPDX-License-Identifier: GPL-2.0-only
/* The table of constants.def; see constants.h. */
#include "script/constants.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static const struct {
	const char *name;
	int64_t value;
} constants[] = {
#define CONSTANT(name) {#name, name},
#include "script/constants.def"
};

bool constant_find(const char *name, int64_t *ret)
{
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (!strcmp(constants[i].name, name)) {
			*ret = constants[i].value;
			return true;
		}
	return false;
}
