# SPDX-License-Identifier: GPL-2.0-only
# Run by gdb (test_places.c): where it would put breakpoints for the lines and functions named in
# $PLACES ("line FILE N", "function NAME"), as "line FILE N ADDRESS..." and "function NAME ADDRESS".
import gdb
import os
import re

gdb.execute("set breakpoint pending off")


def addresses(spec):
    try:
        point = gdb.Breakpoint(spec, internal=False)
    except gdb.error:
        return [], []
    text = gdb.execute("info breakpoints %d" % point.number, to_string=True)
    point.delete()
    found = re.findall(r"(0x[0-9a-f]+)(?: <[^>]*>)? in .* at \S*?:(\d+)", text)
    found = found or re.findall(r"(0x[0-9a-f]+) in .*? at .*?:(\d+)", text)
    return [a for a, line in found], [int(line) for a, line in found]


with open(os.environ["PLACES"]) as lines:
    for text in lines:
        words = text.split()
        if words[0] == "line":
            at, where = addresses("%s:%s" % (words[1], words[2]))
            at = [a for a, line in zip(at, where) if line == int(words[2])]
            print("line", words[1], words[2], *at)
        else:
            print("function", words[1], *addresses(words[1])[0])
