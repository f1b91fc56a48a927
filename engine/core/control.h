/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/core/control.h - the document's control files, as calls.
 *
 * A home shows them in its own way: the kernel home as files under debugfs `spile/`
 * (host/linux-kernel/debugfs.c), a process by calls. All of them: task context, without the engine's
 * lock.
 */
#ifndef SPILE_ENGINE_CORE_CONTROL_H
#define SPILE_ENGINE_CORE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

/**
 * All registered probes, a line for each, in the columns of the kernel's own kprobes/list:
 *
 *     ffffffff8112d3a0  k  vfs_read+0x0    [FTRACE][ftrace]
 *     ffffffffc02cc005  r  work+0x5  mod [DISABLED][native-return]
 *
 * address, type (k kprobe, j jprobe, r kretprobe), symbol+offset, module if any, and tags without
 * blanks between: [GONE] [DISABLED] [OPTIMIZED] [FTRACE], then, in small letters, the planter.
 * A probe that is GONE has no planter, and the symbol that it was registered with if any.
 *
 * Writes at most `size` bytes, no NUL. Returns the length of the whole, which may be more.
 */
size_t engine_list(char *to, size_t size);

/** What may not be probed, as in the kernel's kprobes/blacklist: "0xSTART-0xEND\tNAME" lines. */
size_t engine_blacklist(char *to, size_t size);

/**
 * The switch over all probes. Off: none is armed, those that are registered meanwhile neither, and
 * when this returns no handler runs. On: those that are not disabled themselves are armed. Does not
 * change any probe's DISABLED. 0, or the first error of those that could not be armed again; they
 * are armed by the next attempt.
 */
int engine_set_enabled(bool on);
bool engine_enabled(void);

/**
 * The switch over jump optimization. Off: jumps are taken back, and none are made. On, also if it was
 * on before: sites are looked at anew, so those that could not be optimized then may be now. A
 * planter is told by its `optimize`, and asks engine_optimization() when it plants.
 */
void engine_set_optimization(bool on);
bool engine_optimization(void);

/** What was written to a switch: "0" or "1", "n" or "y", "off" or "on", a newline may follow. 0, -EINVAL. */
int engine_parse_switch(const char *text, size_t len, bool *ret);

#endif
