#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest's half of demo.sh: loads each object, beside a workload that the script watches.
jobs=$1
run=build/bin/spile-run
say() { printf '\033[1m== %s\033[0m\n' "$*"; }

say "hello-world"
$run $jobs/hello-world.o
say "socket-trace, while logger(1) writes to a socket"
$run -c "sh -c 'logger -d -n 127.0.0.1 hello; true'" $jobs/socket-trace.o | sed -n 1,24p
say "strace-open, while ls -l / runs"
$run -c 'ls -l /' $jobs/strace-open.o | grep -a '^ls(' | sed -n 1,12p
say "inode-watch, while two files are read"
$run -c 'cat samples/inode-watch.stp samples/hello-world.stp' $jobs/inode-watch.o | grep -a '^cat('
say "timer-jiffies (12.3 s)"
$run $jobs/timer-jiffies.o
