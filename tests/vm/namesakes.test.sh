# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# A name that several functions of the kernel have means all of them. m_start() begins the reading of
# a process's maps, and, another function, of its mounts; no other file that is read here has one.

[ "$(grep -c ' t m_start$' /proc/kallsyms)" -ge 2 ]
hits() { # FILE
    spile -e 'global n = 0
probe kernel.function("m_start") { if (execname() == "cat") n++ }
probe end { println(n) }' -c "cat $1 >/dev/null" 2>/tmp/err || cat /tmp/err >&2
}
maps=$(hits /proc/self/maps)
mounts=$(hits /proc/self/mounts)
other=$(hits /proc/uptime)
echo "maps $maps, mounts $mounts, other $other"
[ "$maps" -ge 1 ]
[ "$mounts" -ge 1 ]
[ "$other" = 0 ]
