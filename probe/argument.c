// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe/argument.c - "[NAME=]VARIABLE[.member|->member|[N]]...[:TYPE][@user]" as an event line has it.
 *
 * An event line reads registers and memory by fixed steps: a register, or memory at a register plus an
 * offset, any number of times. A variable whose location is more than that (computed, in pieces, a
 * value of the function's entry) cannot be written so and is refused; scripts can read it.
 *
 * What begins with %, @, $, + or \\ is the event line's own language and is passed on, but for $vars
 * and $params, which stand for all variables, or the function's parameters, that can be written.
 */
#include "symbols/variables.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "probe/argument.h"

/* --- where a variable is ------------------------------------------------------------------------------ */

/* tracefs's names: ax, r8. */
static const char *event_register(unsigned reg)
{
	const char *name = location_register_name(reg);

	return *name == 'r' && !isdigit((unsigned char)name[1]) ? name + 1 : name;
}

static struct error *cannot_write(const char *name, const struct location *loc)
{
	struct strbuf sb;
	struct error *error;

	strbuf_init(&sb);
	location_print(loc, &sb);
	error = error_create(EOPNOTSUPP, "%s: an event line cannot say where it is: %s", name,
	                     sb.data);
	strbuf_deinit(&sb);
	return error;
}

/* Register plus offset, or a fixed address. */
static bool base_and_offset(const struct location *loc, const struct location_piece *piece,
                            char *base, size_t size, int64_t *offset)
{
	const struct location_op *op = &loc->ops[piece->first], *end = op + piece->count;

	*offset = 0;
	if (op == end)
		return false;
	if (op->op == LOC_REGISTER)
		snprintf(base, size, "%%%s", event_register(op->arg));
	else if (op->op == LOC_ADDRESS && piece->count == 1)
		snprintf(base, size, "@0x%llx", (unsigned long long)op->arg);
	else
		return false;
	for (op++; op < end; op += 2) {
		if (end - op < 2 || op[0].op != LOC_CONST || op[1].op != LOC_ADD)
			return false;
		*offset += op[0].arg;
	}
	return true;
}

/* The text of what holds the variable; `memory` tells whether that is its address's place. */
static struct error *fetch_base(const char *name, const struct location *loc, char **ret,
                                bool *memory, int64_t *offset)
{
	const struct location_piece *piece = &loc->pieces[0];
	char base[64];

	*memory = false;
	*offset = 0;
	if (loc->piece_count != 1 || loc->uses_entry)
		return cannot_write(name, loc);
	if (piece->kind == PIECE_REGISTER && piece->reg <= 16) {
		snprintf(base, sizeof(base), "%%%s", event_register(piece->reg));
	} else if (piece->kind == PIECE_MEMORY &&
	           base_and_offset(loc, piece, base, sizeof(base), offset)) {
		*memory = true;
	} else if (piece->kind == PIECE_VALUE && piece->count == 1 &&
	           loc->ops[piece->first].op == LOC_CONST) {
		snprintf(base, sizeof(base), "\\%lld", (long long)loc->ops[piece->first].arg);
	} else {
		return cannot_write(name, loc);
	}
	*ret = strdup(base);
	return NULL;
}

/* --- the steps from there ----------------------------------------------------------------------------- */

struct fetch {
	char *text;
	bool memory;    /* text is an address's holder: the value is one read away */
	bool in_user;   /* that memory is the process's: a pointer of the kernel's led there */
	bool user;      /* pointers lead there: @user */
	int64_t offset;
	struct dwarf_type type;
};

/* Wraps the text in a read: "+16(%di)"; a fixed address reads by itself. */
static void wrap(struct fetch *f)
{
	char *wrapped;

	if (*f->text == '@' && !f->offset)
		return;
	if (asprintf(&wrapped, "%c%s%lld(%s)", f->offset < 0 ? '-' : '+', f->in_user ? "u" : "",
	             llabs((long long)f->offset), f->text) < 0)
		abort();
	free(f->text);
	f->text = wrapped;
}

/* What the pointer that was fetched so far points to. */
static void follow(struct fetch *f, int64_t offset, struct dwarf_type target)
{
	if (f->memory)
		wrap(f);
	f->memory = true;
	f->in_user = f->user;
	f->offset = offset;
	f->type = target;
}

/* One "->member" or ".member". */
static struct error *fetch_member(struct fetch *f, bool arrow, const char *name)
{
	struct dwarf_type bare = dwarf_type_strip(f->type);
	struct type_member member;
	struct error *error;

	if (arrow != (dwarf_type_kind(bare) == TYPE_POINTER))
		return error_create(EINVAL, "%s%s: %s", arrow ? "->" : ".", name,
		                    arrow ? "what is left of it is no pointer"
		                          : "what is left of it is a pointer, use ->");
	if (arrow) {
		bare = dwarf_type_strip(dwarf_type_target(bare));
		follow(f, 0, bare);
	}
	error = dwarf_type_find_member(bare, name, &member);
	if (error)
		return error;
	if (!f->memory || member.bit_size)
		return error_create(EOPNOTSUPP, "%s: bit-fields and structures in registers cannot "
		                                "be written in an event line",
		                    name);
	f->offset += member.bit_offset / 8;
	f->type = member.type;
	return NULL;
}

/* One "[N]". */
static struct error *fetch_element(struct fetch *f, const char *text)
{
	struct dwarf_type bare = dwarf_type_strip(f->type), element;
	enum type_kind kind = dwarf_type_kind(bare);
	char *end;
	long n = strtol(text + 1, &end, 0);
	int64_t size;

	if (end == text + 1 || *end != ']')
		return error_create(EINVAL, "%s: in brackets stands a number", text);
	if (kind != TYPE_POINTER && (kind != TYPE_ARRAY || !f->memory))
		return error_create(EINVAL, "%.*s: what is left of it is no array in memory and no pointer",
		                    (int)(end + 1 - text), text);
	element = dwarf_type_target(bare);
	size = dwarf_type_size(element);
	if (size <= 0)
		return error_create(EINVAL, "%s: the size of an element is not known", text);
	if (kind == TYPE_POINTER)
		follow(f, n * size, element);
	else
		f->offset += n * size, f->type = element;
	return NULL;
}

static struct error *fetch_path(struct fetch *f, char *path)
{
	struct error *error = NULL;

	while (*path && !error) {
		bool arrow = !strncmp(path, "->", 2);
		char *name = path + (arrow ? 2 : 1), *end = name + strcspn(name, ".-["), keep = *end;

		*end = '\0';
		error = *path == '[' ? fetch_element(f, path) : fetch_member(f, arrow, name);
		*end = keep;
		path = end;
	}
	return error;
}

/* --- types --------------------------------------------------------------------------------------------- */

static const char *type_suffix(struct dwarf_type type, char letter)
{
	static const char *const with_sign[] = {"s8", "s16", "s32", "s64"};
	static const char *const without[] = {"u8", "u16", "u32", "u64"};
	static const char *const bits[] = {"x8", "x16", "x32", "x64"};
	enum type_kind kind = dwarf_type_kind(dwarf_type_strip(type));
	int64_t size = dwarf_type_size(type);
	int i = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : size == 8 ? 3 : -1;

	if (i < 0 || kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_ARRAY)
		return NULL;
	if (letter)
		return letter == 's' ? with_sign[i] : letter == 'u' ? without[i] : bits[i];
	if (kind == TYPE_POINTER || kind == TYPE_FLOAT)
		return bits[i];
	return dwarf_type_is_signed(type) ? with_sign[i] : without[i];
}

/* A string is read from its first character's address. */
static struct error *make_string(struct fetch *f, const char *argument)
{
	struct dwarf_type bare = dwarf_type_strip(f->type), letter;
	enum type_kind kind = dwarf_type_kind(bare);

	if (kind == TYPE_POINTER || kind == TYPE_ARRAY)
		letter = dwarf_type_strip(dwarf_type_target(bare));
	if ((kind != TYPE_POINTER && kind != TYPE_ARRAY) || dwarf_type_size(letter) != 1)
		return error_create(EINVAL, "%s: a string is an array of characters or points to one",
		                    argument);
	if (kind == TYPE_POINTER)
		follow(f, 0, letter);
	return NULL;
}

/* Ends the fetch with the type that was asked for (NULL: the variable's own). */
static struct error *finish(struct fetch *f, const char *argument, const char *type, const char **ret)
{
	struct error *error;

	*ret = type;
	if (type && (!strcmp(type, "string") || !strcmp(type, "ustring"))) {
		error = make_string(f, argument);
		if (error)
			return error;
	} else if (!type || (strchr("sux", *type) && !type[1])) {
		*ret = type_suffix(f->type, type ? *type : '\0');
		if (!*ret)
			return error_create(EOPNOTSUPP, "%s is a structure or an array: name a member",
			                    argument);
	}
	if (f->memory)
		wrap(f);
	return NULL;
}

static bool is_type(const char *type)
{
	static const char *const words[] = {"s", "u", "x", "string", "ustring", "symbol", "symstr",
	                                    "char"};
	static const char *const bits[] = {"8", "16", "32", "64"};
	size_t n = strcspn(type, "[");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == n && !strncmp(type, words[i], n))
			return true;
	for (size_t i = 0; i < 4; i++)
		if (strchr("sux", *type) && strlen(bits[i]) + 1 == n && !strncmp(type + 1, bits[i], n - 1))
			return true;
	return *type == 'b' && isdigit((unsigned char)type[1]) && strchr(type, '@') &&
	       strchr(type, '/');
}

/* --- one argument --------------------------------------------------------------------------------------- */

/* The parts of the text, which is cut: "name=m->name:string@user". */
struct words {
	char *name, *variable, *type;
	bool user;
};

static struct error *cut(char *text, struct words *ret)
{
	size_t len = strlen(text);
	char *equals = strchr(text, '='), *colon;

	*ret = (struct words){.variable = text};
	if (len > 5 && !strcmp(text + len - 5, "@user")) {
		text[len - 5] = '\0';
		ret->user = true;
	}
	if (equals) {
		*equals = '\0';
		ret->name = text;
		ret->variable = equals + 1;
	}
	colon = strchr(ret->variable, ':');
	if (!colon)
		return NULL;
	*colon = '\0';
	ret->type = colon + 1;
	if (is_type(ret->type))
		return NULL;
	return error_create(EINVAL, "\"%s\" is no type of an event line: u8 to u64, s8, x8, u, s, x, "
	                            "string, ustring, symbol, char, b<bits>@<offset>/<size>",
	                    ret->type);
}

/* As perf probe does: the last member's, of "a[1]" it is a; of a variable with a type both. */
static void add_name(const struct words *w, struct strbuf *out)
{
	const char *name = w->name ? w->name : w->variable;

	for (const char *at = name; !w->name && *at; at++)
		if ((*at == '.' || *at == '>') && at[1])
			name = at + 1;
	strbuf_addf(out, " %.*s", (int)strcspn(name, "[.-@"), name);
	if (!w->name && w->type && !strpbrk(w->variable, ".-["))
		strbuf_addf(out, "_%.*s", (int)strcspn(w->type, "@["), w->type);
	strbuf_addc(out, '=');
}

static struct error *fetch_variable(const struct event_place *at, const struct code_variable *v,
                                    const struct words *w, char *path, const char *argument,
                                    struct strbuf *out)
{
	struct fetch f = {.user = w->user, .type = v->type};
	struct location loc;
	const char *suffix;
	struct error *error = variable_location(at->info, v, at->address, &loc);

	if (!error)
		error = fetch_base(v->name, &loc, &f.text, &f.memory, &f.offset);
	if (!error)
		error = fetch_path(&f, path);
	if (!error)
		error = finish(&f, argument, w->type, &suffix);
	if (!error) {
		add_name(w, out);
		strbuf_addf(out, "%s:%s", f.text, suffix);
	}
	free(f.text);
	return error;
}

/* --- all of them ---------------------------------------------------------------------------------------- */

struct all {
	const struct event_place *at;
	bool parameters_only;
	struct strbuf *out;
};

/* Those that cannot be written are left out. */
static int add_each(const struct code_variable *v, void *arg)
{
	struct words w = {.variable = (char *)v->name};
	struct all *all = arg;
	char none[] = "";

	if (!v->name || v->is_hidden || (all->parameters_only && v->kind != VARIABLE_PARAMETER))
		return 0;
	error_destroy(fetch_variable(all->at, v, &w, none, v->name, all->out));
	return 0;
}

static struct error *check_register(const char *name)
{
	static const char *const names[] = {"ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "r8", "r9",
	                                    "r10", "r11", "r12", "r13", "r14", "r15", "ip", "flags",
	                                    "cs", "ss"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return NULL;
	return error_create(EINVAL, "event lines have no register %%%s: it is ax, bx, cx, dx, si, di, bp, "
	                            "sp, r8 to r15, ip, flags, cs or ss",
	                    name);
}

static bool is_all(const char *argument)
{
	return !strcmp(argument, "$vars") || !strcmp(argument, "$params");
}

bool event_argument_is_variable(const char *argument)
{
	const char *equals = strchr(argument, '=');

	return is_all(argument) || !strchr("%@$+-\\", equals ? equals[1] : *argument);
}

static struct error *pass_on(const struct words *w, struct strbuf *out)
{
	struct error *error = *w->variable == '%' ? check_register(w->variable + 1) : NULL;

	if (error)
		return error;
	strbuf_addf(out, " %s%s%s%s%s", w->name ? w->name : "", w->name ? "=" : "", w->variable,
	            w->type ? ":" : "", w->type ? w->type : "");
	return NULL;
}

struct error *event_argument_add(const struct event_place *at, const char *argument,
                                 struct strbuf *out)
{
	_cleanup_free_ char *text = strdup(argument);
	struct all all = {at, !strcmp(argument, "$params"), out};
	struct code_variable variable;
	struct words w;
	struct error *error;
	char *path, separator;

	if (is_all(argument))
		return variables_at(at->info, at->address, at->of, add_each, &all);
	error = cut(text, &w);
	if (error || !event_argument_is_variable(argument))
		return error ? error : pass_on(&w, out);
	path = w.variable + strcspn(w.variable, ".-[");
	separator = *path;
	*path = '\0';
	error = variable_find(at->info, at->address, at->of, w.variable, &variable);
	*path = separator;
	return error ? error : fetch_variable(at, &variable, &w, path, argument, out);
}
