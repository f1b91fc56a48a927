// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/described.c - the running kernel's symbols without reading all of /proc/kallsyms.
 *
 * The kernel makes that file's text anew for each reader: 40 ms natively, a third of a second and
 * more on an emulated CPU, which is most of the time that loading a module takes there. A kernel
 * that spile-vm has described needs only the start of it: the description has the same symbols, and
 * address randomisation moves all of the kernel proper by one distance.
 *
 *   1  the build id of the running kernel (/sys/kernel/notes) must be that of the description's ELF
 *      image. It covers the whole link, so equal build ids mean equal symbols.
 *   2  _stext stands near the start of /proc/kallsyms; its distance from the description's is the
 *      distance of all. Numbers that are no addresses (per-CPU offsets before 6.15) do not move.
 *   3  what belongs to modules is dropped: another boot loads others, elsewhere.
 *
 * Whatever is missing or differs, the caller reads /proc/kallsyms. Rejected: trusting the release
 * name alone (a rebuilt package may keep it).
 */
#include "symbols/described.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"

#define HEAD_BYTES 131072 /* of /proc/kallsyms; _stext stands within the first 30,000 */

/* --- build ids ------------------------------------------------------------------------------- */

struct build_id {
	unsigned char bytes[64];
	size_t len; /* 0: none */
};

/* Notes: three words (name's size, description's size, type), name, description, each padded to 4.
 */
static struct build_id build_id_of(const void *notes, size_t len)
{
	struct build_id id = {.len = 0};
	const char *p = notes;

	while (len >= 12) {
		uint32_t word[3];
		size_t name, desc;

		memcpy(word, p, 12);
		name = (word[0] + 3ul) & ~3ul;
		desc = (word[1] + 3ul) & ~3ul;
		if (name + desc > len - 12)
			break;
		if (word[2] == NT_GNU_BUILD_ID && word[0] == 4 && !memcmp(p + 12, "GNU", 4) &&
		    word[1] <= sizeof(id.bytes)) {
			id.len = word[1];
			memcpy(id.bytes, p + 12 + name, id.len);
			break;
		}
		p += 12 + name + desc;
		len -= 12 + name + desc;
	}
	return id;
}

static struct build_id build_id_of_image(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct build_id id = {.len = 0};
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = fd >= 0 ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	while (elf && !id.len && (scn = elf_nextscn(elf, scn))) {
		Elf_Data *data = NULL;

		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_NOTE)
			data = elf_rawdata(scn, NULL);
		if (data && data->d_buf)
			id = build_id_of(data->d_buf, data->d_size);
	}
	elf_end(elf);
	return id;
}

/* --- the distance ---------------------------------------------------------------------------- */

static void move(struct kallsyms *ks, uint64_t distance)
{
	for (size_t i = 0; i < ks->count; i++)
		if (ks->syms[i].address >= KALLSYMS_KERNEL_HALF)
			ks->syms[i].address += distance;
}

/* The start of a file up to _stext, or HEAD_BYTES, as a string. */
static char *read_head(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *head = calloc(1, HEAD_BYTES + 1);
	uint64_t stext;
	size_t n = 0;
	ssize_t got;

	if (!head)
		abort();
	while (fd >= 0 && n < HEAD_BYTES && !kallsyms_text_find(head, "_stext", &stext) &&
	       (got = read(fd, head + n, HEAD_BYTES - n < 4096 ? HEAD_BYTES - n : 4096)) > 0)
		n += got;
	return head;
}

bool described_distance(const char *dir, uint64_t *ret)
{
	_cleanup_free_ char *path = NULL, *here = read_head("/proc/kallsyms"), *there = NULL;
	uint64_t stext;

	if (asprintf(&path, "%s/kallsyms", dir) < 0)
		abort();
	there = read_head(path);
	if (!kallsyms_text_find(here, "_stext", ret) || !kallsyms_text_find(there, "_stext", &stext))
		return false;
	*ret -= stext;
	return true;
}

static struct kallsyms *read_description(const char *dir)
{
	_cleanup_free_ char *path = NULL;
	struct kallsyms *ks = NULL;
	struct error *error;
	char *text;
	size_t len;

	ks = kallsyms_of_description(dir);
	if (!ks) {
		if (asprintf(&path, "%s/kallsyms", dir) < 0)
			abort();
		error = file_read(path, &text, &len);
		if (!error)
			error = kallsyms_create(text, path, &ks);
		error_destroy(error);
	}
	if (ks)
		kallsyms_drop_modules(ks);
	return ks;
}

bool described_fits(const char *dir, const void *notes, size_t len)
{
	struct build_id here = build_id_of(notes, len), there;
	_cleanup_free_ char *image = NULL;

	if (asprintf(&image, "%s/vmlinux", dir) < 0)
		abort();
	if (!here.len || access(image, R_OK))
		return false;
	there = build_id_of_image(image);
	return here.len == there.len && !memcmp(here.bytes, there.bytes, here.len);
}

void described_kallsyms_from(const char *dir, const char *head, struct kallsyms **ret)
{
	struct kallsyms *ks;
	struct ksym *stext;
	uint64_t address;

	*ret = NULL;
	if (!kallsyms_text_find(head, "_stext", &address))
		return;
	ks = read_description(dir);
	stext = ks ? kallsyms_next(ks, NULL, "_stext") : NULL;
	if (!stext) {
		kallsyms_destroy(ks);
		return;
	}
	address -= stext->address;
	move(ks, address);
	*ret = ks;
}

/* --- the running kernel's sources ------------------------------------------------------------ */

/* Where spile-vm puts it. */
static char *cached_dir(const char *release)
{
	const char *cache = getenv("SPILE_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	struct strbuf sb;

	strbuf_init(&sb);
	if (cache && *cache)
		strbuf_addf(&sb, "%s/kernels/%s", cache, release);
	else if (xdg && *xdg)
		strbuf_addf(&sb, "%s/spile/kernels/%s", xdg, release);
	else
		strbuf_addf(&sb, "%s/.cache/spile/kernels/%s", home && *home ? home : "/root",
		            release);
	return strbuf_steal(&sb);
}


char *described_dir(const char *release)
{
	const char *given = getenv("SPILE_KERNEL_DIR"); /* of spile-vm, for its guest */
	_cleanup_free_ char *notes = NULL, *cached = cached_dir(release);
	struct error *error;
	size_t len;

	error = file_read("/sys/kernel/notes", &notes, &len);
	if (error) {
		error_destroy(error);
		return NULL;
	}
	if (given && *given && described_fits(given, notes, len))
		return strdup(given);
	return described_fits(cached, notes, len) ? steal_ptr(cached) : NULL;
}

void described_kallsyms(const char *release, struct kallsyms **ret)
{
	_cleanup_free_ char *dir = described_dir(release);
	_cleanup_free_ char *head = NULL;

	*ret = NULL;
	if (!dir)
		return;
	head = read_head("/proc/kallsyms");
	described_kallsyms_from(dir, head, ret);
}
