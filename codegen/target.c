// SPDX-License-Identifier: GPL-2.0-only
/*
 * Target variables: the steps of struct target_access in C. A load from a bad address raises the
 * error and gives 0, so a chain of loads is checked once, at its end.
 */
#include "codegen/codegen_private.h"

static const char *gen_base(struct gen *g, const struct target_access *access)
{
	switch (access->base) {
	case ACCESS_ARGUMENT:
		return gen_text(g, "spl_arg(c, %d)", access->argument);
	case ACCESS_RETVAL:
		return "spl_retval(c)";
	case ACCESS_POINTER:
		return gen_expr(g, access->pointer).text;
	}
	return "0";
}

static const char *gen_load(struct gen *g, const struct expr *e, const struct access_step *step,
                            const char *address)
{
	if (step->bit_size)
		return gen_text(g, "spl_load_bits(c, (spl_u64)%s, %d, %d, %d, %d, %s)", address,
		                step->width, step->bit_shift, step->bit_size, step->is_signed,
		                gen_place(g, e->tok));
	return gen_text(g, "spl_load(c, (spl_u64)%s, %d, %d, %s)", address, step->width,
	                step->is_signed, gen_place(g, e->tok));
}

static const char *gen_access_step(struct gen *g, const struct expr *e,
                                   const struct access_step *step, const char *value)
{
	switch (step->op) {
	case ACCESS_ADD:
		return gen_text(g, "(%s + %lldLL)", value, (long long)step->number);
	case ACCESS_SCALE:
		return gen_text(g, "(%s + %s * %lldLL)", value, gen_expr(g, step->index).text,
		                (long long)step->number);
	case ACCESS_LOAD:
		return gen_temp(g, gen_load(g, e, step, value), false).text;
	case ACCESS_CUT:
		return gen_text(g, "(spl_s64)(spl_%c%d)%s", step->is_signed ? 's' : 'u',
		                step->width * 8, value);
	}
	return value;
}

struct operand gen_target(struct gen *g, struct expr *e)
{
	const struct target_access *access = e->target->access;
	const char *value;
	bool loads = false;

	if (!access)
		return operand_of("0", true);
	value = gen_base(g, access);
	for (size_t i = 0; i < access->steps.count; i++) {
		value = gen_access_step(g, e, &access->steps.items[i], value);
		loads |= access->steps.items[i].op == ACCESS_LOAD;
	}
	if (!loads)
		return gen_temp(g, value, false);
	gen_line(g, "CHECK(%s);", g->fail);
	return operand_of(value, true);
}
