# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# @entry: what it gives at the return is what was there at the entry. Oracles: the argument itself, which a
# return probe can see too; the sum of what the worker wrote, 64 bytes a time; time goes on.
spile -e 'global n, sum, wrong, early
probe kernel.function("ksys_write").return, kernel.function("ksys_read").return {
	if (execname() != "probed") next
	if (ppfunc() == "ksys_write") { n++ sum += @entry($count) }
	wrong += @entry($count) != $count || @entry(ppfunc() . execname()) != ppfunc() . "probed"
	early += @entry(gettimeofday_ns()) > gettimeofday_ns() || !@entry(gettimeofday_ns())
}
probe end { printf("%d %d %d %d\n", n, sum, wrong, early) }' -c 'worker 0.2 probed' >/tmp/out 2>/tmp/err
cat /tmp/out
writes=$(sed -n 's/.*write \([0-9]*\) .*/\1/p' /tmp/out)
[ "$writes" -gt 0 ]
grep -qx "$writes $((writes * 64)) 0 0" /tmp/out
