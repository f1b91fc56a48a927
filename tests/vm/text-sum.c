// SPDX-License-Identifier: GPL-2.0-only
/*
 * text-sum - a checksum of the running kernel's text, _stext to _etext, read through /proc/kcore.
 *
 *   text-sum              prints the checksum
 *   text-sum --save FILE  also keeps the bytes
 *   text-sum --diff FILE  prints the functions whose bytes differ from those kept; status 1 if any
 *
 * The kernel changes its own text: static keys and calls that are switched for the first time. Such
 * places differ for good between two sums if what switches them ran in between for the first time;
 * a test that compares sums does once what it is going to do before it takes the first one.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct text {
	uint64_t start, end;
	unsigned char *bytes;
};

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "text-sum: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- where and what ------------------------------------------------------------------------------ */

static FILE *kallsyms(void)
{
	FILE *f = fopen("/proc/kallsyms", "r");

	if (!f)
		fail("/proc/kallsyms");
	return f;
}

/* Emulated, every line costs: only these two are scanned, and none is read after them. */
static void text_range(struct text *text)
{
	char line[1024];
	FILE *f = kallsyms();

	while (!(text->start && text->end) && fgets(line, sizeof(line), f)) {
		if (strstr(line, " _stext\n"))
			text->start = strtoull(line, NULL, 16);
		if (strstr(line, " _etext\n"))
			text->end = strtoull(line, NULL, 16);
	}
	fclose(f);
	if (!text->start || text->end <= text->start) {
		errno = EPERM;
		fail("/proc/kallsyms tells no addresses");
	}
}

static void text_read(struct text *text)
{
	size_t size = text->end - text->start;
	int fd = open("/proc/kcore", O_RDONLY);
	Elf64_Phdr ph;
	Elf64_Ehdr eh;

	if (fd < 0 || pread(fd, &eh, sizeof(eh), 0) != sizeof(eh))
		fail("/proc/kcore");
	text->bytes = malloc(size);
	for (int i = 0; i < eh.e_phnum; i++) {
		if (pread(fd, &ph, sizeof(ph), eh.e_phoff + i * sizeof(ph)) != sizeof(ph))
			fail("/proc/kcore");
		if (ph.p_type != PT_LOAD || text->start < ph.p_vaddr ||
		    text->end > ph.p_vaddr + ph.p_memsz)
			continue;
		for (size_t done = 0; done < size;) {
			ssize_t n = pread(fd, text->bytes + done, size - done,
					  ph.p_offset + text->start - ph.p_vaddr + done);

			if (n <= 0)
				fail("/proc/kcore");
			done += n;
		}
		close(fd);
		return;
	}
	errno = ENOENT;
	fail("/proc/kcore has no kernel text");
}

/* FNV-1a, of words. No step maps two sums to one, so one word that differs makes another sum. */
static uint64_t text_sum(const struct text *text)
{
	uint64_t sum = 0xcbf29ce484222325u, word = 0;
	size_t size = text->end - text->start, n;

	for (size_t i = 0; i < size; i += n) {
		n = size - i < sizeof(word) ? size - i : sizeof(word);
		memcpy(&word, text->bytes + i, n);
		sum = (sum ^ word) * 0x100000001b3u;
	}
	return sum;
}

/* --- comparing ------------------------------------------------------------------------------------- */

/* The symbol that an address lies in; the list is not sorted, so the nearest below it. */
static void print_symbol(uint64_t wanted)
{
	char line[1024], name[512], best[512] = "?";
	uint64_t address, best_address = 0;
	FILE *f = kallsyms();

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %*c %511s", &address, name) != 2)
			continue;
		if (address <= wanted && address > best_address) {
			best_address = address;
			strcpy(best, name);
		}
	}
	fclose(f);
	printf("%s+%#lx", best, wanted - best_address);
}

static void print_bytes(const char *what, const unsigned char *bytes)
{
	printf("  %s", what);
	for (int i = 0; i < 8; i++)
		printf(" %02x", bytes[i]);
}

/* One line for each run of differing bytes; gaps of less than 8 bytes do not end a run. */
static int text_diff(const struct text *text, const char *file)
{
	size_t size = text->end - text->start, last = 0;
	unsigned char *old = malloc(size);
	FILE *f = fopen(file, "r");
	int found = 0;

	if (!f || fread(old, 1, size, f) != size)
		fail(file);
	fclose(f);
	for (size_t i = 0; i + 8 <= size; i++) {
		if (old[i] == text->bytes[i])
			continue;
		if (!found || i > last + 8) {
			print_symbol(text->start + i);
			print_bytes("was", old + i);
			print_bytes("is", text->bytes + i);
			printf("\n");
		}
		last = i;
		found = 1;
	}
	free(old);
	return found;
}

static void text_save(const struct text *text, const char *file)
{
	FILE *f = fopen(file, "w");
	size_t size = text->end - text->start;

	if (!f || fwrite(text->bytes, 1, size, f) != size || fclose(f))
		fail(file);
}

int main(int argc, char **argv)
{
	struct text text = { 0 };

	if (argc != 1 && argc != 3) {
		fprintf(stderr, "usage: text-sum [--save FILE | --diff FILE]\n");
		return 2;
	}
	text_range(&text);
	text_read(&text);
	if (argc == 3 && !strcmp(argv[1], "--diff"))
		return text_diff(&text, argv[2]);
	printf("%016lx\n", text_sum(&text));
	if (argc == 3)
		text_save(&text, argv[2]);
	return 0;
}
