// SPDX-License-Identifier: GPL-2.0-only
/**
 * Regular expressions. Oracle: regexec() of libc, for fixed patterns and for random ones. What libc
 * itself gets wrong or leaves open is not compared: the groups of repeated groups.
 */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "runtime/session.h"
#include "script/regex.h"

static char frame[1 << 20], text[128];
static struct spl_script script = { .string_size = sizeof(text) };
static struct spl_session session = { .script = &script };
static struct spl_ctx ctx = { .session = &session };

_Static_assert(REGEX_GROUPS_MAX == SPL_GROUPS_MAX && (int)REGEX_MATCH == SPL_RE_MATCH, "the same");

/* What pass 3 makes of the tables. */
static struct spl_regex runtime_regex(struct arena *arena, const struct regex_tables *t)
{
	struct spl_regex_op *ops = arena_alloc(arena, t->nops * sizeof(*ops));

	for (size_t i = 0; i < t->nops; i++)
		ops[i] = (struct spl_regex_op){ (spl_u8)t->ops[i].code, 0, t->ops[i].a, t->ops[i].b };
	return (struct spl_regex){ .ops = ops, .nops = (spl_u32)t->nops,
				   .groups = (spl_u32)t->groups, .sets = t->sets,
				   .classes = t->classes, .nclasses = (spl_u32)t->nclasses,
				   .next = t->next, .final = t->final };
}

static int match(const struct spl_regex *regex, const char *s, bool groups)
{
	ctx.frame_top = frame;
	ctx.frame_end = frame + sizeof(frame);
	ctx.match.text = groups ? text : NULL;
	ctx.match.matched = 0;
	ctx.error = NULL;
	return spl_regex_match(&ctx, regex, s);
}

static void expect_group(const char *pattern, const char *s, size_t n, const regmatch_t *libc)
{
	bool unset = ctx.match.at[2 * n] == 0xffff;

	if (unset ? libc->rm_so == -1
		  : libc->rm_so == ctx.match.at[2 * n] && libc->rm_eo == ctx.match.at[2 * n + 1])
		return;
	fail_msg("'%s' on '%s': group %zu is %d to %d, libc says %d to %d", pattern, s, n,
		 unset ? -1 : ctx.match.at[2 * n], unset ? -1 : ctx.match.at[2 * n + 1],
		 (int)libc->rm_so, (int)libc->rm_eo);
}

/* How many groups to compare: all, or only the whole match. */
static void compare(const char *pattern, const char *s, bool all)
{
	regmatch_t limits[SPL_GROUPS_MAX + 1];
	struct arena arena;
	struct regex compiled;
	struct spl_regex regex;
	const char *why;
	size_t offset;
	regex_t libc;
	int found;

	arena_init(&arena);
	why = regex_compile(&arena, pattern, &offset, &compiled);
	if (why && !all && strstr(why, "too large")) { /* of the random ones */
		arena_deinit(&arena);
		return;
	}
	if (why)
		fail_msg("'%s': %s", pattern, why);
	regex = runtime_regex(&arena, &compiled.tables);
	assert_int_equal(regcomp(&libc, pattern, REG_EXTENDED), 0);
	/* for groups inside repetitions libc's time is without bound, so they are not asked for */
	found = !regexec(&libc, s, all ? SPL_GROUPS_MAX + 1 : 1, limits, 0);
	if (match(&regex, s, false) != found)
		fail_msg("'%s' on '%s': automaton says %d", pattern, s, !found);
	if (match(&regex, s, true) != found)
		fail_msg("'%s' on '%s': program says %d", pattern, s, !found);
	regex.next = NULL;
	if (match(&regex, s, false) != found)
		fail_msg("'%s' on '%s': program alone says %d", pattern, s, !found);
	match(&regex, s, true);
	for (size_t n = 0; found && n <= (all ? regex.groups : 0); n++)
		expect_group(pattern, s, n, &limits[n]);
	assert_null(ctx.error);
	assert_ptr_equal(ctx.frame_top, frame);
	regfree(&libc);
	arena_deinit(&arena);
}

static void test_fixed(void **state)
{
	static const char *const patterns[] = {
		"a", "", "^", "$", "^$", "a*", "a+b?", "(a|ab)(c|bcd)(d*)", "^(GET|PUT) ([^ ]+)",
		"[[:digit:]]+", "[^[:space:]]+", "[]a]", "[^]a]", "[a-c-]x", "x{3}", "x{2,}", "x{1,3}y",
		"(ab){2}c", "a|b|", "\\.\\*", "a.c", "(a?)(ab)?(b*)", "a{0}b", "()", "(^a|b$)", "[.]",
		"((a)|(b))c", "x{0,2}$",
	};
	static const char *const strings[] = {
		"", "a", "b", "ab", "abc", "abcd", "aab", "GET /x y", "PUT  z", "  42 x", "a b",
		"]", "-x", "xxx", "xy", "xxxxy", "ababc", "a.*b", "a\nc", "bc", "xx", "aabb", "\xff" "c",
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		for (size_t j = 0; j < sizeof(strings) / sizeof(strings[0]); j++)
			compare(patterns[i], strings[j], true);
}

/* --- random patterns ------------------------------------------------------------------------------ */

static unsigned rnd(unsigned n)
{
	return (unsigned)rand() % n;
}

static void add(char *to, const char *s)
{
	strcat(to, s);
}

static void random_regex(char *to, int depth, bool groups);

static void random_atom(char *to, int depth, bool groups)
{
	static const char *const atoms[] = { "a", "b", "c", ".", "[ab]", "[^a]", "[b-c]", "ab" };

	if (depth > 0 && rnd(3) == 0 && groups) {
		add(to, "(");
		random_regex(to, depth - 1, groups);
		add(to, ")");
	} else {
		add(to, atoms[rnd(8)]);
	}
}

static void random_piece(char *to, int depth, bool groups)
{
	static const char *const times[] = { "*", "+", "?", "{2}", "{1,3}", "{0,1}" };

	/* no repeated groups when groups are compared */
	bool repeated = rnd(3) == 0;

	random_atom(to, depth, groups && !repeated);
	if (repeated)
		add(to, times[rnd(6)]);
}

static void random_regex(char *to, int depth, bool groups)
{
	for (unsigned i = 0, n = 1 + rnd(3); i < n; i++)
		random_piece(to, depth, groups);
	if (rnd(4) == 0) {
		add(to, "|");
		random_piece(to, depth, groups);
	}
}

/* Groups inside repetitions, too, for the whole match. */
static void random_nested(char *to, int depth)
{
	static const char *const times[] = { "*", "+", "?", "{2}", "{0,2}", "" };

	if (depth == 0 || rnd(3) == 0) {
		random_atom(to, 0, false);
		return;
	}
	add(to, "(");
	random_nested(to, depth - 1);
	if (rnd(2))
		add(to, "|");
	random_nested(to, depth - 1);
	add(to, ")");
	add(to, times[rnd(6)]);
}

static void random_string(char *to)
{
	unsigned n = rnd(9);

	for (unsigned i = 0; i < n; i++)
		to[i] = (char)('a' + rnd(3));
	to[n] = '\0';
}

static unsigned seed;

static void test_random(void **state)
{
	char pattern[4096], s[16];

	print_message("seed %u\n", seed);
	for (int i = 0; i < 1000; i++) {
		pattern[0] = '\0';
		if (i % 2)
			random_regex(pattern, 2, true);
		else
			random_nested(pattern, 4);
		for (int j = 0; j < 5; j++) {
			random_string(s);
			compare(pattern, s, i % 2);
		}
	}
}

/* --- the rest -------------------------------------------------------------------------------------- */

static void test_refused(void **state)
{
	static const struct {
		const char *pattern;
		size_t offset;
	} bad[] = {
		{ "(a", 0 }, { "a[b", 1 }, { "*a", 0 }, { "a|*", 2 }, { "a{3,2}", 1 }, { "a{999}", 2 },
		{ "a{2", 1 }, { "[b-a]", 1 }, { "[[:nope:]]", 3 }, { "a\\", 1 }, { "(a)\\1", 3 },
		{ "[[.a.]]", 1 }, { "{2}", 0 },
		{ "((((((((((((((((a))))))))))))))))", 15 },
		{ "((a{200}){200})", 14 },
	};
	struct arena arena;
	struct regex regex;
	size_t offset;

	arena_init(&arena);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		offset = 99;
		if (!regex_compile(&arena, bad[i].pattern, &offset, &regex))
			fail_msg("'%s' was taken", bad[i].pattern);
		if (offset != bad[i].offset && i != 14)
			fail_msg("'%s': at %zu", bad[i].pattern, offset);
	}
	arena_deinit(&arena);
}

static void test_captures(void **state)
{
	struct arena arena;
	struct regex compiled;
	struct spl_regex regex;
	char out[16];
	size_t offset;

	arena_init(&arena);
	assert_null(regex_compile(&arena, "(x)?(b+)", &offset, &compiled));
	regex = runtime_regex(&arena, &compiled.tables);
	match(&regex, "zz", true);
	spl_fn_matched(&ctx, out, sizeof(out), 0, NULL);
	assert_non_null(ctx.error);
	assert_int_equal(spl_fn_ngroups(&ctx), 0);
	assert_int_equal(match(&regex, "abbbc", true), 1);
	assert_int_equal(spl_fn_ngroups(&ctx), 3);
	assert_string_equal(spl_fn_matched(&ctx, out, sizeof(out), 2, NULL), "bbb");
	assert_string_equal(spl_fn_matched(&ctx, out, 3, 2, NULL), "bb");
	assert_string_equal(spl_fn_matched(&ctx, out, sizeof(out), 1, NULL), "");
	assert_null(ctx.error);
	spl_fn_matched(&ctx, out, sizeof(out), 3, NULL);
	assert_non_null(ctx.error);
	arena_deinit(&arena);
}

/* Too many states: the program does it alone. */
static void test_large_automaton(void **state)
{
	const char *pattern = "a.{12}b";
	struct arena arena;
	struct regex compiled;
	struct spl_regex regex;
	size_t offset;

	arena_init(&arena);
	assert_null(regex_compile(&arena, pattern, &offset, &compiled));
	regex = runtime_regex(&arena, &compiled.tables);
	assert_null(regex.next);
	assert_int_equal(match(&regex, "xxa123456789012b", false), 1);
	assert_int_equal(match(&regex, "xxa12345678901b", false), 0);
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_captures),
		cmocka_unit_test(test_large_automaton),
	};
	const char *given = getenv("SPILE_SEED");

	seed = given ? (unsigned)strtoul(given, NULL, 0) : (unsigned)time(NULL);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
