// SPDX-License-Identifier: GPL-2.0-only
#include "script/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "script/lex.h"

/* A line longer than this is shown in part, around the caret. */
enum { LINE_SHOWN = 200 };

static const char *const tag_names[] = {
#define DIAG(pass, tag, sentence) #tag,
#include "script/errors.def"
#undef DIAG
};

static const enum diag_pass tag_passes[] = {
#define DIAG(pass, tag, sentence) DIAG_##pass,
#include "script/errors.def"
#undef DIAG
};

void diag_list_init(struct diag_list *list)
{
	memset(list, 0, sizeof(*list));
	arena_init(&list->arena);
}

void diag_list_deinit(struct diag_list *list)
{
	arena_deinit(&list->arena);
	diag_list_init(list);
}

const char *diag_tag_name(enum diag_tag tag)
{
	return tag_names[tag];
}

bool diag_has(const struct diag_list *list, enum diag_tag tag)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].tag == tag)
			return true;
	return false;
}

size_t diag_error_count(const struct diag_list *list)
{
	return list->errors;
}

static const char *format_text(struct arena *arena, const char *fmt, va_list ap)
{
	char *text = NULL;
	const char *kept;

	if (vasprintf(&text, fmt, ap) < 0)
		return "out of memory";
	kept = arena_strdup(arena, text);
	free(text);
	return kept;
}

void diag_add_format(struct diag_list *list, const struct token *token, enum diag_tag tag,
		     const char *fmt, ...)
{
	struct diag diag = { .tag = tag, .pass = tag_passes[tag], .token = token };
	va_list ap;

	va_start(ap, fmt);
	diag.text = format_text(&list->arena, fmt, ap);
	va_end(ap);
	if (diag.pass == DIAG_WARN)
		list->warnings++;
	else
		list->errors++;
	ARENA_APPEND(&list->arena, list, diag);
}

void diag_second(struct diag_list *list, const struct token *token, const char *text)
{
	struct diag *diag = &list->items[list->count - 1];

	diag->second = token;
	diag->second_text = arena_strdup(&list->arena, text);
}

void diag_hint(struct diag_list *list, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	list->items[list->count - 1].hint = format_text(&list->arena, fmt, ap);
	va_end(ap);
}

/* --- printing -------------------------------------------------------------------------------- */

/* The part of the token's line that is shown: all of it unless it is very long. */
static void shown_part(const struct token *token, size_t *from, size_t *to)
{
	const struct source *source = token->source;
	size_t end = token->offset;

	*from = token->offset - (token->column - 1);
	while (end < source->len && source->text[end] != '\n' && source->text[end] != '\r')
		end++;
	*to = end;
	if (*to - *from <= LINE_SHOWN)
		return;
	if (token->offset - *from > LINE_SHOWN / 2)
		*from = token->offset - LINE_SHOWN / 2;
	if (*to - *from > LINE_SHOWN)
		*to = *from + LINE_SHOWN;
}

/* Control characters would move the caret or the terminal. */
static void print_plain(const char *text, size_t len, FILE *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		fputc(c == '\t' || (c >= 32 && c != 127) ? c : '?', out);
	}
}

/* The line and the caret under it; bytes inside a UTF-8 character take no column. */
static void print_source(const struct token *token, const char *label, FILE *out)
{
	const char *text = token->source->text;
	size_t from, to;

	shown_part(token, &from, &to);
	fprintf(out, "%s", label);
	print_plain(text + from, to - from, out);
	fprintf(out, "\n%*s", (int)strlen(label), "");
	for (size_t i = from; i < token->offset; i++)
		if (text[i] == '\t')
			fputc('\t', out);
		else if ((text[i] & 0xc0) != 0x80)
			fputc(' ', out);
	fputs("^\n", out);
}

static void print_place(const struct token *token, FILE *out)
{
	fprintf(out, "%s:%u:%u", token->source->name, token->line, token->column);
}

/* Where a token came in, when a macro or an argument brought it. */
static void print_uses(const struct token *token, const char *label, FILE *out)
{
	int left = 10; /* deeper ones help nobody */

	for (const struct token *use = token->used_at; use && left--; use = use->used_at) {
		fprintf(out, "%sin the expansion of '%s' at ", label, use->text);
		print_place(use, out);
		fputc('\n', out);
	}
}

static void print_diag(const struct diag *diag, FILE *out)
{
	static const char *const heads[] = { "parse error", "semantic error", "WARNING" };
	bool parse = diag->pass == DIAG_PARSE;
	const char *label = parse ? "     source: " : "        source: ";
	struct arena arena;

	arena_init(&arena);
	fprintf(out, "%s: ", heads[diag->pass]);
	print_plain(diag->text, strlen(diag->text), out);
	if (diag->token) {
		const char *what = token_describe(diag->token, &arena);

		fputs(parse ? "\n        saw: " : ": ", out);
		print_plain(what, strlen(what), out);
		fputs(" at ", out);
		print_place(diag->token, out);
		fputc('\n', out);
		print_source(diag->token, label, out);
		print_uses(diag->token, parse ? "       note: " : "        note: ", out);
	} else {
		fputc('\n', out);
	}
	if (diag->second) {
		fprintf(out, "%s%s at ", parse ? "       note: " : "        note: ",
			diag->second_text);
		print_place(diag->second, out);
		fputc('\n', out);
		print_source(diag->second, label, out);
	}
	if (diag->hint)
		fprintf(out, "%s%s\n", parse ? "       hint: " : "        hint: ", diag->hint);
	arena_deinit(&arena);
}

/* The same sentence about the same place, as when a macro's body is wrong at each use. */
static bool same_diag(const struct diag *a, const struct diag *b)
{
	if (a->tag != b->tag || strcmp(a->text, b->text) || !a->token != !b->token)
		return false;
	return !a->token ||
	       (a->token->source == b->token->source && a->token->offset == b->token->offset);
}

void diag_list_print(const struct diag_list *list, FILE *out)
{
	for (size_t i = 0; i < list->count; i++) {
		size_t j = 0;

		while (j < i && !same_diag(&list->items[i], &list->items[j]))
			j++;
		if (j == i)
			print_diag(&list->items[i], out);
	}
}

/* --- spelling -------------------------------------------------------------------------------- */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t min = a < b ? a : b;

	return min < c ? min : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that make `a` of `b`. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][65];
	size_t *above2 = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *spare = above2;

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1,
				      above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    above2[j - 2] + 1 < row[j])
				row[j] = above2[j - 2] + 1;
		}
		above2 = above;
		above = row;
		row = spare;
	}
	return above[b_len];
}

const char *diag_nearest(const char *word, const char *const *candidates, size_t count)
{
	size_t len = strlen(word), best = len < 6 ? 1 : len / 3;
	const char *near = NULL;

	if (len > 64)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]), distance;

		if (other > 64 || (other > len ? other - len : len - other) > best)
			continue;
		distance = edit_distance(word, len, candidates[i], other);
		if (!distance)
			return NULL;
		if (distance < best || (distance == best && !near)) {
			best = distance;
			near = candidates[i];
		}
	}
	return near;
}
