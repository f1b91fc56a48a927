/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * codegen/compile.h - pass 4: C to an object, by one run of the C compiler; and the cache.
 *
 * The cache is ${SPILE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spile}/scripts:
 *   HASH.o HASH.so   objects, by everything that goes into them: C, prelude, flags, compiler
 *   HASH.c           the C text, for reading
 *   HASH.start       the path of the object that a whole start (script, arguments, options,
 *                    kernel) led to, so that the next one skips passes 1 to 4
 * Files are written whole and renamed, so that several runs can share the folder.
 */
#ifndef SPILE_CODEGEN_COMPILE_H
#define SPILE_CODEGEN_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* 128 bits by two unlike mixers: enough against accidents, which is all a cache needs. */
struct content_hash {
	uint64_t a, b;
};

void content_hash_init(struct content_hash *hash);
void content_hash_add(struct content_hash *hash, const void *data, size_t len);
/** Adds a string with its end, so that ("ab", "c") and ("a", "bc") differ. NULL is like "". */
void content_hash_adds(struct content_hash *hash, const char *s);
/** Adds which file it is: path, size and time of change. */
void content_hash_add_file(struct content_hash *hash, const char *path);
/** 32 hex digits. */
void content_hash_text(const struct content_hash *hash, char ret[33]);

struct compile_options {
	const char *name; /* of the module; NULL: spile_ and 16 digits of the hash */
	bool embedded;    /* it holds C code of the script's own, whose errors are the user's */
	bool process;     /* a shared object for the process home */
	bool anew;        /* compile even if the cache has it */
	size_t depth;     /* how deep its functions nest, for the check of kernel stack */
};

/** Gives the object's path, for the caller to free. *ret_cached: nothing had to be compiled. */
struct error *compile_script(const char *code, const struct compile_options *options,
			     char **ret_object, bool *ret_cached);
/** Removes what the cache holds of scripts. */
struct error *cache_clean(void);
/** Which compiler it is, into a hash. */
void compile_identify(struct content_hash *hash);

/** The folder of the cache, made if need be; for the caller to free. */
struct error *cache_scripts_dir(char **ret);
/** What a start led to when it was made before, or NULL; for the caller to free. */
char *cache_start_find(const char *key);
/** Remembers it; failing to is no error. */
void cache_start_store(const char *key, const char *result);

#endif
