# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# The session interface, call by call (session-calls.c), with a script written by hand.
spile-run --load
spile-run --fit build/tests/vm/session.o session_test /tmp/session_test.ko
busybox insmod /tmp/session_test.ko
session-calls
busybox rmmod session_test
spile-run --unload
