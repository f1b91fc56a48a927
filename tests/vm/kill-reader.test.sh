# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# kill -9 of the reader while 100 probes fire: nothing stays armed, the modules can be removed, and
# the kernel's text is what it was. Oracles: enabled_functions of ftrace, rmmod, the text checksum.

before=$(text-sum)
cat >/tmp/calls.stp <<'X'
global n
probe kernel.function("vfs_*").call, kernel.function("ksys_*").call, kernel.function("filp_*").call,
      kernel.function("do_sys_*").call { n++; printf("%s %d\n", ppfunc(), n) }
X
spile -p4 /tmp/calls.stp >/dev/null 2>/tmp/err # without the load, which would slow it down
worker 60 neighbour >/dev/null &
load=$!
spile /tmp/calls.stp >/tmp/out 2>/tmp/err &
session=$!

# Wait until it prints: then all of them are armed and firing.
tries=0
while [ ! -s /tmp/out ]; do
    sleep 0.2
    tries=$((tries + 1))
    [ $tries -lt 200 ] || { echo "no output"; cat /tmp/err; exit 1; }
done
# ftrace may be busy when it is asked: ask again while the session is alive.
tries=0
armed=0
while [ "$armed" -lt 90 ]; do
    armed=$(wc -l </sys/kernel/tracing/enabled_functions)
    tries=$((tries + 1))
    [ $tries -lt 50 ] || { echo "armed: $armed"; cat /tmp/err; exit 1; }
    sleep 0.2
done
echo "armed: $armed"

readers=$(pgrep -x spile-run || true)
kill -9 $session $readers
wait $session 2>/dev/null || true
tries=0
while [ "$(wc -l </sys/kernel/tracing/enabled_functions)" != 0 ]; do
    sleep 0.1
    tries=$((tries + 1))
    [ $tries -lt 50 ] || { echo "still armed:"; head /sys/kernel/tracing/enabled_functions; exit 1; }
done
for m in $(grep '^spile_' /proc/modules | cut -d' ' -f1) spile; do
    busybox rmmod "$m"
done
kill $load || true
wait $load 2>/dev/null || true
after=$(text-sum)
[ "$before" = "$after" ] || { echo "text changed: $before, now $after"; exit 1; }
