// SPDX-License-Identifier: GPL-2.0-only
#include "reader/modules.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "reader/load.h"

struct error *module_remove(const char *name, unsigned wait_ms)
{
	struct error *error;

	while ((error = load_remove(name)) && error->err == EBUSY && wait_ms--) {
		error_destroy(error);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	if (error && error->err == ENOENT) {
		error_destroy(error);
		return NULL;
	}
	return error;
}

unsigned module_sweep(const char *prefix)
{
	DIR *dir = opendir("/sys/module");
	struct dirent *entry;
	unsigned swept = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		struct error *error;

		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		error = load_remove(entry->d_name);
		swept += !error;
		error_destroy(error);
	}
	closedir(dir);
	return swept;
}
