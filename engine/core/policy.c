// SPDX-License-Identifier: GPL-2.0-only
/* Which planter a site gets. The order of the home's tables is the policy; this only walks one. */
#include "engine/core/engine.h"
#include "engine/host.h"

int policy_choose(const struct engine_home *home, const struct spile_site *site,
		  const struct planter *after, const struct planter **ret)
{
	const struct planter *const *planters = home->planters;
	int verdict = -EOPNOTSUPP, err;

	if (home->wants_text && home->wants_text(site))
		planters = home->planters_text;

	for (; *planters; planters++) {
		if (after) {
			if (*planters == after)
				after = NULL;
			continue;
		}
		if (!((*planters)->kinds & site->kind))
			continue;
		err = (*planters)->can_plant(site);
		if (!err) {
			*ret = *planters;
			return 0;
		}
		if (verdict == -EOPNOTSUPP)
			verdict = err;
	}
	return verdict;
}
