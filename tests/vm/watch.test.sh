# SPDX-License-Identifier: GPL-2.0-only
# timeout: 120
# kernels: all
# Watchpoints: the verdicts of watch.kernel.c are lines of the kernel log.
before=$(cat /proc/sys/kernel/panic)
spile-run --load
spile-run --fit build/tests/vm/watch.o watch_test /tmp/watch_test.ko
dmesg -c >/dev/null
busybox insmod /tmp/watch_test.ko || true
dmesg | grep -E 'watch-test: (FAIL|done)' || echo "no verdict"
dmesg | grep -q 'watch-test: done, 0 failures'
for value in 11 22 "$before"; do
	echo "$value" >/proc/sys/kernel/panic
done
busybox rmmod watch_test
dmesg | grep 'watch-test: .* writes'
dmesg | grep -q 'watch-test: 3 writes'
spile-run --unload
