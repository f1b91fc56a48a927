// SPDX-License-Identifier: GPL-2.0-only
#include "script/lex.h"

#include <ctype.h>
#include <string.h>

#include "script/diag.h"

/* Longest first: the first that fits is taken. */
static const char *const operators[] = {
	">>>=", "<<<", ">>>", "<<=", ">>=", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=",
	"=~",   "!~",  "&&",  "||",  "+=",  "-=", "*=", "/=", "%=", "&=", "|=", "^=", ".=", "%(",
	"%)",   "%?",  "%:",  "+",   "-",   "*",  "/",  "%",  "<",  ">",  "=",  "!",  "~",  "&",
	"|",    "^",   ".",   ",",   ";",   ":",  "?",  "(",  ")",  "[",  "]",  "{",  "}",
};

const struct source *source_create(struct arena *arena, const char *name, const char *text,
				   size_t len)
{
	struct source *source = ARENA_NEW(arena, struct source);

	source->name = arena_strdup(arena, name);
	source->text = arena_strndup(arena, text, len);
	source->len = len;
	return source;
}

void lexer_init(struct lexer *lexer, struct arena *arena, const struct source *source)
{
	*lexer = (struct lexer){ .arena = arena, .source = source, .line = 1 };
}

bool token_is(const struct token *token, const char *spelling)
{
	return (token->kind == TOKEN_OPERATOR || token->kind == TOKEN_IDENTIFIER) &&
	       !strcmp(token->text, spelling);
}

const char *token_describe(const struct token *token, struct arena *arena)
{
	const char *spelling = token->source->text + token->offset;
	int len = token->len > 60 ? 60 : (int)token->len;

	switch (token->kind) {
	case TOKEN_END:
		return "end of file";
	case TOKEN_IDENTIFIER:
		return arena_printf(arena, "identifier '%s'", token->text);
	case TOKEN_OPERATOR:
		return arena_printf(arena, "operator '%s'", token->text);
	case TOKEN_NUMBER:
		return arena_printf(arena, "number '%.*s'", len, spelling);
	case TOKEN_STRING:
		return arena_printf(arena, "string '%.60s'", token->string.data);
	case TOKEN_EMBEDDED:
		return "embedded code";
	case TOKEN_JUNK:
		break;
	}
	return arena_printf(arena, "junk '%.*s'", len, spelling);
}

static int peek_char(const struct lexer *lexer, size_t ahead)
{
	size_t at = lexer->pos + ahead;

	return at < lexer->source->len ? (unsigned char)lexer->source->text[at] : -1;
}

static void step(struct lexer *lexer)
{
	if (lexer->source->text[lexer->pos++] == '\n') {
		lexer->line++;
		lexer->line_start = lexer->pos;
	}
}

static bool looking_at(const struct lexer *lexer, const char *s)
{
	size_t len = strlen(s);

	return lexer->source->len - lexer->pos >= len &&
	       !memcmp(lexer->source->text + lexer->pos, s, len);
}

static struct token *token_create(struct lexer *lexer, enum token_kind kind)
{
	struct token *token = ARENA_NEW(lexer->arena, struct token);

	token->kind = kind;
	token->source = lexer->source;
	token->used_at = lexer->used_at;
	token->offset = lexer->pos;
	token->line = lexer->line;
	token->column = (uint32_t)(lexer->pos - lexer->line_start) + 1;
	token->text = "";
	return token;
}

/* Makes the token junk; `tag` and `text` are what is told when somebody uses it. */
static struct token *make_junk(struct lexer *lexer, struct token *token, enum diag_tag tag,
			       const char *text)
{
	token->kind = TOKEN_JUNK;
	token->problem = tag;
	token->text = text;
	token->len = lexer->pos - token->offset;
	return token;
}

#define JUNK(lexer, token, tag, ...)                                                               \
	make_junk((lexer), (token), DIAG_TAG_##tag,                                                \
		  arena_printf((lexer)->arena, diag_sentence_##tag, ##__VA_ARGS__))

/* Steps over one comment. False: it has no end; the lexer is then at the end of the text. */
static bool skip_comment(struct lexer *lexer)
{
	if (!looking_at(lexer, "/*")) {
		while (lexer->pos < lexer->source->len && peek_char(lexer, 0) != '\n')
			step(lexer);
		return true;
	}
	step(lexer);
	step(lexer);
	while (lexer->pos < lexer->source->len) {
		if (looking_at(lexer, "*/")) {
			step(lexer);
			step(lexer);
			return true;
		}
		step(lexer);
	}
	return false;
}

/* White space and comments. Returns a junk token for a comment without end, else NULL. */
static struct token *skip_blank(struct lexer *lexer)
{
	for (;;) {
		int c = peek_char(lexer, 0);

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v') {
			step(lexer);
		} else if (c == '#' || looking_at(lexer, "//") || looking_at(lexer, "/*")) {
			struct token *token = token_create(lexer, TOKEN_JUNK);

			if (!skip_comment(lexer))
				return JUNK(lexer, token, UNTERMINATED_COMMENT);
		} else {
			return NULL;
		}
	}
}

static bool is_word_char(int c)
{
	return c == '_' || c == '$' || (c >= 0 && c < 128 && isalnum(c));
}

/* identifier = ("$" | "@" | letter | "_") { letter | digit | "_" | "$" }
 *            | ("$" | "@") ( digits | "#" ) */
static struct token *lex_identifier(struct lexer *lexer)
{
	struct token *token = token_create(lexer, TOKEN_IDENTIFIER);
	int first = peek_char(lexer, 0);
	bool sigil = first == '$' || first == '@';

	step(lexer);
	if (sigil && peek_char(lexer, 0) == '#') {
		step(lexer);
	} else if (sigil && isdigit(peek_char(lexer, 0))) {
		while (isdigit(peek_char(lexer, 0)))
			step(lexer);
	} else {
		while (is_word_char(peek_char(lexer, 0)))
			step(lexer);
	}
	token->len = lexer->pos - token->offset;
	token->text = arena_strndup(lexer->arena, lexer->source->text + token->offset, token->len);
	if (first == '@' && token->len == 1)
		return JUNK(lexer, token, BAD_CHARACTER, "'@' alone");
	return token;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Values from 2^63 to 2^64-1 wrap around. Returns what is wrong with the digits, or NULL. */
static const char *number_value(const char *text, int64_t *ret)
{
	int base = 10;
	uint64_t value = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	} else if (text[0] == '0') {
		base = 8;
	}
	if (!*text)
		return "it has no digits";
	for (; *text; text++) {
		int digit = digit_value(*text);

		if (digit >= base)
			return base == 8 && digit < 10 ? "after a leading 0 the digits are octal" :
							 "it holds something else than digits";
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return "it takes more than 64 bits";
	}
	*ret = (int64_t)value;
	return NULL;
}

/* number = digits | "0" octal | "0x" hex; a word that follows at once belongs to it. */
static struct token *lex_number(struct lexer *lexer)
{
	struct token *token = token_create(lexer, TOKEN_NUMBER);
	const char *problem;

	while (is_word_char(peek_char(lexer, 0)) && peek_char(lexer, 0) != '$')
		step(lexer);
	token->len = lexer->pos - token->offset;
	token->text = arena_strndup(lexer->arena, lexer->source->text + token->offset, token->len);
	problem = number_value(token->text, &token->number);
	if (problem)
		return JUNK(lexer, token, BAD_NUMBER, token->text, problem);
	return token;
}

/* Up to three octal digits, the first of which is there. */
static char lex_octal(struct lexer *lexer)
{
	int value = 0;

	for (int i = 0; i < 3 && peek_char(lexer, 0) >= '0' && peek_char(lexer, 0) <= '7'; i++) {
		value = value * 8 + peek_char(lexer, 0) - '0';
		step(lexer);
	}
	return (char)value;
}

/* Up to two hex digits, so that "\x1bcold" means what it looks like; none: the letter x. */
static char lex_hex(struct lexer *lexer)
{
	int value = 0, i;

	for (i = 0; i < 2 && peek_char(lexer, 0) >= 0; i++) {
		int digit = digit_value((char)peek_char(lexer, 0));

		if (digit > 15)
			break;
		value = value * 16 + digit;
		step(lexer);
	}
	return i ? (char)value : 'x';
}

/* After the backslash: C's escapes; any other character stands for itself. A backslash at the
 * end of a line joins it with the next. Returns false when the escape yields no character. */
static bool lex_escape(struct lexer *lexer, char *ret)
{
	static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	int c = peek_char(lexer, 0);
	const char *name;

	if (c >= '0' && c <= '7') {
		*ret = lex_octal(lexer);
		return true;
	}
	step(lexer);
	if (c == '\n')
		return false;
	if (c == 'x') {
		*ret = lex_hex(lexer);
		return true;
	}
	name = c ? strchr(names, c) : NULL;
	*ret = name ? values[name - names] : (char)c;
	return true;
}

/* string = '"' { character | escape } '"' */
static struct token *lex_string(struct lexer *lexer)
{
	struct token *token = token_create(lexer, TOKEN_STRING);
	size_t start = lexer->pos, room, len = 0;
	const char *text = lexer->source->text;
	char *data;

	/* Decoding never lengthens: the distance to the closing quote is room enough. */
	for (room = start + 1; room < lexer->source->len && text[room] != '"'; room++)
		if (text[room] == '\\')
			room++;
		else if (text[room] == '\n')
			break;
	data = arena_alloc(lexer->arena, room - start + 1);
	step(lexer);
	for (;;) {
		int c = peek_char(lexer, 0);

		if (c < 0 || c == '\n')
			return JUNK(lexer, token, UNTERMINATED_STRING);
		step(lexer);
		if (c == '"')
			break;
		if (c != '\\')
			data[len++] = (char)c;
		else if (peek_char(lexer, 0) >= 0 && lex_escape(lexer, &data[len]))
			len++;
	}
	data[len] = 0;
	token->len = lexer->pos - token->offset;
	token->string.data = data;
	token->string.len = len;
	return token;
}

/* embedded = "%{" { any } "%}" */
static struct token *lex_embedded(struct lexer *lexer)
{
	struct token *token = token_create(lexer, TOKEN_EMBEDDED);
	size_t start = lexer->pos + 2;

	step(lexer);
	step(lexer);
	while (lexer->pos < lexer->source->len && !looking_at(lexer, "%}"))
		step(lexer);
	if (lexer->pos >= lexer->source->len)
		return JUNK(lexer, token, UNTERMINATED_EMBEDDED);
	token->string.len = lexer->pos - start;
	token->string.data =
		arena_strndup(lexer->arena, lexer->source->text + start, token->string.len);
	step(lexer);
	step(lexer);
	token->len = lexer->pos - token->offset;
	return token;
}

static struct token *lex_operator(struct lexer *lexer)
{
	struct token *token = token_create(lexer, TOKEN_OPERATOR);
	int c = peek_char(lexer, 0);

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (!looking_at(lexer, operators[i]))
			continue;
		token->text = operators[i];
		token->len = strlen(operators[i]);
		lexer->pos += token->len;
		return token;
	}
	step(lexer);
	if (c > 32 && c < 127)
		return JUNK(lexer, token, BAD_CHARACTER,
			    c == '\'' ? "' (strings stand in double quotes)" :
					arena_printf(lexer->arena, "'%c'", c));
	/* A run of bytes above 127 is one character, or text, of some encoding: one message. */
	while (c > 127 && peek_char(lexer, 0) > 127)
		step(lexer);
	return JUNK(lexer, token, BAD_CHARACTER, arena_printf(lexer->arena, "byte 0x%02x", c));
}

struct token *lexer_next(struct lexer *lexer)
{
	struct token *junk = skip_blank(lexer);
	int c = peek_char(lexer, 0);

	if (junk)
		return junk;
	if (c < 0)
		return token_create(lexer, TOKEN_END);
	if (isdigit(c))
		return lex_number(lexer);
	if (c == '@' || is_word_char(c))
		return lex_identifier(lexer);
	if (c == '"')
		return lex_string(lexer);
	if (looking_at(lexer, "%{"))
		return lex_embedded(lexer);
	return lex_operator(lexer);
}
