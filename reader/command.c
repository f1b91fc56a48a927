// SPDX-License-Identifier: GPL-2.0-only
#include "reader/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/room.h"
#include "reader/run.h"

/* What an option sets; the long ones without a letter are numbered above the letters. */
enum { OPT_CORE = 256, OPT_KEEP_CORE, OPT_REPORT, OPT_REPORT_FILE, OPT_BEAR_ERRORS, OPT_PATIENCE };

static const struct option_row {
	const char *name;
	int id;
	const char *argument; /* NULL: takes none */
	const char *help;
} option_rows[] = {
	{ "command", 'c', "CMD",
	  "run CMD while the script runs, end with it; target() is its pid.\n"
	  "If the script ends first, CMD gets SIGTERM" },
	{ "pid", 'x', "PID", "target() is PID" },
	{ "output", 'o', "FILE", "print into FILE, not to standard output" },
	{ "size", 'S', "MB[,N]",
	  "go on in another file when the one of -o has so many megabytes: FILE.0,\n"
	  "FILE.1, ...; keep the last N of them" },
	{ "flight-recorder", 'F', NULL,
	  "once the script has started, run on in the background and tell the process's\n"
	  "number; needs -o, which then takes messages, too" },
	{ "ring", 's', "MB", "size of one CPU's ring in MB (default 0.25; in a process 1)" },
	{ "patience", OPT_PATIENCE, "SECONDS",
	  "in a process: how long a full ring waits for output that stands still, until\n"
	  "records are lost (default 10; 0: not at all, as in a kernel)" },
	{ "time", 'T', "SECONDS", "end after this time" },
	{ "verbose", 'v', NULL, "tell how long each step took, on standard error" },
	{ "report", OPT_REPORT, "text|json", "account for every probe at the end, on standard error" },
	{ "report-file", OPT_REPORT_FILE, "FILE", "write the report into FILE" },
	{ "core", OPT_CORE, "FILE", "the core's object (default: the one beside this command)" },
	{ "keep-core", OPT_KEEP_CORE, NULL,
	  "leave the core loaded when this run loaded it: later starts are faster" },
	{ "suppress-handler-errors", OPT_BEAR_ERRORS, NULL,
	  "script errors do not make the exit status 1" },
	{ "help", 'h', NULL, "this text" },
};
enum { NOPTIONS = sizeof(option_rows) / sizeof(option_rows[0]) };

static void print_option(FILE *f, const struct option_row *row)
{
	const char *help = row->help;
	char left[48];

	if (row->id < OPT_CORE)
		snprintf(left, sizeof(left), "-%c, --%s %s", row->id, row->name,
			 row->argument ? row->argument : "");
	else
		snprintf(left, sizeof(left), "    --%s%s%s", row->name, row->argument ? "=" : "",
			 row->argument ? row->argument : "");
	fprintf(f, "  %-24s ", left);
	for (; *help; help++)
		if (*help == '\n')
			fprintf(f, "\n  %-24s ", "");
		else
			fputc(*help, f);
	fputc('\n', f);
}

static void print_help(FILE *f)
{
	fputs("usage: spile-run [options] OBJECT\n\n"
	      "Runs a translated script and prints what it prints. An object made by `spile -p4`\n"
	      "becomes a module of the running kernel (needs root); a shared object runs in this\n"
	      "process. Ctrl-C ends the script in order, a second one at once.\n\n",
	      f);
	for (int i = 0; i < NOPTIONS; i++)
		print_option(f, &option_rows[i]);
	fputs("\nWithout a script:\n"
	      "  --check                  does the core fit the running kernel? row by row\n"
	      "  --load, --unload         the core\n"
	      "  --fit                    write the module image that would be loaded\n",
	      f);
	fputs("\nExit status: 0 all went well; 1 the script could not be run, a script error ended it\n"
	      "or the -c command failed; 2 wrong use of the options; 3 it ran to its end, but records\n"
	      "were lost or hits missed or skipped: standard error says how many and why.\n",
	      f);
}

int run_command_help(int argc, char **argv)
{
	print_help(stdout);
	return RUN_EXIT_OK;
}

static int usage_error(const char *what, const char *value)
{
	fprintf(stderr, "spile-run: %s%s%s; see spile-run --help\n", what, value ? ": " : "",
		value ? value : "");
	return RUN_EXIT_USAGE;
}

/* A number above 0 and not above max, or 0 when it is none. */
static double parse_number(const char *s, double max)
{
	char *end;
	double value = strtod(s, &end);

	return end != s && !*end && value > 0 && value <= max ? value : 0;
}

static int set_report(struct run_options *options, const char *value)
{
	if (strcmp(value, "text") == 0)
		options->report = REPORT_TEXT;
	else if (strcmp(value, "json") == 0)
		options->report = REPORT_JSON;
	else
		return usage_error("--report takes text or json", value);
	return RUN_EXIT_OK;
}

static int set_pid(struct run_options *options, const char *value)
{
	double pid = parse_number(value, INT32_MAX);

	options->target = (pid_t)pid;
	if (options->target != pid || !options->target)
		return usage_error("-x takes a process id", value);
	return RUN_EXIT_OK;
}

/* "MB" or "MB,N"; a fraction of a megabyte will do. */
static int set_files(struct run_options *options, const char *value)
{
	char *end;
	double size = strtod(value, &end);
	unsigned long kept = 0;

	if (end != value && *end == ',') {
		value = end + 1;
		kept = strtoul(value, &end, 10);
		if (!kept || kept > 1000000)
			end = (char *)value;
	}
	options->file_bytes = (uint64_t)(size * 1024 * 1024);
	options->files_kept = (unsigned)kept;
	if (end == value || *end || !(size > 0 && size < 1e9) || !options->file_bytes)
		return usage_error("-S takes megabytes, and a comma and a number of files", value);
	return RUN_EXIT_OK;
}

static int set_number(int id, struct run_options *options, const char *value)
{
	double number = parse_number(value, id == 's' ? 1024 : 1e9);

	if (!number)
		return usage_error(id == 's' ? "-s takes megabytes, at most 1024" :
					       "-T takes seconds", value);
	if (id == 's')
		options->home.ring_bytes = (uint32_t)(number * 1024 * 1024);
	else
		options->seconds = number;
	return RUN_EXIT_OK;
}

static int set_patience(struct run_options *options, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds >= 0 && seconds <= 1e9))
		return usage_error("--patience takes seconds", value);
	options->home.patience_ns = (uint64_t)(seconds * 1e9);
	return RUN_EXIT_OK;
}

static int set_option(int id, const char *value, struct run_options *options)
{
	switch (id) {
	case 'c':
		options->command = value;
		break;
	case 'x':
		return set_pid(options, value);
	case 'o':
		options->output = value;
		break;
	case 's':
	case 'T':
		return set_number(id, options, value);
	case 'S':
		return set_files(options, value);
	case 'F':
		options->background = true;
		break;
	case OPT_BEAR_ERRORS:
		options->bears_errors = true;
		break;
	case 'v':
		options->verbose = true;
		break;
	case OPT_REPORT:
		return set_report(options, value);
	case OPT_REPORT_FILE:
		options->report_file = value;
		break;
	case OPT_PATIENCE:
		return set_patience(options, value);
	case OPT_CORE:
		options->home.core = value;
		break;
	case OPT_KEEP_CORE:
		options->home.keep_core = 1;
		break;
	case ':':
		return usage_error("an option needs an argument", NULL);
	default:
		return usage_error("unknown option", NULL);
	}
	return RUN_EXIT_OK;
}

/* Makes getopt's tables from ours. */
static void getopt_tables(struct option *longs, char *shorts)
{
	*shorts++ = '+';
	*shorts++ = ':';
	for (int i = 0; i < NOPTIONS; i++) {
		const struct option_row *row = &option_rows[i];

		longs[i] = (struct option){ .name = row->name, .val = row->id,
					    .has_arg = row->argument ? required_argument :
								       no_argument };
		if (row->id >= OPT_CORE)
			continue;
		*shorts++ = (char)row->id;
		if (row->argument)
			*shorts++ = ':';
	}
	longs[NOPTIONS] = (struct option){ 0 };
	*shorts = '\0';
}

static int parse_options(int argc, char **argv, struct run_options *options)
{
	struct option longs[NOPTIONS + 1];
	char shorts[2 * NOPTIONS + 3];
	int id, status;

	getopt_tables(longs, shorts);
	opterr = 0;
	while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (id == 'h')
			exit(run_command_help(argc, argv));
		if (id == '?' && optind > 0)
			return usage_error("unknown option", argv[optind - 1]);
		status = set_option(id, optarg, options);
		if (status != RUN_EXIT_OK)
			return status;
	}
	if (optind + 1 != argc)
		return usage_error(optind < argc ? "more than one object" : "no object given", NULL);
	options->home.object = argv[optind];
	if (options->report_file && options->report == REPORT_NONE)
		options->report = REPORT_JSON;
	if ((options->background || options->file_bytes) && !options->output)
		return usage_error(options->background ? "-F needs -o: a session ends with who reads it" :
							 "-S needs -o", NULL);
	if (options->command && options->target)
		return usage_error("-c and -x exclude each other", NULL);
	return RUN_EXIT_OK;
}

int run_command(int argc, char **argv)
{
	struct run_options options = { .home.patience_ns = ROOM_PATIENCE_NS };
	struct error *error;
	int status = parse_options(argc, argv, &options);

	if (status != RUN_EXIT_OK)
		return status;
	error = run_script(&options, &status);
	if (!error)
		return status;
	fprintf(stderr, "ERROR: %s\n", error->message);
	error_destroy(error);
	return RUN_EXIT_FAILED;
}
