// SPDX-License-Identifier: GPL-2.0-only
#include "vm/sources.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/file.h"

/* One entry, whichever form it came in. Strings are space-separated lists, owned. */
struct entry {
	char *types, *uris, *suites, *components;
	struct strbuf extra; /* "Signed-By: ..." and the like, whole lines */
	bool disabled;
};

static void entry_deinit(struct entry *entry)
{
	free(entry->types);
	free(entry->uris);
	free(entry->suites);
	free(entry->components);
	strbuf_deinit(&entry->extra);
	*entry = (struct entry){ 0 };
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list && *list) {
		size_t n;

		list += strspn(list, " \t\n");
		n = strcspn(list, " \t\n");
		if (n == len && !strncmp(list, word, len))
			return true;
		list += n;
	}
	return false;
}

static bool is_debian_suite(const char *name)
{
	return has_word("buster bullseye bookworm trixie forky duke sid "
			"oldoldstable oldstable stable testing unstable", name);
}

/* "bookworm-updates", "bookworm-security" or, before Debian 11, "buster/updates". */
static bool is_update_of(const char *name, const char *suite)
{
	size_t len = strlen(suite);

	return !strncmp(name, suite, len) &&
	       (!strcmp(name + len, "-updates") || !strcmp(name + len, "-security") ||
		!strcmp(name + len, "/updates"));
}

static void entry_print(const struct entry *entry, const char *suite, struct strbuf *out)
{
	strbuf_addf(out, "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n%s\n", entry->uris,
		    suite, entry->extra.data ? entry->extra.data : "");
}

static void entry_take(struct sources *sources, const struct entry *entry)
{
	char *copy, *save;

	if (entry->disabled || !entry->uris || !entry->suites || !has_word(entry->types, "deb") ||
	    !has_word(entry->components, "main") || !strstr(entry->uris, "debian"))
		return;
	copy = strdup(entry->suites);
	for (char *s = strtok_r(copy, " \t\n", &save); s; s = strtok_r(NULL, " \t\n", &save)) {
		bool same = !strcmp(s, sources->suite);

		if (same || is_update_of(s, sources->suite))
			entry_print(entry, s, &sources->exact);
		else if (is_debian_suite(s) && !sources->spare.len)
			entry_print(entry, sources->suite, &sources->spare);
		sources->has_suite |= same;
	}
	free(copy);
}

/* --- deb822: "Field: value", continued by lines that start with a blank; stanzas end at a gap ---- */

static void set_string(char **field, const char *value, size_t len)
{
	free(*field);
	*field = strndup(value, len);
}

static void entry_set_field(struct entry *entry, const char *field, const char *value, size_t len)
{
	if (!strcasecmp(field, "Types"))
		set_string(&entry->types, value, len);
	else if (!strcasecmp(field, "URIs"))
		set_string(&entry->uris, value, len);
	else if (!strcasecmp(field, "Suites"))
		set_string(&entry->suites, value, len);
	else if (!strcasecmp(field, "Components"))
		set_string(&entry->components, value, len);
	else if (!strcasecmp(field, "Enabled"))
		entry->disabled = !strncasecmp(value, "no", 2);
	else if (!strcasecmp(field, "Signed-By") || !strcasecmp(field, "Trusted") ||
		 !strcasecmp(field, "Check-Valid-Until"))
		strbuf_addf(&entry->extra, "%s: %.*s\n", field, (int)len, value);
}

/* A field with its continuation lines, comments taken out: one string without the last newline. */
static const char *field_read(const char *p, struct strbuf *ret)
{
	const char *start = p;

	strbuf_init(ret);
	do {
		size_t n = strcspn(p, "\n");

		if (*p != '#') {
			if (ret->len)
				strbuf_addc(ret, '\n');
			strbuf_add(ret, p, n);
		}
		p += n + (p[n] == '\n');
	} while (*p == ' ' || *p == '\t' || (*p == '#' && *start != '#'));
	return p;
}

void sources_add_deb822(struct sources *sources, const char *text)
{
	struct entry entry = { 0 };

	while (*text) {
		_cleanup_free_ char *field = NULL;
		struct strbuf line;
		char *colon;

		if (*text == '\n') {
			entry_take(sources, &entry);
			entry_deinit(&entry);
			text++;
			continue;
		}
		text = field_read(text, &line);
		field = strbuf_steal(&line);
		colon = strchr(field, ':');
		if (!colon)
			continue;
		*colon++ = '\0';
		colon += strspn(colon, " \t");
		entry_set_field(&entry, field, colon, strlen(colon));
	}
	entry_take(sources, &entry);
	entry_deinit(&entry);
}

/* --- one line: deb [ option=value ... ] URI suite component ... ---------------------------------- */

static void entry_set_option(struct entry *entry, const char *option, size_t len)
{
	static const struct {
		const char *option, *field;
	} known[] = {
		{ "signed-by=", "Signed-By" },
		{ "trusted=", "Trusted" },
		{ "check-valid-until=", "Check-Valid-Until" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i].option);

		if (len > n && !strncasecmp(option, known[i].option, n))
			entry_set_field(entry, known[i].field, option + n, len - n);
	}
}

/* Takes the next word off *p; returns its length. */
static size_t next_word(const char **p, const char **ret)
{
	*p += strspn(*p, " \t");
	*ret = *p;
	*p += strcspn(*p, " \t");
	return *p - *ret;
}

static const char *options_read(const char *p, struct entry *entry)
{
	const char *end = strchr(p, ']');

	if (!end)
		return p;
	for (p++; p < end;) {
		size_t n;

		p += strspn(p, " \t");
		n = strcspn(p, " \t]");
		entry_set_option(entry, p, n);
		p += n ? n : 1;
	}
	return end + 1;
}

static void sources_add_line(struct sources *sources, char *line)
{
	struct entry entry = { 0 };
	const char *p = line, *word;
	size_t n;

	line[strcspn(line, "#")] = '\0';
	n = next_word(&p, &word);
	set_string(&entry.types, word, n);
	p += strspn(p, " \t");
	if (*p == '[')
		p = options_read(p, &entry);
	n = next_word(&p, &word);
	set_string(&entry.uris, word, n);
	n = next_word(&p, &word);
	set_string(&entry.suites, word, n);
	set_string(&entry.components, p, strlen(p));
	entry_take(sources, &entry);
	entry_deinit(&entry);
}

void sources_add_lines(struct sources *sources, const char *text)
{
	char *copy = strdup(text), *save;

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		sources_add_line(sources, l);
	free(copy);
}

/* --- the system's -------------------------------------------------------------------------------- */

void sources_init(struct sources *sources, const char *suite)
{
	*sources = (struct sources){ .suite = suite };
	strbuf_init(&sources->exact);
	strbuf_init(&sources->spare);
}

void sources_deinit(struct sources *sources)
{
	strbuf_deinit(&sources->exact);
	strbuf_deinit(&sources->spare);
}

static void sources_add_files(struct sources *sources, const char *pattern, bool deb822)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		_cleanup_free_ char *text = NULL;
		size_t len;
		struct error *error = file_read(found.gl_pathv[i], &text, &len);

		error_destroy(error); /* unreadable for this user: as if it was not there */
		if (text && deb822)
			sources_add_deb822(sources, text);
		else if (text)
			sources_add_lines(sources, text);
	}
	globfree(&found);
}

struct error *sources_for_suite(const char *suite, char **ret)
{
	struct error *error = NULL;
	struct sources sources;
	struct strbuf out;

	sources_init(&sources, suite);
	strbuf_init(&out);
	sources_add_files(&sources, "/etc/apt/sources.list", false);
	sources_add_files(&sources, "/etc/apt/sources.list.d/*.list", false);
	sources_add_files(&sources, "/etc/apt/sources.list.d/*.sources", true);
	if (sources.exact.len)
		strbuf_adds(&out, sources.exact.data);
	if (!sources.has_suite && sources.spare.len)
		strbuf_adds(&out, sources.spare.data);
	if (out.len)
		*ret = strbuf_steal(&out);
	else
		error = error_create(ENOENT, "no entry for the Debian archive in "
				     "/etc/apt/sources.list or sources.list.d: Spile asks the "
				     "system's own mirror for kernels and has none of its own");
	strbuf_deinit(&out);
	sources_deinit(&sources);
	return error;
}
