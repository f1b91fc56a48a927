# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# kernels: all
# Probes by our own jumps and breakpoints (text.kernel.c): its verdicts are lines of the kernel log. Twice,
# since the first run makes the kernel change text of its own that it does not change back; after
# the second the text must be what it was before it.
run() {
    dmesg -c >/dev/null
    busybox insmod /tmp/text_test.ko || true
    dmesg | grep -E 'text-test: (FAIL|done|#)' || echo "no verdict"
    dmesg | grep -q 'text-test: done, 0 failures'
    busybox rmmod text_test
}

for round in 1 2; do
    before=$(text-sum --save /tmp/text)
    spile-run --load
    spile-run --fit build/tests/vm/text.o text_test /tmp/text_test.ko
    run
    spile-run --unload
    after=$(text-sum)
done
if [ "$before" != "$after" ]; then
    echo "text differs:"
    text-sum --diff /tmp/text
    exit 1
fi
