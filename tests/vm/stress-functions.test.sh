# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# Hundreds of functions probed at entry and return for 30 s under load. Oracle: the worker's own
# count of its read, write and openat calls, which the script must match to the last one, at entry
# and at return.

seconds=30
cat >/tmp/load.sh <<X
# Two busy neighbours whose hits are not counted, and the worker whose are.
worker $seconds neighbour >/dev/null &
(end=\$((\$(date +%s) + $seconds)); while [ \$(date +%s) -lt \$end ]; do find /proc/self /sys/kernel >/dev/null 2>&1; done) &
worker $seconds spile-worker >/tmp/oracle
wait
X
functions=$(grep -cE '^(vfs_|ksys_|do_sys_|filp_|path_|do_filp_|generic_file_|pipe_|file_|seq_|inode_)[^ ]*$' \
    /sys/kernel/tracing/available_filter_functions)
echo "functions to probe: about $functions"
[ "$functions" -ge 200 ]

spile -v tests/vm/stress-functions.stp -c 'sh /tmp/load.sh' >/tmp/counts 2>/tmp/err || {
    echo "spile: exit status $?"
    cat /tmp/err
    exit 1
}
cat /tmp/err
echo "worker:  $(cat /tmp/oracle)"
echo "entries: $(sed -n 1p /tmp/counts)"
echo "returns: $(sed -n 2p /tmp/counts)"
[ "$(sed -n 1p /tmp/counts)" = "$(cat /tmp/oracle)" ]
[ "$(sed -n 2p /tmp/counts)" = "$(cat /tmp/oracle)" ]
