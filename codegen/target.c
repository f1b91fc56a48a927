// SPDX-License-Identifier: GPL-2.0-only
/*
 * Target variables: the steps of struct target_access in C, to read, to write, to show as text. A load
 * from a bad address raises the error, which names what was read, and gives 0; so a chain of loads
 * is checked once, at its end.
 */
#include "codegen/codegen_private.h"

#include <string.h>

/* "identifier '$file->f_inode' at FILE:L:C": what is read there, as far as it goes. */
static const char *access_place(struct gen *g, const struct expr *e, const struct access_step *step)
{
	const struct token *tok = e->tok;
	const char *text;

	if (!step || !step->spelled)
		return gen_place(g, tok);
	text = gen_text(g, "identifier '%.120s' at %s:%u:%u", step->spelled, tok->source->name,
	                tok->line, tok->column);
	return gen_literal(g, text, strlen(text));
}

/* --- the base ------------------------------------------------------------------------------------------ */

/* The registers of arguments, and of the two halves of a returned structure, in struct pt_regs. */
static int base_register(const struct target_access *access)
{
	static const int arguments[] = {112, 104, 96, 88, 72, 64};
	int word = access->part / 64;

	if (access->base == ACCESS_RETVAL)
		return word ? 96 : 80;
	if (access->base == ACCESS_LOCATION)
		return gen_location_register(access);
	word += access->argument;
	return word < 6 ? arguments[word] : -1;
}

static const char *shifted(struct gen *g, const struct target_access *access, const char *word)
{
	int shift = access->part % 64;

	return shift ? gen_text(g, "(spl_s64)((spl_u64)%s >> %d)", word, shift) : word;
}

static const char *gen_base(struct gen *g, const struct expr *e,
                            const struct target_access *access)
{

	switch (access->base) {
	case ACCESS_ARGUMENT:
		return shifted(g, access,
		               gen_text(g, "spl_arg(c, %d)", access->argument + access->part / 64));
	case ACCESS_STACK:
		return gen_text(g, "(spl_s64)spl_stack_arg(c, %d)", access->argument);
	case ACCESS_RETVAL:
		return shifted(g, access,
		               access->part < 64
		                   ? "spl_retval(c)"
		                   : gen_text(g, "spl_reg(c, %d)", base_register(access)));
	case ACCESS_POINTER:
		return gen_expr(g, access->pointer).text;
	case ACCESS_SYMBOL:
		return gen_text(g, access->is_per_cpu ? "(spl_s64)spl_per_cpu(%s)" : "(spl_s64)%s",
		                gen_symbol_address(g, access->symbol, 0));
	case ACCESS_LOCATION:
		return gen_text(g, "(spl_s64)%s",
		                access->is_address
		                    ? gen_location_address(g, access, access_place(g, e, NULL))
		                    : gen_location_bits(g, access, access_place(g, e, NULL)));
	}
	return "0";
}

/* --- steps --------------------------------------------------------------------------------------------- */

static const char *gen_load(struct gen *g, const struct expr *e, const struct access_step *step,
                            const char *address)
{
	const char *user = step->is_user ? "_user" : "", *place = access_place(g, e, step), *load;

	if (step->bit_size)
		load = gen_text(g, "spl_load%s_bits(c, (spl_u64)%s, %d, %d, %d, %d, %s)", user,
		                address, step->width, step->bit_shift, step->bit_size,
		                step->is_signed, place);
	else
		load = gen_text(g, "spl_load%s(c, (spl_u64)%s, %d, %d, %s)", user, address,
		                step->width, step->is_signed, place);
	return g->program->skip_badvars ? gen_text(g, "spl_or_0(c, %s)", load) : load;
}

static const char *gen_cut(struct gen *g, const struct access_step *step, const char *value)
{
	if (!step->bit_size)
		return gen_text(g, "(spl_s64)(spl_%c%d)%s", step->is_signed ? 's' : 'u',
		                step->width * 8, value);
	return gen_text(g, "((spl_s64)((spl_%c64)((spl_u64)%s << %d) >> %d))",
	                step->is_signed ? 's' : 'u', value, 64 - step->bit_size,
	                64 - step->bit_size);
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
		return gen_cut(g, step, value);
	}
	return value;
}

/* The first `count` steps; *loads when one of them reads memory. */
static const char *gen_steps(struct gen *g, const struct expr *e, size_t count, bool *loads)
{
	const struct target_access *access = e->target->access;
	const char *value = gen_base(g, e, access);

	*loads = false;
	for (size_t i = 0; i < count; i++) {
		const struct access_step *step = &access->steps.items[i];

		if (step->op == ACCESS_SCALE && expr_has_effects(g, step->index))
			value = gen_temp(g, value, false).text;
		value = gen_access_step(g, e, step, value);
		*loads |= step->op == ACCESS_LOAD;
	}
	return value;
}

/* --- whole objects ---------------------------------------------------------------------------------------- */

static void gen_names(struct gen *g, unsigned name, size_t row, const struct show_names *names)
{
	gen_line(g, "static const struct spl_enumerator w%u_%zu[] = {", name, row);
	for (size_t i = 0; i < names->count; i++)
		gen_line(g, "\t{ %lldLL, %s },", (long long)names->items[i].value,
		         gen_literal(g, names->items[i].name, strlen(names->items[i].name)));
	gen_line(g, "\t{ 0, 0 },");
	gen_line(g, "};");
}

static void gen_rows(struct gen *g, unsigned name, const struct target_access *access)
{
	for (size_t i = 0; i < access->rows.count; i++)
		if (access->rows.items[i].names)
			gen_names(g, name, i, access->rows.items[i].names);
	gen_line(g, "static const struct spl_show w%u[] = {", name);
	for (size_t i = 0; i < access->rows.count; i++) {
		const struct show_row *row = &access->rows.items[i];

		gen_line(g, "\t{ %s, %u, SPL_SHOW_%s, %d, %d, %d, %u, %s },",
		         gen_literal(g, row->text, strlen(row->text)), row->offset, row->how,
		         row->width, row->bit_shift, row->bit_size,
		         row->names ? (unsigned)row->names->count : row->size,
		         row->names ? gen_text(g, "w%u_%zu", name, i) : "0");
	}
	gen_line(g, "};");
}

/* The words of an object that is in registers: an array of them, and its address. */
static const char *gen_words(struct gen *g, const struct expr *e)
{
	struct target_access part = *e->target->access;
	unsigned name = g->temps++;

	part.part_bits = 64;
	gen_line(g, "spl_u64 v%u[%u];", name, part.show_words);
	for (unsigned i = 0; i < part.show_words; i++, part.part += 64)
		gen_line(g, "v%u[%u] = (spl_u64)%s;", name, i, gen_base(g, e, &part));
	gen_line(g, "CHECK(%s);", g->fail);
	return gen_text(g, "v%u", name);
}

/* A bad pointer on the way is an error; what cannot be read of the object itself is only told. */
static struct operand gen_show(struct gen *g, const struct expr *e)
{
	const struct target_access *access = e->target->access;
	unsigned name = g->temps++;
	const char *object, *where = access->show_user ? "USER" : "KERNEL";
	struct operand slot;
	bool loads;

	gen_rows(g, name, access);
	if (access->show_words) {
		object = gen_words(g, e);
		where = "WORDS";
	} else {
		object = gen_steps(g, e, access->steps.count, &loads);
		object = gen_temp(g, object, loads).text;
	}
	slot = gen_slot(g);
	gen_line(g, "spl_show(c, %s, SIZE, w%u, %zu, SPL_IN_%s, (spl_u64)%s);", slot.text, name,
	         access->rows.count, where, object);
	return slot;
}

struct operand gen_target(struct gen *g, struct expr *e)
{
	const struct target_access *access = e->target->access;
	const char *value;
	bool loads;

	if (!access)
		return operand_of("0", true);
	if (access->is_shown)
		return gen_show(g, e);
	value = gen_steps(g, e, access->steps.count, &loads);
	if (!loads)
		return gen_temp(g, value, false);
	gen_line(g, "CHECK(%s);", g->fail);
	return operand_of(value, true);
}

/* --- writing ------------------------------------------------------------------------------------------------ */

/* What is written to: an address, worked out once, or a register. */
struct written {
	const struct expr *e;
	const struct access_step *load; /* the read that becomes a write; NULL: a register */
	const char *address;
};

static struct written gen_written(struct gen *g, const struct expr *e)
{
	const struct target_access *access = e->target->access;
	size_t count = access->steps.count;
	struct written to = {.e = e};
	bool loads;

	if (!count || access->steps.items[count - 1].op != ACCESS_LOAD)
		return to;
	to.load = &access->steps.items[count - 1];
	to.address = gen_steps(g, e, count - 1, &loads);
	to.address = gen_temp(g, to.address, loads).text;
	return to;
}

static struct operand gen_read_back(struct gen *g, const struct written *to)
{
	if (!to->load)
		return gen_target(g, (struct expr *)to->e);
	return gen_temp(g, gen_load(g, to->e, to->load, to->address), true);
}

/* A narrow value in a register of its own is widened as its type says: callees may rely on that. */
static void gen_set_register(struct gen *g, const struct target_access *access, const char *value)
{
	const struct access_step *cut = access->steps.count ? &access->steps.items[0] : NULL;

	if (access->part_is_whole && cut)
		value = gen_cut(g, cut, gen_text(g, "(%s)", value));
	gen_line(g, "spl_set_reg(c, %d, %d, %d, %s);", base_register(access),
	         access->part_is_whole ? 0 : access->part % 64,
	         access->part_is_whole ? 64 : access->part_bits, value);
}

static void gen_store_to(struct gen *g, const struct written *to, const char *value)
{
	const struct target_access *access = to->e->target->access;
	const char *user, *place;

	if (!to->load && access->base == ACCESS_ARGUMENT && base_register(access) < 0) {
		gen_line(g, "spl_store(c, spl_stack_arg(c, %d), 8, %s, %s);", access->argument,
		         value, access_place(g, to->e, NULL));
	} else if (!to->load) {
		gen_set_register(g, access, value);
	} else {
		user = to->load->is_user ? "_user" : "";
		place = access_place(g, to->e, to->load);
		if (to->load->bit_size)
			gen_line(g, "spl_store%s_bits(c, (spl_u64)%s, %d, %d, %d, %s, %s);", user,
			         to->address, to->load->width, to->load->bit_shift,
			         to->load->bit_size, value, place);
		else
			gen_line(g, "spl_store%s(c, (spl_u64)%s, %d, %s, %s);", user, to->address,
			         to->load->width, value, place);
	}
	gen_line(g, "CHECK(%s);", g->fail);
}

struct operand gen_target_assign(struct gen *g, struct expr *e)
{
	struct expr *place = e->binary.left;
	struct operand value = gen_expr(g, e->binary.right);
	struct written to;

	if (!place->target->access)
		return value;
	value = gen_temp(g, value.text, false);
	to = gen_written(g, place);
	if (e->binary.op != OP_SET)
		value = gen_temp(
		    g, gen_arith(g, e, e->binary.op, gen_read_back(g, &to), value).text, false);
	gen_store_to(g, &to, value.text);
	return value;
}

struct operand gen_target_step(struct gen *g, struct expr *e)
{
	struct operand old, new;
	struct written to;

	if (!e->step.operand->target->access)
		return operand_of("0", true);
	to = gen_written(g, e->step.operand);
	old = gen_read_back(g, &to);
	new = gen_temp(g, gen_text(g, "(spl_s64)((spl_u64)%s %s 1)", old.text,
	                           e->step.op == OP_INC ? "+" : "-"),
	               false);
	gen_store_to(g, &to, new.text);
	return e->step.prefix ? new : old;
}
