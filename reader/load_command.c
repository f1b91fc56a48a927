// SPDX-License-Identifier: GPL-2.0-only
/* reader/load_command.c - spile-run --check, --load, --unload and --fit. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "reader/check.h"
#include "reader/command.h"
#include "reader/load.h"
#include "symbols/fit.h"

static int finish(struct error *error)
{
	if (!error)
		return 0;
	fprintf(stderr, "spile-run: %s\n", error->message);
	error_destroy(error);
	return 1;
}

static int usage(const char *line)
{
	fprintf(stderr, "usage: spile-run %s\n", line);
	return RUN_EXIT_USAGE;
}

int load_command_check(int argc, char **argv)
{
	const char *dir = NULL;
	bool json = false, fits = false;
	struct error *error;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "--kernel") && i + 1 < argc)
			dir = argv[++i];
		else
			return usage("--check [--json] [--kernel DIR]");
	}
	error = check_print(dir, json, stdout, &fits);
	return error ? finish(error) : !fits;
}

int load_command_load(int argc, char **argv)
{
	struct kernel *k = NULL;
	struct error *error;
	bool loaded;

	if (argc > 2)
		return usage("--load [CORE.o]");
	error = kernel_open_running(&k);
	if (!error)
		error = load_core(k, argc == 2 ? argv[1] : NULL, &loaded);
	kernel_close(k);
	if (!error && !loaded)
		fprintf(stderr, "spile-run: the core is loaded already\n");
	return finish(error);
}

int load_command_unload(int argc, char **argv)
{
	if (argc > 1)
		return usage("--unload");
	return finish(load_remove(LOAD_CORE_NAME));
}

/* Writes the image instead of loading it: for looking at it with readelf and objdump. */
int load_command_fit(int argc, char **argv)
{
	_cleanup_free_ char *object = NULL;
	_cleanup_free_ void *image = NULL;
	struct kernel *k = NULL;
	struct error *error;
	size_t len, image_len;

	if (argc != 4 && argc != 5)
		return usage("--fit OBJECT.o NAME OUTPUT.ko [KERNEL_DIR]");
	error = kernel_open(argv[4], &k); /* argv ends with NULL */
	if (!error)
		error = file_read(argv[1], &object, &len);
	if (!error)
		error = fit_module(k, object, len, argv[2], &image, &image_len);
	if (!error)
		error = file_write_atomic(argv[3], image, image_len);
	kernel_close(k);
	return finish(error);
}
