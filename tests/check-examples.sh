#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How many example scripts of the systemtap-doc package pass 1, 2 and 3 for the default kernel.
#
# tests/script/examples.remaining lists those that do not get through pass 3, with the pass that
# refuses them and why: an example must get at least as far as it says. --update writes the list
# anew, for when more get through; it never takes an example back.
#
# What is listed holds without debug information, whatever this machine has: a cache that is empty
# hides it. tests/debuginfo.sh tries those that need it.
# The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/examples.sh
spile=$PWD/build/bin/spile
list=tests/script/examples.remaining
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The name, the pass that refused it (4: none), and the first message without its place.
try() {
	local script=$1 log=$tmp/${1//\//_} args option=-g
	mapfile -t args < <(arguments_of "$script")
	[ "${#args[@]}" = 1 ] && [ -z "${args[0]}" ] && args=()
	[ "${#args[@]}" = 0 ] && grep -q '[$@]1' "$script" && {
		args=(1 2 3 4 5)
		# some take a probe point instead of a number
		"$spile" -g -w -p1 "$script" "${args[@]}" >/dev/null 2>&1 || args=(begin end begin end begin)
	}
	[ -d "${script%/*}/tapset" ] && option="-g -I ${script%/*}/tapset"
	# shellcheck disable=SC2086
	timeout 60 "$spile" -r "$kernel" $option -w -p3 "$script" "${args[@]}" >/dev/null 2>"$log" </dev/null &&
		{ echo "${script##*/} 4"; return; }
	pass=$(sed -n 's/^Pass \([123]\): .*/\1/p' "$log" | tail -n 1)
	reason=$(grep -m1 'error: ' "$log" | sed 's/^[a-z]* error: //; s/: [a-z ]* '\''[^'\'']*'\'' at .*//; s/ at [^ ]*:[0-9:]*$//; s/\( needs debug information\): .*/\1/')
	echo "${script##*/} ${pass:-2} ${reason:-$(head -n 1 "$log")}"
}
export -f try arguments_of
export spile tmp

[ -n "$(example_scripts)" ] || { echo "the package systemtap-doc is not installed: tools/setup.sh installs it"
	echo "0 passed, 1 failed"; exit 1; }
build/bin/spile-vm -- true || { echo "0 passed, 1 failed"; exit 1; }
kernel=$(build/bin/spile-vm --print-dir)
export kernel
export SPILE_CACHE=$tmp/cache
example_scripts | grep -v /tapset/ | xargs -P2 -I{} bash -c 'try {}' | sort >"$tmp/got"

total=$(wc -l <"$tmp/got")
for pass in 1 2 3; do
	count=$(awk -v pass=$pass '$2 > pass' "$tmp/got" | wc -l)
	echo "pass $pass: $count of $total example scripts ($((100 * count / total)) %)"
done
if [ "${1:-}" = --update ]; then
	{ echo '# Example scripts of systemtap-doc that do not get through pass 3 for the default kernel: the'
	  echo '# pass that refuses each, and why. Written by tests/check-examples.sh --update.'
	  awk '$2 < 4' "$tmp/got"; } >$list
fi
awk 'NR == FNR { if (!/^#/) listed[$1] = $2; next }
	{ wanted = ($1 in listed) ? listed[$1] : 4; if ($2 < wanted) { failed++; print "  FAIL " $0 } else passed++
	  if ($2 > wanted) more++ }
	END { if (more) print more " get further than " ARGV[1] " says: tests/check-examples.sh --update"
	      print passed + 0 " passed, " failed + 0 " failed"; exit failed > 0 }' $list "$tmp/got"
