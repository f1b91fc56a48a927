// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe points to planted probes. A point is an alias (resolve_alias.c), or it belongs to a family,
 * which says at which places it is planted. Each planted probe then gets its body.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "script/families/family.h"
#include "script/walk.h"

/* --- text ------------------------------------------------------------------------------------- */

static void add_component(struct strbuf *sb, const struct component *c)
{
	strbuf_adds(sb, c->name);
	if (c->arg && c->arg->kind == EXPR_STRING)
		strbuf_addf(sb, "(\"%s\")", c->arg->string.data);
	else if (c->arg && c->arg->kind == EXPR_NUMBER)
		strbuf_addf(sb, "(%lld)", (long long)c->arg->number);
}

const char *probe_point_text(struct arena *arena, const struct probe_point *point)
{
	struct strbuf sb;
	const char *text;

	strbuf_init(&sb);
	for (size_t i = 0; i < point->components.count; i++) {
		if (i)
			strbuf_addc(&sb, '.');
		add_component(&sb, &point->components.items[i]);
	}
	text = arena_strdup(arena, sb.data ? sb.data : "");
	strbuf_deinit(&sb);
	return text;
}

const char *probe_point_names(struct arena *arena, const struct probe_point *point, size_t count)
{
	const char *text = "";

	for (size_t i = 0; i < point->components.count && i < count; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? "." : "",
		                    point->components.items[i].name);
	return text;
}

/* --- planted probes --------------------------------------------------------------------------- */

struct planted_probe *resolver_plant(struct resolver *r, const struct probe_point *point)
{
	struct planted_probe *planted = ARENA_NEW(r->arena, struct planted_probe);

	planted->tok = r->written->tok;
	planted->pp = probe_point_text(r->arena, point);
	planted->origin = probe_point_text(r->arena, r->written);
	planted->func = "";
	planted->source = r->source;
	ARENA_APPEND(r->arena, &r->program->probes, planted);
	return planted;
}

/* The body's tree is copied, since binding it writes into its nodes; a body whose meaning does
 * not depend on the place is bound once and shared. */
static void attach_body(struct resolver *r, struct planted_probe *planted, struct stmt *stmt)
{
	struct body *body;

	if (r->shared && r->shared_stmt == stmt) {
		planted->body = r->shared;
		return;
	}
	body = ARENA_NEW(r->arena, struct body);
	body->stmt = stmt_clone(r->arena, stmt);
	planted->body = body;
	resolve_entries(r, planted);
	r->place = planted;
	resolve_names(r, body, NULL);
	r->place = NULL;
	resolve_targets(r, body, planted);
	if (!body->wants_place) {
		r->shared = body;
		r->shared_stmt = stmt;
	}
}

/* `never` and its like are checked and then forgotten. */
static void drop_unplanted(struct program *program, size_t first)
{
	size_t kept = first;

	for (size_t i = first; i < program->probes.count; i++)
		if (program->probes.items[i]->kind)
			program->probes.items[kept++] = program->probes.items[i];
	program->probes.count = kept;
}

static bool expand_family(struct resolver *r, const struct probe_family *family,
                          const struct probe_point *point, struct stmt *stmt)
{
	struct diag_list quiet, *loud = r->diags;
	bool optional = point->optional || point->sufficient;
	size_t first = r->program->probes.count, errors, made;

	diag_list_init(&quiet);
	if (optional)
		r->diags = &quiet;
	family->expand(r, point);
	r->diags = loud;
	diag_list_deinit(&quiet);
	made = r->program->probes.count - first;
	errors = diag_error_count(r->diags);
	for (size_t i = first; i < first + made; i++) {
		r->program->probes.items[i]->family = family;
		if (!r->listing && diag_error_count(r->diags) == errors) /* one place's errors are enough */
			attach_body(r, r->program->probes.items[i], stmt);
	}
	drop_unplanted(r->program, first);
	return made != 0;
}

/* --- points ----------------------------------------------------------------------------------- */

static const char *nearest_point(struct resolver *r, const char *text)
{
	struct {
		ARENA_LIST(const char *);
	} names = {0};

	for (size_t i = 0; probe_families[i]; i++)
		for (size_t j = 0; probe_families[i]->spellings[j]; j++)
			ARENA_APPEND(r->arena, &names, probe_families[i]->spellings[j]);
	for (size_t i = 0; i < r->aliases.count; i++)
		for (size_t j = 0; j < r->aliases.items[i]->names.count; j++)
			ARENA_APPEND(
			    r->arena, &names,
			    probe_point_text(r->arena, r->aliases.items[i]->names.items[j]));
	return diag_nearest(text, names.items, names.count);
}

static bool component_is_one_of(const struct component *component, const char *const *words)
{
	while (*words && !component_is(component, *words))
		words++;
	return *words != NULL;
}

/* Families of the language that later versions will plant. After `kernel` it takes one of their
 * words too, so that a misspelt `function` is not taken for one of them. */
static bool is_known_elsewhere(const struct probe_point *point)
{
	static const char *const words[] = {
	    "module",    "process", "syscall",    "nd_syscall", "perf",       "procfs",
	    "netfilter", "python2", "python3",    "java",       "vm",         "scheduler",
	    "vfs",       "ioblock", "socket",     "tcp",        "udp",        "signal",
	    "kprocess",  "tty",     "netdev",     "memory",     "softirq",    "irq_handler",
	    "workqueue", "kprobe",  "tracepoint", "swevent",    "debuginfod", "stap",
	    NULL};
	static const char *const kernel_words[] = {"statement", "trace", "data", "mark", NULL};
	const struct component *first = point_component(point, 0);

	if (component_is(first, "kernel"))
		return component_is_one_of(point_component(point, 1), kernel_words);
	return component_is_one_of(first, words);
}

static bool tell_unknown_point(struct resolver *r, const struct probe_point *point)
{
	const char *text = probe_point_text(r->arena, point), *near = NULL;

	if (point->optional || point->sufficient)
		return false;
	if (is_known_elsewhere(point)) {
		resolver_unsupported(r, point->tok, "probe point %s", text);
		return false;
	}
	for (size_t count = point->components.count; count && !near; count--)
		near = nearest_point(r, probe_point_names(r->arena, point, count));
	diag_add(r->diags, point->tok, UNKNOWN_PROBE_POINT, text);
	if (near)
		diag_hint(r->diags, "did you mean '%s'?", near);
	return false;
}

/* probe X if (cond): the handler leaves at once while the condition does not hold. */
static struct stmt *with_condition(struct resolver *r, const struct probe_point *point,
                                   struct stmt *stmt)
{
	struct stmt *branch, *next;
	struct expr *negated;

	if (!point->condition)
		return stmt;
	negated = ARENA_NEW(r->arena, struct expr);
	negated->kind = EXPR_UNARY;
	negated->tok = point->condition->tok;
	negated->unary.op = OP_NOT;
	negated->unary.operand = point->condition;
	next = ARENA_NEW(r->arena, struct stmt);
	next->kind = STMT_NEXT;
	next->tok = negated->tok;
	branch = ARENA_NEW(r->arena, struct stmt);
	branch->kind = STMT_IF;
	branch->tok = negated->tok;
	branch->branch.cond = negated;
	branch->branch.then = next;
	return stmt_join(r, branch, stmt);
}

/* The script's aliases first, so that they can stand for anything; the library's last, so that its
 * index is not needed for the kinds of points that are built in. */
bool resolve_point(struct resolver *r, const struct probe_point *point, struct stmt *stmt)
{
	const struct probe_family *family = probe_family_find(point);
	bool any;

	stmt = with_condition(r, point, stmt);
	if (resolve_alias(r, point, stmt, &any))
		return any;
	if (family)
		return expand_family(r, family, point, stmt);
	if (resolve_library_alias(r, point, stmt, &any))
		return any;
	return tell_unknown_point(r, point);
}

void resolve_probe(struct resolver *r, struct probe *probe)
{
	struct stmt *body = resolve_probewrites(r, probe->body, probe->body);

	for (size_t i = 0; i < probe->points.count; i++) {
		r->written = probe->points.items[i];
		if (resolve_point(r, r->written, body) && r->written->sufficient)
			break;
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* One line, unless the same one was printed before: copies of a function that are inlined in many
 * places differ in addresses only. `seen` is a tree of <search.h>. */
static bool print_once(struct resolver *r, const char *line, void **seen, FILE *out)
{
	char *kept = arena_strdup(r->arena, line), **node = tsearch(kept, seen, compare_lines);

	if (!node)
		abort();
	if (*node != kept)
		return false;
	fprintf(out, "%s\n", line);
	return true;
}

static void forget_nothing(void *line)
{
}

size_t probe_point_list(struct resolver *r, const struct probe_point *pattern, bool variables,
                        FILE *out)
{
	struct stmt empty = {.kind = STMT_BLOCK, .tok = pattern->tok};
	size_t first = r->program->probes.count, lines = 0;
	const char *last = NULL;
	void *seen = NULL;

	r->listing = true;
	r->written = pattern;
	resolve_point(r, pattern, &empty);
	for (size_t i = first; i < r->program->probes.count; i++) {
		const struct planted_probe *planted = r->program->probes.items[i];
		_cleanup_free_ char *line = NULL;
		size_t size;
		FILE *text;

		if (planted->alias && planted->alias == last)
			continue; /* an alias is one line, whatever it stands for */
		last = planted->alias;
		text = open_memstream(&line, &size);
		if (!text)
			abort();
		fputs(planted->alias ? planted->alias : planted->pp, text);
		if (variables && planted->family->list_variables)
			planted->family->list_variables(r, planted, text);
		fclose(text);
		lines += print_once(r, line, &seen, out);
	}
	tdestroy(seen, forget_nothing);
	return lines;
}
