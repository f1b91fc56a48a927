// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pass 3: the frame of the C file. Its parts in order: sizes, globals with their locks, functions,
 * handlers, the table of probes, formats, set-up and clean-up, the script's face, and the reader's
 * section. Handlers whose text came out equal are one: a pattern that expands to 200 functions
 * mostly needs only one.
 */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "codegen/codegen_private.h"

struct file {
	struct gen g;
	struct strbuf out;
	size_t max_function_frame, max_handler_frame;
	struct {
		ARENA_LIST(const char *); /* texts of handlers; the index is in their name */
	} handlers;
	size_t *handler_of; /* by number of probe */
};

/* --- globals ---------------------------------------------------------------------------------- */

/* Probes that never run beside others: they need no lock. */
static bool runs_alone(const struct planted_probe *probe)
{
	return !strcmp(probe->kind, "SPL_PROBE_BEGIN") || !strcmp(probe->kind, "SPL_PROBE_END") ||
	       !strcmp(probe->kind, "SPL_PROBE_ERROR");
}

static bool is_timer(const struct planted_probe *probe)
{
	return !strncmp(probe->kind, "SPL_PROBE_TIMER", strlen("SPL_PROBE_TIMER"));
}

/* A map that is made room in has no place for adders that hold one of its entries. */
static bool can_be_shared(const struct variable *var)
{
	return var->value.type != TYPE_STRING && (!var->is_array || var->key_count) &&
	       !(var->is_array && var->global->wraps);
}

/* A global is shared if some probe that can run beside others only adds to it, and only timers and
 * probes that run alone do more. If it is not, it needs a lock when some handler that runs beside
 * others changes it: what begin has set can be read without. */
static void find_access(struct gen *g, size_t global)
{
	const struct program *program = g->program;
	bool adders = false, timers = false, others = false;

	for (size_t i = 0; i < program->probes.count; i++) {
		const struct planted_probe *probe = program->probes.items[i];
		unsigned uses = probe->body->uses[global];

		if (!uses || runs_alone(probe))
			continue;
		g->locked[global] |= (uses & (USE_CHANGE | USE_SORT)) != 0;
		adders |= uses == USE_ADD;
		timers |= uses != USE_ADD && is_timer(probe);
		others |= uses != USE_ADD && !is_timer(probe);
	}
	if (!adders || others || !can_be_shared(program->globals.items[global]))
		return;
	g->locked[global] = false;
	g->shared[global] = true;
	g->sharing |= timers;
}

static void find_accesses(struct gen *g)
{
	size_t count = g->program->globals.count;

	g->locked = arena_alloc(&g->arena, count + 1);
	g->shared = arena_alloc(&g->arena, count + 1);
	for (size_t i = 0; i < count; i++)
		find_access(g, i);
}

static const char *map_types(struct gen *g, const struct variable *var)
{
	char keys[RESOLVE_KEYS_MAX + 1] = "";

	for (size_t i = 0; i < var->key_count; i++)
		keys[i] = var->keys[i].type == TYPE_STRING ? 's' : 'n';
	return gen_text(g, "%s:%c", keys,
	                var->value.type == TYPE_STRING  ? 's'
	                : var->value.type == TYPE_STATS ? 't'
	                                                : 'n');
}

/* An array that is declared but never indexed has no keys, and no code that touches it. */
static bool is_map(const struct variable *var)
{
	return var->is_array && var->key_count;
}

static void add_map(struct file *f, const struct variable *var)
{
	const int64_t size =
	    var->global->size ? var->global->size : f->g.options->limits.map_entries;

	strbuf_addf(&f->out, "static struct spl_map *g_%s;\n", var->name);
	strbuf_addf(&f->out,
	            "static const struct spl_map_type g_%s_type = { \"%s\", %lld, SIZE, %d, %d, %s%s };\n",
	            var->name, map_types(&f->g, var), (long long)size, var->global->wraps,
	            is_shared(&f->g, var), var->value.type == TYPE_STATS ? "&s_" : "0",
	            var->value.type == TYPE_STATS ? var->name : "");
}

static void add_scalar(struct file *f, const struct variable *var)
{
	const char *type = var->value.type == TYPE_STATS  ? "struct spl_stat"
	                   : var->value.type == TYPE_STRING ? "char"
	                   : is_shared(&f->g, var)          ? "struct spl_tally"
	                                                    : "spl_s64";

	strbuf_addf(&f->out, "static %s g_%s%s;\n", type, var->name,
	            var->value.type == TYPE_STRING ? "[SIZE]" : "");
}

static void add_globals(struct file *f)
{
	const struct program *program = f->g.program;

	for (size_t i = 0; i < program->globals.count; i++) {
		const struct variable *var = program->globals.items[i];

		if (var->value.type == TYPE_STATS)
			strbuf_adds(&f->out, gen_stat_type(&f->g, var));
		if (is_map(var))
			add_map(f, var);
		else
			add_scalar(f, var);
		if (f->g.locked[i])
			strbuf_addf(&f->out, "static struct spl_lock k_%s;\n", var->name);
	}
}

static void add_init_global(struct file *f, const struct variable *var)
{
	struct gen *g = &f->g;
	const struct expr *value = var->global->value;

	g->out = &f->out;
	g->indent = 1;
	if (is_map(var)) {
		gen_line(g, "g_%s = spl_map_create(&g_%s_type);", var->name, var->name);
		gen_line(g, "if (!g_%s) goto no_memory;", var->name);
	} else if (var->value.type == TYPE_STATS) {
		gen_line(g, "if (spl_stat_init(&g_%s, &s_%s)) goto no_memory;", var->name, var->name);
	} else if (is_shared(g, var)) {
		gen_line(g, "if (spl_tally_init(&g_%s, (spl_s64)%lluULL)) goto no_memory;", var->name,
		         value ? (unsigned long long)value->number : 0ULL);
	} else if (var->value.type == TYPE_STRING) {
		gen_store(g, var,
		          value ? gen_literal(g, value->string.data, strlen(value->string.data))
		                : "\"\"");
	} else {
		gen_line(g, "g_%s = (spl_s64)%lluULL;", var->name,
		         value ? (unsigned long long)value->number : 0ULL);
	}
}

/* Whether a global takes memory that set-up allocates. */
static bool is_allocated(const struct file *f, const struct variable *var)
{
	return is_map(var) || var->value.type == TYPE_STATS || is_shared(&f->g, var);
}

static void add_fini_global(struct file *f, const struct variable *var)
{
	if (is_map(var))
		strbuf_addf(&f->out, "\tspl_map_destroy(g_%s);\n\tg_%s = 0;\n", var->name,
		            var->name);
	else if (is_allocated(f, var))
		strbuf_addf(&f->out, "\tspl_%s_deinit(&g_%s);\n",
		            var->value.type == TYPE_STATS ? "stat" : "tally", var->name);
}

static void add_setup(struct file *f)
{
	const struct program *program = f->g.program;
	bool allocates = false;

	strbuf_adds(&f->out, "static void script_fini(struct spl_script *script)\n{\n");
	for (size_t i = program->globals.count; i-- > 0;)
		add_fini_global(f, program->globals.items[i]);
	strbuf_adds(&f->out, "}\nstatic int script_init(struct spl_script *script)\n{\n");
	for (size_t i = 0; i < program->globals.count; i++) {
		allocates |= is_allocated(f, program->globals.items[i]);
		add_init_global(f, program->globals.items[i]);
	}
	strbuf_adds(&f->out, "\treturn 0;\n");
	if (allocates)
		strbuf_adds(&f->out, "no_memory:\n\tscript_fini(script);\n\treturn -12;\n");
	strbuf_adds(&f->out, "}\n");
}

/* --- functions and handlers ------------------------------------------------------------------- */

static void add_functions(struct file *f)
{
	const struct program *program = f->g.program;
	size_t frame;

	for (size_t i = 0; i < program->functions.count; i++)
		if (program->functions.items[i]->used)
			strbuf_addf(&f->out, "%s;\n",
			            gen_function_declaration(&f->g, program->functions.items[i]));
	for (size_t i = 0; i < program->functions.count; i++) {
		if (!program->functions.items[i]->used)
			continue;
		strbuf_adds(&f->out,
		            gen_function_definition(&f->g, program->functions.items[i], &frame));
		if (frame > f->max_function_frame)
			f->max_function_frame = frame;
	}
}

static size_t intern_handler(struct file *f, const char *text)
{
	for (size_t i = 0; i < f->handlers.count; i++)
		if (!strcmp(f->handlers.items[i], text))
			return i;
	ARENA_APPEND(&f->g.arena, &f->handlers, text);
	strbuf_addf(&f->out, "static void probe_%zu%s", f->handlers.count - 1, text);
	return f->handlers.count - 1;
}

static void add_handlers(struct file *f)
{
	const struct program *program = f->g.program;
	size_t frame;

	f->handler_of = arena_alloc(&f->g.arena, (program->probes.count + 1) * sizeof(size_t));
	for (size_t i = 0; i < program->probes.count; i++) {
		const struct body *body = program->probes.items[i]->body;

		if (i && program->probes.items[i - 1]->body == body) {
			f->handler_of[i] = f->handler_of[i - 1];
			continue;
		}
		f->handler_of[i] = intern_handler(f, gen_handler(&f->g, body, &frame));
		if (frame > f->max_handler_frame)
			f->max_handler_frame = frame;
	}
}

/* The longest chain of calls that begins with a function; SIZE_MAX if it comes back to itself. */
static size_t chain_length(struct function_info *info)
{
	size_t longest = 0;

	if (info->visiting)
		return SIZE_MAX;
	if (info->depth)
		return info->depth;
	info->visiting = true;
	for (size_t i = 0; i < info->body.callees.count && longest != SIZE_MAX; i++) {
		size_t length = chain_length(info->body.callees.items[i]);

		if (length > longest)
			longest = length;
	}
	info->visiting = false;
	info->depth = longest == SIZE_MAX ? SIZE_MAX : longest + 1;
	return info->depth;
}

size_t codegen_call_depth(const struct program *program, const struct codegen_limits *limits)
{
	size_t depth = 0;

	for (size_t i = 0; i < program->functions.count; i++) {
		size_t length = program->functions.items[i]->used
		                    ? chain_length(program->functions.items[i])
		                    : 0;

		if (length > depth)
			depth = length;
	}
	return depth < (size_t)limits->nesting ? depth : (size_t)limits->nesting;
}

static size_t frame_size(const struct file *f)
{
	return f->max_handler_frame +
	       f->max_function_frame * codegen_call_depth(f->g.program, &f->g.options->limits);
}

/* --- tables ----------------------------------------------------------------------------------- */

/* What the fitter binds: fit.h. */
static const char *bound_name(struct gen *g, const char *module, const char *symbol, unsigned nth)
{
	return gen_text(g, "kaddr_%s%s%s%s", module ? module : "", module ? "__in__" : "", symbol,
	                nth ? gen_text(g, "__%u", nth) : "");
}

/* kaddr_vfs_read for plain names; kaddr_x.isra.0 needs a C name of its own. */
static const char *c_name(struct gen *g, const char *bound)
{
	char *name = arena_strdup(&g->arena, bound);

	for (char *p = name; *p; p++)
		if (*p == '.')
			*p = '$';
	return name;
}

struct named_symbol {
	const char *name;
	UT_hash_handle hh;
};

/* True for the first time that a name is asked for. */
static bool is_new_symbol(struct gen *g, struct named_symbol **seen, const char *name)
{
	struct named_symbol *entry;

	HASH_FIND_STR(*seen, name, entry);
	if (entry)
		return false;
	entry = ARENA_NEW(&g->arena, struct named_symbol);
	entry->name = name;
	HASH_ADD_KEYPTR(hh, *seen, name, strlen(name), entry);
	return true;
}

static void add_address(struct file *f, struct named_symbol **seen, const char *bound)
{
	if (!is_new_symbol(&f->g, seen, bound))
		return;
	strbuf_addf(&f->out, "extern char %s[]", c_name(&f->g, bound));
	if (strchr(bound, '.'))
		strbuf_addf(&f->out, " __asm__(\"%s\")", bound);
	strbuf_adds(&f->out, ";\n");
}

static void add_addresses(struct file *f)
{
	const struct program *program = f->g.program;
	struct named_symbol *seen = NULL;

	for (size_t i = 0; i < program->probes.count; i++) {
		const struct planted_probe *p = program->probes.items[i];

		if (p->symbol)
			add_address(f, &seen, bound_name(&f->g, p->module, p->symbol, p->nth));
		if (p->called_from)
			add_address(f, &seen,
			            bound_name(&f->g, p->module, p->called_from->symbol,
			                       p->called_from->nth));
	}
	HASH_CLEAR(hh, seen);
}

static const char *probe_flags(const struct planted_probe *probe)
{
	if (probe->randomize)
		return "SPL_PROBE_RANDOMIZE";
	return probe->called_from ? "SPL_PROBE_CALLED_FROM" : "0";
}

static const char *address(struct gen *g, const char *bound, uint64_t offset)
{
	return gen_text(g, offset ? "(spl_u64)%s + 0x%llx" : "(spl_u64)%s", c_name(g, bound),
	                (unsigned long long)offset);
}

/* Without a symbol the offset is the address; probes that are at no place have neither. */
static const char *probe_address(struct gen *g, const struct planted_probe *probe)
{
	if (probe->symbol)
		return address(g, bound_name(g, probe->module, probe->symbol, probe->nth),
		               probe->offset);
	return probe->offset ? gen_text(g, "0x%llxULL", (unsigned long long)probe->offset) : "0";
}

static const char *second_parameter(struct gen *g, const struct planted_probe *probe)
{
	const struct call_return *from = probe->called_from;

	if (from)
		return address(g, bound_name(g, probe->module, from->symbol, from->nth), from->offset);
	return gen_text(g, "%lld", (long long)probe->param2);
}

static void add_probe(struct file *f, const struct planted_probe *probe, size_t index)
{
	const char *pn = probe->alias ? probe->alias : probe->pp;
	struct gen *g = &f->g;

	strbuf_addf(&f->out, "\t{ %s, %s, %s, (spl_u64)%lldLL, %s, %s_%zu, %s, %s, %zu, %zu, %s, %u },\n",
	            probe->kind, probe_flags(probe), probe_address(g, probe),
	            (long long)probe->param, second_parameter(g, probe),
	            g->options->timing ? "timed" : "probe", f->handler_of[index],
	            gen_literal(g, probe->pp, strlen(probe->pp)),
	            gen_literal(g, probe->func, strlen(probe->func)), index, probe->source,
	            gen_literal(g, pn, strlen(pn)), probe->is_return ? probe->body->entry_args : 0);
}

static void add_tables(struct file *f)
{
	const struct program *program = f->g.program;

	strbuf_adds(&f->out, "static const struct spl_probe probes[] = {\n");
	for (size_t i = 0; i < program->probes.count; i++)
		add_probe(f, program->probes.items[i], i);
	strbuf_adds(&f->out, "};\nstatic const struct spl_format formats[] = {\n");
	for (size_t i = 0; i < f->g.formats.count; i++)
		strbuf_addf(&f->out, "\t{ %s, \"%s\" },\n",
		            gen_literal(&f->g, f->g.formats.items[i].text,
		                        strlen(f->g.formats.items[i].text)),
		            f->g.formats.items[i].types);
	strbuf_adds(&f->out, "\t{ 0, 0 },\n};\n");
}

static void add_face(struct file *f)
{
	const struct codegen_limits *limits = &f->g.options->limits;

	strbuf_adds(&f->out, "struct spl_script spl_script = {\n\t.abi = SPL_ABI,\n");
	strbuf_addf(&f->out, "\t.nprobes = %zu, .probes = probes,\n", f->g.program->probes.count);
	strbuf_addf(&f->out, "\t.nformats = %zu, .formats = formats,\n", f->g.formats.count);
	strbuf_adds(&f->out, "\t.string_size = SIZE, .name = SPILE_SCRIPT_NAME,\n");
	strbuf_addf(&f->out, "\t.max_action = %lldLL, .max_action_interruptible = %lldLL,\n",
	            (long long)limits->action, (long long)codegen_limits_interruptible(limits));
	strbuf_addf(&f->out, "\t.max_nesting = %lld, .max_errors = %lld, .max_skipped = %lld,\n",
	            (long long)limits->nesting, (long long)limits->errors,
	            (long long)limits->skipped);
	strbuf_addf(&f->out, "\t.bears_errors = %d,\n", f->g.options->bears_errors);
	strbuf_addf(&f->out, "\t.frame_size = %zu%s%s, .init = script_init, .fini = script_fini,\n};\n",
	            frame_size(f), f->g.program->has_embedded ? " + SPL_C_PRINT_FRAME" : "",
	            gen_regex_frame(&f->g));
	strbuf_adds(&f->out,
	            "#ifdef SPILE_MODULE\n"
	            "int init_module(void);\n"
	            "void cleanup_module(void);\n"
	            "int init_module(void) { return spile_script_register(&spl_script); }\n"
	            "void cleanup_module(void) { spile_script_unregister(&spl_script); }\n"
	            "#endif\n");
}

char *codegen_program(const struct program *program, const struct codegen_options *options)
{
	struct file f = {.g = {.program = program, .options = options}};

	arena_init(&f.g.arena);
	strbuf_init(&f.out);
	find_accesses(&f.g);
	strbuf_addf(&f.out, "#define SIZE %lld\n", (long long)options->limits.string_size);
	strbuf_adds(&f.out, "#define S(n) (f + (n) * ((SIZE + 7) & ~7))\n");
	add_addresses(&f);
	add_globals(&f);
	gen_regexes(&f.g, &f.out);
	f.g.out = &f.out;
	gen_embedded_top(&f.g);
	if (options->timing)
		gen_timing_recorder(&f.g);
	add_functions(&f);
	add_handlers(&f);
	f.g.out = &f.out;
	for (size_t i = 0; options->timing && i < f.handlers.count; i++)
		gen_timing_handler(&f.g, i);
	add_tables(&f);
	if (options->timing)
		gen_timing_report(&f.g);
	add_setup(&f);
	add_face(&f);
	gen_meta(&f.g, &f.out);
	arena_deinit(&f.g.arena);
	return strbuf_steal(&f.out);
}
