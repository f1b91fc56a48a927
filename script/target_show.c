// SPDX-License-Identifier: GPL-2.0-only
/*
 * $x$ and $x$$: an object as text. The type becomes a table of rows, each the text before a value and
 * where the value is, which the run-time walks (runtime/show.c):
 *
 *	struct point { int x, y; char name[8]; }   {.x=%i, .y=%i, .name="..."}
 *
 *	text "{.x="      SIGNED at 0, 4 bytes
 *	text ", .y="     SIGNED at 4
 *	text ", .name="  CHARS at 8, 8 bytes
 *	text "}"         TEXT
 *
 * The form is stap's: one $ shows nested structures as {...} and arrays as [...], two show all.
 * Enumerators are told by name. A pointer that the expression itself is, is followed; characters are
 * strings; other pointers are addresses. What no string could hold is not even put into the table.
 */
#include "script/target_private.h"

#include <string.h>

#include "base/strbuf.h"

enum { ROWS_MAX = 1024, DEPTH_MAX = 32, SHOW_WORDS_MAX = 16 };

struct shower {
	struct cursor *at;
	struct arena *arena;
	struct strbuf text; /* what comes before the next value */
	bool deep;
	unsigned depth;
};

static void show(struct shower *s, struct c_type type, uint64_t offset);

static bool is_full(const struct shower *s)
{
	return s->at->access->rows.count >= ROWS_MAX;
}

static struct show_row *add_row(struct shower *s, const char *how, uint64_t offset, int64_t width)
{
	struct show_row row = {.text = arena_strdup(s->arena, s->text.data ? s->text.data : ""),
	                       .how = how,
	                       .offset = (uint32_t)offset,
	                       .width = (int)width};

	strbuf_deinit(&s->text);
	strbuf_init(&s->text);
	ARENA_APPEND(s->arena, &s->at->access->rows, row);
	return &s->at->access->rows.items[s->at->access->rows.count - 1];
}

/* --- values ---------------------------------------------------------------------------------------- */

static int add_name(const char *name, int64_t value, void *arg)
{
	struct show_name entry = {name, value};
	struct {
		struct arena *arena;
		struct show_names *names;
	} *to = arg;

	entry.name = arena_strdup(to->arena, name);
	ARENA_APPEND(to->arena, to->names, entry);
	return 0;
}

static const struct show_names *names_of(struct shower *s, struct c_type type)
{
	struct {
		struct arena *arena;
		struct show_names *names;
	} to = {s->arena, ARENA_NEW(s->arena, struct show_names)};

	c_type_each_enumerator(type, add_name, &to);
	return to.names;
}

/* How a character is told from a small number: by the name of its type, as stap does it. */
static bool is_text_char(struct c_type type)
{
	const char *name = c_type_is_char(type) ? c_type_name(type) : "";

	return !strcmp(name, "char") || !strcmp(name, "unsigned char");
}

static struct show_row *show_number(struct shower *s, struct c_type type, uint64_t offset)
{
	enum type_kind kind = c_type_kind(type);
	struct show_row *row;

	row = add_row(s,
	              kind == TYPE_ENUM          ? "ENUM"
	              : c_type_is_signed(type) || kind == TYPE_BOOL ? "SIGNED"
	                                         : "UNSIGNED",
	              offset, c_type_size(type));
	if (kind == TYPE_ENUM)
		row->names = names_of(s, type);
	return row;
}

/* Bit-fields are numbers, whatever their type. */
static void show_bits(struct shower *s, const struct c_member *member, uint64_t base)
{
	struct show_row *row = show_number(s, member->type, base + member->offset);

	row->bit_shift = (int)(member->bit_offset - member->offset * 8);
	row->bit_size = (int)member->bit_size;
	row->width = 1;
	while (row->width * 8 < row->bit_shift + row->bit_size)
		row->width *= 2;
	if (!strcmp(row->how, "SIGNED") && c_type_kind(member->type) == TYPE_BOOL)
		row->how = "UNSIGNED";
}

static void show_pointer(struct shower *s, struct c_type type, uint64_t offset)
{
	struct c_type to = c_type_target(type);

	if (c_type_kind(to) == TYPE_FUNCTION)
		strbuf_adds(&s->text, "<function>:");
	add_row(s, is_text_char(to) ? "STRING" : "POINTER", offset, 8);
}

/* --- what consists of others ------------------------------------------------------------------------- */

static const char *anonymous_name(struct c_type type)
{
	return c_type_kind(type) == TYPE_UNION ? "<union>" : "<class>";
}

struct member_place {
	struct shower *s;
	uint64_t base;
	unsigned count;
};

static int show_member(const struct c_member *member, void *arg)
{
	struct member_place *place = arg;
	struct shower *s = place->s;

	strbuf_adds(&s->text, place->count++ ? ", " : "");
	if (is_full(s)) {
		strbuf_adds(&s->text, "...");
		return 1;
	}
	if (*member->name)
		strbuf_addf(&s->text, ".%s=", member->name);
	else
		strbuf_addf(&s->text, "%s=", anonymous_name(member->type));
	if (member->bit_size)
		show_bits(s, member, place->base);
	else
		show(s, member->type, place->base + member->offset);
	return 0;
}

static bool is_opened(const struct shower *s)
{
	return s->depth == 1 || (s->deep && s->depth < DEPTH_MAX);
}

static void show_struct(struct shower *s, struct c_type type, uint64_t offset)
{
	struct member_place place = {s, offset, 0};

	strbuf_adds(&s->text, "{");
	if (is_opened(s))
		c_type_each_member(type, show_member, &place);
	else
		strbuf_adds(&s->text, "...");
	strbuf_adds(&s->text, "}");
}

static void show_array(struct shower *s, struct c_type type, uint64_t offset)
{
	struct c_type element = c_type_target(type);
	int64_t size = c_type_size(element), count = c_type_count(type);

	if (is_text_char(element) && s->at->is_address && is_opened(s)) {
		add_row(s, "CHARS", offset, 1)->size =
		    count > 0 && count < 4096 ? (uint32_t)count : 4096;
		return;
	}
	strbuf_adds(&s->text, "[");
	for (int64_t i = 0; is_opened(s) && size > 0 && i < count && !is_full(s); i++) {
		strbuf_adds(&s->text, i ? ", " : "");
		show(s, element, offset + (uint64_t)(i * size));
	}
	strbuf_adds(&s->text, !is_opened(s) ? "..." : is_full(s) ? ", ..." : "");
	strbuf_adds(&s->text, "]");
}

static void show(struct shower *s, struct c_type type, uint64_t offset)
{
	enum type_kind kind = c_type_kind(type);

	s->depth++;
	if (kind == TYPE_STRUCT || kind == TYPE_UNION)
		show_struct(s, type, offset);
	else if (kind == TYPE_ARRAY)
		show_array(s, type, offset);
	else if (kind == TYPE_POINTER)
		show_pointer(s, type, offset);
	else if (!c_type_is_scalar(type))
		strbuf_adds(&s->text, "?");
	else if (is_text_char(type))
		add_row(s, "CHAR", offset, 1);
	else
		show_number(s, type, offset);
	s->depth--;
}

/* --- the expression ------------------------------------------------------------------------------------ */

/* A pointer to something that has members or elements is followed; "char *" is a string. */
static bool is_followed(struct c_type type)
{
	struct c_type to = c_type_target(type);

	return !is_text_char(to) && c_type_kind(to) != TYPE_FUNCTION && c_type_size(to) > 0;
}

static void show_end(struct shower *s)
{
	struct cursor *at = s->at;
	struct c_member field = at->field;

	if (field.bit_size) {
		field.offset = 0;
		field.bit_offset -= at->field.offset * 8;
		show_bits(s, &field, 0);
	} else {
		show(s, at->type, 0);
	}
	if (s->text.len || !at->access->rows.count)
		add_row(s, "TEXT", 0, 0);
}

bool target_show(struct cursor *at, const struct expr *e)
{
	struct shower s = {.at = at,
	                   .arena = at->w->r->arena,
	                   .deep = e->target->pretty == PRETTY_DEEP};
	struct target_access *access = at->access;

	if (c_type_kind(at->type) == TYPE_POINTER && is_followed(at->type))
		target_follow(at);
	access->is_shown = true;
	access->show_user = at->is_user;
	if (!at->is_address && c_type_size(at->type) > SHOW_WORDS_MAX * 8) {
		diag_add(at->w->r->diags, at->tok, TARGET_NOT_SCALAR, at->spelled,
		         target_type_text(s.arena, at->type));
		return false;
	}
	access->show_words = at->is_address ? 0 : (c_type_size(at->type) + 7) / 8;
	strbuf_init(&s.text);
	show_end(&s);
	strbuf_deinit(&s.text);
	return true;
}
