// SPDX-License-Identifier: GPL-2.0-only
/* Records to text, into real descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include <fcntl.h>

#include <cmocka.h>

#include "base/file.h"
#include "reader/print.h"

static struct spl_format formats[] = {
	{ "plain\n", "" },
	{ "%d:%s|\n", "ns" },
	{ "%s%s\n", "ss" },
};
static const struct script_meta meta = { .formats = formats, .nformats = 3 };

/* Both outputs go to one temporary file, as to one terminal. */
struct bench {
	FILE *file;
	struct output out, err;
	struct printer printer;
	union {
		struct ring_record record;
		char bytes[1024];
	} r;
};

static void bench_init(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->file = tmpfile();
	output_init(&b->out, fileno(b->file));
	output_init(&b->err, fileno(b->file));
	printer_init(&b->printer, &meta, &b->out, &b->err);
}

static void expect(struct bench *b, const char *text)
{
	char got[1024] = "";
	size_t n;

	output_deinit(&b->out);
	output_deinit(&b->err);
	printer_deinit(&b->printer);
	rewind(b->file);
	n = fread(got, 1, sizeof(got) - 1, b->file);
	got[n] = '\0';
	assert_string_equal(got, text);
	fclose(b->file);
}

static void record_begin(struct bench *b, uint16_t kind, uint16_t format)
{
	memset(&b->r, 0xee, sizeof(b->r)); /* padding is undefined */
	b->r.record = (struct ring_record){ .size = sizeof(struct ring_record), .kind = kind,
					    .format = format };
}

static void record_bytes(struct bench *b, const void *data, uint32_t len)
{
	memcpy(b->r.bytes + b->r.record.size, data, len);
	b->r.record.size += (len + 7) & ~7u;
}

static void record_number(struct bench *b, int64_t n)
{
	record_bytes(b, &n, 8);
}

static void record_string(struct bench *b, const char *s)
{
	char packed[256];
	uint32_t len = (uint32_t)strlen(s);

	memcpy(packed, &len, 4);
	memcpy(packed + 4, s, len);
	record_bytes(b, packed, len + 4);
}

static void record_print(struct bench *b)
{
	printer_record(&b->printer, &b->r.record);
}

static void test_formats(void **state)
{
	struct bench b;

	bench_init(&b);
	record_begin(&b, RING_PRINT, 0);
	record_print(&b);
	record_begin(&b, RING_PRINT, 1);
	record_number(&b, -5);
	record_string(&b, "abc");
	record_print(&b);
	record_begin(&b, RING_PRINT, 2);
	record_string(&b, "");
	record_string(&b, "12345678");
	record_print(&b);
	assert_int_equal(b.printer.damaged, 0);
	expect(&b, "plain\n-5:abc|\n12345678\n");
}

static void test_messages_in_order(void **state)
{
	struct bench b;

	bench_init(&b);
	record_begin(&b, RING_PRINT, 0);
	record_print(&b);
	record_begin(&b, RING_MESSAGE, 'W');
	record_bytes(&b, "careful", 8);
	record_print(&b);
	record_begin(&b, RING_MESSAGE, 'E');
	record_bytes(&b, "no NUL in here!!", 16); /* the record's end is the text's */
	record_print(&b);
	record_begin(&b, RING_MESSAGE, 'L');
	record_bytes(&b, "note", 5);
	record_print(&b);
	record_begin(&b, RING_PRINT, 0);
	record_print(&b);
	expect(&b, "plain\nWARNING: careful\nERROR: no NUL in here!!\nnote\nplain\n");
}

/* Records that the sizes or numbers in them make senseless are counted, never followed. */
static void test_damaged(void **state)
{
	uint32_t huge = 0xfffffff0;
	struct bench b;

	bench_init(&b);
	record_begin(&b, RING_PRINT, 3);
	record_print(&b);
	record_begin(&b, 99, 0);
	record_print(&b);
	assert_int_equal(b.printer.damaged, 2);
	record_begin(&b, RING_PRINT, 1);
	record_number(&b, 1);
	record_bytes(&b, &huge, 4);
	record_print(&b);
	record_begin(&b, RING_PRINT, 1);
	record_print(&b);
	assert_int_equal(b.printer.damaged, 4);
	output_deinit(&b.out);
	output_deinit(&b.err);
	printer_deinit(&b.printer);
	fclose(b.file);
}

/* A file of limited size ends between two records; a record that is larger has one of its own. */
static void test_files(void **state)
{
	static const size_t want[] = { 12, 305, 6 };
	char dir[] = "/tmp/spile-print-XXXXXX", path[64], long_text[300];
	struct output_files files = { .limit = 16 };
	struct bench b;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	files.path = path;
	bench_init(&b);
	assert_null(output_files_open(&files, &b.out.fd));
	b.printer.files = &files;
	for (int i = 0; i < 4; i++) {
		record_begin(&b, RING_PRINT, i == 2 ? 1 : 0);
		if (i == 2) {
			char packed[304] = "";
			uint32_t len = sizeof(long_text);

			memset(long_text, 'x', sizeof(long_text));
			record_number(&b, 12);
			memcpy(packed, &len, 4);
			memcpy(packed + 4, long_text, len);
			record_bytes(&b, packed, sizeof(packed));
		}
		record_print(&b);
	}
	output_flush(&b.out);
	for (unsigned i = 0; i < 3; i++) {
		char name[80], *text;
		size_t len;

		snprintf(name, sizeof(name), "%s.%u", path, i);
		assert_null(file_read(name, &text, &len));
		assert_int_equal(len, want[i]);
		free(text);
		unlink(name);
	}
	rmdir(dir);
	close(b.out.fd);
	output_deinit(&b.out);
	output_deinit(&b.err);
	printer_deinit(&b.printer);
	fclose(b.file);
}

/* What a request was cut out of is not obeyed. */
static void test_cut_request(void **state)
{
	struct bench b;

	bench_init(&b);
	record_begin(&b, RING_MESSAGE, 'S');
	record_bytes(&b, "echo cut; echo a", 16);
	record_print(&b);
	assert_int_equal(b.printer.damaged, 1);
	expect(&b, "");
}

/* Text goes on across the end of the buffer. */
static void test_more_than_the_buffer(void **state)
{
	enum { LINES = 100000 };
	struct bench b;
	char line[64];
	int n = 0;

	bench_init(&b);
	for (int i = 0; i < LINES; i++) {
		record_begin(&b, RING_PRINT, 1);
		record_number(&b, i);
		record_string(&b, "0123456789");
		record_print(&b);
	}
	output_deinit(&b.out);
	output_deinit(&b.err);
	printer_deinit(&b.printer);
	rewind(b.file);
	for (; fgets(line, sizeof(line), b.file); n++) {
		char want[64];

		snprintf(want, sizeof(want), "%d:0123456789|\n", n);
		assert_string_equal(line, want);
	}
	assert_int_equal(n, LINES);
	fclose(b.file);
}

static void test_write_error_is_kept(void **state)
{
	struct output out;
	int fd = open("/dev/full", O_WRONLY);

	assert_true(fd >= 0);
	output_init(&out, fd);
	output_adds(&out, "x");
	assert_int_equal(out.err, 0);
	output_flush(&out);
	assert_int_equal(out.err, ENOSPC);
	for (int i = 0; i < 2 * OUTPUT_BYTES / 8; i++)
		output_adds(&out, "dropped ");
	assert_int_equal(out.err, ENOSPC);
	output_deinit(&out);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_messages_in_order),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_cut_request),
		cmocka_unit_test(test_more_than_the_buffer),
		cmocka_unit_test(test_write_error_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
