# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# hello-world, one entry and one return probe with the core object that serves every kernel; the
# kernel's text is what it was. Oracle: the number of calls that the workload makes.
unset CC # all five passes in the guest
before=$(text-sum)
[ "$(spile samples/hello-world.stp)" = "hello world" ]

spile -e 'global calls, ret
probe kernel.function("ksys_write") { if (execname() == "probed") calls++ }
probe kernel.function("ksys_write").return { if (execname() == "probed") ret += $return }
probe end { printf("%d %d\n", calls, ret) }' -c 'worker 0.2 probed' >/tmp/out 2>/tmp/err
# The worker printed "read N write N openat N" on the same output; it writes 64 bytes a time.
cat /tmp/out
writes=$(sed -n 's/.*write \([0-9]*\) .*/\1/p' /tmp/out)
[ "$writes" -gt 0 ]
grep -qx "$writes $((writes * 64))" /tmp/out
after=$(text-sum)
[ "$before" = "$after" ] || { echo "text changed: $before, now $after"; exit 1; }
