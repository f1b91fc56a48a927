// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics: what a variable keeps of its samples, <<<, the @operators, histograms. The samples of
 * a variable or element are a C variable of type struct spl_samples, from which everything is taken.
 */
#include "codegen/codegen_private.h"

static unsigned keeps(const struct stat_use *use)
{
	return (use->ops & 1u << STAT_VARIANCE ? 1 : 0) | (use->ops & 1u << STAT_HIST_LOG ? 2 : 0) |
	       (use->ops & 1u << STAT_HIST_LINEAR ? 4 : 0);
}

/* With one below and one above. Pass 2 has made sure that they are not too many. */
static unsigned long long linear_buckets(const struct stat_use *use)
{
	if (!(use->ops & 1u << STAT_HIST_LINEAR))
		return 0;
	return ((unsigned long long)use->linear[1] - (unsigned long long)use->linear[0]) /
	           (unsigned long long)use->linear[2] +
	       3;
}

const char *gen_stat_type(struct gen *g, const struct variable *var)
{
	const struct stat_use *use = &var->stat;
	unsigned kept = keeps(use);
	unsigned long long buckets = linear_buckets(use);
	unsigned long long words = 4 + (kept & 1 ? 2 : 0) + (kept & 2 ? 128 : 0) + buckets;

	return gen_text(g,
	                "static const struct spl_stat_type s_%s = { %u, %lld, "
	                "(spl_s64)%lluULL, (spl_s64)%lluULL, %llu, %llu };\n",
	                var->name, kept, kept & 1 ? (long long)use->shift : 0LL,
	                (unsigned long long)use->linear[0],
	                buckets ? (unsigned long long)use->linear[2] : 1ULL, buckets, 8 * words);
}

/* --- samples ---------------------------------------------------------------------------------- */

struct operand gen_sample(struct gen *g, struct expr *e)
{
	struct expr *place = e->binary.left;
	struct operand value;

	if (place->kind == EXPR_INDEX) {
		struct element at = gen_element(g, place, e->binary.right, &value);

		gen_line(g, "spl_map_sample(c, %s, %s, %s);", at.map, at.keys, value.text);
		gen_line(g, "CHECK(%s);", g->fail);
	} else {
		value = gen_expr(g, e->binary.right);
		gen_line(g, "spl_stat_add(c, &g_%s, &s_%s, %s);", place->symbol.var->name,
		         place->symbol.var->name, value.text);
	}
	return operand_of("0", true);
}

/* The C variable that holds the samples of a place. */
static const char *gen_samples(struct gen *g, struct expr *place)
{
	const struct variable *var;
	const char *name;

	if (place->kind == EXPR_SYMBOL && place->symbol.var->kind != VAR_GLOBAL)
		return gen_variable(g, place->symbol.var);
	name = gen_text(g, "t%u", g->temps++);
	gen_line(g, "struct spl_samples %s;", name);
	if (place->kind == EXPR_INDEX) {
		struct element at = gen_element(g, place, NULL, NULL);

		gen_line(g, "spl_map_samples(%s, %s, &%s);", at.map, at.keys, name);
	} else {
		var = place->symbol.var;
		gen_line(g, "spl_stat_samples(&g_%s, &s_%s, &%s);", var->name, var->name, name);
	}
	return name;
}

static const char *histogram_word(const struct expr *stat)
{
	return stat->stat.op == STAT_HIST_LOG ? "SPL_STAT_LOG" : "SPL_STAT_LINEAR";
}

struct operand gen_stat(struct gen *g, struct expr *e)
{
	static const char *const words[] = {
	    [STAT_COUNT] = "SPL_COUNT", [STAT_SUM] = "SPL_SUM", [STAT_MIN] = "SPL_MIN",
	    [STAT_MAX] = "SPL_MAX",     [STAT_AVG] = "SPL_AVG", [STAT_VARIANCE] = "SPL_VARIANCE"};
	const char *samples = gen_samples(g, e->stat.stat);

	return gen_temp(g,
	                gen_text(g, "spl_samples_take(c, &%s, %s, %s)", samples, words[e->stat.op],
	                         gen_place(g, e->tok)),
	                e->stat.op > STAT_SUM);
}

/* --- histograms ------------------------------------------------------------------------------- */

/* @hist_log(s)[n] */
struct operand gen_bucket(struct gen *g, struct expr *e)
{
	struct expr *stat = e->index.base;
	struct operand number = gen_expr(g, e->index.keys.items[0]);
	const char *samples = gen_samples(g, stat->stat.stat);

	return gen_temp(g,
	                gen_text(g, "spl_samples_bucket(c, &%s, %s, %s, %s)", samples,
	                         histogram_word(stat), number.text, gen_place(g, stat->tok)),
	                true);
}

/* print(@hist_log(s)) into a record, sprint into a slot */
struct operand gen_histogram(struct gen *g, const struct print *print, size_t format)
{
	struct expr *stat = print->args.items[0];
	const char *samples = gen_samples(g, stat->stat.stat), *place = gen_place(g, stat->tok);
	struct operand slot = operand_of("0", true);
	long long elision = g->options->limits.hist_elision;

	if (print->to_string) {
		slot = gen_slot(g);
		gen_line(g, "spl_samples_sprint(c, %s, SIZE, &%s, %s, %lld, %s);", slot.text,
		         samples, histogram_word(stat), elision, place);
	} else {
		gen_line(g, "spl_samples_print(c, %zu, &%s, %s, %lld, %s);", format, samples,
		         histogram_word(stat), elision, place);
	}
	gen_line(g, "CHECK(%s);", g->fail);
	return slot;
}

/* foreach (b in @hist_log(s)): the heads of the loop and what is set in each round. */
void gen_foreach_bucket(struct gen *g, struct stmt *st)
{
	struct expr *stat = st->foreach.base;
	const char *number = gen_text(g, "b%u", g->temps++), *samples;
	const struct variable *key = st->foreach.keys.items[0].var;
	struct expr *place = stat->stat.stat;
	const struct variable *var =
	    place->kind == EXPR_INDEX ? place->index.base->symbol.var : place->symbol.var;
	unsigned long long buckets =
	    stat->stat.op == STAT_HIST_LOG ? 128
	                                   : linear_buckets(var->samples_of ? &var->samples_of->stat
	                                                                    : &var->stat);

	samples = st->foreach.value ? gen_samples(g, place) : NULL;
	gen_line(g, "spl_s64 %s = -1;", number);
	gen_line(g, "while (++%s < %llu) {", number, buckets);
	g->indent++;
	gen_store(g, key, number);
	if (st->foreach.value)
		gen_store(g, st->foreach.value->var,
		          gen_text(g, "spl_samples_bucket(c, &%s, %s, %s, %s)", samples,
		                   histogram_word(stat), number, gen_place(g, stat->tok)));
	if (st->foreach.value)
		gen_line(g, "CHECK(%s);", g->fail);
}
