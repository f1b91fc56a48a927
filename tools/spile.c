// SPDX-License-Identifier: GPL-2.0-only
/*
 * spile - runs a script: parse, resolve, translate, compile, run.
 *
 * Options are stap's (options.def). Passes 1 to 4 are codegen/passes.h; pass 5 is the command
 * spile-run, which lies beside this one: executed in place of it, or, with --vm, inside a guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "codegen/compile.h"
#include "codegen/passes.h"
#include "reader/load.h"
#include "script/parse.h"
#include "symbols/debuginfo.h"
#include "vm/vm.h"

#define SPILE_VERSION "0.1"

enum {
	OPT_VM = 256, OPT_RUNTIME, OPT_REPORT, OPT_REPORT_FILE, OPT_KEEP_CORE, OPT_COMPATIBLE,
	OPT_PRIVILEGE, OPT_VP, OPT_NO_GLOBALS, OPT_USE_CACHE, OPT_DISABLE_CACHE, OPT_POISON_CACHE,
	OPT_CLEAN_CACHE, OPT_RLIMIT_AS, OPT_RLIMIT_CPU, OPT_RLIMIT_NPROC, OPT_RLIMIT_STACK,
	OPT_RLIMIT_FSIZE, OPT_DUMP_TYPES, OPT_DUMP_ALIASES, OPT_DUMP_FUNCTIONS, OPT_NO_LIMITS,
	OPT_BEAR_ERRORS, OPT_PATIENCE, OPT_SKIP_BADVARS,
	OPT_NEEDLESS = 512, /* and those after it, without names */
	OPT_REFUSED = 1024,
};

enum option_use { TAKEN, NEEDLESS, REFUSED };

static const struct option_row {
	const char *name; /* long form, or NULL */
	int id;
	const char *argument; /* NULL: none; "[=X]": optional */
	enum option_use use;
	const char *help;
} rows[] = {
#define OPTION(name, id, argument, use, help) { name, id, argument, use, help },
#include "tools/options.def"
#undef OPTION
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), RUN_ARGS_MAX = 64, LIST_MAX = 32 };

/* What an option collects that may be given several times. */
struct words {
	const char *items[LIST_MAX];
	size_t count;
};

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
	struct words folders, texts, globals;
	enum passes_dump dump;
	bool no_limits, background, files;
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
	fprintf(f, strlen(left) > 18 ? "  %s\n  %18s " : "  %-18s %.0s", left, "");
	for (const char *p = row->help; *p; p++)
		if (*p == '\n')
			fprintf(f, "\n  %-18s ", "");
		else
			fputc(*p, f);
	fputc('\n', f);
}

static void print_names(FILE *f, enum option_use use)
{
	for (int i = 0; i < ROWS; i++)
		if (rows[i].use == use && rows[i].name)
			fprintf(f, " --%s", rows[i].name);
		else if (rows[i].use == use)
			fprintf(f, " -%c", rows[i].id);
}

static void print_help(FILE *f)
{
	fputs("usage: spile [options] FILE [ARGUMENTS]       run a script (- is standard input)\n"
	      "       spile [options] -e SCRIPT [ARGUMENTS]\n"
	      "       spile [options] -l|-L PATTERN          list probe points\n\n",
	      f);
	for (int i = 0; i < ROWS; i++)
		if (rows[i].use == TAKEN)
			print_row(f, &rows[i]);
	fputs("\nOptions of stap that need nothing here:", f);
	print_names(f, NEEDLESS);
	fputs("\nOptions of stap that are not supported yet:", f);
	print_names(f, REFUSED);
	fputc('\n', f);
	fputs("\nLimits for -D:"
#define LIMIT(name, member, value, low, high) " " #name
#include "codegen/limits.def"
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
	const char *reason = codegen_limits_needless(value);
	struct error *error;

	if (reason) {
		fprintf(stderr, "WARNING: limit %s is not needed: %s\n", value, reason);
		return true;
	}
	error = codegen_limits_set(&cmd->passes.limits, value);
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
	_cleanup_free_ char *kernels = debuginfo_cache_path("kernels");
	struct stat st;

	free(cmd->kernel_dir);
	cmd->kernel_dir = NULL;
	if (strchr(value, '/'))
		cmd->kernel_dir = strdup(value);
	else if (asprintf(&cmd->kernel_dir, "%s/%s", kernels, value) < 0)
		abort();
	if (!cmd->kernel_dir || stat(cmd->kernel_dir, &st))
		return usage_error("-r: no description of this kernel is here "
				   "(spile-vm -k KERNEL makes one)", value);
	cmd->passes.kernel_dir = cmd->kernel_dir;
	return true;
}

static bool add_word(struct words *words, const char *value, const char *const **ret_items,
		     size_t *ret_count)
{
	if (words->count == LIST_MAX)
		return usage_error("an option is given too often", value);
	words->items[words->count++] = value;
	*ret_items = words->items;
	*ret_count = words->count;
	return true;
}

static bool set_verbosity(struct command *cmd, const char *value)
{
	if (strspn(value, "0123456789") != strlen(value) || strlen(value) > 5)
		return usage_error("--vp wants up to five digits", value);
	for (int i = 0; value[i]; i++)
		cmd->passes.verbose_pass[i] += value[i] - '0';
	return true;
}

static bool set_compatible(struct command *cmd, const char *value)
{
	if (!*value || strspn(value, "0123456789.") != strlen(value))
		return usage_error("--compatible wants a version as 4.8", value);
	if (strverscmp(value, SCRIPT_LANGUAGE_VERSION) > 0)
		return usage_error("--compatible: the newest version is " SCRIPT_LANGUAGE_VERSION,
				   value);
	cmd->passes.version = value;
	return true;
}

static bool set_rlimit(int resource, const char *value)
{
	char *end;
	struct rlimit limit;

	errno = 0;
	limit.rlim_cur = limit.rlim_max = strtoull(value, &end, 0);
	if (errno || end == value || *end)
		return usage_error("--rlimit wants a number", value);
	return !setrlimit(resource, &limit) || usage_error("--rlimit", strerror(errno));
}

static bool set_verbose(struct command *cmd)
{
	for (int i = 0; i < 5; i++)
		cmd->passes.verbose_pass[i]++;
	return true;
}

static bool set_privilege(const char *value)
{
	return !strcmp(value, "stapdev") ||
	       usage_error("--privilege: scripts for users without privileges are not supported "
			   "yet", value);
}

static bool clean_cache(struct command *cmd)
{
	struct error *error = cache_clean();

	cmd->done = true;
	if (!error)
		return true;
	fprintf(stderr, "spile: %s\n", error->message);
	error_destroy(error);
	return false;
}

/* -o: as in stap, the name is a format of strftime(3). */
static bool set_output(struct command *cmd, const char *value)
{
	static char name[PATH_MAX];
	time_t now = time(NULL);
	struct tm tm;

	if (!localtime_r(&now, &tm) || (*value && !strftime(name, sizeof(name), value, &tm)))
		return usage_error("-o: the name of a file", value);
	cmd->output = *value ? name : value;
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
		return set_verbose(cmd);
	case OPT_VP:
		return set_verbosity(cmd, value);
	case 'o':
		return set_output(cmd, value);
	case 'c':
		return add_run_arg(cmd, "-c", value);
	case 'x':
		return add_run_arg(cmd, "-x", value);
	case 's':
		return add_run_arg(cmd, "-s", value);
	case 'T':
		return add_run_arg(cmd, "-T", value);
	case 'S':
		cmd->files = true;
		return add_run_arg(cmd, "-S", value);
	case 'F':
		cmd->background = true;
		return add_run_arg(cmd, "-F", NULL);
	case OPT_REPORT:
		return add_run_arg(cmd, "--report", value);
	case OPT_REPORT_FILE:
		return add_run_arg(cmd, "--report-file", value);
	case OPT_PATIENCE:
		return add_run_arg(cmd, "--patience", value);
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
		return add_word(&cmd->folders, value, &cmd->passes.folders,
				&cmd->passes.folder_count);
	case 'E':
		return add_word(&cmd->texts, value, &cmd->passes.more_texts,
				&cmd->passes.more_text_count);
	case 'G':
		return add_word(&cmd->globals, value, &cmd->passes.globals,
				&cmd->passes.global_count);
	case 'a':
		return !strcmp(value, "x86_64") || usage_error("-a: not supported", value);
	case 'W':
		return cmd->passes.fatal_warnings = true;
	case 'u':
		return cmd->passes.unoptimized = true;
	case OPT_SKIP_BADVARS:
		return cmd->passes.skip_badvars = true;
	case 't':
		return cmd->passes.timing = true;
	case OPT_NO_GLOBALS:
		return cmd->passes.no_globals = true;
	case OPT_COMPATIBLE:
		return set_compatible(cmd, value);
	case OPT_PRIVILEGE:
		return set_privilege(value);
	case OPT_BEAR_ERRORS:
		cmd->passes.bears_errors = true;
		return add_run_arg(cmd, "--suppress-handler-errors", NULL);
	case OPT_NO_LIMITS:
		return cmd->no_limits = true;
	case OPT_USE_CACHE:
		cmd->passes.cache = CACHE_USE;
		return true;
	case OPT_DISABLE_CACHE:
		cmd->passes.cache = CACHE_OFF;
		return true;
	case OPT_POISON_CACHE:
		cmd->passes.cache = CACHE_RENEW;
		return true;
	case OPT_CLEAN_CACHE:
		return clean_cache(cmd);
	case OPT_RLIMIT_AS:
		return set_rlimit(RLIMIT_AS, value);
	case OPT_RLIMIT_CPU:
		return set_rlimit(RLIMIT_CPU, value);
	case OPT_RLIMIT_NPROC:
		return set_rlimit(RLIMIT_NPROC, value);
	case OPT_RLIMIT_STACK:
		return set_rlimit(RLIMIT_STACK, value);
	case OPT_RLIMIT_FSIZE:
		return set_rlimit(RLIMIT_FSIZE, value);
	case OPT_DUMP_TYPES:
		cmd->dump = DUMP_PROBE_TYPES;
		return true;
	case OPT_DUMP_ALIASES:
		cmd->dump = DUMP_PROBE_ALIASES;
		return true;
	case OPT_DUMP_FUNCTIONS:
		cmd->dump = DUMP_FUNCTIONS;
		return true;
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

static const struct option_row *find_row(int id)
{
	int i = 0;

	while (rows[i].id != id)
		i++;
	return &rows[i];
}

/* "-x" or "--word". */
static const char *row_name(const struct option_row *row, char room[64])
{
	if (row->name)
		snprintf(room, 64, "--%s", row->name);
	else
		snprintf(room, 64, "-%c", row->id);
	return room;
}

static bool take_option(struct command *cmd, int id, const char *value)
{
	const struct option_row *row = find_row(id);
	char name[64];

	if (row->use == TAKEN)
		return set_option(cmd, id, value);
	if (row->use == NEEDLESS) {
		fprintf(stderr, "WARNING: option %s is not needed: %s\n", row_name(row, name),
			row->help);
		return true;
	}
	fprintf(stderr, "spile: option %s is not supported yet: %s\n", row_name(row, name),
		row->help);
	return false;
}

/* Options of one that are worth nothing without another. */
static bool check_options(struct command *cmd)
{
	if (cmd->no_limits && !cmd->passes.guru)
		return usage_error("--suppress-time-limits needs guru mode (-g)", NULL);
	if (cmd->no_limits)
		cmd->passes.limits.action = INT64_MAX;
	if (cmd->background && cmd->vm)
		return usage_error("-F and --vm exclude each other: the guest ends with the command",
				   NULL);
	if (cmd->files && cmd->vm)
		return usage_error("-S and --vm exclude each other: the output leaves the guest as one",
				   NULL);
	if (cmd->passes.no_warnings && cmd->passes.fatal_warnings)
		return usage_error("-w and -W exclude each other", NULL);
	if (cmd->passes.verbose_pass[4] && !add_run_arg(cmd, "-v", NULL))
		return false;
	if (cmd->passes.text || cmd->passes.path || cmd->list || cmd->dump || cmd->done)
		return true;
	return usage_error("no script is given", NULL);
}

/* SYSTEMTAP_RELEASE: the kernel to translate for, unless -r or --vm says. */
static bool default_kernel(struct command *cmd)
{
	const char *release = getenv("SYSTEMTAP_RELEASE");

	return !release || !*release || cmd->kernel_dir || cmd->vm || set_kernel_dir(cmd, release);
}

static bool read_options(struct command *cmd, int argc, char **argv)
{
	struct option longs[ROWS + 1];
	char shorts[2 * ROWS + 2];
	int id;

	make_tables(shorts, longs); /* the leading colon tells a missing argument apart */
	while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (id == ':')
			return usage_error("option needs an argument", argv[optind - 1]);
		if (id == '?')
			return usage_error("option not understood", argv[optind - 1]);
		if (!take_option(cmd, id, optarg))
			return false;
	}
	if (!cmd->passes.text && !cmd->list && !cmd->dump && optind < argc)
		cmd->passes.path = argv[optind++];
	cmd->passes.argc = argc - optind;
	cmd->passes.argv = (const char *const *)argv + optind;
	return check_options(cmd) && default_kernel(cmd);
}

/* Options of $SYSTEMTAP_DIR/rc (~/.systemtap/rc) come before those of the command line. The words
 * stay allocated, as those of the command line do. */
static char **add_rc_words(int *argc, char **argv)
{
	const char *folder = getenv("SYSTEMTAP_DIR"), *home = getenv("HOME");
	_cleanup_free_ char *path = NULL;
	char *text = NULL, *word, **words;
	struct error *error;
	size_t len, n = 1;

	if (asprintf(&path, "%s%s/rc", folder ? folder : home ? home : "",
		     folder ? "" : "/.systemtap") < 0)
		abort();
	if (access(path, R_OK))
		return argv;
	error = file_read(path, &text, &len);
	error_destroy(error);
	if (error)
		return argv;
	words = calloc((size_t)*argc + len + 2, sizeof(*words));
	if (!words)
		abort();
	words[0] = argv[0];
	while ((word = strsep(&text, " \t\n")))
		if (*word)
			words[n++] = word;
	memcpy(words + n, argv + 1, (size_t)*argc * sizeof(*argv));
	*argc += (int)n - 1;
	return words;
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
					      .verbose = cmd->passes.verbose_pass[4] > 0 };

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
	if (cmd->dump)
		return passes_dump(&cmd->passes, cmd->dump) ? 0 : 1;
	if (cmd->list)
		return passes_list(&cmd->passes, cmd->list, cmd->list_variables) ? 0 : 1;
	if (!passes_run(&cmd->passes, &object))
		return 1;
	if (cmd->passes.last < 5)
		return 0;
	if (!can_run_here(cmd))
		return 1;
	fflush(stdout);
	if (cmd->passes.verbose_pass[4])
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
	argv = add_rc_words(&argc, argv);
	if (read_options(&cmd, argc, argv))
		status = cmd.done ? 0 : run_command(&cmd);
	if (!finish_output())
		status = 1;
	free(cmd.kernel_dir);
	return status;
}
