// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sites by address. A chained hash table; hits never look here (a planter knows its sites), so a
 * lock in task context is all that it needs.
 */
#include "engine/core/engine.h"

#define TABLE_BITS 10

static struct spile_site *buckets[1u << TABLE_BITS];
static unsigned count;

static struct spile_site **bucket(uint64_t addr)
{
	return &buckets[(addr * 0x9e3779b97f4a7c15ull) >> (64 - TABLE_BITS)];
}

struct spile_site *table_find(uint64_t addr, enum site_kind kind)
{
	struct spile_site *site;

	for (site = *bucket(addr); site; site = site->hash_next)
		if (site->addr == addr && site->kind == kind && !site->gone)
			return site;
	return NULL;
}

static bool has_probe(const struct spile_site *site, const struct kprobe *wanted)
{
	const struct kprobe *p;

	for (p = site->probes; p; p = p->next)
		if (p == wanted)
			return true;
	return false;
}

struct spile_site *table_find_probe(const struct kprobe *p)
{
	struct spile_site *site;

	for (site = *bucket((uint64_t)(uintptr_t)p->addr); site; site = site->hash_next)
		if (has_probe(site, p))
			return site;
	return NULL;
}

void table_add(struct spile_site *site)
{
	struct spile_site **head = bucket(site->addr);

	site->hash_next = *head;
	*head = site;
	count++;
}

void table_remove(struct spile_site *site)
{
	struct spile_site **link = bucket(site->addr);

	while (*link != site)
		link = &(*link)->hash_next;
	*link = site->hash_next;
	count--;
}

struct spile_site *table_next(const struct spile_site *site)
{
	struct spile_site **head = buckets;

	if (site && site->hash_next)
		return site->hash_next;
	if (site)
		head = bucket(site->addr) + 1;
	for (; head < buckets + (1u << TABLE_BITS); head++)
		if (*head)
			return *head;
	return NULL;
}

unsigned table_count(void)
{
	return count;
}
