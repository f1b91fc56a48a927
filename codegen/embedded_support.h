/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * codegen/embedded_support.h - names for the C code inside of scripts; put in front of it.
 *
 * No kernel header is included, so what such code commonly uses of them is here, with the meaning
 * that it has there.
 */
typedef spl_s8 s8, int8_t;
typedef spl_s16 s16, int16_t;
typedef spl_s32 s32, int32_t;
typedef spl_s64 s64;
typedef spl_u8 u8, uint8_t;
typedef spl_u16 u16, uint16_t;
typedef spl_u32 u32, uint32_t;
typedef spl_u64 u64;
typedef __INT64_TYPE__ int64_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INTPTR_TYPE__ intptr_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ssize_t;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)
#define likely(x) spl_likely(x)
#define unlikely(x) spl_unlikely(x)
#define MAXSTRINGLEN SIZE
#define CONTEXT spl_context
#define STAP_PRINTF(...) spl_c_print(spl_context, PRINT_FORMAT, __VA_ARGS__)
#define _stp_printf(...) spl_c_print(spl_context, PRINT_FORMAT, __VA_ARGS__)
#define _stp_print(s) spl_c_print(spl_context, PRINT_FORMAT, "%s", (s))
#define _stp_warn(...) do { char w_[128]; spl_c_format(w_, sizeof(w_), __VA_ARGS__); \
	spl_message(spl_context, 'W', w_); } while (0)
/* Reads and writes that a bad address makes an error of the script; a read then gives 0. */
#define kderef(size, addr) spl_load(spl_context, (u64)(addr), size, 0, "kderef")
#define uderef(size, addr) spl_load_user(spl_context, (u64)(addr), size, 0, "uderef")
#define store_kderef(size, addr, v) spl_store(spl_context, (u64)(addr), size, (s64)(v), "store_kderef")
#define store_uderef(size, addr, v) spl_store_user(spl_context, (u64)(addr), size, (s64)(v), "store_uderef")
#define kread(p) ((__typeof__(*(p)))spl_load(spl_context, (u64)(p), sizeof(*(p)), 0, "kread"))
#define uread(p) ((__typeof__(*(p)))spl_load_user(spl_context, (u64)(p), sizeof(*(p)), 0, "uread"))
#define kwrite(p, v) spl_store(spl_context, (u64)(p), sizeof(*(p)), (s64)(v), "kwrite")
#define uwrite(p, v) spl_store_user(spl_context, (u64)(p), sizeof(*(p)), (s64)(v), "uwrite")
#define CATCH_DEREF_FAULT() do { } while (0)
#define snprintf spl_c_format
#define scnprintf spl_c_format
#define strlen(s) ((size_t)spl_str_len(s))
#define strcmp(a, b) spl_str_cmp(a, b)
#define strlcpy(dst, src, size) spl_str_copy(dst, size, src)
#define strscpy(dst, src, size) spl_str_copy(dst, size, src)
#define strlcat(dst, src, size) spl_str_cat(dst, size, dst, src)
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
#define memcmp __builtin_memcmp

static inline int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; a++, b++, n--)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

static inline char *strchr(const char *s, int ch)
{
	for (;; s++) {
		if (*s == (char)ch)
			return (char *)s;
		if (!*s)
			return 0;
	}
}

static inline char *strrchr(const char *s, int ch)
{
	const char *found = 0;

	do
		if (*s == (char)ch)
			found = s;
	while (*s++);
	return (char *)found;
}

static inline char *strstr(const char *s, const char *part)
{
	size_t len = strlen(part);

	for (; *s || !len; s++)
		if (!strncmp(s, part, len))
			return (char *)s;
	return 0;
}

static inline int isdigit(int ch)
{
	return ch >= '0' && ch <= '9';
}

static inline int isspace(int ch)
{
	return ch == ' ' || (ch >= '\t' && ch <= '\r');
}

static inline int isprint(int ch)
{
	return ch >= ' ' && ch < 127;
}
