#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Random scripts, run by spile and computed a second time by tests/random/programs.py. Other programs each
# day, or those of SEED. `tests/check-random.sh 10000` takes about a quarter of an hour. The last line is
# "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
count=${1:-240}
out=$(python3 tests/random/programs.py build/bin/spile "$count" "${SEED:-$(date +%Y%m%d)}") || echo "$out"
differ=$(echo "$out" | sed -n 's/^[0-9]* programs, \([0-9]*\) differ$/\1/p')
[ -n "$differ" ] || differ=$count
echo "$((count - differ)) passed, $differ failed"
[ "$differ" = 0 ]
