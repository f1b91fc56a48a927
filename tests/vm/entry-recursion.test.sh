# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# @entry in a function that calls itself: each return gives its own call's value. The kernel counts
# how deep it is in an argument; the innermost call returns first.
spile -e 'probe kernel.function("ep_loop_check_proc").return {
	if (pid() == target()) printf("%d:%s ", @entry($depth), @entry(sprint($depth)))
}' -c 'nested-epoll' >/tmp/out 2>/tmp/err
cat /tmp/out
grep -qx '0:0 1:1 0:0 2:2 1:1 0:0 ' /tmp/out
