// SPDX-License-Identifier: GPL-2.0-only
/* A module that hangs the processor which loads it: what tests/check-vm.sh looks for in the story. */

int init_module(void);
void cleanup_module(void);
void hang_here(void);

__attribute__((noinline)) void hang_here(void)
{
	__asm__ volatile("cli");
	for (;;)
		__asm__ volatile("pause");
}

int init_module(void)
{
	hang_here();
	return 0;
}

void cleanup_module(void)
{
}
