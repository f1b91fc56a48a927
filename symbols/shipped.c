// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/shipped.c - the version marks that a module needs, read from one that came with the
 * kernel.
 *
 * The kernel compares a module's `vermagic` string with its own and, where it was built with
 * CONFIG_MODVERSIONS, one checksum at least: that of the pseudo symbol module_layout. Any shipped
 * module has both, so the first that is found will do. It may be compressed. Without any, the
 * kernel's own image is asked (image_marks.c), if that is at hand.
 */
#include <errno.h>
#include <fts.h>
#include <gelf.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "symbols/described.h"
#include "symbols/fit_private.h"

#define MODULE_MAX (64u << 20) /* bytes, decompressed; a bound for damaged files */

/* --- finding one ----------------------------------------------------------------------------- */

static bool is_module_file(const char *name)
{
	const char *ext = strstr(name, ".ko");

	return ext && (!ext[3] || !strcmp(ext, ".ko.xz") || !strcmp(ext, ".ko.zst") ||
	               !strcmp(ext, ".ko.gz"));
}

static char *find_module_file(const char *dir)
{
	char *roots[] = {(char *)dir, NULL}, *found = NULL;
	FTS *fts = fts_open(roots, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	FTSENT *entry;

	while (fts && !found && (entry = fts_read(fts))) {
		/* build/ and source/ lead to header trees; updates/ holds foreign modules. */
		if (entry->fts_level == 1 &&
		    (!strcmp(entry->fts_name, "build") || !strcmp(entry->fts_name, "source") ||
		     !strcmp(entry->fts_name, "updates")))
			fts_set(fts, entry, FTS_SKIP);
		else if (entry->fts_info != FTS_D && entry->fts_info != FTS_DP &&
		         is_module_file(entry->fts_name))
			found = strdup(entry->fts_path);
	}
	if (fts)
		fts_close(fts);
	return found;
}

/* --- decompressing it ------------------------------------------------------------------------ */

static size_t unpack_xz(const char *in, size_t len, char *out, size_t room)
{
	uint64_t limit = UINT64_MAX;
	size_t in_pos = 0, out_pos = 0;

	if (lzma_stream_buffer_decode(&limit, 0, NULL, (const uint8_t *)in, &in_pos, len,
	                              (uint8_t *)out, &out_pos, room) != LZMA_OK)
		return 0;
	return out_pos;
}

static size_t unpack_zstd(const char *in, size_t len, char *out, size_t room)
{
	size_t n = ZSTD_decompress(out, room, in, len);

	return ZSTD_isError(n) ? 0 : n;
}

static size_t unpack_gz(const char *in, size_t len, char *out, size_t room)
{
	z_stream z = {
	    .next_in = (Bytef *)in, .avail_in = len, .next_out = (Bytef *)out, .avail_out = room};
	int rc;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return 0;
	rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return rc == Z_STREAM_END ? z.total_out : 0;
}

/* Replaces *data by what it unpacks to; plain ELF is left alone. */
static struct error *unpack(const char *path, char **data, size_t *len)
{
	size_t (*method)(const char *in, size_t len, char *out, size_t room);
	char *out;
	size_t n;

	if (*len > 4 && !memcmp(*data, "\177ELF", 4))
		return NULL;
	method = strstr(path, ".xz") ? unpack_xz : strstr(path, ".zst") ? unpack_zstd : unpack_gz;
	out = malloc(MODULE_MAX);
	if (!out)
		return error_create(ENOMEM, "out of memory for unpacking %s", path);
	n = method(*data, *len, out, MODULE_MAX);
	if (!n) {
		free(out);
		return error_create(EBADMSG, "%s cannot be unpacked", path);
	}
	free(*data);
	*data = out;
	*len = n;
	return NULL;
}

/* --- reading it ------------------------------------------------------------------------------ */

static Elf_Data *section_data(Elf *elf, const char *name)
{
	Elf_Scn *scn = NULL;
	size_t names;
	GElf_Shdr shdr;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *s =
		    gelf_getshdr(scn, &shdr) ? elf_strptr(elf, names, shdr.sh_name) : NULL;

		if (s && !strcmp(s, name))
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

static void read_vermagic(const Elf_Data *modinfo, struct shipped *ret)
{
	const char *p = modinfo->d_buf, *end = p + modinfo->d_size;

	while (p < end) {
		size_t n = strnlen(p, end - p);

		if (n > 9 && !memcmp(p, "vermagic=", 9)) {
			ret->vermagic = strndup(p + 9, n - 9);
			return;
		}
		p += n + 1;
	}
}

/* Records of 64 bytes: checksum (8), name (56). */
static void read_layout_crc(const Elf_Data *versions, struct shipped *ret)
{
	for (size_t at = 0; at + 64 <= versions->d_size; at += 64) {
		const char *record = (const char *)versions->d_buf + at;

		if (strncmp(record + 8, "module_layout", 56))
			continue;
		memcpy(&ret->layout_crc, record, 8);
		ret->has_layout_crc = true;
	}
}

void shipped_learn(Elf *elf, struct shipped *ret)
{
	Elf_Data *modinfo = section_data(elf, ".modinfo");
	Elf_Data *versions = section_data(elf, "__versions");

	if (modinfo && modinfo->d_buf)
		read_vermagic(modinfo, ret);
	if (versions && versions->d_buf)
		read_layout_crc(versions, ret);
}

static struct error *read_elf(const char *path, char *data, size_t len, struct shipped *ret)
{
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory(data, len);
	if (elf)
		shipped_learn(elf, ret);
	elf_end(elf);
	if (!ret->vermagic)
		return error_create(EBADMSG, "%s is no kernel module (no vermagic)", path);
	return NULL;
}

/* The running kernel's image may be at hand in its description. */
static bool read_image(const struct kernel *k, struct shipped *ret)
{
	_cleanup_free_ char *dir = k->running ? described_dir(k->release) : NULL;
	_cleanup_free_ char *path = NULL;

	if (dir && asprintf(&path, "%s/vmlinux", dir) < 0)
		abort();
	if (!path && !k->vmlinux_path)
		return false;
	return shipped_from_image(path ? path : k->vmlinux_path, k->release, ret);
}

static struct error *read_module(const struct kernel *k, struct shipped *ret)
{
	const char *dir = kernel_modules_dir(k);
	_cleanup_free_ char *path = find_module_file(dir);
	_cleanup_free_ char *data = NULL;
	struct error *error;
	size_t len;

	if (!path) {
		if (read_image(k, ret))
			return NULL;
		return error_create(
		    ENOENT,
		    "no module of kernel %s under %s: one is needed to read the version "
		    "marks from; install the kernel's modules",
		    kernel_release(k), dir);
	}
	error = file_read(path, &data, &len);
	if (!error)
		error = unpack(path, &data, &len);
	if (!error)
		error = read_elf(path, data, len, ret);
	if (!error && ret->has_layout_crc != !!strstr(ret->vermagic, "modversions"))
		error = error_create(EBADMSG, "%s has no checksum of module_layout", path);
	if (error)
		shipped_deinit(ret);
	return error;
}

struct error *shipped_read(struct kernel *k, const struct shipped **ret)
{
	struct error *error = k->shipped.vermagic ? NULL : read_module(k, &k->shipped);

	*ret = &k->shipped;
	return error;
}

void shipped_deinit(struct shipped *shipped)
{
	free(shipped->vermagic);
	*shipped = (struct shipped){0};
}
