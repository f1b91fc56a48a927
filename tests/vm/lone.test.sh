# SPDX-License-Identifier: GPL-2.0-only
# timeout: 120
# kernels: all
# Probes alone at their function (lone.kernel.c): its verdicts are lines of the kernel log. Twice,
# since the first run makes the kernel change text of its own that it does not change back; after
# the second the text must be what it was before it.
run() {
    dmesg -c >/dev/null
    busybox insmod /tmp/lone_test.ko || true
    dmesg | grep -E 'lone-test: (FAIL|done)' || echo "no verdict"
    dmesg | grep -q 'lone-test: done, 0 failures'
    busybox rmmod lone_test
}

for round in 1 2; do
    before=$(text-sum --save /tmp/text)
    spile-run --load
    spile-run --fit build/tests/vm/lone.o lone_test /tmp/lone_test.ko
    run
    spile-run --unload
    after=$(text-sum)
done
if [ "$before" != "$after" ]; then
    echo "text differs:"
    text-sum --diff /tmp/text
    exit 1
fi
