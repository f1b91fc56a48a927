// SPDX-License-Identifier: GPL-2.0-only
/*
 * timer.s(N) .ms .us .ns .hz .jiffies, each with .randomize(M), and timer.profile[.tick].
 *
 * Periods of up to a nanosecond's grain go to high-resolution timers; jiffies keep the kernel's
 * own tick, so that a script can compare the two. hz(N) is a period of 1/N second.
 */
#include "script/families/family.h"

struct unit {
	const char *name, *long_name;
	int64_t ns; /* 0: jiffies */
};

static const struct unit units[] = {
    {"s", "sec", 1000000000}, {"ms", "msec", 1000000},   {"us", "usec", 1000},
    {"ns", "nsec", 1},        {"jiffies", "jiffies", 0},
};

/* Shorter periods would leave no time for anything else; longer ones overflow the arithmetic. */
static const int64_t min_period_ns = 10000, max_period_ns = INT64_C(1000000000) * 86400 * 365;
static const int64_t max_jiffies = INT64_C(1) << 31;

static const struct unit *find_unit(const struct component *component)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (component_is(component, units[i].name) ||
		    component_is(component, units[i].long_name))
			return &units[i];
	return NULL;
}

static bool match(const struct probe_point *point)
{
	return component_is(point_component(point, 0), "timer");
}

static void plant(struct resolver *r, const struct probe_point *point, const char *kind,
                  int64_t period, int64_t random)
{
	struct planted_probe *planted = resolver_plant(r, point);

	planted->kind = kind;
	planted->param = period;
	planted->param2 = random;
	planted->randomize = random != 0;
}

static bool tell_period(struct resolver *r, const struct component *component, const char *low,
                        const char *high)
{
	diag_add(r->diags, component->tok, TIMER_PERIOD, low, high);
	return false;
}

/* A count of units in ns (or jiffies); false after telling what is wrong with it. */
static bool read_period(struct resolver *r, const struct component *component,
                        const struct unit *unit, int64_t min, int64_t *ret)
{
	int64_t n, max = unit->ns ? max_period_ns / unit->ns : max_jiffies;

	if (!component->arg) {
		diag_add(r->diags, component->tok, PROBE_POINT_ARGUMENT, component->name,
		         "a number");
		return false;
	}
	if (!component_number(r, component, 0, &n))
		return false;
	if (n >= 0 && n <= max)
		*ret = unit->ns ? n * unit->ns : n;
	if (n < 0 || n > max || *ret < min)
		return tell_period(r, component, unit->ns ? "10 us" : "1 jiffy",
		                   unit->ns ? "a year" : "2^31 jiffies");
	return true;
}

static void expand_hz(struct resolver *r, const struct probe_point *point,
                      const struct component *component)
{
	int64_t hz;

	if (!component_number(r, component, 0, &hz))
		return;
	if (hz < 1 || hz > 1000000000 / min_period_ns)
		tell_period(r, component, "1 hz", "100000 hz");
	else
		plant(r, point, "SPL_PROBE_TIMER", 1000000000 / hz, 0);
}

static void expand_unit(struct resolver *r, const struct probe_point *point,
                        const struct unit *unit)
{
	const struct component *randomize = point_component(point, 2);
	int64_t period, random = 0;

	if (!read_period(r, point_component(point, 1), unit, unit->ns ? min_period_ns : 1, &period))
		return;
	if (randomize && !component_is(randomize, "randomize")) {
		component_tell_unknown(r, point, randomize);
		return;
	}
	if (randomize && !read_period(r, randomize, unit, 0, &random))
		return;
	if (random > period) {
		tell_period(r, randomize, "0", "the timer's own period (its random part)");
		return;
	}
	plant(r, point, unit->ns ? "SPL_PROBE_TIMER" : "SPL_PROBE_TIMER_JIFFIES", period, random);
}

static void expand(struct resolver *r, const struct probe_point *point)
{
	const struct component *what = point_component(point, 1);
	const struct unit *unit = find_unit(what);
	const bool profile = component_is(what, "profile");
	size_t parts = point->components.count == 3 &&
	                       (unit || (profile && component_is(point_component(point, 2), "tick")))
	                   ? 3
	                   : 2;

	if (!what)
		diag_add(r->diags, point->tok, PROBE_POINT_ARGUMENT, "timer",
		         "a unit: timer.s(N), timer.ms(N), timer.jiffies(N), ...");
	else if (point->components.count > parts)
		component_tell_unknown(r, point, point_component(point, parts));
	else if (unit)
		expand_unit(r, point, unit);
	else if (component_is(what, "hz"))
		expand_hz(r, point, what);
	else if (profile)
		plant(r, point, "SPL_PROBE_TIMER_PROFILE", 0, 0);
	else
		component_tell_unknown(r, point, what);
}

static const char *const spellings[] = {"timer.s",  "timer.sec",     "timer.ms",      "timer.msec",
                                        "timer.us", "timer.usec",    "timer.ns",      "timer.nsec",
                                        "timer.hz", "timer.jiffies", "timer.profile",
                                        "timer.profile.tick", NULL};

const struct probe_family family_timer = {
    .name = "timer",
    .spellings = spellings,
    .match = match,
    .expand = expand,
};
