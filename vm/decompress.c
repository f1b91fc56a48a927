// SPDX-License-Identifier: GPL-2.0-only
#include "vm/decompress.h"

#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/strbuf.h"

#define CHUNK (256 * 1024)

static bool starts_with(const void *data, size_t len, const char *magic, size_t magic_len)
{
	return len >= magic_len && !memcmp(data, magic, magic_len);
}

static struct error *unpack_xz(const void *data, size_t len, struct strbuf *out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	static __thread uint8_t chunk[CHUNK];
	lzma_ret ret = lzma_stream_decoder(&stream, UINT64_MAX, 0);

	stream.next_in = data;
	stream.avail_in = len;
	while (ret == LZMA_OK) {
		stream.next_out = chunk;
		stream.avail_out = sizeof(chunk);
		ret = lzma_code(&stream, LZMA_RUN);
		strbuf_add(out, chunk, sizeof(chunk) - stream.avail_out);
	}
	lzma_end(&stream);
	if (ret != LZMA_STREAM_END)
		return error_create(EINVAL, "damaged xz data (liblzma says %d)", ret);
	return NULL;
}

static struct error *unpack_zstd(const void *data, size_t len, struct strbuf *out)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	static __thread char chunk[CHUNK];
	ZSTD_inBuffer in = { data, len, 0 };
	size_t left = 1;

	while (left && !ZSTD_isError(left)) {
		ZSTD_outBuffer buf = { chunk, sizeof(chunk), 0 };
		size_t before = in.pos;

		left = ZSTD_decompressStream(stream, &buf, &in);
		strbuf_add(out, chunk, buf.pos);
		if (!buf.pos && in.pos == before)
			break;
	}
	ZSTD_freeDStream(stream);
	if (left)
		return error_create(EINVAL, "damaged zstd data (%s)",
				    ZSTD_isError(left) ? ZSTD_getErrorName(left) : "cut off");
	return NULL;
}

static struct error *unpack_gzip(const void *data, size_t len, struct strbuf *out)
{
	static __thread uint8_t chunk[CHUNK];
	z_stream stream = { .next_in = (void *)data, .avail_in = len };
	int ret = inflateInit2(&stream, 16 + MAX_WBITS);

	while (ret == Z_OK) {
		stream.next_out = chunk;
		stream.avail_out = sizeof(chunk);
		ret = inflate(&stream, Z_NO_FLUSH);
		strbuf_add(out, chunk, sizeof(chunk) - stream.avail_out);
	}
	inflateEnd(&stream);
	if (ret != Z_STREAM_END)
		return error_create(EINVAL, "damaged gzip data (zlib says %d)", ret);
	return NULL;
}

struct error *decompress(const void *data, size_t len, char **ret, size_t *ret_len)
{
	struct error *error = NULL;
	struct strbuf out;

	strbuf_init(&out);
	if (starts_with(data, len, "\xfd" "7zXZ", 6))
		error = unpack_xz(data, len, &out);
	else if (starts_with(data, len, "\x28\xb5\x2f\xfd", 4))
		error = unpack_zstd(data, len, &out);
	else if (starts_with(data, len, "\x1f\x8b", 2))
		error = unpack_gzip(data, len, &out);
	else
		strbuf_add(&out, data, len);
	if (error) {
		strbuf_deinit(&out);
		return error;
	}
	*ret_len = out.len;
	*ret = strbuf_steal(&out);
	return NULL;
}
