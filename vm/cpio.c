// SPDX-License-Identifier: GPL-2.0-only
#include "vm/cpio.h"

#include <string.h>
#include <sys/stat.h>

void cpio_init(struct cpio *cpio)
{
	strbuf_init(&cpio->out);
	cpio->inode = 0;
}

void cpio_deinit(struct cpio *cpio)
{
	strbuf_deinit(&cpio->out);
}

/* Headers and data start at multiples of 4 bytes. */
static void cpio_pad(struct cpio *cpio)
{
	while (cpio->out.len % 4)
		strbuf_addc(&cpio->out, '\0');
}

/* One member: "070701", 13 fields of 8 hex digits, the name with its NUL, the data. */
static void cpio_add(struct cpio *cpio, const char *path, mode_t mode, unsigned int major,
		     unsigned int minor, const void *data, size_t len)
{
	unsigned int fields[] = {
		++cpio->inode, mode, 0 /* uid */, 0 /* gid */, S_ISDIR(mode) ? 2 : 1 /* links */,
		0 /* mtime */, len, 0, 0 /* device of the file itself */, major, minor,
		strlen(path) + 1, 0 /* checksum, not used by this format */,
	};

	strbuf_adds(&cpio->out, "070701");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		strbuf_addf(&cpio->out, "%08x", fields[i]);
	strbuf_add(&cpio->out, path, strlen(path) + 1);
	cpio_pad(cpio);
	strbuf_add(&cpio->out, data, len);
	cpio_pad(cpio);
}

void cpio_add_dir(struct cpio *cpio, const char *path, mode_t mode)
{
	cpio_add(cpio, path, S_IFDIR | mode, 0, 0, "", 0);
}

void cpio_add_file(struct cpio *cpio, const char *path, mode_t mode, const void *data, size_t len)
{
	cpio_add(cpio, path, S_IFREG | mode, 0, 0, data, len);
}

void cpio_add_char(struct cpio *cpio, const char *path, mode_t mode, unsigned int major,
		   unsigned int minor)
{
	cpio_add(cpio, path, S_IFCHR | mode, major, minor, "", 0);
}

void cpio_finish(struct cpio *cpio)
{
	cpio_add(cpio, "TRAILER!!!", 0, 0, 0, "", 0);
}
