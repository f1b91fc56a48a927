// SPDX-License-Identifier: GPL-2.0-only
/* spile-probe - where a probe could go, and what would be seen there. The work is in probe/. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "probe/probe.h"

static const char usage[] =
	"usage: spile-probe [OPTION]... COMMAND\n"
	"Finds places for probes in the kernel, a module or a program. Plants nothing.\n"
	"\n"
	"  -L, --line PLACE     source, lines that can be probed are numbered: func, func@file,\n"
	"                       func:5-9, file:120-140\n"
	"  -V, --vars PLACE     variables that can be seen there (-v: and where they are)\n"
	"  -F, --funcs [PATTERN]  functions that can be probed: 'tcp_*', '*@net/socket.c'\n"
	"  -n, --dry-run '[[GROUP:]EVENT=]PLACE[%return|;PATTERN] [ARGUMENT]...'  exact places,\n"
	"                       planters and event lines; also -nv. PATTERN means the lines with\n"
	"                       code that match it, spaces apart\n"
	"  -D, --definition '...'  the same, event lines only\n"
	"      --disasm FUNC    instructions with their lines, and which of them can be probed,\n"
	"                       by which planter, and why not otherwise\n"
	"\n"
	"  ARGUMENT             [name=]variable[.member|->member|[N]]...[:TYPE][@user], %register,\n"
	"                       @symbol, $retval, ...; $params and $vars are all that can be read.\n"
	"                       TYPE: u8 to u64, s8, x8, u, s, x, string, ...\n"
	"  PLACE                func[@file][:LINE[-LINE]|+OFFSET] (LINE counts from the function's\n"
	"                       start), file:LINE[-LINE], 0xADDRESS\n"
	"\n"
	"  -x, --exec FILE      a program or library instead of the kernel\n"
	"  -m, --module NAME    a module of the kernel, by name or path\n"
	"  -k, --vmlinux FILE   the kernel's file with debug information\n"
	"  -r, --release NAME   a kernel that spile-vm has described, or the folder that describes it\n"
	"                       (default: the running kernel)\n"
	"  -s, --source DIR     where the sources are\n"
	"  -v, --verbose        tell more\n"
	"  -h, --help           this text\n"
	"\n"
	"Functions, arguments at a function's entry (BTF) and instructions need no debug\n"
	"information; lines, other variables and inlined copies do. -a, -l and -d come with events.\n"
	"Exit status: 0; 1 not found or not possible; 2 bad usage.\n";

typedef struct error *command(struct probe_context *ctx, const char *what);

enum { OPTION_DISASM = 256 };

static const struct option options[] = {
	{"line", required_argument, NULL, 'L'},
	{"vars", required_argument, NULL, 'V'},
	{"funcs", optional_argument, NULL, 'F'},
	{"dry-run", no_argument, NULL, 'n'},
	{"disasm", required_argument, NULL, OPTION_DISASM},
	{"exec", required_argument, NULL, 'x'},
	{"module", required_argument, NULL, 'm'},
	{"vmlinux", required_argument, NULL, 'k'},
	{"release", required_argument, NULL, 'r'},
	{"source", required_argument, NULL, 's'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"add", required_argument, NULL, 'a'},
	{"del", required_argument, NULL, 'd'},
	{"list", no_argument, NULL, 'l'},
	{"definition", required_argument, NULL, 'D'},
	{NULL, 0, NULL, 0},
};

struct cli {
	struct probe_request request;
	command *command;
	const char *what;
	bool dry_run, adds;
};

__attribute__((noreturn)) static void bad_usage(const char *message)
{
	fprintf(stderr, "spile-probe: %s (spile-probe --help lists the options)\n", message);
	exit(2);
}

static void set_command(struct cli *cli, command *command, const char *what)
{
	if (cli->command)
		bad_usage("one of -L, -V, -F, -n, -D, --disasm at a time");
	cli->command = command;
	cli->what = what;
}

static void take_option(struct cli *cli, int option, char *argument)
{
	switch (option) {
	case 'L': set_command(cli, probe_list_lines, argument); break;
	case 'V': set_command(cli, probe_list_variables, argument); break;
	case 'F': set_command(cli, probe_list_functions, argument); break;
	case 'D': set_command(cli, probe_show_event_lines, argument); break;
	case OPTION_DISASM: set_command(cli, probe_disassemble, argument); break;
	case 'n': cli->dry_run = true; break;
	case 'a':
		cli->adds = true;
		cli->what = argument;
		break;
	case 'x': cli->request.program = argument; break;
	case 'm': cli->request.module = argument; break;
	case 'k': cli->request.vmlinux = argument; break;
	case 'r': cli->request.release = argument; break;
	case 's': cli->request.source_dir = argument; break;
	case 'v': cli->request.verbose = true; break;
	case 'd':
	case 'l': bad_usage("-l and -d come with events, which are not there yet"); break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default: exit(2); /* getopt has told */
	}
}

/* The words that are left: a pattern of -F, or the definition of -n. */
static void take_rest(struct cli *cli, int count, char **words)
{
	size_t len = 1;
	char *joined;

	for (int i = 0; i < count; i++)
		len += strlen(words[i]) + 1;
	joined = calloc(1, len);
	if (!joined)
		abort();
	for (int i = 0; i < count; i++) {
		strcat(joined, words[i]);
		if (i + 1 < count)
			strcat(joined, " ");
	}
	if (cli->command == probe_list_functions && !cli->what && count == 1)
		cli->what = joined;
	else if (!cli->command && cli->dry_run && (count || cli->what))
		set_command(cli, probe_show_definition, cli->what ? cli->what : joined);
	else if (count)
		bad_usage("too many words, or a place without -L, -V, -n or --disasm");
}

int main(int argc, char **argv)
{
	struct cli cli = {.request.out = stdout};
	struct probe_context ctx;
	struct error *error;
	int option;

	while ((option = getopt_long(argc, argv, "L:V:Fnx:m:k:r:s:vha:d:lD:", options, NULL)) != -1)
		take_option(&cli, option, optarg);
	take_rest(&cli, argc - optind, argv + optind);
	if (!cli.command)
		bad_usage(cli.adds ? "-a comes with events, which are not there yet; -n -a shows "
		                     "what it would add"
		                   : "nothing to do");
	if (cli.request.program && (cli.request.module || cli.request.vmlinux))
		bad_usage("-x is for programs, -m and -k are for the kernel");
	error = probe_context_init(&cli.request, &ctx);
	if (!error) {
		error = probe_guard(cli.command, &ctx, cli.what);
		probe_context_deinit(&ctx);
	}
	if (!error)
		return 0;
	fprintf(stderr, "spile-probe: %s\n", error->message);
	error_destroy(error);
	return 1;
}
