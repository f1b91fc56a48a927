#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Includes never point upwards. A row of the table names a folder and the only places that its files
# may include from ("." is the folder itself); folders without a row may include anything. A place
# is a folder (with what is below it) or one header. Compiler and system headers, in <>, are allowed
# in user space; freestanding files may have only those that come with the compiler.
#
# usage: tests/check-layers.sh; the last line is "N passed, N failed"

passed=0
failed=0

# folder : may include : home (user, or free = freestanding)
table='
base                   : . : user
ring                   : . engine/host.h : free
runtime                : . ring engine/host.h engine/arch/x86/regs.h include/spile : free
trace                  : . ring engine/host.h engine/arch/x86/regs.h include/spile : free
engine/core            : . ring/local.h engine/host.h engine/arch.h engine/arch include/spile : free
engine/arch            : . engine/host.h engine/core engine/arch.h include/spile : free
engine/host/linux-user : . engine include/spile : user
engine/host/linux-kernel : . engine include/spile kmod : free
kmod                   : . engine runtime ring include/spile : free
agent                  : . engine include/spile : user
tools                  : . base symbols script codegen reader probe vm include/spile : user
symbols                : . base engine/host/linux-kernel engine/arch : user
script                 : . base symbols include/spile : user
codegen                : . base script symbols include/spile : user
vm                     : . base : user
reader                 : . base symbols vm ring runtime engine/host.h include/spile codegen : user
probe                  : . base symbols engine/arch : user
'

# The folder-relative path of an include: as written, or beside the file, or under include/.
resolve() { # file include
	if [ -e "$2" ]; then
		echo "$2"
	elif [ -e "$(dirname "$1")/$2" ]; then
		echo "$(dirname "$1")/$2"
	elif [ -e "include/$2" ]; then
		echo "include/$2"
	else
		echo "$2" # generated
	fi
}

allowed() { # folder places path
	for place in $2; do
		[ "$place" = . ] && place=$1
		case $3 in
		"$place" | "$place"/*) return 0 ;;
		esac
	done
	# Generated files have no folder, and belong to who includes them.
	case $3 in
	*/*) return 1 ;;
	esac
	return 0
}

check_file() { # file folder places home; prints what is wrong
	grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]' "$1" | while IFS= read -r line; do
		number=${line%%:*}
		case $line in
		*\"*\"*)
			path=$(resolve "$1" "$(echo "$line" | cut -d'"' -f2)")
			allowed "$2" "$3" "$path" || echo "FAIL $1:$number: $2/ includes $path"
			;;
		*\<std*.h\>*) ;;
		*)
			case $4:$1 in
			free:*.user.c | user:*) ;;
			free:*) echo "FAIL $1:$number: freestanding, but includes ${line#*include}" ;;
			esac
			;;
		esac
	done
}

tmp=$(mktemp) || exit 1
trap 'rm -f "$tmp"' EXIT
echo "$table" | while IFS=: read -r folder places home; do
	folder=$(echo $folder)
	home=$(echo $home)
	[ -d "$folder" ] || continue
	find "$folder" -name '*.[chS]' | sort | while read -r file; do
		problems=$(check_file "$file" "$folder" "$places" "$home")
		if [ -n "$problems" ]; then
			echo "$problems"
			echo bad >>"$tmp"
		else
			echo good >>"$tmp"
		fi
	done
done
passed=$(grep -c good "$tmp")
failed=$(grep -c bad "$tmp")

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
