// SPDX-License-Identifier: GPL-2.0-only
#include "reader/command.h"

#include <stdio.h>

static void print_help(FILE *f)
{
	fputs("usage: spile-run [options] OBJECT\n", f);
}

int run_command_help(int argc, char **argv)
{
	print_help(stdout);
	return RUN_EXIT_OK;
}

int run_command(int argc, char **argv)
{
	print_help(stderr);
	return RUN_EXIT_USAGE;
}
