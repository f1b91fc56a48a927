# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# kernels: all
# The engine's suite (tests/engine/suite.h), which a process runs too, on this kernel: with targets that
# have ftrace sites and with targets that have none. Verdicts are lines of the kernel log. The whole
# is done twice, since the first time makes the kernel change text of its own that it does not change
# back; after the second the text must be what it was before it.
run() { # OBJECT
    dmesg -c >/dev/null
    spile-run --fit "build/tests/vm/$1.o" suite /tmp/suite.ko
    busybox insmod /tmp/suite.ko
    busybox rmmod suite
    dmesg | grep -E 'suite: .*(FAIL|done|, not )' || echo "no verdict"
    dmesg | grep -qE 'suite: done .*, 0 failed'
}

for round in 1 2; do
    before=$(text-sum --save /tmp/text)
    spile-run --load
    run suite
    run suite-sites
    spile-run --unload
    after=$(text-sum)
done
if [ "$before" != "$after" ]; then
    echo "text differs:"
    text-sum --diff /tmp/text
    exit 1
fi
