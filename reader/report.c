// SPDX-License-Identifier: GPL-2.0-only
#include "reader/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ring/ring.h"
#include "spile/kprobes.h"

static const char *const planter_names[] = {
	[SPILE_PLANTER_NONE] = "none",
	[SPILE_PLANTER_FTRACE] = "ftrace",
	[SPILE_PLANTER_FTRACE_RETURN] = "ftrace-return",
	[SPILE_PLANTER_NATIVE] = "native",
	[SPILE_PLANTER_NATIVE_RETURN] = "native-return",
	[SPILE_PLANTER_TIMER] = "timer",
	[SPILE_PLANTER_CALL_THROUGH] = "call-through",
};

static const char *planter_name(uint32_t planter)
{
	if (planter >= sizeof(planter_names) / sizeof(planter_names[0]))
		return "unknown";
	return planter_names[planter];
}

/* Why a hit did not run its handler. skipped_state is no loss: the session was not running. */
static const struct cause {
	const char *key;  /* of the JSON */
	const char *text; /* of the warning */
	size_t field;
	bool is_loss;
} causes[] = {
	{ "missed_nested", "hit inside another handler",
	  offsetof(struct spile_probe_report, missed_nested), true },
	{ "missed_instance", "no free return instance",
	  offsetof(struct spile_probe_report, missed_instance), true },
	{ "skipped_lock", "a global's lock was busy",
	  offsetof(struct spile_probe_report, skipped_lock), true },
	{ "skipped_state", "session starting or ending",
	  offsetof(struct spile_probe_report, skipped_state), false },
};
enum { NCAUSES = sizeof(causes) / sizeof(causes[0]) };

static uint64_t cause_count(const struct spile_probe_report *probe, const struct cause *cause)
{
	return *(const uint64_t *)((const char *)probe + cause->field);
}

static uint64_t cause_sum(const struct report *report, uint32_t nprobes, const struct cause *cause)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < nprobes; i++)
		sum += cause_count(&report->probes[i], cause);
	return sum;
}

struct error *report_init(struct report *report, struct home *home)
{
	uint32_t nprobes = home->meta->nprobes;

	memset(report, 0, sizeof(*report));
	report->probes = calloc(nprobes + 1, sizeof(*report->probes));
	report->lost = calloc(home->nrings + 1, sizeof(*report->lost));
	if (!report->probes || !report->lost)
		abort();
	report->nrings = home->nrings;
	for (unsigned i = 0; i < home->nrings; i++) {
		const struct ring *ring =
			(const void *)((const char *)home->rings + i * home->ring_stride);

		report->lost[i] = __atomic_load_n(&ring->lost, __ATOMIC_RELAXED);
	}
	return home->ops->report(home, &report->totals, report->probes);
}

void report_deinit(struct report *report)
{
	free(report->probes);
	free(report->lost);
	memset(report, 0, sizeof(*report));
}

uint64_t report_lost(const struct report *report)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < report->nrings; i++)
		lost += report->lost[i];
	return lost > report->totals.lost ? lost : report->totals.lost;
}

/* Hits that the session counted without a probe: on a CPU or thread that has no context. */
static uint64_t report_unplaced(const struct report *report, const struct script_meta *meta)
{
	uint64_t placed = 0;

	for (int i = 0; i < NCAUSES; i++)
		placed += cause_sum(report, meta->nprobes, &causes[i]);
	return report->totals.skipped > placed ? report->totals.skipped - placed : 0;
}

uint64_t report_skipped(const struct report *report, const struct script_meta *meta)
{
	uint64_t sum = report_unplaced(report, meta);

	for (int i = 0; i < NCAUSES; i++)
		if (causes[i].is_loss)
			sum += cause_sum(report, meta->nprobes, &causes[i]);
	return sum;
}

static void warn_cause(struct strbuf *out, const char **separator, const char *text, uint64_t n)
{
	if (!n)
		return;
	strbuf_addf(out, "%s%s: %" PRIu64, *separator, text, n);
	*separator = ", ";
}

static void warn_causes(const struct report *report, const struct script_meta *meta,
			struct strbuf *out)
{
	const char *separator = " (";

	for (int i = 0; i < NCAUSES; i++)
		if (causes[i].is_loss)
			warn_cause(out, &separator, causes[i].text,
				   cause_sum(report, meta->nprobes, &causes[i]));
	warn_cause(out, &separator, "a thread without a context", report_unplaced(report, meta));
	if (*separator == ',')
		strbuf_addc(out, ')');
}

/* Probes whose module was unloaded: their hits are told, but there were no more of them since. */
static void warn_gone(const struct report *report, const struct script_meta *meta, struct strbuf *out)
{
	uint32_t gone = 0;

	for (uint32_t i = 0; i < meta->nprobes; i++)
		gone += (report->probes[i].flags & KPROBE_FLAG_GONE) != 0;
	if (gone)
		strbuf_addf(out,
			    "WARNING: %" PRIu32 " probes ended before the script: the module that they "
			    "were in was unloaded\n",
			    gone);
}

void report_warnings(const struct report *report, const struct script_meta *meta,
		     struct strbuf *out)
{
	uint64_t lost = report_lost(report), skipped = report_skipped(report, meta);

	if (report->totals.errors || skipped) {
		strbuf_addf(out, "WARNING: Number of errors: %" PRIu64 ", skipped probes: %" PRIu64,
			    report->totals.errors, skipped);
		warn_causes(report, meta, out);
		strbuf_addc(out, '\n');
	}
	if (lost)
		strbuf_addf(out,
			    "WARNING: %" PRIu64 " records lost: the rings were full; print less or "
			    "give them more room (-s MB)\n",
			    lost);
	warn_gone(report, meta, out);
}

/* --- text --------------------------------------------------------------------------------------- */

void report_text(const struct report *report, const struct script_meta *meta, struct strbuf *out)
{
	strbuf_addf(out, "%10s %10s %10s %8s  %-13s %s\n", "hits", "missed", "skipped", "errors",
		    "planter", "probe");
	for (uint32_t i = 0; i < meta->nprobes; i++) {
		const struct spile_probe_report *p = &report->probes[i];

		strbuf_addf(out,
			    "%10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %8" PRIu64 "  %-13s %s",
			    p->hits, p->missed_nested + p->missed_instance,
			    p->skipped_lock + p->skipped_state, p->errors, planter_name(p->planter),
			    meta->probes[i].point);
		if (*meta->probes[i].source)
			strbuf_addf(out, " at %s", meta->probes[i].source);
		if (p->flags & KPROBE_FLAG_GONE)
			strbuf_adds(out, " [GONE]");
		strbuf_addc(out, '\n');
	}
}

/* --- JSON --------------------------------------------------------------------------------------- */

static void json_string(struct strbuf *out, const char *s)
{
	strbuf_addc(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			strbuf_addf(out, "\\%c", c);
		else if (c < 0x20)
			strbuf_addf(out, "\\u%04x", c);
		else
			strbuf_addc(out, (char)c);
	}
	strbuf_addc(out, '"');
}

static void json_number(struct strbuf *out, const char *key, uint64_t value)
{
	strbuf_addf(out, ", \"%s\": %" PRIu64, key, value);
}

static void json_probe(struct strbuf *out, const struct meta_probe *probe,
		       const struct spile_probe_report *report)
{
	strbuf_adds(out, "{\"probe\": ");
	json_string(out, probe->point);
	strbuf_adds(out, ", \"source\": ");
	json_string(out, probe->source);
	strbuf_addf(out, ", \"planter\": \"%s\"", planter_name(report->planter));
	json_number(out, "flags", report->flags);
	json_number(out, "hits", report->hits);
	for (int i = 0; i < NCAUSES; i++)
		json_number(out, causes[i].key, cause_count(report, &causes[i]));
	json_number(out, "errors", report->errors);
	strbuf_addc(out, '}');
}

static void json_times(struct strbuf *out, const struct home_times *t)
{
	strbuf_addf(out, ", \"times_ns\": {\"core\": %" PRIu64, t->core);
	json_number(out, "load", t->load);
	json_number(out, "attach", t->attach);
	json_number(out, "start", t->start);
	json_number(out, "arm", t->arm);
	json_number(out, "stop", t->stop);
	strbuf_addc(out, '}');
}

void report_json(const struct report *report, const struct home *home, int exit_status,
		 struct strbuf *out)
{
	const struct script_meta *meta = home->meta;

	strbuf_adds(out, "{\"script\": ");
	json_string(out, meta->name);
	json_number(out, "exit_status", (uint64_t)exit_status);
	json_number(out, "errors", report->totals.errors);
	json_number(out, "lost", report_lost(report));
	json_number(out, "skipped", report_skipped(report, meta));
	json_times(out, &home->times);
	strbuf_adds(out, ", \"lost_per_cpu\": [");
	for (unsigned i = 0; i < report->nrings; i++)
		strbuf_addf(out, "%s%" PRIu64, i ? ", " : "", report->lost[i]);
	strbuf_adds(out, "], \"probes\": [");
	for (uint32_t i = 0; i < meta->nprobes; i++) {
		strbuf_adds(out, i ? ",\n  " : "\n  ");
		json_probe(out, &meta->probes[i], &report->probes[i]);
	}
	strbuf_adds(out, "]}\n");
}
