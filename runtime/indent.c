// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/indent.c - thread_indent(): the depth and the start of each thread's call tree.
 *
 * A table without locks. A thread's entry is used only by its own thread, which is on one CPU at a
 * time, with interrupts off: so only claiming and giving back an entry meet other CPUs, and these
 * are one compare-and-exchange and one store of `key`. A thread looks for its entry in a window of
 * WINDOW places from its hash on. The entry is given back when the depth is 0 again, so the table
 * holds the threads that are inside something. When a window is full (threads that died inside, or
 * very many), its oldest entry is taken over: a wrong indentation for that thread, never more.
 *
 * Any context.
 */
#include "engine/host.h"
#include "runtime/format.h"
#include "runtime/internal.h"

#define TABLE_BITS 12
#define TABLE_SIZE (1 << TABLE_BITS)
#define WINDOW 8
#define GOLDEN 0x9e3779b97f4a7c15ull

struct indent_entry {
	uint64_t key;      /* 0: free */
	uint64_t start_ns; /* when the outermost call was entered */
	int64_t depth;
};

struct spl_indent {
	struct indent_entry entries[TABLE_SIZE + WINDOW];
};

struct spl_indent *spl_indent_create(void)
{
	return host_zalloc(sizeof(struct spl_indent));
}

void spl_indent_destroy(struct spl_indent *indent)
{
	host_free(indent);
}

/** The idle threads of all CPUs have the number 0; each has its own depth. */
static uint64_t key_of(int tid, unsigned cpu)
{
	return tid ? (uint64_t)tid << 1 : ((uint64_t)cpu << 1 | 1);
}

static struct indent_entry *find(struct indent_entry *window, uint64_t key)
{
	for (int i = 0; i < WINDOW; i++)
		if (__atomic_load_n(&window[i].key, __ATOMIC_ACQUIRE) == key)
			return &window[i];
	return NULL;
}

/** Takes a free entry of the window, or the oldest; NULL if another CPU was faster each time. */
static struct indent_entry *claim(struct indent_entry *window, uint64_t key)
{
	struct indent_entry *oldest = window;
	uint64_t expected;

	for (int i = 0; i < WINDOW; i++) {
		expected = 0;
		if (__atomic_compare_exchange_n(&window[i].key, &expected, key, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return &window[i];
		if (__atomic_load_n(&window[i].start_ns, __ATOMIC_RELAXED) <
		    __atomic_load_n(&oldest->start_ns, __ATOMIC_RELAXED))
			oldest = &window[i];
	}
	expected = __atomic_load_n(&oldest->key, __ATOMIC_RELAXED);
	if (expected && __atomic_compare_exchange_n(&oldest->key, &expected, key, false,
						    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return oldest;
	return NULL;
}

/**
 * Changes the thread's depth by delta. Returns the depth to show: before a decrease, after an
 * increase. *elapsed_ns is the time since the outermost call.
 */
static int64_t indent_change(struct spl_indent *indent, uint64_t key, int64_t delta, uint64_t now,
			     uint64_t *elapsed_ns)
{
	struct indent_entry *window = &indent->entries[(key * GOLDEN) >> (64 - TABLE_BITS)];
	struct indent_entry *e = find(window, key);
	int64_t depth = 0;

	*elapsed_ns = 0;
	if (e) {
		depth = __atomic_load_n(&e->depth, __ATOMIC_RELAXED);
		*elapsed_ns = now - __atomic_load_n(&e->start_ns, __ATOMIC_RELAXED);
	} else if (delta > 0) {
		e = claim(window, key);
		if (e)
			__atomic_store_n(&e->start_ns, now, __ATOMIC_RELAXED);
	}
	if (e && depth + delta > 0)
		__atomic_store_n(&e->depth, depth + delta, __ATOMIC_RELAXED);
	else if (e)
		__atomic_store_n(&e->key, 0, __ATOMIC_RELEASE);
	return delta > 0 ? depth + delta : depth;
}

char *spl_fn_thread_indent(struct spl_ctx *c, char *dst, spl_size size, spl_s64 delta)
{
	int tid = host_current_tid();
	uint64_t elapsed_ns;
	int64_t depth = indent_change(c->session->indent, key_of(tid, c->cpu), delta,
				      host_clock_ns(), &elapsed_ns);
	struct format_sink sink;
	union spl_val args[5];
	char comm[16];

	host_current_comm(comm);
	args[0].n = elapsed_ns / 1000;
	args[1].s = comm;
	args[2].n = tid;
	args[3].n = depth > 0 ? depth - 1 : 0;
	args[4].s = "";
	format_sink_init(&sink, dst, size);
	format_render(&sink, "%6d %s(%d):%*s", "nsnns", args);
	return format_sink_finish(&sink);
}
