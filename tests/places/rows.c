// SPDX-License-Identifier: GPL-2.0-only
/*
 * tests/places/rows.c - rows of the line table that are no places. Each function is in a section of its own,
 * one right behind the other: where first()'s rows end, second() begins. In second() the assembler is told
 * rows of lines that are not here: 101 has none that is a statement, 102 one behind another that is none (a
 * pause behind a nop), and a nop belongs to no line.
 */
int first(int n)
{
	return n + 1;
} /* the end of first() */

int second(int n)
{
	__asm__ volatile(".loc 1 101 0 is_stmt 0\n\tnop\n"
	                 "\t.loc 1 102 0 is_stmt 0\n\tnop\n\t.loc 1 102 0 is_stmt 1\n\tpause\n"
	                 "\t.loc 1 0 0\n\tnop");
	return n - 1;
}

/* Another name for the same code. */
int also_second(int n) __attribute__((alias("second")));

int main(void)
{
	return second(first(0));
}
