# SPDX-License-Identifier: GPL-2.0-only
# timeout: 120
# kernels: all
# jprobes and the core's exports: the verdicts of jprobe.kernel.c are lines of the kernel log.
spile-run --load
spile-run --fit build/tests/vm/jprobe.o jprobe_test /tmp/jprobe_test.ko
dmesg -c >/dev/null
busybox insmod /tmp/jprobe_test.ko || true
dmesg | grep -E 'jprobe-test: (FAIL|done)' || echo "no verdict"
dmesg | grep -q 'jprobe-test: done, 0 failures'
busybox rmmod jprobe_test
spile-run --unload
