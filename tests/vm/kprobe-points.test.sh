# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kprobe.function is hit when kernel.function is, and gives arguments and result by number. Oracle: the
# number of calls that the workload makes.
spile -e 'global entries, returns, sum, wrong
probe kprobe.function("ksys_write") { if (execname() == "probed") { entries++ sum += ulong_arg(3)
	wrong += pp() != "kprobe.function(\"ksys_write\")" || probemod() != "kernel" || probe_type() != "entry" } }
probe kprobe.function("ksys_write").return { if (execname() == "probed") { returns++ wrong += returnval() != 64 || probe_type() != "return" } }
probe end { printf("%d %d %d %d\n", entries, returns, sum, wrong) }' -c 'worker 0.2 probed' >/tmp/out 2>/tmp/err
cat /tmp/out
writes=$(sed -n 's/.*write \([0-9]*\) .*/\1/p' /tmp/out)
[ "$writes" -gt 0 ]
grep -qx "$writes $writes $((writes * 64)) 0" /tmp/out
