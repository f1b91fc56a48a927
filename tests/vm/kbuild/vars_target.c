// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module whose variables scripts look at, and change: tests/vm/variables.test.sh. A write of a number
 * to its parameter `run` makes it work once; it prints what it has, which is the oracle.
 */
#include <linux/kernel.h>
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
	return 0;
}

static const struct kernel_param_ops vars_ops = { .set = vars_run };
module_param_cb(run, &vars_ops, NULL, 0200);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("variables for scripts to look at");
