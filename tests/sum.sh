#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the parts of a test run and adds them up: sum.sh PART...; each PART is a shell command whose
# last line is "N passed, N failed[, N skipped]". So is this one's, the sum of all.
#
# A part that says nothing of the kind, that ran no test at all, or that ends with an error status
# although it counts no failure, adds one failed test: silence is not success.
#
# One part more than there are processors runs at a time (JOBS=N: N), since guests wait for half of their
# time. They begin in the order given: the longest should come first. What a part said is shown when it has ended, below its name and what it
# took. Nothing is asserted on that.
set -u
unset MAKEFLAGS MFLAGS # parts that call make have no share in the jobs of the make that calls this
jobs=${JOBS:-$(($(nproc) + 1))}
passed=0 failed=0 skipped=0
declare -A name=() # of the parts that run, by their process
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

add() { # PART STATUS OUTPUT
	local line p f s why=
	line=$(tail -n 1 "$3" | grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$')
	read -r p f s <<<"$(tr -cs '0-9' ' ' <<<"${line:-0 0} 0")"
	s=${s%% *}
	if [ -z "$line" ]; then
		why="no count of tests in its last line (status $2)"
	elif [ $((p + f + s)) = 0 ]; then
		why="ran no test"
	elif [ "$2" != 0 ] && [ "$f" = 0 ]; then
		why="status $2"
	fi
	[ -z "$why" ] || { f=1; echo "FAIL $1: $why"; }
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# The output goes to $tmp/PROCESS, what it took to $tmp/PROCESS.took.
run() { # PART
	local TIMEFORMAT='%0R s, processor %0U + %0S s'
	exec >"$tmp/$BASHPID" 2>&1 </dev/null
	# A command in the background would ignore Ctrl-C, and so would all that it starts.
	{ time env --default-signal=INT,QUIT sh -c "$1" 2>&3; } 3>&2 2>"$tmp/$BASHPID.took"
}

# Waits for one of those that run, and shows and counts it.
await() {
	local pid status
	wait -n -p pid "${!name[@]}"
	status=$?
	printf '== %.70s (%s)\n' "${name[$pid]}" "$(cat "$tmp/$pid.took")"
	cat "$tmp/$pid"
	add "${name[$pid]}" "$status" "$tmp/$pid"
	unset "name[$pid]"
}

TIMEFORMAT='== all parts (%0R s, processor %0U + %0S s)'
{ time {
	for part; do
		[ ${#name[@]} -lt "$jobs" ] || await
		run "$part" &
		name[$!]=$part
	done
	while [ ${#name[@]} -gt 0 ]; do
		await
	done
}; } 2>&1
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ]
