// SPDX-License-Identifier: GPL-2.0-only
/*
 * @cast(p, "timeval", "<sys/time.h>"): types of C headers. The compiler makes an object of nothing but
 * the #include, with BTF of all types that it has read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "script/target_private.h"

/* Only what can stand between angle brackets: it becomes a line of C. */
static bool is_header(const char *header)
{
	size_t len = strlen(header);

	return len > 2 && header[0] == '<' && header[len - 1] == '>' &&
	       strspn(header + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                          "0123456789_-+./") == len - 2;
}

static struct error *compile_header(const char *header, const char *object)
{
	_cleanup_free_ char *command = NULL;
	FILE *cc;

	if (asprintf(&command,
	             "cc -x c -c -gbtf -fno-eliminate-unused-debug-types -o %s - 2>/dev/null",
	             object) < 0)
		return error_create(ENOMEM, "no memory");
	cc = popen(command, "w");
	if (!cc)
		return error_create(errno, "cannot run cc: %s", strerror(errno));
	fprintf(cc, "#include %s\n", header);
	if (pclose(cc))
		return error_create(EINVAL, "cc cannot compile #include %s", header);
	return NULL;
}

static struct error *read_header(const char *header, struct btf_index **ret)
{
	char object[] = "/tmp/spile-header-XXXXXX";
	int fd = mkstemp(object);
	struct error *error;
	struct btf *btf;

	if (fd < 0)
		return error_create(errno, "cannot make a file in /tmp: %s", strerror(errno));
	close(fd);
	error = compile_header(header, object);
	btf = error ? NULL : btf__parse_elf(object, NULL);
	unlink(object);
	if (error)
		return error;
	if (!btf)
		return error_create(ENODATA, "cc made no type information of #include %s", header);
	return btf_index_create(btf, ret);
}

/* Each header once; the program keeps it. */
static struct error *header_btf(struct resolver *r, const char *header, struct btf_index **ret)
{
	struct program *program = r->program;
	struct program_header made = {.name = header};
	struct error *error;

	for (size_t i = 0; i < program->headers.count; i++) {
		*ret = program->headers.items[i].btf;
		if (!strcmp(program->headers.items[i].name, header))
			return NULL;
	}
	if (!is_header(header))
		return error_create(EINVAL, "%s is no header", header);
	error = read_header(header, &made.btf);
	if (error)
		return error;
	ARENA_APPEND(r->arena, &program->headers, made);
	*ret = made.btf;
	return NULL;
}

struct error *target_header_type(struct resolver *r, const char *name, const char *header,
                                 struct c_type *ret)
{
	struct btf_index *btf = NULL;
	struct error *error = header_btf(r, header, &btf);
	int id;

	if (error)
		return error;
	error = btf_index_find_type(btf, name, &id);
	if (error) {
		error_destroy(error);
		error = btf_index_find_struct(btf, name, &id);
	}
	if (!error)
		*ret = c_type_btf(btf, id);
	return error;
}
