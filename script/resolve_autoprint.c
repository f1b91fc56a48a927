// SPDX-License-Identifier: GPL-2.0-only
/*
 * Globals that the script only writes are printed when it ends, as stap does:
 *
 *	count=0x2a
 *	name="bash"
 *	reads["cat",0x1]=0x7        largest value first
 *	times @count=0x5 @min=0x1 @max=0x5 @sum=0xf @avg=0x3
 *
 * For each such global a probe is written in the language itself and resolved like any other.
 */
#include <string.h>

#include "base/strbuf.h"
#include "script/parse.h"
#include "script/resolve_private.h"

static const char *conversion(enum value_type type)
{
	return type == TYPE_STRING ? "\\\"%s\\\"" : "%#x";
}

static const char *const extractors[] = { "count", "min", "max", "sum", "avg" };
enum { EXTRACTORS = sizeof(extractors) / sizeof(extractors[0]) };

/* What follows the name, or the keys, in the format. */
static void add_value_format(struct strbuf *text, const struct variable *var)
{
	if (var->value.type != TYPE_STATS)
		strbuf_addf(text, "=%s", conversion(var->value.type));
	for (size_t i = 0; var->value.type == TYPE_STATS && i < EXTRACTORS; i++)
		strbuf_addf(text, " @%s=%%#x", extractors[i]);
	strbuf_adds(text, "\\n\"");
}

/* The values, of which `place` is where they are. */
static void add_values(struct strbuf *text, const struct variable *var, const char *place)
{
	if (var->value.type != TYPE_STATS)
		strbuf_addf(text, ", %s", place);
	for (size_t i = 0; var->value.type == TYPE_STATS && i < EXTRACTORS; i++)
		strbuf_addf(text, ", @%s(%s)", extractors[i], place);
	strbuf_adds(text, ")");
}

static void add_keys(struct strbuf *text, const struct variable *var)
{
	for (size_t i = 0; i < var->key_count; i++)
		strbuf_addf(text, "%sk%zu_%zu", i ? ", " : "", var->number, i);
}

static void add_array(struct strbuf *text, const struct variable *var)
{
	struct strbuf place;

	strbuf_init(&place);
	strbuf_addf(&place, "%s[", var->name);
	add_keys(&place, var);
	strbuf_adds(&place, "]");
	strbuf_adds(text, "foreach ([");
	add_keys(text, var);
	strbuf_addf(text, "] in %s-) printf(\"%s[", var->name, var->name);
	for (size_t i = 0; i < var->key_count; i++)
		strbuf_addf(text, "%s%s", i ? "," : "", conversion(var->keys[i].type));
	strbuf_addc(text, ']');
	add_value_format(text, var);
	strbuf_adds(text, ", ");
	add_keys(text, var);
	add_values(text, var, place.data);
	strbuf_deinit(&place);
}

/* An empty statistic has no minimum: nothing is printed of it. */
static void add_scalar(struct strbuf *text, const struct variable *var)
{
	if (var->value.type == TYPE_STATS)
		strbuf_addf(text, "if (@count(%s)) ", var->name);
	strbuf_addf(text, "printf(\"%s", var->name);
	add_value_format(text, var);
	add_values(text, var, var->name);
}

static bool wants_print(const struct variable *var)
{
	return var->written && !var->read && !var->global->file->is_tapset;
}

/* The last of all end probes; also when errors ended the session. */
static bool write_probe(const struct program *program, struct strbuf *text)
{
	bool any = false;

	strbuf_adds(text, "probe end(9223372036854775807), error(9223372036854775807) {\n");
	for (size_t i = 0; i < program->globals.count; i++) {
		const struct variable *var = program->globals.items[i];

		if (!wants_print(var))
			continue;
		any = true;
		if (var->is_array)
			add_array(text, var);
		else
			add_scalar(text, var);
		strbuf_addc(text, '\n');
	}
	strbuf_addc(text, '}');
	return any;
}

bool resolve_autoprint(struct resolver *r)
{
	const struct parse_options options = {0};
	struct script_file *file;
	struct strbuf text;
	bool any;

	strbuf_init(&text);
	any = write_probe(r->program, &text);
	if (any) {
		file = script_parse_string(r->script, "<globals at the end>", text.data, text.len,
		                           &options, r->diags);
		r->source = r->program->sources++;
		r->sees_private = true;
		resolve_probe(r, file->items.items[0].probe);
	}
	strbuf_deinit(&text);
	return any;
}

void resolve_timing(struct resolver *r)
{
	static const char text[] =
	    "probe end(9223372036854775807), error(9223372036854775807) {\n"
	    "%{ /* pure */ timing_report(CONTEXT); %} }";
	const struct parse_options options = {.tapset = true};
	struct script_file *file = script_parse_string(r->script, "<times at the end>", text,
	                                               sizeof(text) - 1, &options, r->diags);

	r->source = r->program->sources++;
	resolve_probe(r, file->items.items[0].probe);
}
