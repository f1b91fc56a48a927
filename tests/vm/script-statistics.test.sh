# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# Counting without a lock on two CPUs at once, while a timer reads and deletes what they count.
# Oracle: the number of calls that the workloads make.

cat >/tmp/count.stp <<'EOF'
global n, s, by_name, times, taken, taken_s
probe kernel.function("ksys_write") {
    if (substr(execname(), 0, 6) == "probed") {
        n++
        s <<< 3
        by_name[execname()]++
        times[execname(), 1] <<< 64
    }
}
probe timer.ms(7) {
    foreach ([name, one] in times @count-) taken += @count(times[name, one])
    delete times
    taken_s += @sum(s)
    delete s
}
probe end {
    foreach ([name, one] in times) taken += @count(times[name, one])
    taken_s += @sum(s)
    foreach (name+ in by_name) { sum += by_name[name]; names .= name . " " }
    printf("%d %d %d %d %s\n", n, taken, taken_s / 3, sum, names)
}
EOF
cat >/tmp/two <<'EOF'
#!/bin/sh
worker 0.3 probed1 >/tmp/one.out &
worker 0.3 probed2 >/tmp/two.out
wait
EOF
chmod +x /tmp/two
spile /tmp/count.stp -c /tmp/two >/tmp/out 2>/tmp/err
cat /tmp/out
writes=$(cat /tmp/one.out /tmp/two.out | sed -n 's/.*write \([0-9]*\) .*/\1/p' | awk '{ n += $1 } END { print n }')
[ "$writes" -gt 0 ]
grep -qx "$writes $writes $writes $writes probed1 probed2 " /tmp/out

spile -e 'global s
probe kernel.function("ksys_write") { if (execname() == "probed") s <<< $count }
probe end { print(@hist_log(s)) println(@variance(s)) }' -c 'worker 0.1 probed' >/tmp/out
cat /tmp/out
grep -q '^ *64 |@@@@' /tmp/out
grep -qx 0 /tmp/out
