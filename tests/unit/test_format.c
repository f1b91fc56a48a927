// SPDX-License-Identifier: GPL-2.0-only
/** printf of the script language, against libc's where both mean the same, and by example. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "runtime/format.h"
#include "runtime/hist.h"
#include "runtime/script.h"
#include "tests/unit/fixture_render.h"

static char out[2048];

static const char *format(const char *text, const char *types, const union spl_val *args)
{
	struct format_sink sink;

	format_sink_init(&sink, out, sizeof(out));
	format_render(&sink, text, types, args);
	return format_sink_finish(&sink);
}

static const char *format_n(const char *text, int64_t n)
{
	union spl_val v = { .n = n };

	return format(text, "n", &v);
}

static const char *format_s(const char *text, const char *s)
{
	union spl_val v = { .s = s };

	return format(text, "s", &v);
}

static void test_examples(void **state)
{
	assert_string_equal(format("plain %% text", "", NULL), "plain % text");
	assert_string_equal(format_n("%d!", -5), "-5!");
	assert_string_equal(format_n("%i", INT64_MIN), "-9223372036854775808");
	assert_string_equal(format_n("%u", -1), "18446744073709551615");
	assert_string_equal(format_n("%p", 12345678), "0x0000000000bc614e");
	assert_string_equal(format_n("%p", 0), "0x0000000000000000");
	assert_string_equal(format_n("%20p", 255), "                0xff");
	assert_string_equal(format_n("%#x", 255), "0xff");
	assert_string_equal(format_n("%#o", 8), "010");
	assert_string_equal(format_n("%c", 'A'), "A");
	assert_string_equal(format_n("%3d: ", 97), " 97: ");
	assert_string_equal(format_n("%1b", 'H'), "H");
	assert_string_equal(format_s("[%-6s]", "abc"), "[abc   ]");
	assert_string_equal(format_s("[%6.2s]", "abc"), "[    ab]");
	assert_string_equal(format_s("%M", "\x01\xfe"), "01fe");
	assert_string_equal(format_s("%.1m", "xyz"), "x");
}

static void test_binary(void **state)
{
	union spl_val v[] = { { .n = 0xc0dedbad }, { .n = 0x12345678 }, { .n = 0x4142 } };

	format("%b%4b%2b", "nnn", v);
	assert_memory_equal(out, "\xad\xdb\xde\xc0\0\0\0\0\x78\x56\x34\x12\x42\x41\0", 15);
}

static void test_star(void **state)
{
	union spl_val v[] = { { .n = 6 }, { .n = 3 }, { .n = 7 } };
	union spl_val left[] = { { .n = -6 }, { .n = 7 } };
	union spl_val wild[] = { { .n = INT64_MIN }, { .n = INT64_MAX }, { .n = 7 } };

	assert_string_equal(format("[%*.*d]", "nnn", v), "[   007]");
	assert_string_equal(format("[%*d]", "nn", left), "[7     ]");
	assert_int_equal(strlen(format("%*.*d", "nnn", wild)), sizeof(out) - 1);
}

/* What the translator would have refused is still printed, and never read beyond the arguments. */
static void test_mismatches(void **state)
{
	union spl_val n = { .n = 65 }, s = { .s = "text" };

	assert_string_equal(format("%s", "n", &n), "65");
	assert_string_equal(format("%d", "s", &s), "text");
	assert_string_equal(format("%d %d %s", "n", &n), "65 0 0");
	assert_string_equal(format("%y %", "", NULL), "%y %");
	assert_string_equal(format_n("%lld", 3), "3");
}

/* Random numeric conversions against libc: flags, width and precision mean the same as in C. */
static void test_numbers_like_libc(void **state)
{
	unsigned seed = time(NULL);
	static const char letters[] = "diuoxX", flags[] = "-+ 0#";

	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 200000; round++) {
		char ours[32] = "%", libcs[40], expected[512], spec[24] = "";
		uint64_t bits = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ rand();
		int64_t n = (int64_t)bits >> rand() % 64;
		char letter = letters[rand() % 6], *end = spec;

		n = rand() % 20 ? n : 0;
		for (int i = 0; i < 5; i++)
			if (rand() % 4 == 0)
				*end++ = flags[i];
		if (rand() % 2)
			sprintf(spec + strlen(spec), "%d", 1 + rand() % 30);
		if (rand() % 3 == 0)
			sprintf(spec + strlen(spec), ".%d", rand() % 30);
		snprintf(ours, sizeof(ours), "%%%s%c", spec, letter);
		snprintf(libcs, sizeof(libcs), "%%%sll%c", spec, letter);
		snprintf(expected, sizeof(expected), libcs, (long long)n);
		if (strcmp(format_n(ours, n), expected))
			fail_msg("'%s' of %ld: '%s', libc says '%s'", ours, n, out, expected);
	}
}

/* Where the number of digits changes. */
static void test_powers_of_ten(void **state)
{
	for (int64_t n = 1;; n *= 10) {
		for (int64_t d = n - 1; d <= n + 1; d++) {
			union spl_val v[] = { { .n = d }, { .n = -d } };
			char expected[64];

			snprintf(expected, sizeof(expected), "%ld|%ld|", (long)d, (long)-d);
			assert_string_equal(format("%d|%d|", "nn", v), expected);
		}
		if (n > INT64_MAX / 10)
			break;
	}
	assert_string_equal(format("%d", "n", &(union spl_val){ .n = INT64_MIN }),
			    "-9223372036854775808");
	assert_string_equal(format("%d", "n", &(union spl_val){ .n = INT64_MAX }),
			    "9223372036854775807");
}

static void test_strings_like_libc(void **state)
{
	for (int width = -12; width < 12; width++) {
		for (int precision = -1; precision < 8; precision++) {
			union spl_val v[] = { { .n = width }, { .n = precision }, { .s = "hello" } };
			char expected[64];

			snprintf(expected, sizeof(expected), "<%*.*s>", width, precision, "hello");
			assert_string_equal(format("<%*.*s>", "nns", v), expected);
		}
	}
}

/* A text that does not fit is cut, its NUL always has room, and nothing is written behind it. */
static void test_cut(void **state)
{
	union spl_val v[] = { { .n = 12345 }, { .s = "abcdef" } };
	const char *whole = "12345 abcdef   |";

	for (size_t size = 1; size < 24; size++) {
		char *buf = malloc(size);
		struct format_sink sink;

		format_sink_init(&sink, buf, size);
		format_render(&sink, "%d %-9s|", "ns", v);
		format_sink_finish(&sink);
		assert_int_equal(strlen(buf), size - 1 < strlen(whole) ? size - 1 : strlen(whole));
		assert_memory_equal(buf, whole, strlen(buf));
		free(buf);
	}
}

struct flushing {
	struct format_sink sink;
	char small[7], all[256];
	size_t all_len;
};

static void flush(struct format_sink *sink)
{
	struct flushing *f = (struct flushing *)sink;

	memcpy(f->all + f->all_len, sink->buf, sink->len);
	f->all_len += sink->len;
	sink->len = 0;
}

static void test_flush(void **state)
{
	union spl_val v[] = { { .n = 7 }, { .s = "a long string" } };
	struct flushing f = { .sink = { .buf = f.small, .cap = 7, .flush = flush } };

	format_render(&f.sink, "%040d %s", "ns", v);
	flush(&f.sink);
	assert_string_equal(f.all, "0000000000000000000000000000000000000007 a long string");
}

/* Payloads of random bytes and lengths never lead outside the payload (ASan sees that). */
static void test_payload_of_garbage(void **state)
{
	unsigned seed = time(NULL);

	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 50000; round++) {
		size_t size = rand() % 40;
		char *payload = malloc(size ? size : 1);
		struct format_sink sink;

		for (size_t i = 0; i < size; i++)
			payload[i] = rand() % 3 ? rand() % 12 : rand();
		format_sink_init(&sink, out, sizeof(out));
		render_payload(&sink, "%s %d %M %*x", "snsnn", payload, size);
		format_sink_finish(&sink);
		free(payload);
	}
}

static void test_payload(void **state)
{
	struct {
		uint64_t n;
		uint32_t len;
		char text[4 + 8];
	} payload = { 42, 5, "hello" };
	struct format_sink sink;

	format_sink_init(&sink, out, sizeof(out));
	assert_true(render_payload(&sink, "%d %s", "ns", &payload, sizeof(payload)));
	assert_string_equal(format_sink_finish(&sink), "42 hello");
	format_sink_init(&sink, out, sizeof(out));
	assert_false(render_payload(&sink, "%d %s", "ns", &payload, 16));
	assert_string_equal(format_sink_finish(&sink), "42 ");
}

/* A record's payload of the same arguments. */
static size_t make_payload(char *dst, const char *types, const union spl_val *args)
{
	size_t size = 0;

	for (int i = 0; types[i]; i++) {
		uint32_t len;

		if (types[i] == 'n') {
			memcpy(dst + size, &args[i].n, 8);
			size += 8;
			continue;
		}
		len = (uint32_t)strlen(args[i].s);
		memcpy(dst + size, &len, 4);
		memcpy(dst + size + 4, args[i].s, len);
		size += (4 + len + 7) & ~7u;
	}
	return size;
}

/* A plan gives the text that the format gives, in whatever portions the buffer is flushed. */
static void test_plan_is_the_format(void **state)
{
	static const char *const texts[] = {
		"%d %s\n", "%s%d", "plain", "", "%", "a%", "%%", "100%% of %d", "%5d|%-7s|%d", "%*d %s %d",
		"%.*s %d", "%s %s", "%d%d%d", "%x %s", "%y %d %s", "%s %d", "%ld %d", "%c%s%u",
		"a literal of more than sixteen bytes %d and one more like it %s and the end",
	};
	static const char *const types[] = { "", "n", "s", "ns", "sn", "nns", "nsn", "snn", "ssn", "nnn" };
	static const union spl_val numbers[] = { { .n = 0 }, { .n = -7 }, { .n = 42 }, { .n = INT64_MIN } };
	static const union spl_val strings[] = { { .s = "" }, { .s = "x" }, { .s = "fifteen bytes.." },
						 { .s = "sixteen bytes..." },
						 { .s = "a string of more than sixteen bytes" } };

	for (unsigned i = 0; i < 20000; i++) {
		const char *text = texts[rand() % 19], *t = types[rand() % 10];
		struct flushing f = { .sink = { .buf = f.small, .cap = 1 + i % 7, .flush = flush } };
		char payload[256], roomy[256];
		struct format_sink sink;
		union spl_val args[3];
		size_t size;

		for (int a = 0; t[a]; a++)
			args[a] = t[a] == 'n' ? numbers[rand() % (strchr(text, '*') ? 3 : 4)] :
						strings[rand() % 5]; /* no endless widths */
		size = make_payload(payload, t, args);
		format(text, t, args);
		assert_true(render_payload(&f.sink, text, t, payload, size));
		flush(&f.sink);
		assert_string_equal(f.all, out);
		format_sink_init(&sink, roomy, sizeof(roomy));
		assert_true(render_payload(&sink, text, t, payload, size));
		assert_string_equal(format_sink_finish(&sink), out);
	}
}

/* A histogram is drawn if its record holds together; whatever is in one, drawing ends. */
static void test_histogram(void **state)
{
	struct {
		uint32_t len;
		struct hist_head head;
		int64_t counts[2];
		uint32_t padding;
	} __attribute__((packed)) payload = {
		.len = sizeof(struct hist_head) + 16,
		.head = { .kind = SPL_STAT_LINEAR, .elision = 0, .buckets = 4, .first = 1,
			  .count = 2, .low = -3, .width = 2 },
		.counts = { 100, 51 },
	};
	static const char *const drawn =
		"value |-------------------------------------------------- count\n"
		"   -3 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@ 100\n"
		"   -1 |@@@@@@@@@@@@@@@@@@@@@@@@@                           51\n"
		"\n";
	struct format_sink sink;

	format_sink_init(&sink, out, sizeof(out));
	assert_true(render_payload(&sink, "%H", "h", &payload, sizeof(payload)));
	assert_string_equal(format_sink_finish(&sink), drawn);
	payload.head.count = 3; /* more than there are */
	format_sink_init(&sink, out, sizeof(out));
	render_payload(&sink, "%H", "h", &payload, sizeof(payload));
	assert_string_equal(format_sink_finish(&sink), "");
	payload.head.count = 2;
	payload.head.first = 3; /* beyond the last bucket */
	format_sink_init(&sink, out, sizeof(out));
	render_payload(&sink, "%H", "h", &payload, sizeof(payload));
	assert_string_equal(format_sink_finish(&sink), "");
	payload.head.first = 1;
	payload.counts[0] = INT64_MIN;
	payload.counts[1] = INT64_MAX;
	format_sink_init(&sink, out, sizeof(out));
	render_payload(&sink, "%H", "h", &payload, sizeof(payload));
	assert_in_range(sink.len, 1, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_star),
		cmocka_unit_test(test_mismatches),
		cmocka_unit_test(test_numbers_like_libc),
		cmocka_unit_test(test_powers_of_ten),
		cmocka_unit_test(test_strings_like_libc),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_payload_of_garbage),
		cmocka_unit_test(test_payload),
		cmocka_unit_test(test_plan_is_the_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
