// SPDX-License-Identifier: GPL-2.0-only
/* begin[(N)], end[(N)], error[(N)], never: the session's own events. N orders them, low first. */
#include "script/families/family.h"

static const struct {
	const char *name, *kind;
} events[] = {
    {"begin", "SPL_PROBE_BEGIN"},
    {"end", "SPL_PROBE_END"},
    {"error", "SPL_PROBE_ERROR"},
    {"never", NULL},
};

enum { EVENT_COUNT = sizeof(events) / sizeof(events[0]) };

static size_t find_event(const struct probe_point *point)
{
	size_t i = 0;

	while (i < EVENT_COUNT && !component_is(point_component(point, 0), events[i].name))
		i++;
	return i;
}

static bool match(const struct probe_point *point)
{
	return find_event(point) < EVENT_COUNT;
}

static void expand(struct resolver *r, const struct probe_point *point)
{
	size_t event = find_event(point);
	struct planted_probe *planted;
	int64_t order;

	if (point->components.count > 1) {
		component_tell_unknown(r, point, point_component(point, 1));
		return;
	}
	if (!component_number(r, point_component(point, 0), 0, &order))
		return;
	planted = resolver_plant(r, point);
	planted->kind = events[event].kind; /* NULL: its names are checked, that is all */
	planted->param = order;
}

static const char *const spellings[] = {"begin", "end", "error", "never", NULL};

const struct probe_family family_begin_end = {
    .name = "begin_end",
    .spellings = spellings,
    .match = match,
    .expand = expand,
};
