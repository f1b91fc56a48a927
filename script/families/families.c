// SPDX-License-Identifier: GPL-2.0-only
#include "script/families/family.h"

#include <string.h>

const struct probe_family *const probe_families[] = {
    &family_begin_end,
    &family_timer,
    &family_code_point,
    &family_kprobe,
    NULL,
};

const struct probe_family *probe_family_find(const struct probe_point *point)
{
	for (size_t i = 0; probe_families[i]; i++)
		if (probe_families[i]->match(point))
			return probe_families[i];
	return NULL;
}

const struct component *point_component(const struct probe_point *point, size_t n)
{
	return n < point->components.count ? &point->components.items[n] : NULL;
}

bool component_is(const struct component *component, const char *name)
{
	return component && !strcmp(component->name, name);
}

bool component_number(struct resolver *r, const struct component *component, int64_t fallback,
                      int64_t *ret)
{
	*ret = fallback;
	if (!component->arg)
		return true;
	if (component->arg->kind == EXPR_NUMBER) {
		*ret = component->arg->number;
		return true;
	}
	diag_add(r->diags, component->tok, PROBE_POINT_ARGUMENT, component->name, "a number");
	return false;
}

const char *component_string(struct resolver *r, const struct component *component)
{
	if (component->arg && component->arg->kind == EXPR_STRING)
		return component->arg->string.data;
	diag_add(r->diags, component->tok, PROBE_POINT_ARGUMENT, component->name, "a string");
	return NULL;
}

/* What the point up to this component was probably meant to be. */
static const char *nearest_spelling(struct resolver *r, const struct probe_point *point,
                                    const struct component *component)
{
	const char *const *spellings = probe_family_find(point)->spellings;
	size_t part = (size_t)(component - point->components.items), count = 0;

	while (spellings[count])
		count++;
	return diag_nearest(probe_point_names(r->arena, point, part + 1), spellings, count);
}

void component_tell_unknown(struct resolver *r, const struct probe_point *point,
                            const struct component *component)
{
	const char *near = nearest_spelling(r, point, component);

	diag_add(r->diags, component->tok, PROBE_POINT_PART, probe_point_text(r->arena, point),
	         component->name);
	if (near)
		diag_hint(r->diags, "did you mean '%s'?", near);
}
