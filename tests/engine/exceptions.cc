// SPDX-License-Identifier: GPL-2.0-only
// Exceptions thrown through watched functions: caught, destructors run, instances taken back.
#include <cstdio>
#include <stdexcept>

#include "spile/process.h"

static int returned;
static int destroyed;

struct Witness {
	~Witness() { destroyed++; }
};

extern "C" __attribute__((noinline)) int target_throw(int n)
{
	if (n)
		throw std::runtime_error("thrown");
	asm volatile("");
	return 1;
}

extern "C" __attribute__((noinline)) int target_between(int n)
{
	Witness witness;

	return target_throw(n) + 1;
}

extern "C" __attribute__((noinline)) int target_catch(int n)
{
	try {
		return target_between(n);
	} catch (const std::exception &) {
		return -1;
	}
}

static int count_return(struct kretprobe_instance *, struct pt_regs *)
{
	returned++;
	return 0;
}

static int failed;

static void expect(const char *what, long is, long should)
{
	if (is == should)
		return;
	std::printf("FAIL exceptions: %s is %ld, not %ld\n", what, is, should);
	failed = 1;
}

int main()
{
	static const char *const names[] = { "target_throw", "target_between", "target_catch" };
	static struct kretprobe probes[3];
	int caught = 0;

	for (int i = 0; i < 3; i++) {
		probes[i].kp.symbol_name = names[i];
		probes[i].handler = count_return;
		probes[i].maxactive = 2;
		expect(names[i], register_kretprobe(&probes[i]), 0);
	}
	for (int i = 0; i < 1000; i++)
		caught += target_catch(1) == -1;
	expect("caught", caught, 1000);
	expect("destroyed", destroyed, 1000);
	expect("returns while throwing", returned, 1000); // of target_catch
	expect("result", target_catch(0), 2);
	expect("returns", returned, 1003);
	for (int i = 0; i < 3; i++) {
		unregister_kretprobe(&probes[i]);
		expect("nmissed", probes[i].nmissed, 0);
	}
	std::printf("%d passed, %d failed, 0 skipped\n", !failed, failed);
	return failed;
}
