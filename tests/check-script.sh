#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Whole scripts in the process home, all five passes. tests/script/run-ok/*.stp carry what they expect:
#   # out: TEXT       the next line of standard output; there must be no others
#   # err: TEXT       standard error has this in a line
#   # status: N       exit status, 0 if not given
#   # options: ...    for spile          # args: ...   for the script
# `tests/check-script.sh NAME` runs one. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
spile=build/bin/spile
. tests/count.sh
export SPILE_CACHE=$tmp/cache

fail() {
	failed=$((failed + 1))
	echo "  FAIL $1: $2"
	sed 's/^/      /' "$tmp/diff" 2>/dev/null | head -n 20
	head -n 10 "$tmp/err" | sed 's/^/      /'
}

directive() { sed -n "s/^# $2: \{0,1\}//p" "$1"; }

check() {
	local script=$1 status wanted line
	rm -f "$tmp/diff"
	# shellcheck disable=SC2046
	timeout 60 $spile --runtime=process $(directive "$script" options) "$script" \
		$(directive "$script" args) >"$tmp/out" 2>"$tmp/err"
	status=$?
	wanted=$(directive "$script" status)
	directive "$script" out >"$tmp/want"
	diff "$tmp/want" "$tmp/out" >"$tmp/diff" || { fail "$script" "output differs"; return; }
	[ "$status" = "${wanted:-0}" ] || { fail "$script" "exit status $status"; return; }
	while read -r line; do
		grep -q -F -- "$line" "$tmp/err" || { fail "$script" "no '$line' on standard error"; return; }
	done < <(directive "$script" err)
	passed=$((passed + 1))
}

for script in tests/script/run-ok/${1:-*}.stp; do
	check "$script"
done
count_end
