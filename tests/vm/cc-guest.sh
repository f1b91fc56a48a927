#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The compiler for tests in a guest: has tests/vm/cc-host.sh run `cc ARGUMENT...` on the host, twenty
# times as fast. What the arguments name must lie in a shared folder. SPILE_CC_DIR is where they meet.
job=$SPILE_CC_DIR/$$
printf '%s\n' "$@" >"$job.new"
mv "$job.new" "$job.job"
until [ -e "$job.status" ]; do
    sleep 0.05
done
read -r status <"$job.status"
[ ! -s "$job.said" ] || cat "$job.said" >&2
rm "$job.status" "$job.said"
exit "$status"
