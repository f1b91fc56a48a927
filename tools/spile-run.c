// SPDX-License-Identifier: GPL-2.0-only
/*
 * spile-run - the command that meets the kernel: fits, loads, runs and unloads.
 *
 * A thin table. The first argument picks the subcommand; anything else is an object to run. Each
 * subcommand is one function of a library folder, gets the arguments with argv[0] as its own name,
 * and returns the exit status.
 */
#include <string.h>

#include "reader/command.h"
#include "reader/load.h"

struct subcommand {
	const char *name;
	int (*main)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
	{ "--help", run_command_help },
	{ "-h", run_command_help },
	{ "--check", load_command_check },
	{ "--load", load_command_load },
	{ "--unload", load_command_unload },
	{ "--fit", load_command_fit },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(subcommands) / sizeof(subcommands[0]); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].main(argc - 1, argv + 1);
	return run_command(argc, argv);
}
