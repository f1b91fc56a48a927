# SPDX-License-Identifier: GPL-2.0-only
# Counting, for the check-*.sh: `. tests/count.sh` from the top of the tree; gives them a folder $tmp,
# which goes away with them. Ends with `count_end`.
passed=0 failed=0 skipped=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# ok NAME: counts the status of the command before it. When it was not 0, shows how $tmp/out and
# $tmp/err begin, where commands' output goes by custom.
ok() {
	if [ $? = 0 ]; then
		passed=$((passed + 1))
		return 0
	fi
	failed=$((failed + 1))
	echo "  FAIL $1"
	for count_file in "$tmp/out" "$tmp/err"; do
		[ ! -s "$count_file" ] || head -n 20 "$count_file" | sed 's/^/      /'
	done
	return 1
}

# skip NAME REASON
skip() {
	skipped=$((skipped + 1))
	echo "  SKIP $1: $2"
}

# The last line, "N passed, N failed[, N skipped]", and as status whether all is well; nothing
# done is not.
count_end() {
	[ $((passed + failed)) -gt 0 ] || failed=1
	echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
	[ "$failed" = 0 ]
}
