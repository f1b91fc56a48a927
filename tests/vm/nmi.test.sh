# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# kernels: all
# NMIs during hits, and hits in NMIs: sysrq-l makes every CPU print its stack from an NMI, while a
# worker's calls are counted and what the NMI calls is probed, too. SPILE_STRESS_SECONDS says for how
# long (default 5). Oracle: the worker's own count. (There is no performance counter in a guest
# without KVM, whose NMIs could be had more often.)
seconds=${SPILE_STRESS_SECONDS:-5}

grep -qw show_regs /sys/kernel/tracing/available_filter_functions || {
    echo "show_regs has no trace site"
    exit 77
}
before=$(text-sum)
cat >/tmp/nmis.sh <<X
worker $seconds nmi-worker >/tmp/oracle &
worker=\$!
n=0
while kill -0 \$worker 2>/dev/null || [ \$n -lt 5 ]; do # on a busy machine once may be all
    echo l >/proc/sysrq-trigger
    dmesg -c >/dev/null
    n=\$((n + 1))
    sleep 0.1
done
echo \$n >/tmp/nmis
X
spile -e 'global reads, returns, traces
probe kernel.function("ksys_read") { if (execname() == "nmi-worker") reads++ }
probe kernel.function("ksys_read").return { if (execname() == "nmi-worker") returns++ }
probe kernel.function("show_regs") { traces++ }
probe end { printf("%d %d %d\n", reads, returns, traces) }' -c 'sh /tmp/nmis.sh' >/tmp/out 2>/tmp/err || {
    # An NMI in the middle of a handler: its own hit is not run, but it is told (status 3).
    [ $? = 3 ] && grep -q 'skipped probes: \([0-9]*\) (hit inside another handler: \1)' /tmp/err || {
        cat /tmp/err
        exit 1
    }
}
read -r reads returns traces </tmp/out
echo "reads $reads, returns $returns, stacks printed $traces; worker: $(cat /tmp/oracle); NMIs asked for: $(cat /tmp/nmis) times"
expected=$(sed -n 's/.*read \([0-9]*\) .*/\1/p' /tmp/oracle)
[ "$expected" -gt 0 ]
[ "$reads" = "$expected" ]
[ "$returns" = "$expected" ]
[ "$traces" -gt 0 ]
after=$(text-sum)
[ "$before" = "$after" ] || { echo "text changed: $before, now $after"; exit 1; }
