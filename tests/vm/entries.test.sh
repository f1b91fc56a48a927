# SPDX-License-Identifier: GPL-2.0-only
# timeout: 120
# kernels: all
# Probes at function entries (entries.kernel.c): its verdicts are lines of the kernel log. Twice,
# since the first run makes the kernel change text of its own that it does not change back; after
# the second the text must be what it was before it.
run() {
    dmesg -c >/dev/null
    busybox insmod /tmp/entries_test.ko || true
    dmesg | grep -E 'entries-test: (FAIL|done)' || echo "no verdict"
    dmesg | grep -q 'entries-test: done, 0 failures'
    busybox rmmod entries_test
}

for round in 1 2; do
    before=$(text-sum --save /tmp/text)
    spile-run --load
    spile-run --fit build/tests/vm/entries.o entries_test /tmp/entries_test.ko
    run
    spile-run --unload
    after=$(text-sum)
done
if [ "$before" != "$after" ]; then
    echo "text differs:"
    text-sum --diff /tmp/text
    exit 1
fi
