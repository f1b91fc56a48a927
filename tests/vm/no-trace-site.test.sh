# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# A function in assembler has no trace site; named, it is probed all the same, at entry and return.
# Oracle: the shell waits for each of its children, and the kernel writes their status to it.

before=$(text-sum)
if grep -qw __put_user_4 /sys/kernel/tracing/available_filter_functions; then
    echo "__put_user_4 has a trace site here"
    exit 77
fi
cat >/tmp/forks.sh <<'X'
i=0
while [ $i -lt 100 ]; do
    (:)
    i=$((i + 1))
done
X
spile -e 'global n, r
probe kernel.function("__put_user_4") { n++ }
probe kernel.function("__put_user_4").return { r++ }
probe end { printf("%d %d\n", n, r) }' -c 'sh /tmp/forks.sh' >/tmp/out 2>/tmp/err
read -r entries returns </tmp/out
echo "entries $entries, returns $returns"
[ "$entries" -ge 100 ]
[ "$entries" = "$returns" ]
after=$(text-sum)
[ "$before" = "$after" ] || { echo "text changed: $before, now $after"; exit 1; }
