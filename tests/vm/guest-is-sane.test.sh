# SPDX-License-Identifier: GPL-2.0-only
# kernels: all
# The guest is what its users rely on: the kernel named, the host's files, its own file systems.

[ "$(uname -r)" = "$SPILE_VM" ]
[ -d "/lib/modules/$SPILE_VM/kernel" ]
[ "$(id -u)" = 0 ]

# The host's root, read-only; the share, read-write.
[ -x /bin/ls ]
if touch /etc/spile-test 2>/dev/null; then
    echo "the host's root is writable"
    exit 1
fi
touch "build/tests/spile-guest.$$"
rm "build/tests/spile-guest.$$"

# Its own.
[ "$(cat /proc/sys/kernel/hostname)" = spile-vm ]
grep -q vfs_read /sys/kernel/tracing/available_filter_functions
[ -e /sys/kernel/debug/kprobes/blacklist ]
[ -s /sys/kernel/btf/vmlinux ]
echo text >/tmp/file
[ "$(cat /tmp/file)" = text ]
echo to-stderr >/dev/stderr
