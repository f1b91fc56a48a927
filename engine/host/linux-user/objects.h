/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-user/objects.h - what is loaded in this process: executable, libraries, symbols.
 *
 * Task context, under the home's lock; the vdso is not among the objects (its text is the
 * kernel's). A symbol table is read from the object's file at the first question about it: .symtab
 * when the file has one, .dynsym else. Where both are silent, .eh_frame knows each function's
 * bounds.
 */
#ifndef SPILE_HOST_LINUX_USER_OBJECTS_H
#define SPILE_HOST_LINUX_USER_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

struct object;

/** A function's bounds. */
struct function {
	uint64_t start, end;
	const char *name;   /* or NULL; valid while the object is loaded */
	bool exceptions;    /* has landing pads, which nothing in its code jumps to */
	const struct object *object;
};

/**
 * Address of "symbol" or "object:symbol", object being a file name with or without its suffix
 * (libc.so.6 or libc). 0; -ENOENT; -EINVAL if several different local functions have the name.
 * A symbol that the loader resolves by calling it (IFUNC) gives the function that it chose.
 */
int objects_resolve(const char *name, uint64_t *ret);

/** The function around addr. 0; -EINVAL addr is not in an object's code; -ENOENT no bounds known. */
int objects_function(uint64_t addr, struct function *ret);

/** The object whose code has addr, or NULL. */
const struct object *objects_find(uint64_t addr);
const char *object_name(const struct object *object);
/** A number that no other object ever has, of what is loaded at addr; 0: nothing. */
uint64_t objects_serial(uint64_t addr);
/** libspile itself: the object that has this code. */
bool objects_is_own(uint64_t addr);
/** Its code, range by range. */
void objects_own_text(void (*each)(uint64_t start, uint64_t end, void *arg), void *arg);

/** Whether objects have gone since the last time that this was asked. */
bool objects_gone(void);

#endif
