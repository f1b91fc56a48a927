# SPDX-License-Identifier: GPL-2.0-only
# For tests that take the example scripts of the systemtap-doc package: sourced.

# All of them; nothing when the package is not there.
example_scripts() { dpkg -L systemtap-doc 2>/dev/null | grep '\.stp$'; }

# The words after the script's name in its test line, one a line, quotes taken off; $$ is a process.
arguments_of() {
	local line
	line=$(grep -h '^test_check:' "${1%.stp}.meta" 2>/dev/null | grep -m1 -F "${1##*/}") || return
	line=${line#*"${1##*/}"}
	xargs -n1 printf '%s\n' <<<"$line" 2>/dev/null | sed "s/^[$][$]\$/$$/"
}
