// SPDX-License-Identifier: GPL-2.0-only
/**
 * runtime/stat.c - statistics: what is taken out of the samples of all CPUs.
 *
 * Each CPU has a cell of its own, so adding needs no lock (spl_cell_add in script.h); here the cells
 * are read together. Whoever reads holds the lock of the global or has stopped adding (share.c).
 *
 * @variance is defined by how it is computed, since it is computed in integers: each CPU runs
 * Welford's algorithm on samples scaled by 2^shift; the parts are then joined:
 *
 *	mean = (sum << shift) / count
 *	S    = sum over CPUs of count_i * (mean_i - mean)^2 + (count_i - 1) * variance_i
 *	variance = S / (count - 1) >> 2 * shift
 *
 * Any context but for init and deinit.
 */
#include "engine/host.h"
#include "runtime/internal.h"

int spl_stat_init(struct spl_stat *stat, const struct spl_stat_type *type)
{
	stat->stride = (type->size + SPL_LINE - 1) & ~(spl_size)(SPL_LINE - 1);
	stat->top = 0;
	stat->cells = host_zalloc(host_cpu_max() * stat->stride);
	return stat->cells ? 0 : -ENOMEM;
}

void spl_stat_deinit(struct spl_stat *stat)
{
	host_free(stat->cells);
	*stat = (struct spl_stat){ 0 };
}

void spl_stat_clear(struct spl_stat *stat)
{
	memset(stat->cells, 0, stat->top * stat->stride);
}

void spl_stat_samples(const struct spl_stat *stat, const struct spl_stat_type *type,
		      struct spl_samples *ret)
{
	*ret = (struct spl_samples){ type, stat->cells, stat->stride, stat->top };
}

/* --- values ---------------------------------------------------------------------------------- */

static struct spl_cell *cell_at(const struct spl_samples *samples, uint32_t i)
{
	return (struct spl_cell *)(samples->cells + i * samples->stride);
}

/** Count, sum, least and greatest of all cells. */
struct joined {
	int64_t count, sum, min, max;
};

static struct joined join(const struct spl_samples *samples)
{
	struct joined all = { 0 };

	for (uint32_t i = 0; i < samples->ncells; i++) {
		const struct spl_cell *cell = cell_at(samples, i);

		if (!cell->count)
			continue;
		if (!all.count || cell->min < all.min)
			all.min = cell->min;
		if (!all.count || cell->max > all.max)
			all.max = cell->max;
		all.count += cell->count;
		all.sum = (uint64_t)all.sum + (uint64_t)cell->sum;
	}
	return all;
}

static uint64_t variance_part(const struct spl_cell *cell, int64_t mean)
{
	uint64_t away = (uint64_t)cell->more[0] - (uint64_t)mean;
	uint64_t part = (uint64_t)cell->count * (away * away);

	if (cell->count > 1)
		part += (uint64_t)(cell->count - 1) *
			(uint64_t)(cell->more[1] / (cell->count - 1));
	return part;
}

static int64_t variance(const struct spl_samples *samples, const struct joined *all)
{
	uint32_t shift = samples->type->shift;
	int64_t mean = (int64_t)((uint64_t)all->sum << shift) / all->count;
	uint64_t parts = 0;

	if (all->count < 2)
		return 0;
	for (uint32_t i = 0; i < samples->ncells; i++)
		if (cell_at(samples, i)->count)
			parts += variance_part(cell_at(samples, i), mean);
	/* a shift of 64 bits and more leaves the sign */
	return ((int64_t)parts / (all->count - 1)) >> (shift < 32 ? 2 * shift : 63);
}

static bool is_empty(struct spl_ctx *c, const struct joined *all, const char *place)
{
	if (spl_likely(all->count))
		return false;
	spl_fail(c, "empty aggregate", place);
	return true;
}

static int64_t take_value(const struct spl_samples *samples, const struct joined *all,
			  enum spl_take take)
{
	switch (take) {
	case SPL_COUNT:
		return all->count;
	case SPL_SUM:
		return all->sum;
	case SPL_MIN:
		return all->min;
	case SPL_MAX:
		return all->max;
	case SPL_AVG:
		return all->sum / all->count;
	default:
		return variance(samples, all);
	}
}

spl_s64 spl_samples_take(struct spl_ctx *c, const struct spl_samples *samples, enum spl_take take,
			 const char *place)
{
	struct joined all = join(samples);

	return take > SPL_SUM && is_empty(c, &all, place) ? 0 : take_value(samples, &all, take);
}

int64_t spl_samples_rank(const struct spl_samples *samples, enum spl_take take)
{
	struct joined all = join(samples);

	return all.count ? take_value(samples, &all, take) : 0;
}

/* --- histograms ------------------------------------------------------------------------------ */

uint32_t spl_samples_buckets(const struct spl_samples *samples, uint32_t histogram)
{
	return histogram == SPL_STAT_LOG ? SPL_LOG_BUCKETS : samples->type->buckets;
}

int64_t spl_samples_bucket_sum(const struct spl_samples *samples, uint32_t histogram, uint32_t n)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < samples->ncells; i++) {
		struct spl_cell *cell = cell_at(samples, i);

		sum += histogram == SPL_STAT_LOG ? spl_cell_log(samples->type, cell)[n] :
						   spl_cell_linear(samples->type, cell)[n];
	}
	return sum;
}

spl_s64 spl_samples_bucket(struct spl_ctx *c, const struct spl_samples *samples, spl_u32 histogram,
			   spl_s64 number, const char *place)
{
	struct joined all = join(samples);

	if (is_empty(c, &all, place))
		return 0;
	if (number < 0 || number >= spl_samples_buckets(samples, histogram)) {
		spl_fail(c, "histogram index out of range", place);
		return 0;
	}
	return spl_samples_bucket_sum(samples, histogram, (uint32_t)number);
}
