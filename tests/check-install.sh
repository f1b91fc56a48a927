#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What `make install` puts down works from there, without the tree: the commands, and the library for
# a program that is compiled against it. The last line is "N passed, N failed".

prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
passed=0
failed=0

# NAME EXPECTED COMMAND...: its last line must be EXPECTED, a shell pattern.
says() {
	name=$1 expected=$2
	shift 2
	said=$(cd "$prefix" && "$@" 2>&1 | tail -n 1)
	case $said in
	$expected) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)); echo "FAIL $name: $said" ;;
	esac
}

make -s install PREFIX="$prefix" STAP=1 >"$prefix/log" 2>&1 || {
	cat "$prefix/log"
	echo "0 passed, 1 failed"
	exit 1
}
hello='probe begin { println(str_replace("hello tree", "tree", "world")) exit() }'
says "a script with the tapset" "hello world" env SPILE_CACHE="$prefix/cache" \
	bin/spile --runtime=process -e "$hello"
says "its name is stap" "hello world" env SPILE_CACHE="$prefix/cache" \
	bin/stap --runtime=process -e "$hello"
says "a core to load" "*spile.o*" ls lib/spile/spile.o
says "a program is compiled" "" cc -I include share/spile/samples/process/probe_self.c \
	-o probe_self -L lib -lspile -Wl,-rpath,"$prefix/lib"
says "and probes itself" "total: *" ./probe_self

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
