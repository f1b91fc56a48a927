/* SPDX-License-Identifier: GPL-2.0-only */
/* tests/places/fixture.h - shared by the fixture's two units; twice() is inlined in one of them only. */
#ifndef FIXTURE_H
#define FIXTURE_H

enum colour { RED, GREEN = 5, BLUE = -3 };

struct pair {
	int first;
	long second;
};

struct mixed {
	unsigned char small;
	unsigned low : 3, high : 13;
	int signed_bits : 5;
	union {
		int whole;
		unsigned short halves[2];
	};
	struct {
		short x, y;
	} point;
	enum colour colour;
	double weight;
	const char *name;
	struct mixed *next;
	int (*handler)(int);
	int numbers[4];
};

extern int sink;
extern struct mixed global_mixed;
extern __thread int own;

static inline int twice(int value)
{
	int doubled = value * 2;

	sink += doubled;
	return doubled + 1;
}

int other_sum(int a, int b, int c);
int other_duplicate(int x);
int other_indirect(int (*function)(int), int x);
long by_value(struct pair pair, short narrow, signed char tiny, _Bool flag);
void never(const char *why) __attribute__((cold, noinline));

#endif
