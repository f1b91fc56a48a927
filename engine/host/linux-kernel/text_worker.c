// SPDX-License-Identifier: GPL-2.0-only
/*
 * What takes time: making breakpoints jumps, and giving memory back. Both wait for the same, that
 * all tasks have left the code that they were in, so one thread does both for all points that have
 * gathered, in rounds:
 *
 *     lock    prepare jumps; take the points that have left
 *     free    wait: text_quiesce()
 *     lock    write the jumps; free those points
 *
 * A point leaves in two steps. When the text is clear again and the engine has waited for handlers,
 * it goes out of the table; a CPU that has met its breakpoint and not yet looked it up finds neither
 * point nor breakpoint and runs the instruction again (text_trap.c). When everybody has left its
 * slot and detour, it is freed.
 */
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/home.h"
#include "engine/host/linux-kernel/text_point.h"
#include "engine/host/linux-kernel/text_write.h"

#define TASK_INTERRUPTIBLE 1 /* include/linux/sched.h */
#define FOR_EVER 0x7fffffffffffffffl
#define GATHER_MS 20

static struct wait_queue_head queue;
static struct task_struct *worker;
static struct text_point *left;
static bool due;

static void points_free(struct text_point *list)
{
	struct text_point *next;

	for (; list; list = next) {
		next = list->change_next;
		text_point_free(list);
	}
}

static struct text_point *left_take(void)
{
	struct text_point *list = left;

	left = NULL;
	return list;
}

void text_left_collect(void)
{
	struct text_point *list = left_take();

	if (!list)
		return;
	text_quiesce();
	points_free(list);
}

void text_point_leave(struct text_point *point)
{
	point->change_next = left;
	left = point;
	text_worker_wake();
}

/* --- the thread ------------------------------------------------------------------------------------- */

static void round_once(void)
{
	struct text_point *leaving;
	bool jumps;

	kernel_home_lock();
	__atomic_store_n(&due, false, __ATOMIC_RELEASE);
	jumps = text_jumps_prepare();
	leaving = left_take();
	kernel_home_unlock();
	if (!jumps && !leaving)
		return;
	text_quiesce();
	kernel_home_lock();
	if (jumps)
		text_jumps_write();
	points_free(leaving);
	kernel_home_unlock();
}

/* Sleeps until there is something to do. False: the end. */
static bool wait_for_work(void)
{
	struct wait_queue_entry entry;

	kfn_init_wait_entry(&entry, 0);
	for (;;) {
		kfn_prepare_to_wait_event(&queue, &entry, TASK_INTERRUPTIBLE);
		if (__atomic_load_n(&due, __ATOMIC_ACQUIRE) || kfn_kthread_should_stop())
			break;
		kfn_schedule_timeout(FOR_EVER);
	}
	kfn_finish_wait(&queue, &entry);
	return !kfn_kthread_should_stop();
}

static int work(void *unused)
{
	while (wait_for_work()) {
		kfn_msleep(GATHER_MS);
		round_once();
	}
	return 0;
}

/* --- its life ------------------------------------------------------------------------------------------ */

int text_worker_start(void)
{
	static char key[64]; /* as in kernel_mutex_init() */
	struct task_struct *task;

	if (worker)
		return 0;
	kfn_init_waitqueue_head(&queue, "spile-text", (struct lock_class_key *)key);
	task = kfn_kthread_create_on_node(work, NULL, -1, "spile-text");
	if ((uint64_t)task >= -4095ull)
		return (int)(int64_t)task;
	worker = task;
	kfn_wake_up_process(task);
	return 0;
}

void text_worker_wake(void)
{
	__atomic_store_n(&due, true, __ATOMIC_RELEASE);
	kfn_wake_up(&queue, TASK_INTERRUPTIBLE, 1, NULL);
}

/* Also waits when no point has left: who was in a detour may just be on his way out of it. */
void text_worker_stop(void)
{
	if (!worker)
		return;
	kfn_kthread_stop(worker);
	worker = NULL;
	text_quiesce();
	points_free(left_take());
}
