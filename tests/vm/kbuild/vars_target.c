// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module whose variables scripts look at, and change: tests/vm/variables.test.sh. A write of a number
 * to its parameter `run` makes it work once; it prints what it has, which is the oracle.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/uaccess.h>

enum vars_colour { VARS_RED, VARS_GREEN = 7, VARS_BLUE = -2 };

struct vars_point {
	int x;
	long y;
};

struct vars_object {
	unsigned char level;
	unsigned int low : 3;
	int high : 6;
	enum vars_colour colour;
	struct vars_point points[2];
	union {
		u64 whole;
		u32 halves[2];
	};
	short grid[2][3];
	char name[12];
	const char *title;
	struct vars_object *next;
	int (*method)(int n);
	bool ready;
};

struct vars_three {
	long x, y, z;
};

static unsigned long vars_total = 100;
static int vars_error;

static noinline int vars_method(int n)
{
	return n * 3;
}

static noinline void vars_print(const struct vars_object *o)
{
	printk(KERN_INFO "vars: object level=%u low=%u high=%d colour=%d x=%d y=%ld name=%s\n",
	       o->level, o->low, o->high, o->colour, o->points[1].x, o->points[1].y, o->name);
}

static noinline int vars_check(int n)
{
	if (n < 0)
		return n;
	return vars_error;
}

/* noipa: its arguments stay as they are written. */
static noinline __attribute__((noipa)) long vars_work(struct vars_object *object, int n, short small,
						      struct vars_point by_value)
{
	long sum = 0;
	int i;

	for (i = 0; i < n; i++) {
		int squared = i * i + small;

		sum += squared;
		printk(KERN_INFO "vars: line i=%d squared=%d sum=%ld\n", i, squared, sum); /* HERE */
	}
	sum += by_value.x + by_value.y;
	vars_total += sum;
	printk(KERN_INFO "vars: work n=%d small=%d sum=%ld total=%lu\n", n, small, sum, vars_total);
	object->method(n);
	return sum;
}

/* Its arguments are on the stack from the seventh on, and are other ones when it returns. */
static noinline __attribute__((noipa)) long vars_many(int a, int b, int c, int d, int e, int f,
						      long seventh, struct vars_three three,
						      short ninth)
{
	long sum = a + b + c + d + e + f + seventh + three.x + three.y + three.z + ninth;

	printk(KERN_INFO "vars: many a=%d seventh=%ld x=%ld z=%ld ninth=%d\n", a, seventh, three.x,
	       three.z, ninth);
	seventh = three.x = three.z = ninth = -1;
	asm volatile("" : "+m"(seventh), "+m"(three), "+m"(ninth));
	return sum;
}

static volatile long vars_seen[4];

/* The calls of printk() leave of `given` no more than what the caller's `lost` was at its entry. */
static __always_inline void vars_tell(int depth, long given)
{
	printk(KERN_INFO "vars: enter %d\n", depth);
	printk(KERN_INFO "vars: inner depth=%d lost=%ld\n", depth, vars_seen[depth]); /* INNER */
}

static noinline __attribute__((noipa)) int vars_deep(int depth, long lost)
{
	int sum;

	vars_seen[depth] = lost;
	vars_tell(depth, lost + 1000);
	sum = vars_method(depth);
	if (depth)
		sum += vars_deep(depth - 1, vars_seen[depth] * 3);
	printk(KERN_INFO "vars: deep depth=%d lost=%ld\n", depth, vars_seen[depth]); /* DEEP */
	return sum;
}

/* Sleeps until the parameter `wake` is that high. */
static int vars_wake;

static noinline __attribute__((noipa)) int vars_nap(int until, const long *same, long lost)
{
	while (READ_ONCE(vars_wake) < until)
		msleep(20);
	printk(KERN_INFO "vars: nap lost=%ld\n", *same); /* NAP */
	return 0;
}

static int vars_run(const char *text, const struct kernel_param *kp)
{
	struct vars_object other = {.name = "other"}, object = {
		.level = 200, .low = 5, .high = -17, .colour = VARS_GREEN,
		.points = {{1, -2}, {3, 4000000000}}, .grid = {{1, 2, 3}, {4, 5, 6}}, .whole = 0x500000006, .name = "an object",
		.title = "its title", .next = &other, .method = vars_method, .ready = true,
	};
	struct vars_point point = {11, 22};
	int n, err;

	err = kstrtoint(text, 0, &n);
	if (err)
		return err;
	err = vars_check(n);
	if (err) {
		printk(KERN_INFO "vars: error %d\n", err);
		return err;
	}
	printk(KERN_INFO "vars: result %ld\n", vars_work(&object, n, -3, point));
	vars_print(&object);
	printk(KERN_INFO "vars: sum %ld\n", vars_many(1, 2, 3, 4, 5, 6, 700, (struct vars_three){8, 9, -10}, -11));
	vars_deep(2, 7);
	return 0;
}

static int vars_napper(void *until)
{
	long same = 5000 + (long)until;

	return vars_nap((long)until, &same, same);
}

/* In a thread: parameters are written one at a time. */
static int vars_run_nap(const char *text, const struct kernel_param *kp)
{
	long n;

	return kstrtol(text, 0, &n) ?: PTR_ERR_OR_ZERO(kthread_run(vars_napper, (void *)n, "napper"));
}

static const struct kernel_param_ops vars_ops = { .set = vars_run };
static const struct kernel_param_ops vars_nap_ops = { .set = vars_run_nap };
module_param_named(wake, vars_wake, int, 0600);
module_param_cb(nap, &vars_nap_ops, NULL, 0200);
module_param_cb(run, &vars_ops, NULL, 0200);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("variables for scripts to look at");
