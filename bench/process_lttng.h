/* SPDX-License-Identifier: GPL-2.0-only */
/* The LTTng-UST tracepoint that bench/process.c compares with. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER spile_bench

#undef TRACEPOINT_INCLUDE
#define TRACEPOINT_INCLUDE "bench/process_lttng.h"

#if !defined(SPILE_BENCH_PROCESS_LTTNG_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define SPILE_BENCH_PROCESS_LTTNG_H

#include <lttng/tracepoint.h>

TRACEPOINT_EVENT(spile_bench, hit, TP_ARGS(unsigned long, value),
		 TP_FIELDS(ctf_integer(unsigned long, value, value)))

#endif

#include <lttng/tracepoint-event.h>
