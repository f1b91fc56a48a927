// SPDX-License-Identifier: GPL-2.0-only
/* A library that a test opens, probes and closes. */
int plugin_work(int n);

__attribute__((noinline, noclone)) int plugin_work(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}
