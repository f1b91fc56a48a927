# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# kernels: all
# The engine's suite (tests/engine/suite.h), which a process runs too, on this kernel: with targets that
# have ftrace sites and with targets that have none. Verdicts are lines of the kernel log. The whole
# is done twice, since the first time makes the kernel change text of its own that it does not change
# back; after the second the text must be what it was before it. Each case under load takes
# SPILE_STRESS_SECONDS in the second round, 1 if not set.
run() { # OBJECT SECONDS
    dmesg -c >/dev/null
    spile-run --fit "build/tests/vm/$1.o" "suite$2" /tmp/suite.ko
    busybox insmod /tmp/suite.ko
    busybox rmmod "suite$2"
    dmesg | grep -E 'suite: .*(FAIL|done|, not )' || echo "no verdict"
    dmesg | grep -qE 'suite: done .*, 0 failed'
}

for seconds in 1 "${SPILE_STRESS_SECONDS:-1}"; do
    before=$(text-sum --save /tmp/text)
    spile-run --load
    run suite "$seconds"
    run suite-sites "$seconds"
    spile-run --unload
    after=$(text-sum)
done
if [ "$before" != "$after" ]; then
    echo "text differs:"
    text-sum --diff /tmp/text
    exit 1
fi
