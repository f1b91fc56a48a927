// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/string_set.h"

#include <stdlib.h>
#include <string.h>

#include "symbols/hash.h"

void string_set_init(struct string_set *set)
{
	*set = (struct string_set){.room = 1 << 12};
	strbuf_init(&set->text);
	strbuf_addc(&set->text, '\0');
	set->slots = calloc(set->room, sizeof(*set->slots));
	if (!set->slots)
		abort();
}

void string_set_deinit(struct string_set *set)
{
	strbuf_deinit(&set->text);
	free(set->slots);
}

static uint32_t *find_slot(struct string_set *set, const char *text)
{
	size_t i = hash_bytes(0, text, strlen(text)) & (set->room - 1);

	while (set->slots[i] && strcmp(set->text.data + set->slots[i], text))
		i = (i + 1) & (set->room - 1);
	return &set->slots[i];
}

static void grow(struct string_set *set)
{
	uint32_t *old = set->slots;
	size_t room = set->room;

	set->room *= 2;
	set->slots = calloc(set->room, sizeof(*set->slots));
	if (!set->slots)
		abort();
	for (size_t i = 0; i < room; i++)
		if (old[i])
			*find_slot(set, set->text.data + old[i]) = old[i];
	free(old);
}

uint32_t string_set_add(struct string_set *set, const char *text)
{
	uint32_t *slot, at;

	if (!text || !*text || set->text.len > UINT32_MAX / 2)
		return 0;
	slot = find_slot(set, text);
	if (*slot)
		return *slot;
	at = *slot = set->text.len;
	strbuf_add(&set->text, text, strlen(text) + 1);
	if (++set->count * 2 > set->room)
		grow(set);
	return at;
}
