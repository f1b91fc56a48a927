// SPDX-License-Identifier: GPL-2.0-only
#include "reader/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* FILE.N; the first one is FILE where size is not limited. */
static char *file_name(const struct output_files *files, unsigned number)
{
	char *name = NULL;

	if (!files->limit && !number)
		name = strdup(files->path);
	else if (asprintf(&name, "%s.%u", files->path, number) < 0)
		name = NULL;
	if (!name)
		abort();
	return name;
}

static int open_file(const struct output_files *files)
{
	_cleanup_free_ char *name = file_name(files, files->number);

	return open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

static void remove_oldest(const struct output_files *files)
{
	_cleanup_free_ char *name = NULL;

	if (!files->keep || files->number < files->keep)
		return;
	name = file_name(files, files->number - files->keep);
	unlink(name);
}

struct error *output_files_open(struct output_files *files, int *ret_fd)
{
	*ret_fd = STDOUT_FILENO;
	if (!files->path)
		return NULL;
	*ret_fd = open_file(files);
	if (*ret_fd < 0)
		return error_create(errno, "%s: %s", files->path, strerror(errno));
	return NULL;
}

void output_files_switch(struct output_files *files, struct output *out)
{
	int fd;

	output_flush(out);
	if (!files->path || out->err)
		return;
	files->number++;
	fd = open_file(files);
	if (fd < 0) {
		out->err = errno;
		return;
	}
	/* the descriptor keeps its number: others know it */
	if (dup3(fd, out->fd, O_CLOEXEC) < 0)
		out->err = errno;
	close(fd);
	out->written = 0;
	remove_oldest(files);
}

void output_files_record_end(struct output_files *files, struct output *out, size_t start)
{
	char *rest;
	size_t len = out->len - start;

	if (!files->limit || out->written + out->len <= files->limit || !(out->written + start))
		return;
	rest = malloc(len);
	if (!rest)
		abort();
	memcpy(rest, out->buf + start, len);
	out->len = start;
	output_files_switch(files, out);
	output_add(out, rest, len);
	free(rest);
}
