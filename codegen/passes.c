// SPDX-License-Identifier: GPL-2.0-only
/*
 * The compiler as a list of calls. In front of it stands a short cut: a start is known by the
 * script's text, its arguments, the options, this program, the compiler and the kernel's release;
 * if such a start was made before without a complaint, its object is taken from the cache and
 * passes 1 to 4 are skipped. A script that asked the kernel anything is known by the kernel's
 * identity as well; that costs reading its BTF, so it is only asked for such scripts.
 */
#include "codegen/passes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "codegen/compile.h"
#include "codegen/kernel_config.h"
#include "script/families/family.h"
#include "script/parse.h"

struct session {
	const struct passes_options *options;
	struct script script;
	struct diag_list diags;
	struct parse_options parse, parse_library;
	struct tapset *tapset;
	struct resolve_options resolve;
	struct kernel_config *config; /* of the kernel; for conditions */
	struct kernel *kernel; /* opened when first asked for */
	char *release;
	char *text; /* the script's, when it was read for the short cut */
	size_t text_len;
	struct program program;
	char *code;
};

/* What a start record says when the kernel's identity belongs to the key. */
static const char needs_kernel[] = "kernel";

/* --- time and memory -------------------------------------------------------------------------- */

void pass_clock_start(struct pass_clock *clock)
{
	struct rusage usage, children;

	clock_gettime(CLOCK_MONOTONIC, &clock->real);
	getrusage(RUSAGE_SELF, &usage);
	getrusage(RUSAGE_CHILDREN, &children);
	clock->user.tv_sec = usage.ru_utime.tv_sec + children.ru_utime.tv_sec;
	clock->user.tv_nsec = 1000 * (usage.ru_utime.tv_usec + children.ru_utime.tv_usec);
	clock->system.tv_sec = usage.ru_stime.tv_sec + children.ru_stime.tv_sec;
	clock->system.tv_nsec = 1000 * (usage.ru_stime.tv_usec + children.ru_stime.tv_usec);
}

static long ms_between(const struct timespec *from, const struct timespec *to)
{
	return (to->tv_sec - from->tv_sec) * 1000 + (to->tv_nsec - from->tv_nsec) / 1000000;
}

void pass_clock_tell(const struct pass_clock *clock, int pass, const char *what)
{
	long virt = 0, res = 0, shared = 0, data = 0, kb = sysconf(_SC_PAGESIZE) / 1024;
	_cleanup_fclose_ FILE *statm = fopen("/proc/self/statm", "r");
	struct pass_clock now;

	pass_clock_start(&now);
	if (statm && fscanf(statm, "%ld %ld %ld %*d %*d %ld", &virt, &res, &shared, &data) != 4)
		data = 0;
	fprintf(
	    stderr,
	    "Pass %d: %s using %ldvirt/%ldres/%ldshr/%lddata kb, in %ldusr/%ldsys/%ldreal ms.\n",
	    pass, what, virt * kb, res * kb, shared * kb, data * kb,
	    ms_between(&clock->user, &now.user), ms_between(&clock->system, &now.system),
	    ms_between(&clock->real, &now.real));
}

static void tell_pass(const struct session *s, const struct pass_clock *clock, int pass,
                      const char *what)
{
	if (s->options->verbose_pass[pass - 1])
		pass_clock_tell(clock, pass, what);
}

static void tell_error(struct error *error)
{
	fprintf(stderr, "spile: %s\n", error->message);
	error_destroy(error);
}

/* --- the kernel ------------------------------------------------------------------------------- */

static struct error *open_kernel(void *context, struct kernel **ret)
{
	struct session *s = context;
	struct error *error = NULL;

	if (!s->kernel)
		error = kernel_open(s->options->kernel_dir, &s->kernel);
	*ret = s->kernel;
	return error;
}

/* The release is asked for in any case, so it must not cost opening the kernel. */
static struct error *read_release(struct session *s)
{
	_cleanup_free_ char *path = NULL;
	struct utsname name;
	struct error *error;
	size_t len;

	if (!s->options->kernel_dir) {
		uname(&name);
		s->release = strdup(name.release);
		return NULL;
	}
	if (asprintf(&path, "%s/release", s->options->kernel_dir) < 0)
		abort();
	error = file_read(path, &s->release, &len);
	if (!error)
		s->release[strcspn(s->release, "\n")] = 0;
	return error;
}

static struct error *kernel_identify(struct session *s, const char **ret)
{
	struct kernel *kernel;
	struct error *error = open_kernel(s, &kernel);

	return error ? error : kernel_identity(kernel, ret);
}

/* --- the tapset ------------------------------------------------------------------------------- */

/* The installed tapset: beside the commands as `make install` puts it, or in the source tree. */
static void add_installed_tapset(struct session *s)
{
	const char *named = getenv("SYSTEMTAP_TAPSET");
	_cleanup_free_ char *installed = NULL, *tree = NULL;
	char exe[4096];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (named && *named) {
		tapset_add_folder(s->tapset, named, s->release);
		return;
	}
	exe[len > 0 ? len : 0] = 0;
	if (strrchr(exe, '/'))
		*strrchr(exe, '/') = 0;
	if (asprintf(&installed, "%s/../share/spile/tapset", exe) < 0 ||
	    asprintf(&tree, "%s/../../tapset", exe) < 0)
		abort();
	tapset_add_folder(s->tapset, access(installed, R_OK) ? tree : installed, s->release);
}

/* The time zone, as macros that tapset/time.stp uses. */
static void define_zone(struct session *s)
{
	time_t now = time(NULL);
	struct tm local;
	char text[80];

	localtime_r(&now, &local);
	snprintf(text, sizeof(text), "%ld", -local.tm_gmtoff);
	script_define_macro(&s->script, "__tz_gmtoff", text, &s->parse, &s->diags);
	snprintf(text, sizeof(text), "\"%.60s\"", local.tm_zone);
	script_define_macro(&s->script, "__tz_name", text, &s->parse, &s->diags);
}

static void hash_zone(struct content_hash *hash)
{
	time_t now = time(NULL);
	struct tm local;

	localtime_r(&now, &local);
	content_hash_adds(hash, local.tm_zone);
	content_hash_add(hash, &local.tm_gmtoff, sizeof(local.tm_gmtoff));
}

static void open_tapset(struct session *s)
{
	_cleanup_free_ char *cache = NULL;

	error_destroy(cache_scripts_dir(&cache)); /* without one, indexes are not kept */
	s->tapset = tapset_create(cache);
	for (size_t i = 0; i < s->options->folder_count; i++)
		tapset_add_folder(s->tapset, s->options->folders[i], s->release);
	add_installed_tapset(s);
	s->parse.library = s->tapset;
	s->parse_library = s->parse;
	s->parse_library.tapset = true;
	s->resolve.library = &s->parse_library;
	define_zone(s);
}

/* --- the session ------------------------------------------------------------------------------ */

static struct error *session_init(struct session *s, const struct passes_options *options)
{
	struct error *error;

	memset(s, 0, sizeof(*s));
	s->options = options;
	script_init(&s->script);
	diag_list_init(&s->diags);
	s->parse.argc = options->argc;
	s->parse.argv = options->argv;
	s->parse.arch = "x86_64";
	s->parse.runtime = options->process ? "process" : "kernel";
	s->parse.guru = options->guru;
	s->resolve.kernel = options->process ? NULL : open_kernel;
	s->resolve.kernel_context = s;
	s->resolve.guru = options->guru;
	s->resolve.no_warnings = options->no_warnings;
	s->resolve.unoptimized = options->unoptimized;
	s->resolve.skip_badvars = options->skip_badvars;
	s->resolve.no_globals = options->no_globals;
	s->resolve.timing = options->timing;
	s->parse.version = options->version;
	error = read_release(s);
	s->parse.release = s->release;
	if (error)
		return error;
	s->config = kernel_config_create(options->kernel_dir, s->release);
	s->parse.config_lookup = kernel_config_lookup;
	s->parse.config_context = s->config;
	open_tapset(s);
	return NULL;
}

static void session_deinit(struct session *s)
{
	diag_list_deinit(&s->diags);
	program_deinit(&s->program);
	script_deinit(&s->script);
	tapset_destroy(s->tapset);
	kernel_config_destroy(s->config);
	if (s->kernel)
		kernel_close(s->kernel);
	free(s->release);
	free(s->text);
	free(s->code);
}

/* True when the pass found no errors; otherwise they are printed with stap's last line. */
static bool pass_ok(struct session *s, int pass, const char *word)
{
	if (!diag_error_count(&s->diags))
		return true;
	diag_list_print(&s->diags, stderr);
	fprintf(stderr, "Pass %d: %s failed.\n", pass, word);
	return false;
}

/* --- the short cut ---------------------------------------------------------------------------- */

static struct error *read_script(struct session *s)
{
	if (!s->options->path) {
		s->text = strdup(s->options->text);
		s->text_len = strlen(s->text);
		return NULL;
	}
	return file_read(strcmp(s->options->path, "-") ? s->options->path : "/dev/stdin", &s->text,
	                 &s->text_len);
}

static const char *source_name(const struct session *s)
{
	return !s->options->path || !strcmp(s->options->path, "-") ? "<input>" : s->options->path;
}

static void start_key(const struct session *s, struct content_hash *hash)
{
	const struct passes_options *o = s->options;
	bool flags[] = {o->guru, o->process, o->name != NULL, o->unoptimized, o->no_globals, o->timing,
	                o->bears_errors, o->skip_badvars};

	content_hash_init(hash);
	content_hash_add_file(hash, "/proc/self/exe");
	compile_identify(hash);
	content_hash_adds(hash, s->release);
	content_hash_adds(hash, source_name(s));
	content_hash_add(hash, s->text, s->text_len);
	content_hash_add(hash, &s->text_len, sizeof(s->text_len));
	for (int i = 0; i < o->argc; i++)
		content_hash_adds(hash, o->argv[i]);
	content_hash_add(hash, flags, sizeof(flags));
	content_hash_adds(hash, o->name);
	content_hash_adds(hash, o->version);
	for (size_t i = 0; i < o->more_text_count; i++)
		content_hash_adds(hash, o->more_texts[i]);
	content_hash_add(hash, &o->global_count, sizeof(o->global_count));
	for (size_t i = 0; i < o->global_count; i++)
		content_hash_adds(hash, o->globals[i]);
	content_hash_add(hash, &o->limits, sizeof(o->limits));
	hash_zone(hash);
	if (kernel_config_path(s->config))
		content_hash_add_file(hash, kernel_config_path(s->config));
	for (size_t i = 0; i < tapset_file_count(s->tapset); i++)
		content_hash_add_file(hash, tapset_file(s->tapset, i));
}

static char *find_start(const struct content_hash *hash)
{
	char key[33];

	content_hash_text(hash, key);
	return cache_start_find(key);
}

/* A record is the object's path and, from the second line on, the warnings to repeat. */
static char *read_start(const struct session *s, char *record)
{
	char *warnings = strchr(record, '\n');

	if (warnings)
		*warnings++ = 0;
	if (access(record, R_OK)) {
		free(record);
		return NULL;
	}
	if (warnings && !s->options->no_warnings)
		fputs(warnings, stderr);
	return record;
}

static char *find_known_start(struct session *s)
{
	struct content_hash hash;
	const char *identity;
	struct error *error;
	char *found;

	start_key(s, &hash);
	found = find_start(&hash);
	if (found && !strcmp(found, needs_kernel)) {
		free(found);
		error = kernel_identify(s, &identity);
		if (error) {
			error_destroy(error); /* the passes will tell */
			return NULL;
		}
		content_hash_adds(&hash, identity);
		found = find_start(&hash);
	}
	return found ? read_start(s, found) : NULL;
}

static char *start_record(const struct session *s, const char *object)
{
	char *record = NULL;
	size_t len;
	FILE *f = open_memstream(&record, &len);

	fputs(object, f);
	if (s->diags.warnings) {
		fputc('\n', f);
		diag_list_print(&s->diags, f);
	}
	fclose(f);
	return record;
}

/* A module's file may be another one the next time, of which the key knows nothing. */
static bool program_reads_modules(const struct program *program)
{
	for (size_t i = 0; i < program->debuginfos.count; i++)
		if (program->debuginfos.items[i].module)
			return true;
	return false;
}

static void remember_start(struct session *s, const char *object)
{
	_cleanup_free_ char *record = start_record(s, object);
	struct content_hash hash;
	const char *identity;
	struct error *error;
	char key[33];

	start_key(s, &hash);
	content_hash_text(&hash, key);
	if (s->kernel) {
		cache_start_store(key, needs_kernel);
		error = kernel_identify(s, &identity);
		if (error) {
			error_destroy(error);
			return;
		}
		content_hash_adds(&hash, identity);
		content_hash_text(&hash, key);
	}
	cache_start_store(key, record);
}

/* --- the passes ------------------------------------------------------------------------------- */

static bool set_globals(struct session *s)
{
	struct error *error = NULL;

	for (size_t i = 0; i < s->options->global_count && !error; i++)
		error = script_global_set(&s->script, s->options->globals[i]);
	if (!error)
		return true;
	tell_error(error);
	return false;
}

static bool pass_parse(struct session *s)
{
	struct pass_clock clock;

	pass_clock_start(&clock);
	script_parse_string(&s->script, source_name(s), s->text, s->text_len, &s->parse, &s->diags);
	for (size_t i = 0; i < s->options->more_text_count; i++)
		script_parse_string(&s->script, "<input>", s->options->more_texts[i],
		                    strlen(s->options->more_texts[i]), &s->parse, &s->diags);
	if (!pass_ok(s, 1, "parse"))
		return false;
	if (!set_globals(s))
		return false;
	tell_pass(s, &clock, 1, "parsed user script");
	if (s->options->last == 1)
		script_print(&s->script, stdout);
	return true;
}

static bool pass_resolve(struct session *s)
{
	struct pass_clock clock;
	char what[160];

	pass_clock_start(&clock);
	script_resolve(&s->script, &s->resolve, &s->diags, &s->program);
	if (!pass_ok(s, 2, "analysis"))
		return false;
	if (!s->options->no_warnings)
		diag_list_print(&s->diags, stderr);
	if (s->options->fatal_warnings && s->diags.warnings) {
		fprintf(stderr, "Pass 2: analysis failed: warnings are errors (-W).\n");
		return false;
	}
	snprintf(what, sizeof(what),
	         "analyzed script: %zu probe(s), %zu function(s), %zu global(s)",
	         s->program.probes.count, s->program.functions.count, s->program.globals.count);
	tell_pass(s, &clock, 2, what);
	if (s->options->verbose_pass[1])
		program_report(&s->program, &s->resolve, stderr);
	if (s->options->last == 2)
		program_print(&s->program, stdout);
	return true;
}

static bool pass_translate(struct session *s)
{
	struct codegen_options options = {
	    .kernel_identity = "", .release = "", .limits = s->options->limits,
	    .timing = s->options->timing,
	    .bears_errors = s->options->bears_errors};
	struct error *error = NULL;
	struct pass_clock clock;

	pass_clock_start(&clock);
	if (s->kernel) {
		error = kernel_identify(s, &options.kernel_identity);
		options.release = s->release;
	}
	if (error) {
		tell_error(error);
		return false;
	}
	s->code = codegen_program(&s->program, &options);
	tell_pass(s, &clock, 3, "translated to C");
	if (s->options->last == 3)
		fputs(s->code, stdout);
	return true;
}

static bool pass_compile(struct session *s, char **ret_object)
{
	struct compile_options options = {.name = s->options->name,
	                                  .process = s->options->process,
	                                  .embedded = s->program.has_embedded,
	                                  .anew = s->options->cache != CACHE_USE,
	                                  .depth =
	                                      codegen_call_depth(&s->program, &s->options->limits)};
	struct pass_clock clock;
	struct error *error;
	bool cached = false;

	pass_clock_start(&clock);
	error = compile_script(s->code, &options, ret_object, &cached);
	if (error) {
		tell_error(error);
		fprintf(stderr, "Pass 4: compilation failed.\n");
		return false;
	}
	tell_pass(s, &clock, 4, cached ? "took the compiled object from the cache" : "compiled C");
	if (s->options->cache != CACHE_OFF && !s->options->fatal_warnings &&
	    !program_reads_modules(&s->program))
		remember_start(s, *ret_object);
	return true;
}

static bool run_all(struct session *s, char **ret_object)
{
	const int last = s->options->last;

	if (!pass_parse(s))
		return false;
	if (last == 1)
		return true;
	if (!pass_resolve(s))
		return false;
	if (last == 2)
		return true;
	if (!pass_translate(s))
		return false;
	return last == 3 || pass_compile(s, ret_object);
}

static void show_object(const struct passes_options *options, const char *object)
{
	if (options->keep)
		fprintf(stderr, "spile: the generated C is %.*s.c\n",
		        (int)(strrchr(object, '.') - object), object);
	if (options->last == 4)
		puts(object);
}

static bool take_short_cut(struct session *s, char **ret_object)
{
	struct pass_clock clock;

	if (s->options->last < 4 || s->options->cache != CACHE_USE || s->options->fatal_warnings)
		return false;
	pass_clock_start(&clock);
	*ret_object = find_known_start(s);
	if (*ret_object)
		tell_pass(s, &clock, 4, "took a known start from the cache");
	return *ret_object != NULL;
}

bool passes_run(const struct passes_options *options, char **ret_object)
{
	struct session s;
	struct error *error = session_init(&s, options);
	bool ok = false;

	*ret_object = NULL;
	if (!error)
		error = read_script(&s);
	if (error)
		tell_error(error);
	else
		ok = take_short_cut(&s, ret_object) || run_all(&s, ret_object);
	if (*ret_object)
		show_object(options, *ret_object);
	session_deinit(&s);
	return ok;
}

/* --- listings --------------------------------------------------------------------------------- */

/* The pattern is what may stand between `probe` and its body: several points, too. */
static const struct probe *parse_pattern(struct session *s, const char *pattern)
{
	const struct script_file *file;
	struct strbuf text;

	strbuf_init(&text);
	strbuf_addf(&text, "probe %s {}", pattern);
	file =
	    script_parse_string(&s->script, "<pattern>", text.data, text.len, &s->parse, &s->diags);
	strbuf_deinit(&text);
	if (!file || !file->items.count || file->items.items[0].kind != ITEM_PROBE)
		return NULL;
	return file->items.items[0].probe;
}

bool passes_list(const struct passes_options *options, const char *pattern, bool variables)
{
	const struct probe *probe = NULL;
	struct session s;
	struct error *error = session_init(&s, options);
	size_t count = 0;

	if (error)
		tell_error(error);
	else
		probe = parse_pattern(&s, pattern);
	if (probe)
		count = probe_points_list(&s.script, probe, &s.resolve, variables, &s.diags, stdout);
	diag_list_print(&s.diags, stderr);
	session_deinit(&s);
	return count != 0;
}

/* --- what there is ---------------------------------------------------------------------------- */

static void dump_probe_types(void)
{
	for (size_t i = 0; probe_families[i]; i++)
		for (size_t j = 0; probe_families[i]->spellings[j]; j++)
			puts(probe_families[i]->spellings[j]);
}

static void dump_names(struct session *s, enum tapset_kind kind, const char *ending)
{
	const char *name, *last = "";

	for (size_t i = 0; (name = tapset_name(s->tapset, kind, i)); i++) {
		if (strcmp(name, last))
			printf("%s%s\n", name, ending);
		last = name;
	}
}

static const char *type_name(enum value_type type)
{
	return type == TYPE_STRING ? ":string" : type == TYPE_LONG ? ":long" : "";
}

static void dump_builtin(const struct builtin *builtin)
{
	printf("%s%s (", builtin->name, type_name(builtin_result_type(builtin)));
	for (size_t i = 0; i < builtin_argc(builtin); i++)
		printf("%sarg%zu%s", i ? ", " : "", i + 1, type_name(builtin_arg_type(builtin, i)));
	puts(")");
}

bool passes_dump(const struct passes_options *options, enum passes_dump what)
{
	struct session s;
	struct error *error = session_init(&s, options);

	if (error) {
		tell_error(error);
	} else if (what == DUMP_PROBE_TYPES) {
		dump_probe_types();
	} else if (what == DUMP_PROBE_ALIASES) {
		dump_names(&s, TAPSET_ALIAS, "");
	} else {
		for (size_t i = 0; i < builtin_count(); i++)
			dump_builtin(builtin_at(i));
		dump_names(&s, TAPSET_FUNCTION, "()");
	}
	session_deinit(&s);
	return !error;
}
