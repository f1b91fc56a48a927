# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# kernels: all
# Probes by our own jumps and breakpoints (text.kernel.c): its verdicts are lines of the kernel log.
# A short first run makes the kernel change text of its own that it does not change back; after the
# second the text must be what it was before it.
run() {
    spile-run --load
    spile-run --fit build/tests/vm/text.o "$1" /tmp/text_test.ko
    dmesg -c >/dev/null
    busybox insmod /tmp/text_test.ko || true
    dmesg | grep -E 'text-test: (FAIL|done|#)' || echo "no verdict"
    dmesg | grep -q 'text-test: done, 0 failures'
    busybox rmmod "$1"
    spile-run --unload
}

run text_warm
before=$(text-sum --save /tmp/text)
run text_full
after=$(text-sum)
if [ "$before" != "$after" ]; then
    echo "text differs:"
    text-sum --diff /tmp/text
    exit 1
fi
