/* SPDX-License-Identifier: GPL-2.0-only */
/** reader/shell.h - system(): commands that a script starts, in the background. */
#ifndef SPILE_READER_SHELL_H
#define SPILE_READER_SHELL_H

#include <stddef.h>

/** Starts `sh -c COMMAND`; nobody asks how it ended. A failure is told on standard error. */
void shell_start(const char *command);
/** Gives the commands that still run a second to end, so that what they print comes before the end
 * of the session. They are not ended. */
void shell_wait(void);

#endif
