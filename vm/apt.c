// SPDX-License-Identifier: GPL-2.0-only
#include "vm/apt.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "vm/sources.h"
#include "vm/spawn.h"

#define APT_OPTIONS 10

struct apt {
	char *suite;
	char *options[APT_OPTIONS]; /* values of -o */
	int option_count;
};

__attribute__((format(printf, 2, 3))) static void apt_option(struct apt *apt, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (apt->option_count == APT_OPTIONS ||
	    vasprintf(&apt->options[apt->option_count++], fmt, ap) < 0)
		abort();
	va_end(ap);
}

static void apt_options(struct apt *apt, const char *dir)
{
	apt_option(apt, "Dir::State::Lists=%s/lists", dir);
	apt_option(apt, "Dir::Cache=%s/cache", dir);
	apt_option(apt, "Dir::Etc::SourceList=%s/suite.sources", dir);
	apt_option(apt, "Dir::Etc::SourceParts=/dev/null");
	apt_option(apt, "Dir::Etc::Preferences=/dev/null");
	apt_option(apt, "Dir::Etc::PreferencesParts=/dev/null");
	apt_option(apt, "APT::Default-Release=");
	apt_option(apt, "Acquire::Languages=none");
	/* As root apt would drop to a user of its own, who can't write to a cache in root's home. */
	apt_option(apt, "APT::Sandbox::User=root");
}

static struct error *apt_make_folder(const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	return file_make_dirs(path);
}

struct error *apt_create(const char *dir, const char *suite, struct apt **ret)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	struct error *error = sources_for_suite(suite, &text);
	struct apt *apt;

	if (!error)
		error = apt_make_folder(dir, "lists/partial");
	if (!error)
		error = apt_make_folder(dir, "cache/archives/partial");
	if (asprintf(&path, "%s/suite.sources", dir) < 0)
		abort();
	if (!error)
		error = file_write_atomic(path, text, strlen(text));
	if (error)
		return error;
	apt = calloc(1, sizeof(*apt));
	if (!apt)
		abort();
	apt->suite = strdup(suite);
	apt_options(apt, dir);
	*ret = apt;
	return NULL;
}

void apt_destroy(struct apt *apt)
{
	if (!apt)
		return;
	for (int i = 0; i < apt->option_count; i++)
		free(apt->options[i]);
	free(apt->suite);
	free(apt);
}

/* Runs `tool -q -o OPTION... verb [arg]`. */
static struct error *apt_run(struct apt *apt, const char *tool, const char *verb, const char *arg,
			     const char *cwd, char **ret)
{
	const char *argv[2 * APT_OPTIONS + 5];
	struct error *error;
	int n = 0;

	argv[n++] = tool;
	argv[n++] = "-q";
	for (int i = 0; i < apt->option_count; i++) {
		argv[n++] = "-o";
		argv[n++] = apt->options[i];
	}
	argv[n++] = verb;
	argv[n++] = arg;
	argv[n] = NULL;
	error = spawn_read(argv, cwd, ret);
	if (error && error->err == ENOENT)
		error_wrap(error, "kernels come from the Debian archive through apt");
	return error;
}

struct error *apt_update(struct apt *apt)
{
	/* "any": an index that can't be fetched is an error, not a warning and status 0. */
	struct error *error = apt_run(apt, "apt-get", "--error-on=any", "update", NULL, NULL);

	return error ? error_wrap(error, "cannot fetch Debian's package lists for %s (no network?)",
				  apt->suite)
		     : NULL;
}

static bool is_kernel_package(const char *name)
{
	static const char *const prefixes[] = { "linux-image-", "linux-binary-",
						"linux-modules-", "linux-base-" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i]);

		if (!strncmp(name, prefixes[i], n) && isdigit((unsigned char)name[n]))
			return true;
	}
	return false;
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		if (!strncmp(p, line, len) && p[len] == '\n')
			return true;
	}
	return false;
}

/* Adds the kernel packages that `apt-cache depends` names: lines such as "  Depends: NAME". */
static struct error *add_depends(struct apt *apt, const char *package, struct strbuf *list)
{
	_cleanup_free_ char *text = NULL;
	struct error *error = apt_run(apt, "apt-cache", "depends", package, NULL, &text);
	char *save;

	if (error)
		return error;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *name = strstr(l, "Depends: ");

		if (!name)
			continue;
		name += strlen("Depends: ");
		if (is_kernel_package(name) && !has_line(list->data, name))
			strbuf_addf(list, "%s\n", name);
	}
	return NULL;
}

struct error *apt_kernel_packages(struct apt *apt, const char *package, char **ret)
{
	struct strbuf list;
	struct error *error;

	strbuf_init(&list);
	error = add_depends(apt, package, &list);
	/* The list grows while it is walked; the offset survives its moves. */
	for (size_t at = 0; !error && at < list.len;) {
		_cleanup_free_ char *name = strndup(list.data + at, strcspn(list.data + at, "\n"));

		at += strlen(name) + 1;
		error = add_depends(apt, name, &list);
	}
	if (!error && !list.len)
		error = error_create(ENOENT, "package %s of Debian's %s leads to no kernel image",
				     package, apt->suite);
	if (!error)
		*ret = strbuf_steal(&list);
	strbuf_deinit(&list);
	return error;
}

struct error *apt_download(struct apt *apt, const char *package, const char *into)
{
	struct error *error = apt_run(apt, "apt-get", "download", package, into, NULL);

	return error ? error_wrap(error, "cannot download package %s", package) : NULL;
}
