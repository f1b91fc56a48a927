// SPDX-License-Identifier: GPL-2.0-only
/* The listings; see control.h. Task context. */
#include "engine/core/control.h"
#include "engine/core/engine.h"
#include "engine/core/jprobe.h"
#include "engine/host.h"

/* --- text of bounded size that is counted to its end ------------------------------------------------ */

struct text {
	char *to;
	size_t size, len;
};

static void text_char(struct text *t, char c)
{
	if (t->len < t->size)
		t->to[t->len] = c;
	t->len++;
}

static void text_string(struct text *t, const char *s)
{
	while (*s)
		text_char(t, *s++);
}

/* At least `digits` of them. */
static void text_hex(struct text *t, uint64_t value, int digits)
{
	while (digits < 16 && value >> 4 * digits)
		digits++;
	while (digits-- > 0)
		text_char(t, "0123456789abcdef"[value >> 4 * digits & 15]);
}

/* --- probes ------------------------------------------------------------------------------------------ */

#define SYMBOL_MAX 256

/* "name+0x10", two blanks, and the module or one more blank: the host's form is "name+0x10 [module]". */
static void text_symbol(struct text *t, const struct spile_site *site, const struct kprobe *p)
{
	char symbol[SYMBOL_MAX] = "", *c;

	if (!site->gone)
		host_symbol_name(symbol, sizeof(symbol), site->addr);
	if (!symbol[0] && p->symbol_name) {
		text_string(t, p->symbol_name);
		text_string(t, "+0x");
		text_hex(t, p->offset, 1);
	} else if (!symbol[0]) {
		text_string(t, "0x");
		text_hex(t, site->addr, 1);
	}
	for (c = symbol; *c && *c != ' '; c++)
		text_char(t, *c);
	text_string(t, "  ");
	if (*c != ' ')
		text_char(t, ' ');
	for (; *c; c++)
		if (*c != ' ' && *c != '[' && *c != ']')
			text_char(t, *c);
	text_char(t, ' ');
}

static void text_planter(struct text *t, const char *name)
{
	text_char(t, '[');
	for (; *name; name++)
		text_char(t, *name == ' ' ? '-' : *name);
	text_char(t, ']');
}

static char type_of(const struct spile_site *site, const struct kprobe *p)
{
	if (site->kind == SITE_RETURN)
		return 'r';
	return kprobe_is_jprobe(p) ? 'j' : 'k';
}

static void text_probe(struct text *t, const struct spile_site *site, const struct kprobe *p)
{
	bool gone = p->flags & KPROBE_FLAG_GONE;

	text_hex(t, site->addr, 16);
	text_string(t, "  ");
	text_char(t, type_of(site, p));
	text_string(t, "  ");
	text_symbol(t, site, p);
	if (gone)
		text_string(t, "[GONE]");
	if (p->flags & KPROBE_FLAG_DISABLED && !gone)
		text_string(t, "[DISABLED]");
	if (p->flags & KPROBE_FLAG_OPTIMIZED && !gone)
		text_string(t, "[OPTIMIZED]");
	if (p->flags & KPROBE_FLAG_FTRACE && !gone)
		text_string(t, "[FTRACE]");
	if (site->planted && !gone)
		text_planter(t, site->planter->name);
	text_char(t, '\n');
}

size_t engine_list(char *to, size_t size)
{
	struct text t = { .to = to, .size = size };
	struct spile_site *site = NULL;
	const struct kprobe *p;

	engine.home->lock();
	while ((site = table_next(site)))
		for (p = site->probes; p; p = p->next)
			text_probe(&t, site, p);
	engine.home->unlock();
	return t.len;
}

/* --- what may not be probed -------------------------------------------------------------------------- */

static void text_range(uint64_t start, uint64_t end, void *arg)
{
	char symbol[SYMBOL_MAX] = "", *c;
	struct text *t = arg;

	text_string(t, "0x");
	text_hex(t, start, 16);
	text_string(t, "-0x");
	text_hex(t, end, 16);
	text_char(t, '\t');
	host_symbol_name(symbol, sizeof(symbol), start);
	for (c = symbol; *c && *c != '+'; c++)
		text_char(t, *c);
	while (*c && *c != ' ')
		c++;
	text_string(t, c); /* the module's name */
	text_char(t, '\n');
}

size_t engine_blacklist(char *to, size_t size)
{
	struct text t = { .to = to, .size = size };

	if (engine.home->blacklist)
		engine.home->blacklist(text_range, &t);
	return t.len;
}
