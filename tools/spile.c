// SPDX-License-Identifier: GPL-2.0-only
/*
 * spile - runs a script: parse, resolve, translate, compile, run.
 *
 * Options are stap's. Passes 1 to 4 are codegen/passes.h; pass 5 is the command spile-run, which
 * lies beside this one: executed in place of it, or, with --vm, inside a guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "codegen/compile.h"
#include "codegen/passes.h"
#include "reader/load.h"
#include "script/parse.h"
#include "vm/vm.h"

#define SPILE_VERSION "0.1"

enum { OPT_VM = 256, OPT_RUNTIME, OPT_REPORT, OPT_REPORT_FILE, OPT_KEEP_CORE };

/* The letters are stap's. Rows without help are options of stap that this version has not. */
static const struct option_row {
	const char *name; /* long form, or NULL */
	int id;
	const char *argument; /* NULL: none; "[=X]": optional */
	const char *help;
} rows[] = {
	{ NULL, 'e', "SCRIPT", "the script itself, instead of a FILE" },
	{ NULL, 'p', "N", "stop after pass N (1 parse, 2 resolve, 3 translate, 4 compile) and show\n"
			  "what it made" },
	{ NULL, 'v', NULL, "tell time and memory of each pass" },
	{ NULL, 'o', "FILE", "print into FILE" },
	{ NULL, 'c', "CMD", "run CMD while the script runs, end with it" },
	{ NULL, 'x', "PID", "target() is PID" },
	{ NULL, 'm', "NAME", "name of the script's module" },
	{ NULL, 'D', "NAME=VALUE", "set a limit: MAXACTION, MAXSTRINGLEN, ..." },
	{ NULL, 'l', "PATTERN", "list the probe points that match" },
	{ NULL, 'L', "PATTERN", "list them with their variables" },
	{ NULL, 'I', "DIR", "look for functions, aliases and macros in the tapset files of DIR, too" },
	{ NULL, 'g', NULL, "guru mode" },
	{ NULL, 'k', NULL, "tell where the generated C is kept" },
	{ NULL, 'w', NULL, "no warnings" },
	{ NULL, 's', "MB", "size of one CPU's ring" },
	{ NULL, 'T', "SECONDS", "end after this time" },
	{ NULL, 'r', "DIR", "translate for the kernel described by folder DIR, or of that release\n"
			    "among the fetched ones; stops after pass 4" },
	{ "vm", OPT_VM, "[=KERNEL]", "run in a guest with a stock Debian kernel (6.1, 5.10, 6.12,\n"
				     "newest); no root and no kernel modules are needed here" },
	{ "runtime", OPT_RUNTIME, "HOME", "kernel (default), or process: begin, end and timer probes\n"
					  "in a process, without root" },
	{ "report", OPT_REPORT, "KIND", "text or json: account for every probe at the end" },
	{ "report-file", OPT_REPORT_FILE, "FILE", "write the report into FILE" },
	{ "keep-core", OPT_KEEP_CORE, NULL, "leave the core loaded" },
	{ "version", 'V', NULL, "print the version" },
	{ "help", 'h', NULL, "this text" },
	{ NULL, 't', NULL, NULL },
	{ NULL, 'u', NULL, NULL },
	{ NULL, 'b', NULL, NULL },
	{ NULL, 'M', NULL, NULL },
	{ NULL, 'F', NULL, NULL },
	{ NULL, 'S', "SIZE", NULL },
	{ NULL, 'd', "MODULE", NULL },
	{ NULL, 'E', "SCRIPT", NULL },
	{ NULL, 'R', "DIR", NULL },
	{ NULL, 'B', "OPTION", NULL },
	{ NULL, 'G', "VAR=VALUE", NULL },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), RUN_ARGS_MAX = 64, FOLDERS_MAX = 32 };

struct command {
	struct passes_options passes;
	bool vm;
	const char *vm_kernel;
	const char *list;
	bool list_variables;
	const char *output;
	bool done; /* --help and --version */
	const char *run_args[RUN_ARGS_MAX]; /* what spile-run is told */
	int run_argc;
	char *kernel_dir; /* owned */
	const char *folders[FOLDERS_MAX];
};

/* --- help ------------------------------------------------------------------------------------- */

static void print_row(FILE *f, const struct option_row *row)
{
	char left[64];

	if (row->name)
		snprintf(left, sizeof(left), "--%s%s%s", row->name,
			 row->argument && row->argument[0] != '[' ? " " : "",
			 row->argument ? row->argument : "");
	else
		snprintf(left, sizeof(left), "-%c %s", row->id,
			 row->argument ? row->argument : "");
	fprintf(f, "  %-18s ", left);
	for (const char *p = row->help; *p; p++)
		if (*p == '\n')
			fprintf(f, "\n  %-18s ", "");
		else
			fputc(*p, f);
	fputc('\n', f);
}

static void print_help(FILE *f)
{
	fputs("usage: spile [options] FILE [ARGUMENTS]       run a script (- is standard input)\n"
	      "       spile [options] -e SCRIPT [ARGUMENTS]\n"
	      "       spile [options] -l|-L PATTERN          list probe points\n\n",
	      f);
	for (int i = 0; i < ROWS; i++)
		if (rows[i].help)
			print_row(f, &rows[i]);
	fputs("\nLimits for -D:"
#define LIMIT(name, member, value, low, high) " " #name
#include "codegen/limits.def"
#undef LIMIT
	      "\n\n"
	      "Exit status: 0 all went well; 1 something is wrong with the options or the script, or\n"
	      "its run failed; else that of spile-run (see spile-run --help) or, with --vm, of a guest\n"
	      "that panicked or hung (see spile-vm --help).\n",
	      f);
}

/* --- options ---------------------------------------------------------------------------------- */

static bool usage_error(const char *what, const char *value)
{
	fprintf(stderr, "spile: %s%s%s; see spile --help\n", what, value ? ": " : "",
		value ? value : "");
	return false;
}

static bool add_run_arg(struct command *cmd, const char *option, const char *value)
{
	if (cmd->run_argc + 2 >= RUN_ARGS_MAX - 4)
		return usage_error("too many options", NULL);
	cmd->run_args[cmd->run_argc++] = option;
	if (value)
		cmd->run_args[cmd->run_argc++] = value;
	return true;
}

static bool set_pass(struct command *cmd, const char *value)
{
	if (strlen(value) != 1 || value[0] < '1' || value[0] > '5')
		return usage_error("-p wants a pass from 1 to 5", value);
	cmd->passes.last = value[0] - '0';
	return true;
}

static bool set_limit(struct command *cmd, const char *value)
{
	struct error *error = codegen_limits_set(&cmd->passes.limits, value);

	if (!error)
		return true;
	fprintf(stderr, "spile: %s\n", error->message);
	error_destroy(error);
	return false;
}

static bool set_module(struct command *cmd, const char *value)
{
	size_t len = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_");

	if (!len || value[len] || len > 31)
		return usage_error("-m wants up to 31 of a-z, 0-9 and _", value);
	if (!strcmp(value, "spile"))
		return usage_error("-m: that is the name of the core's module", value);
	cmd->passes.name = value;
	return true;
}

static bool set_runtime(struct command *cmd, const char *value)
{
	if (strcmp(value, "kernel") && strcmp(value, "process"))
		return usage_error("--runtime is kernel or process", value);
	cmd->passes.process = !strcmp(value, "process");
	return true;
}

/* A folder, or the release of a kernel whose description is in the cache. */
static bool set_kernel_dir(struct command *cmd, const char *value)
{
	_cleanup_free_ char *scripts = NULL;
	struct error *error = NULL;
	struct stat st;

	free(cmd->kernel_dir);
	cmd->kernel_dir = NULL;
	if (strchr(value, '/')) {
		cmd->kernel_dir = strdup(value);
	} else {
		error = cache_scripts_dir(&scripts);
		if (!error && asprintf(&cmd->kernel_dir, "%s/../kernels/%s", scripts, value) < 0)
			abort();
		error_destroy(error);
	}
	if (!cmd->kernel_dir || stat(cmd->kernel_dir, &st))
		return usage_error("-r: no description of this kernel is here "
				   "(spile-vm -k KERNEL makes one)", value);
	cmd->passes.kernel_dir = cmd->kernel_dir;
	return true;
}

static bool add_folder(struct command *cmd, const char *value)
{
	if (cmd->passes.folder_count == FOLDERS_MAX)
		return usage_error("too many folders with -I", value);
	cmd->folders[cmd->passes.folder_count++] = value;
	cmd->passes.folders = cmd->folders;
	return true;
}

static bool set_option(struct command *cmd, int id, const char *value)
{
	switch (id) {
	case 'e':
		cmd->passes.text = value;
		return true;
	case 'p':
		return set_pass(cmd, value);
	case 'v':
		return cmd->passes.verbose++ || add_run_arg(cmd, "-v", NULL);
	case 'o':
		cmd->output = value;
		return true;
	case 'c':
		return add_run_arg(cmd, "-c", value);
	case 'x':
		return add_run_arg(cmd, "-x", value);
	case 's':
		return add_run_arg(cmd, "-s", value);
	case 'T':
		return add_run_arg(cmd, "-T", value);
	case OPT_REPORT:
		return add_run_arg(cmd, "--report", value);
	case OPT_REPORT_FILE:
		return add_run_arg(cmd, "--report-file", value);
	case OPT_KEEP_CORE:
		return add_run_arg(cmd, "--keep-core", NULL);
	case 'm':
		return set_module(cmd, value);
	case 'D':
		return set_limit(cmd, value);
	case 'l':
	case 'L':
		cmd->list = value;
		cmd->list_variables = id == 'L';
		return true;
	case 'I':
		return add_folder(cmd, value);
	case 'g':
		return cmd->passes.guru = true;
	case 'k':
		return cmd->passes.keep = true;
	case 'w':
		return cmd->passes.no_warnings = true;
	case 'r':
		return set_kernel_dir(cmd, value);
	case OPT_VM:
		cmd->vm_kernel = value;
		return cmd->vm = true;
	case OPT_RUNTIME:
		return set_runtime(cmd, value);
	case 'V':
		printf("spile %s, language as of stap %s\n", SPILE_VERSION, SCRIPT_LANGUAGE_VERSION);
		return cmd->done = true;
	case 'h':
		print_help(stdout);
		return cmd->done = true;
	}
	return false;
}

static void make_tables(char *shorts, struct option *longs)
{
	*shorts++ = ':';
	for (int i = 0; i < ROWS; i++) {
		int has = !rows[i].argument ? no_argument
			  : rows[i].argument[0] == '[' ? optional_argument
						       : required_argument;

		if (rows[i].name)
			*longs++ = (struct option){ rows[i].name, has, NULL, rows[i].id };
		if (rows[i].id >= 256)
			continue;
		*shorts++ = (char)rows[i].id;
		if (has == required_argument)
			*shorts++ = ':';
	}
	*shorts = 0;
	*longs = (struct option){ 0 };
}

static bool is_supported(int id)
{
	for (int i = 0; i < ROWS; i++)
		if (rows[i].id == id)
			return rows[i].help != NULL;
	return false;
}

static bool read_options(struct command *cmd, int argc, char **argv)
{
	struct option longs[ROWS + 1];
	char shorts[2 * ROWS + 2], letter[3] = "-?";
	int id;

	make_tables(shorts, longs); /* the leading colon tells a missing argument apart */
	while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		letter[1] = (char)id;
		if (id == ':')
			return usage_error("option needs an argument", argv[optind - 1]);
		if (id == '?')
			return usage_error("option not understood", argv[optind - 1]);
		if (!is_supported(id))
			return usage_error("option not supported yet", letter);
		if (!set_option(cmd, id, optarg))
			return false;
	}
	if (!cmd->passes.text && !cmd->list && optind < argc)
		cmd->passes.path = argv[optind++];
	cmd->passes.argc = argc - optind;
	cmd->passes.argv = (const char *const *)argv + optind;
	if (!cmd->passes.text && !cmd->passes.path && !cmd->list && !cmd->done)
		return usage_error("no script is given", NULL);
	return true;
}

/* --- pass 5 ----------------------------------------------------------------------------------- */

/* The folder of this executable, with a slash. */
static char *own_folder(void)
{
	char path[4096], *folder;
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[len > 0 ? len : 0] = 0;
	folder = strdup(path);
	if (strrchr(folder, '/'))
		strrchr(folder, '/')[1] = 0;
	return folder;
}

static void make_run_argv(struct command *cmd, char *object)
{
	for (int i = cmd->run_argc; i > 0; i--)
		cmd->run_args[i] = cmd->run_args[i - 1];
	cmd->run_argc++;
	cmd->run_args[cmd->run_argc++] = object;
	cmd->run_args[cmd->run_argc] = NULL;
}

static char *run_path(void)
{
	_cleanup_free_ char *folder = own_folder();
	char *path;

	if (asprintf(&path, "%sspile-run", folder) < 0)
		abort();
	return path;
}

static int run_here(struct command *cmd, char *object)
{
	_cleanup_free_ char *path = run_path();

	if (cmd->output && !add_run_arg(cmd, "-o", cmd->output))
		return 1;
	make_run_argv(cmd, object);
	cmd->run_args[0] = path;
	execv(path, (char *const *)cmd->run_args);
	fprintf(stderr, "spile: cannot start %s: %s\n", path, strerror(errno));
	return 1;
}

static int tell_outcome(struct vm_result *result)
{
	if (result->outcome == VM_EXITED)
		return result->status;
	fprintf(stderr, "spile: the guest %s\n%s",
		result->outcome == VM_PANICKED ? "panicked" : "timed out",
		result->story ? result->story : "");
	return result->outcome == VM_PANICKED ? VM_STATUS_PANICKED : VM_STATUS_TIMED_OUT;
}

static int run_guest(struct command *cmd, char *object, int out)
{
	_cleanup_free_ char *path = run_path(), *cwd = getcwd(NULL, 0), *scripts = NULL;
	struct vm_result result = { 0 };
	struct error *error;
	int status = 1;

	error = cache_scripts_dir(&scripts);
	if (!error) {
		const char *const shares[] = { cwd, scripts, NULL };
		struct vm_options options = { .kernel = cmd->vm_kernel, .shares = shares, .in = -1,
					      .out = out, .err = 2,
					      .verbose = cmd->passes.verbose > 0 };

		make_run_argv(cmd, object);
		cmd->run_args[0] = path;
		options.argv = (char *const *)cmd->run_args;
		error = vm_run(&options, &result);
	}
	if (error)
		fprintf(stderr, "spile: %s\n", error->message);
	else
		status = tell_outcome(&result);
	error_destroy(error);
	vm_result_deinit(&result);
	return status;
}

static int run_in_vm(struct command *cmd, char *object)
{
	int out = 1, status;

	if (cmd->output)
		out = open(cmd->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (out < 0) {
		fprintf(stderr, "spile: cannot write %s: %s\n", cmd->output, strerror(errno));
		return 1;
	}
	status = run_guest(cmd, object, out);
	if (out != 1)
		close(out);
	return status;
}

/* What would stop pass 5 here, and what to do instead. Told after the script's own errors. */
static bool can_run_here(const struct command *cmd)
{
	const char *reason = NULL;

	if (cmd->vm || cmd->passes.process)
		return true;
	if (cmd->kernel_dir)
		reason = "-r translates for another kernel, which cannot be run here; add -p4";
	else if (geteuid())
		reason = "probing the kernel needs root";
	else if (access("/proc/modules", F_OK))
		reason = "the running kernel takes no modules";
	if (!reason)
		return true;
	fprintf(stderr, "spile: %s\nspile: --vm runs the script in a guest with a stock kernel\n",
		reason);
	return false;
}

/* --- all of it -------------------------------------------------------------------------------- */

static bool prepare_vm(struct command *cmd)
{
	struct error *error;

	if (!cmd->vm || cmd->passes.last < 2)
		return true;
	error = vm_kernel_prepare(cmd->vm_kernel, &cmd->kernel_dir);
	if (error) {
		fprintf(stderr, "spile: %s\n", error->message);
		error_destroy(error);
		return false;
	}
	error_destroy(load_describe_core(cmd->kernel_dir)); /* without it the guest takes longer */
	cmd->passes.kernel_dir = cmd->kernel_dir;
	return true;
}

static bool redirect_output(const struct command *cmd)
{
	if (freopen(cmd->output, "w", stdout))
		return true;
	fprintf(stderr, "spile: cannot write %s: %s\n", cmd->output, strerror(errno));
	return false;
}

static int run_command(struct command *cmd)
{
	_cleanup_free_ char *object = NULL;

	if (cmd->output && (cmd->list || cmd->passes.last < 5) && !redirect_output(cmd))
		return 1;
	if (!prepare_vm(cmd))
		return 1;
	if (cmd->list)
		return passes_list(&cmd->passes, cmd->list, cmd->list_variables) ? 0 : 1;
	if (!passes_run(&cmd->passes, &object))
		return 1;
	if (cmd->passes.last < 5)
		return 0;
	if (!can_run_here(cmd))
		return 1;
	fflush(stdout);
	if (cmd->passes.verbose)
		fputs("Pass 5: starting run.\n", stderr);
	return cmd->vm ? run_in_vm(cmd, object) : run_here(cmd, object);
}

/* What was printed here, not by pass 5, has arrived. */
static bool finish_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	fprintf(stderr, "spile: cannot write the output: %s\n", strerror(errno));
	return false;
}

int main(int argc, char **argv)
{
	struct command cmd = { .passes = { .last = 5 } };
	int status = 1;

	opterr = 0;
	codegen_limits_init(&cmd.passes.limits);
	if (read_options(&cmd, argc, argv))
		status = cmd.done ? 0 : run_command(&cmd);
	if (!finish_output())
		status = 1;
	free(cmd.kernel_dir);
	return status;
}
