// SPDX-License-Identifier: GPL-2.0-only
/*
 * kprobe.function("f"), kprobe.module("m").function("f"), kprobe.statement(ADDRESS).absolute: stap's
 * points for kernels without debug information. They are those of kernel and module, which need
 * none here either for functions; target variables are not forbidden in them.
 */
#include "script/families/family.h"

#include <string.h>

static bool match(const struct probe_point *point)
{
	const struct component *second = point_component(point, 1);

	return component_is(point_component(point, 0), "kprobe") &&
	       (component_is(second, "function") || component_is(second, "module") ||
	        component_is(second, "statement"));
}

/* The same point in the words of the other family. */
static struct probe_point *translate(struct resolver *r, const struct probe_point *point)
{
	const bool in_module = component_is(point_component(point, 1), "module");
	struct probe_point *other = ARENA_NEW(r->arena, struct probe_point);

	*other = *point;
	other->components.items = NULL;
	other->components.count = 0;
	for (size_t i = in_module; i < point->components.count; i++) {
		struct component part = point->components.items[i];

		if (i == 0)
			part.name = "kernel";
		ARENA_APPEND(r->arena, &other->components, part);
	}
	return other;
}

static void expand(struct resolver *r, const struct probe_point *point)
{
	const struct probe_point *other = translate(r, point);
	const size_t first = r->program->probes.count;

	probe_family_find(other)->expand(r, other);
	for (size_t i = first; i < r->program->probes.count; i++) {
		const char **pp = &r->program->probes.items[i]->pp;

		if (strncmp(*pp, "kernel.", 7) == 0)
			*pp = arena_printf(r->arena, "kprobe.%s", *pp + 7);
		else
			*pp = arena_printf(r->arena, "kprobe.%s", *pp);
	}
}

static void list_variables(struct resolver *r, const struct planted_probe *planted, FILE *out)
{
	family_code_point.list_variables(r, planted, out);
}

static const char *const spellings[] = {"kprobe.function", "kprobe.function.return",
                                        "kprobe.module.function", "kprobe.module.function.return",
                                        "kprobe.statement.absolute", NULL};

const struct probe_family family_kprobe = {
    .name = "kprobe",
    .spellings = spellings,
    .match = match,
    .expand = expand,
    .list_variables = list_variables,
};
