// SPDX-License-Identifier: GPL-2.0-only
/* The two switches; see control.h. Task context. */
#include "engine/core/control.h"
#include "engine/core/site.h"
#include "engine/host.h"

bool engine_enabled(void)
{
	return !engine.off;
}

bool engine_optimization(void)
{
	return !engine.unoptimized;
}

/* Sites that are not planted have nothing to switch; they count, for when they are. */
static int switch_all(void)
{
	struct spile_site *site = NULL;
	int err, first = 0;

	while ((site = table_next(site))) {
		err = site_switch(site);
		if (err && !first)
			first = err;
	}
	return first;
}

int engine_set_enabled(bool on)
{
	int err;

	engine.home->lock();
	if (on)
		__atomic_fetch_add(&engine.pauses, 1, __ATOMIC_RELAXED);
	engine.off = !on;
	err = switch_all();
	engine.home->unlock();
	if (err)
		host_log("some probes could not be armed again: error %d", err);
	if (!on)
		host_synchronize();
	return err;
}

/* The planted sites of a planter, linked by batch_next. */
static struct spile_site *sites_of(const struct planter *planter)
{
	struct spile_site *site = NULL, *list = NULL;

	while ((site = table_next(site))) {
		if (!site->planted || site->planter != planter)
			continue;
		site->batch_next = list;
		list = site;
	}
	return list;
}

static bool is_in(const struct planter *planter, const struct planter *const *table)
{
	for (; table && *table; table++)
		if (*table == planter)
			return true;
	return false;
}

/* Those of a table, but for those that are in `told`. */
static void tell_planters(const struct planter *const *table, const struct planter *const *told)
{
	for (; *table; table++)
		if ((*table)->optimize && !is_in(*table, told))
			(*table)->optimize(sites_of(*table));
}

void engine_set_optimization(bool on)
{
	engine.home->lock();
	engine.unoptimized = !on;
	tell_planters(engine.home->planters, NULL);
	if (engine.home->planters_text)
		tell_planters(engine.home->planters_text, engine.home->planters);
	engine.home->unlock();
}

/* --- what is written to a switch ------------------------------------------------------------------- */

static bool is_word(const char *text, size_t len, const char *word)
{
	size_t i;

	for (i = 0; i < len && word[i] && text[i] == word[i]; i++)
		;
	return i == len && !word[i];
}

int engine_parse_switch(const char *text, size_t len, bool *ret)
{
	static const char *const words[][4] = { { "0", "n", "N", "off" }, { "1", "y", "Y", "on" } };
	unsigned value, i;

	if (len && text[len - 1] == '\n')
		len--;
	for (value = 0; value < 2; value++) {
		for (i = 0; i < 4; i++) {
			if (is_word(text, len, words[value][i])) {
				*ret = value;
				return 0;
			}
		}
	}
	return -EINVAL;
}
