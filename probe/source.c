// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe/source.c - source files: at the path that the compiler recorded, or below -s DIR by the
 * longest end of that path that is there.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "probe/probe.h"

static char *below(const char *dir, const char *path)
{
	struct strbuf sb;

	for (const char *end = path; end; end = strchr(end, '/')) {
		while (*end == '/')
			end++;
		strbuf_init(&sb);
		strbuf_addf(&sb, "%s/%s", dir, end);
		if (access(sb.data, R_OK) == 0)
			return strbuf_steal(&sb);
		strbuf_deinit(&sb);
	}
	return NULL;
}

static void split(struct source *source, size_t len)
{
	char *at = source->text, *end = at + len;
	int room = 2;

	for (char *p = at; p < end; p++)
		room += *p == '\n';
	source->line = calloc(room, sizeof(*source->line));
	if (!source->line)
		abort();
	while (at < end && source->count + 1 < room) {
		source->line[++source->count] = at;
		at += strcspn(at, "\n");
		*at++ = '\0';
	}
}

void source_init(const struct probe_context *ctx, const char *path, struct source *ret)
{
	struct error *error;
	size_t len;

	*ret = (struct source){.path = NULL};
	if (ctx->request.source_dir)
		ret->path = below(ctx->request.source_dir, path);
	else if (access(path, R_OK) == 0)
		ret->path = strdup(path);
	if (!ret->path)
		return;
	error = file_read(ret->path, &ret->text, &len);
	if (!error) {
		split(ret, len);
		return;
	}
	error_destroy(error);
	free(ret->path);
	ret->path = NULL;
}

void source_deinit(struct source *source)
{
	free(source->path);
	free(source->text);
	free(source->line);
}

const char *source_line(const struct source *source, int line)
{
	return line > 0 && line <= source->count ? source->line[line] : "";
}
