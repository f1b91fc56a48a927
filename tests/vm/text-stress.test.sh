# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# kernels: all
# Jumps and breakpoints come and go while two threads run through them (text-stress.kernel.c), for
# SPILE_STRESS_SECONDS, 10 if not set: `SPILE_STRESS_SECONDS=60 tests/vm/run.sh text-stress`.
name=stress${SPILE_STRESS_SECONDS:-10}
spile-run --load
spile-run --fit build/tests/vm/text-stress.o "$name" /tmp/text_stress.ko
dmesg -c >/dev/null
busybox insmod /tmp/text_stress.ko || true
dmesg | grep text-stress:
dmesg | grep -q 'text-stress: done'
busybox rmmod "$name"
spile-run --unload
