/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * engine/host/linux-user/threads.h - where the other threads are.
 *
 * A thread is "in" a range of code if its pc is, or if any word of its stack above its stack pointer
 * could be a pc in it: the return address of a call, or what a signal handler will go back to.
 * That may find a thread that is not there, never miss one that is. Task context.
 */
#ifndef SPILE_HOST_LINUX_USER_THREADS_H
#define SPILE_HOST_LINUX_USER_THREADS_H

#include <stdbool.h>
#include <stdint.h>

struct code_range {
	uint64_t start, end;
	bool occupied; /* the answer: some thread is, or may be, in it */
};

struct thread_list {
	int *tids; /* the caller frees it */
	unsigned n, room;
};

/** The threads that there are, this one included. False: some may be missing, they come and go. */
bool threads_list(struct thread_list *ret);

/** The signal that asks a running thread; its handler is installed at the first question. */
#define THREADS_SIGNAL 62

/** Fills `occupied` of each range; sorted by start, without overlaps. The caller does not count. */
void threads_look(struct code_range *ranges, unsigned n);
/** In the child of a fork: nobody is about to answer. */
void threads_forked(void);
/** Interrupts every other thread once. */
void threads_interrupt(void);

#endif
