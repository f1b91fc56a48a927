#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The probe engine in a process: the semantics suite, what only a process has, and exceptions.
#
# usage: tests/check-engine.sh [-t SECONDS]   how long each stress case goes on, 0.5 by default
# The last line is "N passed, N failed, N skipped".

B=${SPILE_BUILD:-build}
export ENGINE_PLUGIN_DIR="$B/tests/engine"
cd "$(dirname "$0")/.." || exit 1
. tests/count.sh

# Adds up what a program says in its last line; one that says nothing has died.
run() {
	out=$(timeout 300 "$@" 2>&1)
	status=$?
	echo "$out" | grep -E 'FAIL|SKIP|\.c:|\.cc:'
	sum=$(echo "$out" | tail -n 1 | grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$')
	if [ -z "$sum" ]; then
		echo "$out" | tail -n 5 >"$tmp/out"
		false
		ok "$1: ended with status $status"
		return
	fi
	passed=$((passed + ${sum%% *}))
	sum=${sum#*, }
	failed=$((failed + ${sum%% *}))
	sum=${sum#*, }
	skipped=$((skipped + ${sum%% *}))
}

[ $# -gt 0 ] || set -- -t 0.5
run "$B/tests/engine/engine-process" "$@"
if [ -x "$B/tests/engine/exceptions" ]; then
	run "$B/tests/engine/exceptions"
else
	skip exceptions "no C++ compiler"
fi

# The sample's output; the last line may be "not watched" where there are no debug registers.
out=$("$B/tests/engine/probe_self" 2>&1)
expected='square: 5 calls, the last square(5) = 25
getenv: 2 calls
total: '
[ "${out%total: *}total: " = "$expected" ] &&
	{ [ "${out##*total: }" = "5 changes" ] || [ "${out##*total: }" = "not watched" ]; }
ok "sample probe_self: $out"
count_end
