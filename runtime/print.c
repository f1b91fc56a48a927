// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/print.c - print statements and messages. Any context.
 *
 * A print costs a walk over its arguments and one record: what the text looks like is the reader's
 * work (runtime/format.h). The record's layout is told in ring/ring.h.
 */
#include "engine/host.h"
#include "runtime/format.h"
#include "runtime/hist.h"
#include "runtime/internal.h"

#define STRING_MAX 65536 /* a string that lost its NUL shall not take the ring */

/** The time for a record. The merge needs cause before effect among all rings; where hits come one
 * after the other, those of a hit need not be told apart. */
static inline uint64_t record_time(const struct spl_session *session, struct spl_cpu *cpu)
{
	if (!session->serial)
		return host_clock_ns();
	if (!cpu->hit_ns)
		cpu->hit_ns = host_clock_ns();
	return cpu->hit_ns;
}

/** Waits until a record may have room; false where nobody can wait, or should. */
static bool wait_room(struct spl_session *session, struct spl_cpu *cpu, size_t payload)
{
	uint64_t target;

	return session->wait_room && ring_wait_target(&cpu->ring, payload, &target) &&
	       session->wait_room(session, cpu->ring.ring, target);
}

/** The ring is full. The reader may sleep: what fills the ring was published without a wake-up. */
static __attribute__((noinline)) void *reserve_late(struct spl_session *session,
						    struct spl_cpu *cpu, uint16_t kind,
						    uint16_t format, size_t payload)
{
	void *p = NULL;

	do {
		if (ring_wake_wanted(&cpu->ring))
			spl_session_wake(session);
		if (!wait_room(session, cpu, payload)) {
			ring_drop(&cpu->ring);
			return NULL;
		}
		p = ring_try_reserve(&cpu->ring, kind, format, record_time(session, cpu), payload);
	} while (!p);
	return p;
}

void *spl_cpu_reserve(struct spl_session *session, struct spl_cpu *cpu, uint16_t kind,
		      uint16_t format, size_t payload)
{
	void *p = ring_try_reserve(&cpu->ring, kind, format, record_time(session, cpu), payload);

	return spl_likely(p != NULL) ? p : reserve_late(session, cpu, kind, format, payload);
}

void spl_cpu_commit(struct spl_session *session, struct spl_cpu *cpu)
{
	if (spl_unlikely(ring_commit(&cpu->ring)))
		spl_session_wake(session);
}

void spl_cpu_message(struct spl_session *session, struct spl_cpu *cpu, char level, const char *text,
		     size_t len)
{
	char *p = spl_cpu_reserve(session, cpu, RING_MESSAGE, level, len + 1);

	if (!p)
		return;
	memcpy(p, text, len);
	p[len] = '\0';
	spl_cpu_commit(session, cpu);
}

void spl_message(struct spl_ctx *c, char level, const char *text)
{
	spl_cpu_message(c->session, spl_ctx_cpu(c), level, text, spl_str_len(text));
}

static uint32_t string_length(const char *s)
{
	return (uint32_t)str_bounded(s, STRING_MAX);
}

/* Memory to be printed has its length in front, see spl_load_bytes(). */
static uint32_t memory_length(const char *memory)
{
	uint32_t len;

	memcpy(&len, memory, sizeof(len));
	return len;
}

enum { LENGTHS_MAX = 16 }; /* of strings, that are measured once */

static uint32_t bytes_length(char type, const char *bytes)
{
	return type == 's' ? string_length(bytes) : memory_length(bytes);
}

/* The payload's size; notes the lengths of what is no number, as far as they fit. */
static size_t payload_size(const char *types, const union spl_val *args, uint32_t *lengths)
{
	size_t size = 0;

	for (size_t i = 0; types[i]; i++) {
		uint32_t len;

		if (types[i] == 'n') {
			size += 8;
			continue;
		}
		len = bytes_length(types[i], args[i].s);
		size += ring_string_room(len);
		if (i < LENGTHS_MAX)
			lengths[i] = len;
	}
	return size;
}

/* A length and its bytes; returns what is behind them. */
static char *put_bytes(char *p, const char *bytes, uint32_t len)
{
	memcpy(p, &len, sizeof(len));
	if (len < 16)
		str_copy_short(p + sizeof(len), bytes, len);
	else
		memcpy(p + sizeof(len), bytes, len);
	return p + ring_string_room(len);
}

void spl_print(struct spl_ctx *c, spl_u32 format, const union spl_val *args)
{
	const char *types = c->session->script->formats[format].types;
	struct spl_cpu *cpu = spl_ctx_cpu(c);
	uint32_t lengths[LENGTHS_MAX], len;
	char *p = spl_cpu_reserve(c->session, cpu, RING_PRINT, format,
				  payload_size(types, args, lengths));

	if (!p)
		return;
	for (size_t i = 0; types[i]; i++) {
		if (types[i] == 'n') {
			memcpy(p, &args[i].n, 8);
			p += 8;
			continue;
		}
		len = i < LENGTHS_MAX ? lengths[i] : bytes_length(types[i], args[i].s);
		p = put_bytes(p, args[i].s + (types[i] == 'm' ? sizeof(uint32_t) : 0), len);
	}
	spl_cpu_commit(c->session, cpu);
}

char *spl_sprint(struct spl_ctx *c, char *dst, spl_size size, spl_u32 format,
		 const union spl_val *args)
{
	const struct spl_format *f = &c->session->script->formats[format];
	struct format_sink sink;

	format_sink_init(&sink, dst, size);
	format_render(&sink, f->text, f->types, args);
	return format_sink_finish(&sink);
}

/* --- histograms ------------------------------------------------------------------------------ */

static int64_t samples_get(const struct hist *hist, uint32_t i)
{
	return spl_samples_bucket_sum(hist->source, hist->head.kind, i);
}

/** What is drawn of the samples; false and an error when there are none. */
static bool hist_from_samples(struct spl_ctx *c, struct hist *hist,
			      const struct spl_samples *samples, uint32_t kind, int elision,
			      const char *place)
{
	struct hist_head *head = &hist->head;
	uint32_t last;

	if (!samples->ncells) {
		spl_fail(c, "empty aggregate", place);
		return false;
	}
	*hist = (struct hist){ .get = samples_get, .source = samples };
	head->kind = kind;
	head->elision = elision;
	head->buckets = spl_samples_buckets(samples, kind);
	head->low = samples->type->low;
	head->width = samples->type->width;
	while (head->first < head->buckets && !samples_get(hist, head->first))
		head->first++;
	if (head->first == head->buckets) {
		spl_fail(c, "empty aggregate", place);
		return false;
	}
	for (last = head->buckets - 1; !samples_get(hist, last); last--)
		;
	head->count = last - head->first + 1;
	return true;
}

void spl_samples_print(struct spl_ctx *c, spl_u32 format, const struct spl_samples *samples,
		       spl_u32 histogram, int elision, const char *place)
{
	struct hist hist;
	uint32_t len;
	char *p;

	if (!hist_from_samples(c, &hist, samples, histogram, elision, place))
		return;
	len = sizeof(hist.head) + hist.head.count * 8;
	p = spl_cpu_reserve(c->session, spl_ctx_cpu(c), RING_PRINT, format, ring_string_room(len));
	if (!p)
		return;
	memcpy(p, &len, sizeof(len));
	memcpy(p + sizeof(len), &hist.head, sizeof(hist.head));
	p += sizeof(len) + sizeof(hist.head);
	for (uint32_t i = 0; i < hist.head.count; i++, p += 8) {
		int64_t count = samples_get(&hist, hist.head.first + i);

		memcpy(p, &count, 8);
	}
	spl_cpu_commit(c->session, spl_ctx_cpu(c));
}

char *spl_samples_sprint(struct spl_ctx *c, char *dst, spl_size size,
			 const struct spl_samples *samples, spl_u32 histogram, int elision,
			 const char *place)
{
	struct format_sink sink;
	struct hist hist;

	format_sink_init(&sink, dst, size);
	if (hist_from_samples(c, &hist, samples, histogram, elision, place))
		hist_render(&sink, &hist);
	return format_sink_finish(&sink);
}
