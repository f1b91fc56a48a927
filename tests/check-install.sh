#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What `make install` puts down works from there, without the tree: the commands, and the library for
# a program that is compiled against it. The last line is "N passed, N failed".
cd "$(dirname "$0")/.." || exit 1
. tests/count.sh
prefix=$tmp/usr
mkdir "$prefix"

# NAME EXPECTED COMMAND...: its last line must be EXPECTED, a shell pattern.
says() {
	name=$1 expected=$2
	shift 2
	said=$(cd "$prefix" && "$@" 2>&1 | tail -n 1)
	case $said in
	$expected) true ;;
	*) false ;;
	esac
	ok "$name: $said"
}

make -s install PREFIX="$prefix" STAP=1 >"$tmp/out" 2>&1
ok "make install" || { count_end; exit; }
hello='probe begin { println(str_replace("hello tree", "tree", "world")) exit() }'
says "a script with the tapset" "hello world" env SPILE_CACHE="$tmp/cache" \
	bin/spile --runtime=process -e "$hello"
says "its name is stap" "hello world" env SPILE_CACHE="$tmp/cache" \
	bin/stap --runtime=process -e "$hello"
says "a core to load" "*spile.o*" ls lib/spile/spile.o
says "a program is compiled" "" cc -I include share/spile/samples/process/probe_self.c \
	-o probe_self -L lib -lspile -Wl,-rpath,"$prefix/lib"
says "and probes itself" "total: *" ./probe_self
count_end
