// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pass 4. The generated C includes nothing, so compiling is one `cc -c`: no headers are searched,
 * nothing is linked (a shared object for the process home is), and the result depends on the text,
 * the flags and the compiler alone, which name it in the cache.
 */
#include "codegen/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "codegen/codegen.h"

extern char **environ;

static const char prelude[] =
#include "prelude.h"
    ;

/* -w: generated code is full of blocks and labels that go unused, and that is fine. */
static const char *const module_flags[] = {
#include "core_cflags.h"
    "-w", "-DSPILE_MODULE", "-fstack-usage", "-c", NULL,
};

static const char *const process_flags[] = {
    "-std=gnu11",
    "-O1",
    "-fno-strict-aliasing",
    "-fno-strict-overflow",
    "-fno-common",
    "-g0",
    "-w",
    "-fPIC",
    "-shared",
    "-nostdlib",
    NULL,
};

/* --- the compiler ----------------------------------------------------------------------------- */

static const char *compiler_name(void)
{
	const char *name = getenv("CC");

	return name && *name && !strchr(name, ' ') ? name : "cc";
}

/* Where the shell would find it; NULL when it is nowhere. For the caller to free. */
static char *find_compiler(void)
{
	const char *name = compiler_name(), *path = getenv("PATH"), *end;
	char *candidate;

	if (strchr(name, '/'))
		return strdup(name);
	for (path = path ? path : "/usr/bin:/bin"; *path; path = *end ? end + 1 : end) {
		end = strchrnul(path, ':');
		if (asprintf(&candidate, "%.*s/%s", (int)(end - path), path, name) < 0)
			abort();
		if (!access(candidate, X_OK))
			return candidate;
		free(candidate);
	}
	return NULL;
}

void compile_identify(struct content_hash *hash)
{
	_cleanup_free_ char *path = find_compiler(), *real = path ? realpath(path, NULL) : NULL;

	content_hash_add_file(hash, real ? real : "no compiler");
}

static struct error *no_compiler(void)
{
	return error_create(
	    ENOENT,
	    "the C compiler '%s' is not installed; install the package gcc, or name "
	    "another one in the environment variable CC",
	    compiler_name());
}

static struct error *run_compiler(char *const *argv, const char *log_path, bool embedded)
{
	_cleanup_free_ char *log = NULL;
	posix_spawn_file_actions_t actions;
	int status, result;
	size_t len;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 2, log_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	result = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (result)
		return result == ENOENT
		           ? no_compiler()
		           : error_create(result, "cannot start %s: %s", argv[0], strerror(result));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		unlink(log_path);
		return NULL;
	}
	error_destroy(file_read(log_path, &log, &len));
	unlink(log_path);
	return error_create(EIO, "%s failed on the %s:\n%.2000s", argv[0],
	                    embedded ? "C code of the script"
	                             : "generated C; this is a defect of spile",
	                    log ? log : "");
}

enum { STACK_BUDGET = 6144 };

/* --- one script ------------------------------------------------------------------------------- */

struct job {
	const struct compile_options *options;
	const char *const *flags;
	char hash[33];
	char *name; /* of the script */
	char *base; /* path without ending */
	char *source, *object, *partial, *log, *usage;
};

static char *join(const char *a, const char *b)
{
	char *text;

	if (asprintf(&text, "%s%s", a, b) < 0)
		abort();
	return text;
}

static void job_hash(struct job *job, const char *code)
{
	struct content_hash hash;

	content_hash_init(&hash);
	content_hash_add(&hash, prelude, sizeof(prelude));
	content_hash_adds(&hash, code);
	content_hash_adds(&hash, job->options->name);
	for (size_t i = 0; job->flags[i]; i++)
		content_hash_adds(&hash, job->flags[i]);
	compile_identify(&hash);
	content_hash_text(&hash, job->hash);
}

static struct error *job_init(struct job *job, const char *code,
                              const struct compile_options *options)
{
	_cleanup_free_ char *dir = NULL, *stem = NULL;
	struct error *error;

	memset(job, 0, sizeof(*job));
	job->options = options;
	job->flags = options->process ? process_flags : module_flags;
	job_hash(job, code);
	error = cache_scripts_dir(&dir);
	if (error)
		return error;
	stem = join(dir, "/");
	job->base = join(stem, job->hash);
	if (asprintf(&job->name, "spile_%.16s", job->hash) < 0)
		abort();
	if (options->name) {
		free(job->name);
		job->name = strdup(options->name);
	}
	job->source = join(job->base, ".c");
	job->object = join(job->base, options->process ? ".so" : ".o");
	if (asprintf(&job->partial, "%s.%d.o", job->base, getpid()) < 0 ||
	    asprintf(&job->usage, "%s.%d.su", job->base, getpid()) < 0)
		abort();
	job->log = join(job->partial, ".log");
	return NULL;
}

static void job_deinit(struct job *job)
{
	free(job->name);
	free(job->base);
	free(job->source);
	free(job->object);
	free(job->partial);
	free(job->log);
	free(job->usage);
}

static struct error *write_source(const struct job *job, const char *code)
{
	struct strbuf text;
	struct error *error;

	strbuf_init(&text);
	strbuf_addf(&text, "#line 1 \"prelude\"\n%s#line 1 \"script\"\n%s", prelude, code);
	error = file_write_atomic(job->source, text.data, text.len);
	strbuf_deinit(&text);
	return error;
}

/*
 * A handler runs on whatever kernel stack its probe was hit on, 16 KB of which some are in use.
 * The compiler tells how much each function takes (-fstack-usage); a script that could take more
 * than a share of it is refused here rather than found out there.
 */
static struct error *check_stack(const struct job *job)
{
	_cleanup_fclose_ FILE *f = fopen(job->usage, "r");
	size_t handler = 0, function = 0, overload = 0, size;
	char line[512], name[256];

	unlink(job->usage);
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*[^:]:%*d:%*d:%255s %zu", name, &size) != 2)
			continue;
		if (!strncmp(name, "probe_", 6) && size > handler)
			handler = size;
		if (!strncmp(name, "f_", 2) && size > function)
			function = size;
		if (!strncmp(name, "o_", 2) && size > overload)
			overload = size;
	}
	function += overload;
	if (handler + function * job->options->depth <= STACK_BUDGET)
		return NULL;
	return error_create(
	    E2BIG,
	    "the script could need %zu bytes of kernel stack (%zu for a probe, %zu "
	    "for each of %zu nested function calls), more than %d; make its functions "
	    "shorter, or lower -D MAXNESTING",
	    handler + function * job->options->depth, handler, function, job->options->depth,
	    STACK_BUDGET);
}

static struct error *job_compile(struct job *job)
{
	_cleanup_free_ char *define = NULL;
	const char *argv[64] = {compiler_name()};
	struct error *error;
	size_t n = 1;

	for (size_t i = 0; job->flags[i]; i++)
		argv[n++] = job->flags[i];
	if (asprintf(&define, "-DSPILE_SCRIPT_NAME=\"%s\"", job->name) < 0)
		abort();
	argv[n++] = define;
	argv[n++] = job->source;
	argv[n++] = "-o";
	argv[n++] = job->partial;
	error = run_compiler((char *const *)argv, job->log, job->options->embedded);
	if (!error && !job->options->process)
		error = check_stack(job);
	if (!error && rename(job->partial, job->object))
		error = error_create(errno, "cannot write %s: %s", job->object, strerror(errno));
	if (error)
		unlink(job->partial);
	return error;
}

struct error *compile_script(const char *code, const struct compile_options *options,
                             char **ret_object, bool *ret_cached)
{
	struct job job;
	struct error *error = job_init(&job, code, options);

	*ret_cached = !error && !options->anew && !access(job.object, R_OK);
	if (!error && !*ret_cached)
		error = write_source(&job, code);
	if (!error && !*ret_cached)
		error = job_compile(&job);
	if (!error)
		*ret_object = steal_ptr(job.object);
	job_deinit(&job);
	return error;
}
