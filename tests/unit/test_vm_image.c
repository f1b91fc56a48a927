// SPDX-License-Identifier: GPL-2.0-only
/* vm/image, vm/decompress, vm/cpio: what the guest is booted from, made and taken apart here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "vm/cpio.h"
#include "vm/decompress.h"
#include "vm/image.h"

#define SETUP_SECTS 2
#define PAYLOAD_OFFSET 0x80

/* Text that compresses, several of decompress()'s chunks long. */
#define PLAIN_LEN 700000
static char plain[PLAIN_LEN];

static void fill_plain(void)
{
	memcpy(plain, "\177ELF", 4);
	for (int i = 4; i < PLAIN_LEN; i++)
		plain[i] = 'a' + i * 7 % 25 + (i / 1000) % 2;
}

static size_t pack_xz(char *out, size_t size)
{
	size_t len = 0;

	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (uint8_t *)plain,
						 PLAIN_LEN, (uint8_t *)out, &len, size), LZMA_OK);
	return len;
}

static size_t pack_zstd(char *out, size_t size)
{
	return ZSTD_compress(out, size, plain, PLAIN_LEN, 1);
}

static size_t pack_gzip(char *out, size_t size)
{
	z_stream stream = { .next_in = (uint8_t *)plain, .avail_in = PLAIN_LEN,
			    .next_out = (uint8_t *)out, .avail_out = size };

	deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return stream.total_out;
}

static void check_format(size_t (*pack)(char *, size_t))
{
	char *packed = malloc(PLAIN_LEN), *out = NULL;
	size_t len, out_len;
	struct error *error;

	len = pack(packed, PLAIN_LEN);
	/* Behind a kernel's stream stands its size; it must not disturb. */
	memcpy(packed + len, "\x60\xae\x0a\x00", 4);
	assert_null(decompress(packed, len + 4, &out, &out_len));
	assert_int_equal(out_len, PLAIN_LEN);
	assert_memory_equal(out, plain, PLAIN_LEN);
	free(out);
	error = decompress(packed, len / 2, &out, &out_len);
	assert_non_null(error);
	error_destroy(error);
	free(packed);
}

static void unpacks_each_format(void **state)
{
	fill_plain();
	check_format(pack_xz);
	check_format(pack_zstd);
	check_format(pack_gzip);
}

static void copies_what_is_not_packed(void **state)
{
	char *out;
	size_t len;

	assert_null(decompress("plain", 5, &out, &len));
	assert_int_equal(len, 5);
	assert_string_equal(out, "plain");
	free(out);
}

/* A bzImage with `payload` in it; what is not looked at stays zero. */
static char *make_image(const char *payload, size_t len, size_t *ret_len)
{
	size_t start = (SETUP_SECTS + 1) * 512 + PAYLOAD_OFFSET;
	uint32_t offset = PAYLOAD_OFFSET, size = len;
	char *image = calloc(1, start + len);

	image[0x1f1] = SETUP_SECTS;
	memcpy(image + 0x202, "HdrS", 4);
	memcpy(image + 0x248, &offset, 4);
	memcpy(image + 0x24c, &size, 4);
	memcpy(image + start, payload, len);
	*ret_len = start + len;
	return image;
}

static void finds_the_elf(void **state)
{
	char *packed = malloc(PLAIN_LEN), *image, *elf;
	size_t len, image_len, elf_len;

	fill_plain();
	len = pack_zstd(packed, PLAIN_LEN);
	image = make_image(packed, len, &image_len);
	assert_null(image_extract_elf(image, image_len, &elf, &elf_len));
	assert_int_equal(elf_len, PLAIN_LEN);
	assert_memory_equal(elf, plain, PLAIN_LEN);
	free(elf);
	free(image);
	free(packed);
}

static void expect_refused(const char *image, size_t len, const char *why)
{
	char *elf;
	size_t elf_len;
	struct error *error = image_extract_elf(image, len, &elf, &elf_len);

	assert_non_null(error);
	assert_non_null(strstr(error->message, why));
	error_destroy(error);
}

static void refuses_damaged_images(void **state)
{
	char payload[100] = "LZ4 or whatever", *image;
	size_t len;

	image = make_image(payload, sizeof(payload), &len);
	expect_refused(image, len, "unknown way");
	expect_refused(image, len - 1, "outside");
	expect_refused(image, 0x100, "no setup header");
	image[0x24b] = 0x7f; /* payload_offset of 2 GB */
	expect_refused(image, len, "outside");
	image[0x202] = 'h';
	expect_refused(image, len, "no setup header");
	free(image);
}

/* This program is an ELF with sections, made by somebody else. */
static void finds_sections_of_this_program(void **state)
{
	const void *section;
	struct error *error;
	char *elf;
	size_t len, size;

	assert_null(file_read("/proc/self/exe", &elf, &len));
	assert_null(image_find_section(elf, len, ".interp", &section, &size));
	assert_string_equal(section, "/lib64/ld-linux-x86-64.so.2");
	error = image_find_section(elf, len, ".no-such", &section, &size);
	assert_int_equal(error->err, ENOENT);
	error_destroy(error);
	error = image_find_section(elf, len / 2, ".interp", &section, &size);
	assert_int_equal(error->err, EINVAL);
	error_destroy(error);
	free(elf);
}

/* Oracle: cpio's own reading, by the busybox that the tests need anyway. */
static void busybox_reads_the_archive(void **state)
{
	char path[] = "/tmp/test-vm-cpio.XXXXXX", command[256], line[256];
	struct cpio cpio;
	FILE *pipe;

	cpio_init(&cpio);
	cpio_add_dir(&cpio, "dir", 0755);
	cpio_add_file(&cpio, "dir/odd", 0644, "12345", 5);
	cpio_add_char(&cpio, "dir/console", 0600, 5, 1);
	cpio_add_file(&cpio, "empty", 0755, "", 0);
	cpio_finish(&cpio);
	assert_int_equal(cpio.out.len % 4, 0);
	close(mkstemp(path));
	assert_null(file_write_atomic(path, cpio.out.data, cpio.out.len));
	cpio_deinit(&cpio);
	snprintf(command, sizeof(command), "busybox cpio -tv <%s 2>/dev/null | "
		 "awk '{ print $1, $3, $NF }'", path);
	pipe = popen(command, "r");
	assert_string_equal(fgets(line, sizeof(line), pipe), "drwxr-xr-x 0 dir\n");
	assert_string_equal(fgets(line, sizeof(line), pipe), "-rw-r--r-- 5 dir/odd\n");
	assert_non_null(fgets(line, sizeof(line), pipe));
	assert_int_equal(strncmp(line, "crw-------", 10), 0);
	assert_string_equal(fgets(line, sizeof(line), pipe), "-rwxr-xr-x 0 empty\n");
	assert_null(fgets(line, sizeof(line), pipe));
	pclose(pipe);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unpacks_each_format),
		cmocka_unit_test(copies_what_is_not_packed),
		cmocka_unit_test(finds_the_elf),
		cmocka_unit_test(refuses_damaged_images),
		cmocka_unit_test(finds_sections_of_this_program),
		cmocka_unit_test(busybox_reads_the_archive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
