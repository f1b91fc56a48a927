// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbols/debuginfo_kernel.c - which files describe a kernel and its modules.
 *
 * A vmlinux with debug information is some 600 MB and seldom there. The image that every kernel's
 * description has (out of its bzImage) carries text, types and the build id but no symbols; those
 * come from the description's kallsyms, taken without address randomisation, so that both agree.
 * The build id, not the release name, decides whether a debug file is this kernel's.
 */
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "symbols/debuginfo_private.h"
#include "symbols/described.h"

static char *path_of(const char *fmt, const char *a, const char *b)
{
	struct strbuf sb;

	strbuf_init(&sb);
	for (const char *p = fmt; *p; p++) {
		if (*p == '1')
			strbuf_adds(&sb, a);
		else if (*p == '2')
			strbuf_adds(&sb, b);
		else
			strbuf_addc(&sb, *p);
	}
	return strbuf_steal(&sb);
}

/* --- the kernel proper ------------------------------------------------------------------------ */

/* "NT_GNU_BUILD_ID" of a file of notes, in hex digits; "" when it cannot be read. */
static void notes_build_id(const char *path, char *ret, size_t size)
{
	_cleanup_free_ char *notes = NULL;
	struct error *error;
	size_t len;

	*ret = '\0';
	error = file_read(path, &notes, &len);
	for (size_t at = 0; !error && at + 12 <= len;) {
		uint32_t word[3];
		size_t name, desc;

		memcpy(word, notes + at, 12);
		name = (word[0] + 3ul) & ~3ul;
		desc = (word[1] + 3ul) & ~3ul;
		if (name + desc > len - at - 12)
			break;
		if (word[2] == 3 && !strcmp(notes + at + 12, "GNU") && word[1] * 2 < size) {
			for (size_t i = 0; i < word[1]; i++)
				snprintf(ret + 2 * i, 3, "%02x",
				         (unsigned char)notes[at + 12 + name + i]);
			break;
		}
		at += 12 + name + desc;
	}
	error_destroy(error);
}

static void running_build_id(char *ret, size_t size)
{
	notes_build_id("/sys/kernel/notes", ret, size);
}

/* A note of the program headers; the file's sections are not looked at. */
static void image_build_id(const char *path, char *ret, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	const unsigned char *bits = NULL;
	ssize_t len = elf ? dwelf_elf_gnu_build_id(elf, (const void **)&bits) : 0;

	*ret = '\0';
	for (ssize_t i = 0; i < len && (size_t)i * 2 + 2 < size; i++)
		snprintf(ret + 2 * i, 3, "%02x", bits[i]);
	elf_end(elf);
}

char *debuginfo_kernel_build_id(struct kernel *k)
{
	char id[129] = "";

	elf_version(EV_CURRENT);
	if (kernel_is_running(k))
		running_build_id(id, sizeof(id));
	else if (kernel_vmlinux(k))
		image_build_id(kernel_vmlinux(k), id, sizeof(id));
	return strdup(id);
}

/* The image in a description; that of the running kernel may be one, too. */
static char *image_path(struct kernel *k, struct kernel **ret_described)
{
	_cleanup_free_ char *dir = NULL;

	*ret_described = NULL;
	if (kernel_vmlinux(k))
		return strdup(kernel_vmlinux(k));
	dir = kernel_is_running(k) ? described_dir(kernel_release(k)) : NULL;
	if (!dir)
		return NULL;
	error_destroy(kernel_open_dir(dir, ret_described));
	return path_of("1/vmlinux", dir, "");
}

/* `1` is the release, `2` the cache's folder of debug information. */
static const char *const vmlinux_places[] = {
	"/usr/lib/debug/boot/vmlinux-1",
	"/usr/lib/debug/lib/modules/1/vmlinux",
	"2/vmlinux-1",
	"/boot/vmlinux-1",
	"/lib/modules/1/build/vmlinux",
	"/lib/modules/1/vmlinux",
};

static bool is_of_kernel(struct debuginfo *info, const char *build_id)
{
	return !*build_id || !*info->build_id || !strcmp(info->build_id, build_id);
}

/* The first full vmlinux that is this kernel's, or NULL. */
static struct debuginfo *open_full(struct kernel *k, const char *build_id)
{
	_cleanup_free_ char *cache = debuginfo_cache_path("debuginfo");
	struct debuginfo *info;

	for (size_t i = 0; i < sizeof(vmlinux_places) / sizeof(vmlinux_places[0]); i++) {
		_cleanup_free_ char *path =
		    path_of(vmlinux_places[i], kernel_release(k), cache);
		struct error *error;

		if (access(path, R_OK) < 0)
			continue;
		error = debuginfo_open(path, NULL, &info);
		if (error) {
			error_destroy(error);
			continue;
		}
		if (is_of_kernel(info, build_id))
			return info;
		debuginfo_close(info);
	}
	return NULL;
}

static struct error *open_named(const char *path, const char *build_id, struct kernel *k,
                                struct debuginfo **ret)
{
	struct error *error = debuginfo_open(path, NULL, ret);

	if (error || is_of_kernel(*ret, build_id))
		return error;
	error = error_create(EINVAL,
	                     "%s is not the kernel %s (its build id is %s, the kernel's %s): name "
	                     "the vmlinux of the same build",
	                     path, kernel_release(k), (*ret)->build_id, build_id);
	debuginfo_close(*ret);
	return error;
}

static struct error *open_proper(struct kernel *k, const char *vmlinux, struct debuginfo **ret)
{
	struct kernel *described;
	_cleanup_free_ char *path = image_path(k, &described);
	struct debuginfo *image = NULL;
	struct error *error = NULL;
	char build_id[129] = "";

	if (path && access(path, R_OK) == 0)
		error = debuginfo_open(path, NULL, &image);
	if (kernel_is_running(k))
		running_build_id(build_id, sizeof(build_id));
	if (image && !is_of_kernel(image, build_id)) { /* another build of the same release */
		debuginfo_close(image);
		image = NULL;
	}
	if (image && !*build_id)
		snprintf(build_id, sizeof(build_id), "%s", image->build_id);
	*ret = NULL;
	if (!error && vmlinux)
		error = open_named(vmlinux, build_id, k, ret);
	else if (!error && !(image && debuginfo_dwarf_path(image)))
		*ret = open_full(k, build_id);
	if (*ret || error) {
		debuginfo_close(image);
	} else if (image) {
		*ret = image;
	} else {
		error = error_create(ENOENT,
		                     "there is no vmlinux for kernel %s: describe it with "
		                     "`spile-vm`, or install its debug package (Debian: "
		                     "linux-image-%s-dbg)",
		                     kernel_release(k), kernel_release(k));
	}
	if (error) {
		kernel_close(described);
		return error;
	}
	(*ret)->kernel = described ? described : k;
	(*ret)->own_kernel = described;
	return NULL;
}

/* --- modules ---------------------------------------------------------------------------------- */

struct module_search {
	const char *name;
	char *path;
};

static _Thread_local struct module_search *search; /* nftw() passes no argument */

/* "nf_tables" is nf-tables.ko or nf_tables.ko.xz. */
static bool names_module(const char *file, const char *name)
{
	for (; *name; file++, name++)
		if (*file != *name && !(strchr("-_", *file) && *file && strchr("-_", *name)))
			return false;
	return !strncmp(file, ".ko", 3) && (!file[3] || file[3] == '.');
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (type != FTW_F || !names_module(path + ftw->base, search->name))
		return 0;
	search->path = strdup(path);
	return 1;
}

static struct error *open_module_file(struct kernel *k, const char *module, struct debuginfo **ret)
{
	struct module_search s = {.name = module};
	struct error *error;

	if (strchr(module, '/'))
		return debuginfo_open(module, NULL, ret);
	search = &s;
	nftw(kernel_modules_dir(k), visit, 16, FTW_PHYS);
	if (!s.path)
		return error_create(ENOENT, "kernel %s has no module %s below %s",
		                    kernel_release(k), module, kernel_modules_dir(k));
	error = debuginfo_open(s.path, NULL, ret);
	free(s.path);
	return error;
}

/* Where the kernel shows a loaded module's notes; NULL for a file whose name no module can have. */
static char *notes_path(const char *file)
{
	const char *base = strrchr(file, '/');
	_cleanup_free_ char *name = strdup(base ? base + 1 : file);
	char *end = strstr(name, ".ko");

	if (!end)
		return NULL;
	*end = '\0';
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	return path_of("/sys/module/1/notes/.note.gnu.build-id", name, "");
}

struct error *debuginfo_check_loaded(struct debuginfo *info, const char *notes)
{
	char loaded[129];

	notes_build_id(notes, loaded, sizeof(loaded));
	if (is_of_kernel(info, loaded))
		return NULL;
	return error_create(ESTALE,
	                    "%s is not the module that is loaded (its build id is %s, the loaded "
	                    "one's %s): load this one, or name the file that was loaded",
	                    info->path, info->build_id, loaded);
}

/* A module that is not loaded, or that shows no build id, cannot be compared. */
static struct error *check_module(struct kernel *k, struct debuginfo *info)
{
	_cleanup_free_ char *notes = kernel_is_running(k) ? notes_path(info->path) : NULL;

	return notes ? debuginfo_check_loaded(info, notes) : NULL;
}

struct error *debuginfo_open_kernel(struct kernel *k, const char *module, const char *vmlinux,
                                    struct debuginfo **ret)
{
	struct error *error;

	if (!module)
		return open_proper(k, vmlinux, ret);
	error = open_module_file(k, module, ret);
	if (error)
		return error;
	(*ret)->kernel = k;
	error = check_module(k, *ret);
	if (error) {
		debuginfo_close(*ret);
		*ret = NULL;
	}
	return error;
}

/* --- types ------------------------------------------------------------------------------------ */

/* libbpf takes BTF that goes on from another's out of a file only. */
static struct btf *parse_split(const void *data, size_t size, const struct btf *base)
{
	_cleanup_close_ int fd = memfd_create("btf", MFD_CLOEXEC);
	struct btf *btf;
	char path[64];

	if (!base || fd < 0 || write(fd, data, size) != (ssize_t)size)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	btf = btf__parse_raw_split(path, (struct btf *)base);
	return libbpf_get_error(btf) ? NULL : btf;
}

/* A module's BTF goes on where the kernel's ends: ids and strings refer to both. */
static struct error *read_module_btf(struct debuginfo *info)
{
	struct btf_index *base;
	uint64_t address;
	struct btf *btf;
	size_t size;
	const void *data = debuginfo_section(info, ".BTF", &size, &address);
	struct error *error;

	if (!data)
		return error_create(ENOENT, "%s has no BTF", info->path);
	error = kernel_btf(info->kernel, &base);
	if (error)
		return error;
	btf = parse_split(data, size, btf_index_btf(base));
	if (!btf)
		return error_create(EINVAL, "%s: its BTF does not fit the kernel's: %s", info->path,
		                    strerror(errno));
	return btf_index_create(btf, &info->btf);
}

struct error *debuginfo_btf(struct debuginfo *info, struct btf_index **ret)
{
	struct error *error = NULL;

	if (!info->kernel)
		return error_create(ENOENT, "%s is a program and has no BTF", info->path);
	if (!info->relocatable)
		return kernel_btf(info->kernel, ret);
	if (!info->btf)
		error = read_module_btf(info);
	*ret = info->btf;
	return error;
}
