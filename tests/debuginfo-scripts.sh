#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Scripts whose probe points need the kernel's own debug information, run in a guest; part of
# tests/debuginfo.sh, which sees that it is there. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d build/tests/debuginfo.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

spile() { timeout 300 build/bin/spile --vm -w "$@" >"$tmp/out" 2>"$tmp/err"; }

verdict() { # NAME STATUS
	if [ "$2" = 0 ]; then
		echo "PASS $1"
		passed=$((passed + 1))
	else
		echo "FAIL $1"
		head -n 10 "$tmp/err" "$tmp/out" | sed 's/^/  | /'
		failed=$((failed + 1))
	fi
}

# socket-trace of the talk "Kprobes and SystemTap", as it stands there: each function of net/socket.c
# that is entered is left, and the workload sends 25 times.
socket_trace() {
	cat >"$tmp/socket-trace.stp" <<-'X'
	probe kernel.function("*@net/socket.c").call {
	    printf ("%s -> %s\n", thread_indent(1), ppfunc())
	}
	probe kernel.function("*@net/socket.c").return {
	    printf ("%s <- %s\n", thread_indent(-1), ppfunc())
	}
	X
	spile "$tmp/socket-trace.stp" -c 'build/tests/vm/sockets 25' || return 1
	grep ' sockets(' "$tmp/out" >"$tmp/own"
	[ "$(grep -c -- '-> __sys_sendto$' "$tmp/own")" = 25 ] || return 1
	[ "$(grep -c -- '<- __sys_recvfrom$' "$tmp/own")" = 25 ] || return 1
	[ "$(grep -c -- ' -> ' "$tmp/own")" = "$(grep -c -- ' <- ' "$tmp/own")" ]
}

# sockfd_lookup_light(), which each transfer calls, has a copy of sock_from_file().
inlined() {
	spile -e 'global n
	probe kernel.function("sock_from_file@net/socket.c").inline {
		if (execname() == "sockets") n++
	}
	probe end { println(n) }' -c 'build/tests/vm/sockets 25' || return 1
	[ "$(cat "$tmp/out")" -ge 50 ]
}

# A line in the middle of __sys_sendto, and the function that it calls from there.
lines_and_callees() {
	spile -e 'global n
	probe kernel.statement("__sys_sendto@net/socket.c:+*") { n["wrong"]++ }' 2>/dev/null && return 1
	grep -q 'behind the colon' "$tmp/err" || return 1
	spile -e 'global n
	probe kernel.function("__sys_sendto@net/socket.c").callee("sockfd_lookup_light") {
		if (execname() == "sockets") n["callee"]++
	}
	probe kernel.statement("__sys_sendto@net/socket.c:*") {
		if (execname() == "sockets") n[pp()]++
	}
	probe end {
		most = 0
		foreach (p in n) if (p != "callee" && n[p] > most) most = n[p]
		printf("%d %d\n", n["callee"], most)
	}' -c 'build/tests/vm/sockets 25' || return 1
	grep -qE '^25 (25|[2-9][0-9])$' "$tmp/out"
}

# Variables: arguments and a local at a line, beside those at the entry; globals, beside what tells the same.
variables() {
	spile -e 'global at_entry, same, other, locals
	probe kernel.function("__sys_sendto") { at_entry[tid()] = $len + $fd }
	probe kernel.statement("__sys_sendto@net/socket.c:*") {
		if (execname() != "sockets") next
		if (@defined($len) && @defined($fd)) {
			if ($len + $fd == at_entry[tid()]) same++
			else other++
		}
		if (isinstr($$locals, "msg=?")) locals++
	}
	probe begin {
		println(@var("jiffies_64@kernel/time/timer.c") == jiffies(), @var("current_task") == task_current(),
			@cast(task_current(), "task_struct")->cpus_ptr != 0,
			&@var("runqueues@kernel/sched/core.c") == &@var("runqueues"))
		println(@var("init_task@init/init_task.c")->comm$)
	}
	probe end { println(same > 25, " ", other + 0, " ", locals > 25) }' -c 'build/tests/vm/sockets 25' || return 1
	grep -qx '1111' "$tmp/out" && grep -qx '"swapper/0"' "$tmp/out" && grep -qx '1 0 1' "$tmp/out"
}

for test in socket_trace inlined lines_and_callees variables; do
	$test
	verdict $test $?
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
