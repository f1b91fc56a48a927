#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Compiles the fixture in every form that its debug information can have: build.sh FOLDER. One program
# per form, FOLDER/COMPILER-FORM-DWARF, all of the same sources, plus FOLDER/list with their names.
set -eu
src=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
rm -rf ./* ../*.gdb ../*.places # what gdb said of the programs before
link="-no-pie -Wl,--build-id=sha1"

# compile NAME COMPILER FLAGS...: unit by unit, as projects do; -lto links with the same flags.
compile() {
	name=$1 cc=$2
	shift 2
	mkdir -p "objects/$name"
	(
		cd "objects/$name"
		for unit in fixture other; do
			"$cc" "$@" -c "$src/$unit.c" -o "$unit.o"
		done
		"$cc" "$@" $link fixture.o other.o -o "../../$name"
	)
	echo "$name" >>list
}

for dwarf in 4 5; do
	compile gcc-O0-$dwarf gcc -O0 -gdwarf-$dwarf
	compile gcc-O2-$dwarf gcc -O2 -gdwarf-$dwarf
	compile gcc-lto-$dwarf gcc -O2 -flto -gdwarf-$dwarf
	compile gcc-split-$dwarf gcc -O2 -gdwarf-$dwarf -gsplit-dwarf
	compile clang-O0-$dwarf clang -O0 -gdwarf-$dwarf
	compile clang-O2-$dwarf clang -O2 -gdwarf-$dwarf
	compile clang-lto-$dwarf clang -O2 -flto -fuse-ld=lld -Wno-unused-command-line-argument -gdwarf-$dwarf
	compile clang-split-$dwarf clang -O2 -gdwarf-$dwarf -gsplit-dwarf
	# dwz moves what two files share into a third; both refer to it.
	compile gcc-dwz-$dwarf gcc -O2 -gdwarf-$dwarf
	cp gcc-dwz-$dwarf twin-$dwarf
	dwz -m common-$dwarf.dwz -r gcc-dwz-$dwarf twin-$dwarf
done
compile gcc-pie-5 gcc -O2 -fPIE
mv gcc-pie-5 nopie
gcc -O2 -gdwarf-5 -fPIE -pie -Wl,--build-id=sha1 "$src/fixture.c" "$src/other.c" -o gcc-pie-5

# The debug information in a file of its own, found by build id below debug/.
compile gcc-separate-5 gcc -O2 -gdwarf-5
id=$(readelf -n gcc-separate-5 | sed -n 's/.*Build ID: //p')
dir=debug/.build-id/$(echo "$id" | cut -c1-2)
mkdir -p "$dir"
objcopy --only-keep-debug gcc-separate-5 "$dir/$(echo "$id" | cut -c3-).debug"
strip gcc-separate-5
cp gcc-O2-5 stripped
strip -g stripped
# Split, and the other half lost.
mkdir -p objects/moved
(cd objects/moved && gcc -O2 -gdwarf-5 -gsplit-dwarf $link "$src/fixture.c" "$src/other.c" -o ../../moved && rm -f ./*.dwo ../../*.dwo)
# An unlinked object, as a kernel's module is: its unwinding tables are in .debug_frame alone.
gcc -O2 -gdwarf-5 -ffunction-sections -fno-asynchronous-unwind-tables -r -nostdlib "$src/fixture.c" "$src/other.c" -o object.ko
# A function whose rest was split off and copied back into it.
gcc -Os -gdwarf-5 -c "$src/partly.c" -o partly.o
# Rows of line tables that are no places; for both versions' numbering of files.
for dwarf in 4 5; do
	gcc -O0 -gdwarf-$dwarf -ffunction-sections -falign-functions=1 $link "$src/rows.c" -o rows-$dwarf
done
