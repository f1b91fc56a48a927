// SPDX-License-Identifier: GPL-2.0-only
/*
 * What places.test.sh probes: lines, inlined copies, callees, labels and an exported function, each
 * with a counter of its own. `echo N >/sys/module/place_target/parameters/run` does the work N times
 * and logs the counters. The test finds the lines by the words in their comments.
 */
#include <linux/module.h>

static int odd_lines, even_lines, sum, clamped, again, leaves_of_first, leaves;

static __always_inline int place_clamp(int value, int limit)
{
	int kept = value;

	if (value > limit)
		kept = limit;
	WRITE_ONCE(clamped, clamped + 1);
	return kept;
}

noinline int place_leaf(int value)
{
	WRITE_ONCE(leaves, leaves + 1);
	return value ^ 5;
}
EXPORT_SYMBOL_GPL(place_leaf);

static noinline int place_first(int value)
{
	int result = place_leaf(place_clamp(value, 3));

	WRITE_ONCE(leaves_of_first, leaves_of_first + 1);
	return result + 1;
}

static noinline int place_second(int value)
{
	int result = place_leaf(value + 1);

	return result + place_clamp(result, 9);
}

static noinline void place_branch(int value)
{
	int twice = 2 * READ_ONCE(value);

	if (value & 1) {
		WRITE_ONCE(sum, sum + twice); /* the odd line */
		WRITE_ONCE(odd_lines, odd_lines + 1);
	} else {
		WRITE_ONCE(even_lines, even_lines + 1); /* the even line */
	}
}

static noinline int place_loop(int rounds)
{
	int round = 0;

retry:
	WRITE_ONCE(again, again + 1);
	if (++round < rounds)
		goto retry;
	return round;
}

static int set_run(const char *text, const struct kernel_param *kp)
{
	int times, i, err = kstrtoint(text, 0, &times);

	if (err)
		return err;
	for (i = 0; i < times; i++) {
		place_first(i);
		place_second(i);
		place_branch(i);
		place_loop(i % 3 + 1);
	}
	pr_info("place_target: odd %d even %d sum %d clamped %d again %d first %d leaves %d\n",
		odd_lines, even_lines, sum, clamped, again, leaves_of_first, leaves);
	return 0;
}

static const struct kernel_param_ops run_ops = {.set = set_run};
module_param_cb(run, &run_ops, NULL, 0200);
MODULE_LICENSE("GPL");
