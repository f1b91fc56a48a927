// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for fuzz targets without libFuzzer: mutates the files that it is given.
 *
 *	NAME [-n RUNS] [-t SECONDS] [-s SEED] [-d WORDS-FILE] FILE...     fuzz
 *	NAME -1 FILE                                                     one input, as it is
 *
 * An input is made of pieces of two files, changed by random edits: bits, bytes, deleted and repeated
 * pieces, words of the dictionary (a word a line). The seed is printed; each input depends on the
 * seed and its number only, so `-s SEED -n RUNS` repeats a run. The input being tried is kept in
 * fuzz-input.PID.bin in the folder TMPDIR, for -1 after a crash.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { INPUT_MAX = 8192, WORDS_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
	char *data;
	size_t len;
};

struct fuzzer {
	struct text *files;
	size_t file_count;
	char *words[WORDS_MAX];
	size_t word_count;
	uint64_t random;
	char input[INPUT_MAX + 256];
	size_t len;
	char keep[4096]; /* path of fuzz-input.bin */
};

/* splitmix64 */
static uint64_t next_random(struct fuzzer *f)
{
	uint64_t z = f->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static size_t below(struct fuzzer *f, size_t limit)
{
	return limit ? next_random(f) % limit : 0;
}

/* Replaces `gone` bytes at a place by others. */
static void splice(struct fuzzer *f, size_t at, size_t gone, const char *data, size_t len)
{
	if (f->len - gone + len > INPUT_MAX)
		return;
	memmove(f->input + at + len, f->input + at + gone, f->len - at - gone);
	memcpy(f->input + at, data, len);
	f->len += len - gone;
}

static void add_piece(struct fuzzer *f)
{
	const struct text *file = &f->files[below(f, f->file_count)];
	size_t from = below(f, file->len), len = below(f, file->len - from + 1);
	size_t room = INPUT_MAX - f->len;

	if (!below(f, 3))
		from = 0, len = file->len;
	splice(f, f->len, 0, file->data + from, len < room ? len : room);
}

static void mutate(struct fuzzer *f)
{
	size_t at = below(f, f->len), rest = f->len - at, piece = below(f, rest < 64 ? rest : 64);
	char byte = (char)next_random(f), copy[64];
	const char *word;

	switch (below(f, 7)) {
	case 0:
		splice(f, at, 0, &byte, 1);
		break;
	case 1:
		if (rest)
			f->input[at] ^= (char)(1 << below(f, 8));
		break;
	case 2:
		splice(f, at, piece, "", 0);
		break;
	case 3:
		memcpy(copy, f->input + at, piece);
		splice(f, below(f, f->len), 0, copy, piece);
		break;
	default:
		if (!f->word_count)
			break;
		word = f->words[below(f, f->word_count)];
		splice(f, at, below(f, 2) ? 0 : piece / 8, word, strlen(word));
		break;
	}
}

static void make_input(struct fuzzer *f, uint64_t seed, uint64_t number)
{
	f->random = seed * 1000003 + number;
	f->len = 0;
	add_piece(f);
	if (!below(f, 2))
		add_piece(f);
	for (size_t edits = below(f, 12); edits; edits--)
		mutate(f);
}

static void die(struct error *error)
{
	fprintf(stderr, "%s\n", error->message);
	exit(2);
}

static void read_words(struct fuzzer *f, const char *path)
{
	char *data, *word, *state = NULL;
	size_t len;
	struct error *error = file_read(path, &data, &len);

	if (error)
		die(error);
	for (word = strtok_r(data, "\n", &state); word && f->word_count < WORDS_MAX;
	     word = strtok_r(NULL, "\n", &state))
		f->words[f->word_count++] = word;
}

static void read_files(struct fuzzer *f, char **paths, size_t count)
{
	f->files = calloc(count + 1, sizeof(*f->files));
	for (; f->file_count < count; f->file_count++) {
		struct text *file = &f->files[f->file_count];
		struct error *error = file_read(paths[f->file_count], &file->data, &file->len);

		if (error)
			die(error);
	}
	if (!count)
		f->files[f->file_count++] = (struct text){ "", 0 };
}

static void keep_input(const struct fuzzer *f)
{
	_cleanup_fclose_ FILE *out = fopen(f->keep, "w");

	if (out)
		fwrite(f->input, 1, f->len, out);
}

static void fuzz(struct fuzzer *f, uint64_t seed, uint64_t runs, time_t seconds)
{
	time_t end = time(NULL) + seconds;
	uint64_t i;

	for (i = 0; runs ? i < runs : time(NULL) < end; i++) {
		make_input(f, seed, i);
		keep_input(f);
		LLVMFuzzerTestOneInput((const uint8_t *)f->input, f->len);
	}
	unlink(f->keep);
	printf("%llu inputs, no finding\n", (unsigned long long)i);
}

int main(int argc, char **argv)
{
	static struct fuzzer f;
	uint64_t seed = (uint64_t)time(NULL), runs = 0;
	time_t seconds = 30;
	bool one = false;
	int option;

	while ((option = getopt(argc, argv, "1n:t:s:d:")) >= 0) {
		if (option == '1')
			one = true;
		else if (option == 'n')
			runs = strtoull(optarg, NULL, 0);
		else if (option == 't')
			seconds = atoi(optarg);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (option == 'd')
			read_words(&f, optarg);
		else
			return 2;
	}
	read_files(&f, argv + optind, (size_t)(argc - optind));
	if (one)
		return LLVMFuzzerTestOneInput((uint8_t *)f.files[0].data, f.files[0].len);
	snprintf(f.keep, sizeof(f.keep), "%s/fuzz-input.%d.bin",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	printf("seed %llu; the input is kept in %s\n", (unsigned long long)seed, f.keep);
	fflush(stdout);
	fuzz(&f, seed, runs, seconds);
	return 0;
}
