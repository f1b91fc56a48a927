# SPDX-License-Identifier: GPL-2.0-only
# Run by gdb (test_places.c): stops at each address of the file $PLACES and prints what gdb finds
# there: registers, memory, and the variables as leaves, one a line.
#
#   stop ADDRESS / reg N HEX / entry N HEX / mem ADDRESS HEX / var NAME[.member][[i]] VALUE / end
# VALUE is an integer (floats as the bits of a double), or "-" for optimized out.
import gdb
import os
import struct

REGS = "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()
INTEGERS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_ENUM)


def integer(value, size):
    # The sign is the C side's business: give the bits.
    return int(value) & ((1 << (8 * size)) - 1)


def leaves(name, value):
    kind = value.type.strip_typedefs()
    try:
        if kind.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            for field in kind.fields():
                if hasattr(field, "bitpos"):
                    yield from leaves(name + "." + field.name if field.name else name,
                                      value[field])
        elif kind.code == gdb.TYPE_CODE_ARRAY:
            low, high = kind.range()
            for i in range(low, min(high, low + 63) + 1):
                yield from leaves("%s[%d]" % (name, i), value[i])
        elif value.is_optimized_out:
            yield name, None
        elif kind.code == gdb.TYPE_CODE_FLT:
            yield name, struct.unpack("<Q", struct.pack("<d", float(value)))[0]
        elif kind.code in INTEGERS:
            yield name, integer(value, 8)
        elif kind.code == gdb.TYPE_CODE_PTR:
            yield name, integer(value, 8)
    except (gdb.error, gdb.MemoryError):
        yield name, None


def registers(frame, word):
    for n, reg in enumerate(REGS):
        print(word, n, "%x" % (int(frame.read_register(reg)) & (2**64 - 1)))


def vectors(frame):
    for n in range(16):
        value = frame.read_register("xmm%d" % n)["v2_int64"]
        print("vec", 17 + n, "%016x %016x" % tuple(int(value[i]) & (2**64 - 1) for i in (0, 1)))


def memory(start, size):
    try:
        data = gdb.selected_inferior().read_memory(start, size)
        print("mem %x %s" % (start, bytes(data).hex()))
    except gdb.MemoryError:
        pass


def before_inlined(block):
    # At a function's entry nothing inlined has begun: from the function in to the first copy.
    chain = []
    while block and not block.is_static:
        chain.insert(0, block)
        block = block.superblock
    end = 1
    while end < len(chain) and not chain[end].function:
        end += 1
    return chain[end - 1]


def variables(frame, at_entry):
    block, seen = gdb.block_for_pc(frame.pc()), set()
    if block and at_entry:
        block = before_inlined(block)
    while block:
        for symbol in block:
            kinds = symbol.is_variable, symbol.is_argument, symbol.is_constant
            if not any(kinds) or symbol.name in seen or symbol.type is None:
                continue
            seen.add(symbol.name)
            try:
                value = symbol.value(frame)
                for name, number in leaves(symbol.name, value):
                    print("var", name, "-" if number is None else number)
            except (gdb.error, gdb.MemoryError):
                print("var", symbol.name, "-")
        if block.function:
            break
        block = block.superblock


entries, began = {}, {}


def report(address, data, at_entry):
    frame = gdb.newest_frame()
    print("stop %x" % address)
    registers(frame, "reg")
    vectors(frame)
    symbol = gdb.execute("info symbol $pc", to_string=True).split()[0]
    # Entry values hold as long as the function's own call is the last one.
    for n, value in entries.get(symbol, ()):
        print("entry", n, "%x" % value)
    sp = int(frame.read_register("rsp")) & (2**64 - 1)
    memory(sp - 256, 256)
    memory(sp, 1024)
    for start, size in data:
        memory(start, size)
    print("cfa %x" % int(gdb.execute("info frame", to_string=True).split("frame at ")[1].split(":")[0], 16))
    if symbol in began:
        print("began %x" % began[symbol])
    print("tls %x" % (int(frame.read_register("fs_base")) & (2**64 - 1)))
    variables(frame, at_entry)
    print("end")


def main():
    wanted, starts, data = [], [], []
    with open(os.environ["PLACES"]) as lines:
        for line in lines:
            words = line.split()
            if words[0] == "place":
                wanted.append(int(words[1], 16))
            elif words[0] == "entry":
                starts.append(int(words[1], 16))
            elif words[0] == "data":
                data.append((int(words[1], 16), int(words[2], 16)))
    gdb.execute("set pagination off")
    gdb.execute("set confirm off")
    gdb.execute("set disable-randomization on")
    gdb.execute("set print entry-values no")
    points = {}
    for address in set(wanted + starts):
        points[address] = gdb.Breakpoint("*0x%x" % address, internal=True)
    gdb.execute("run", to_string=True)
    while gdb.selected_inferior().pid:
        pc = gdb.newest_frame().pc()
        if pc in starts:
            symbol = gdb.execute("info symbol $pc", to_string=True).split()[0]
            frame = gdb.newest_frame()
            began[symbol] = pc
            entries[symbol] = [(n, int(frame.read_register(r)) & (2**64 - 1))
                               for n, r in enumerate(REGS)]
        if pc in wanted:
            wanted.remove(pc)
            report(pc, data, pc in starts)
        if pc not in starts and pc in points:
            points[pc].delete()
            del points[pc]
        gdb.execute("continue", to_string=True)


main()
