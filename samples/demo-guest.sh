#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest's half of demo.sh: loads each object, beside a workload that the script watches.
jobs=$1
run=build/bin/spile-run
say() { printf '\033[1m== %s\033[0m\n' "$*"; }

say "hello-world"
$run $jobs/hello-world.o
say "socket-trace, while logger(1) writes to a socket"
$run $jobs/socket-trace.o -c "sh -c 'logger -d -n 127.0.0.1 hello; true'" | head -n 24
say "strace-open, while ls -l / runs"
$run $jobs/strace-open.o -c 'ls -l /' | grep -v '^[dltbc-]' | head -n 12
say "inode-watch, while two files are read"
$run $jobs/inode-watch.o -c 'cat samples/inode-watch.stp samples/hello-world.stp' | grep vfs_
say "timer-jiffies (12.3 s)"
$run $jobs/timer-jiffies.o
