// SPDX-License-Identifier: GPL-2.0-only
/* Which planter a site gets. The order of the home's table is the policy; this only walks it. */
#include "engine/core/engine.h"
#include "engine/host.h"

int policy_choose(const struct planter *const *planters, const struct spile_site *site,
		  const struct planter **ret)
{
	int verdict = -EOPNOTSUPP, err;

	for (; *planters; planters++) {
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
