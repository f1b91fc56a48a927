/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/signals.h - what the user's signals ask of a running session.
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT: the first asks for an orderly end (disarm, end probes, last
 * output), the second for an end at once. SIGUSR2 asks for the next output file. SIGCHLD only
 * interrupts a wait. SIGPIPE is ignored: the
 * write error is noticed instead. Process-wide, as signals are.
 */
#ifndef SPILE_READER_SIGNALS_H
#define SPILE_READER_SIGNALS_H

#include <stdbool.h>

/** Installs the handlers. Signals that the caller had ignored (nohup) stay ignored. */
void signals_init(void);
/** Gives a forked child the dispositions that this process was started with. */
void signals_restore_in_child(void);
/** Blocks the signals in the calling thread, so that the main thread gets them. */
void signals_block_in_thread(void);
/** True once an orderly end was asked for. */
bool signals_stop(void);
/** True once an end at once was asked for. */
bool signals_quit(void);
/** True if the next output file was asked for since the last call. */
bool signals_take_switch(void);

#endif
