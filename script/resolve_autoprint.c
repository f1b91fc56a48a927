// SPDX-License-Identifier: GPL-2.0-only
/*
 * Globals that the script only writes are printed when it ends, as stap does:
 *
 *	count=0x2a
 *	name="bash"
 *	reads["cat",0x1]=0x7        largest value first
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

static void add_array(struct strbuf *text, const struct variable *var)
{
	strbuf_adds(text, "foreach ([");
	for (size_t i = 0; i < var->key_count; i++)
		strbuf_addf(text, "%sk%zu_%zu", i ? ", " : "", var->number, i);
	strbuf_addf(text, "] in %s-) printf(\"%s[", var->name, var->name);
	for (size_t i = 0; i < var->key_count; i++)
		strbuf_addf(text, "%s%s", i ? "," : "", conversion(var->keys[i].type));
	strbuf_addf(text, "]=%s\\n\"", conversion(var->value.type));
	for (size_t i = 0; i < var->key_count; i++)
		strbuf_addf(text, ", k%zu_%zu", var->number, i);
	strbuf_addf(text, ", %s[", var->name);
	for (size_t i = 0; i < var->key_count; i++)
		strbuf_addf(text, "%sk%zu_%zu", i ? ", " : "", var->number, i);
	strbuf_adds(text, "])");
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
			strbuf_addf(text, "printf(\"%s=%s\\n\", %s)", var->name,
			            conversion(var->value.type), var->name);
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
