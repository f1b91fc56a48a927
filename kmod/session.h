/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * kmod/session.h - one open /dev/spile: the calls of spile/session.h.
 *
 * Task context throughout. Return values are those of the ioctls: 0 or -errno. The calls of one
 * session may come from several threads: attach, start, stop and report exclude each other; wait and
 * mmap run beside them, so that a reader can empty the rings while begin or end probes fill them.
 */
#ifndef SPILE_KMOD_SESSION_H
#define SPILE_KMOD_SESSION_H

#include <stddef.h>

#include "spile/session.h"

struct session;
struct vm_area_struct;

int session_create(struct session **ret);
/** The file is closed and nothing is mapped: disarms whatever is armed, runs no end probes. */
void session_destroy(struct session *session);

int session_attach(struct session *session, struct spile_attach *attach);
int session_start(struct session *session, struct spile_start *start);
int session_wait(struct session *session, struct spile_wait *wait);
int session_stop(struct session *session, struct spile_wait *wait);
int session_report(struct session *session, struct spile_report *report);
int session_mmap(struct session *session, struct vm_area_struct *vma);

#endif
