// SPDX-License-Identifier: GPL-2.0-only
/* Where a kernel's configuration lies: in its description, in /boot, beside its modules, in /proc. */
#include "codegen/kernel_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/strbuf.h"

struct kernel_config {
	struct arena arena; /* values that were handed out */
	char *path; /* NULL: none was found */
	char *text; /* NULL: not read yet */
};

static char *find_file(const char *kernel_dir, const char *release)
{
	const char *const places[] = {"/boot/config-%s", "/lib/modules/%s/config",
	                              "/lib/modules/%s/build/.config", "/proc/config.gz%.0s"};
	char *path;

	if (kernel_dir) {
		if (asprintf(&path, "%s/config", kernel_dir) < 0)
			abort();
		if (!access(path, R_OK))
			return path;
		free(path);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (asprintf(&path, places[i], release) < 0)
			abort();
		if (!access(path, R_OK))
			return path;
		free(path);
	}
	return NULL;
}

struct kernel_config *kernel_config_create(const char *kernel_dir, const char *release)
{
	struct kernel_config *config = calloc(1, sizeof(*config));

	if (!config)
		abort();
	arena_init(&config->arena);
	config->path = find_file(kernel_dir, release);
	return config;
}

void kernel_config_destroy(struct kernel_config *config)
{
	if (!config)
		return;
	arena_deinit(&config->arena);
	free(config->path);
	free(config->text);
	free(config);
}

const char *kernel_config_path(const struct kernel_config *config)
{
	return config->path;
}

/* zlib reads what is not compressed as well. Begins with a line break, so that each line does. */
static char *read_text(const char *path)
{
	gzFile file = path ? gzopen(path, "rb") : NULL;
	struct strbuf text;
	char block[65536];
	int len;

	strbuf_init(&text);
	strbuf_addc(&text, '\n');
	while (file && (len = gzread(file, block, sizeof(block))) > 0)
		strbuf_add(&text, block, (size_t)len);
	if (file)
		gzclose(file);
	return strbuf_steal(&text);
}

static const char *value_at(struct kernel_config *config, const char *text)
{
	size_t len = strcspn(text, "\n");

	if (text[0] == '"' && len >= 2) {
		text++;
		len -= 2;
	}
	return arena_strndup(&config->arena, text, len);
}

const char *kernel_config_lookup(void *context, const char *option)
{
	struct kernel_config *config = context;
	const char *found;
	char *line;

	if (!config->text)
		config->text = read_text(config->path);
	if (asprintf(&line, "\n%s=", option) < 0)
		abort();
	found = strstr(config->text, line);
	found = found ? value_at(config, found + strlen(line)) : NULL;
	free(line);
	return found;
}
