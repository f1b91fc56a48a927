#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Calls of tapset functions with random arguments, and what they must give, worked out here.

usage: tapset-oracle.py SEED SCRIPT WANTED: writes a script, and the lines that it must print
"""
import errno, random, socket, struct, sys, time

rnd = random.Random(int(sys.argv[1]))
calls, wanted = [], []


def quote(s):
    """A literal of the language."""
    return '"' + ''.join('\\%03o' % b if b < 32 or b > 126 or chr(b) in '"\\%' else chr(b)
                         for b in s.encode('latin-1')) + '"'


def check(call, result):
    calls.append(call)
    wanted.append(result if isinstance(result, bytes) else str(result).encode('latin-1'))


def escaped(s):
    names = dict(zip('\a\b\t\n\v\f\r"\\', 'abtnvfr"\\'))
    return ''.join('\\' + names[ch] if ch in names else
                   '\\%03o' % ord(ch) if not 32 <= ord(ch) <= 126 else ch for ch in s)


def text(alphabet, most):
    return ''.join(rnd.choice(alphabet) for _ in range(rnd.randrange(most + 1)))


memory = bytearray()


def in_memory(data):
    """An expression that gives the address of such bytes."""
    memory.extend(data)
    return 'at(%d)' % (len(memory) - len(data))


def quoted_bytes(data, limit=511):
    """As string_quoted() has it: three dots behind what had to be cut."""
    parts = [escaped(chr(b)) for b in data]
    if sum(map(len, parts)) + 2 <= limit:
        return '"%s"' % ''.join(parts)
    while sum(map(len, parts)) + 5 > limit:
        parts.pop()
    return '"%s"...' % ''.join(parts)


for _ in range(40):
    a, b, c = text('ab', 12), text('ab', 3), text('xyz', 4)
    check('strpos(%s, %s)' % (quote(a), quote(b)), a.find(b))
    check('isinstr(%s, %s)' % (quote(a), quote(b)), int(b in a))
    check('str_replace(%s, %s, %s)' % (quote(a), quote(b), quote(c)), a.replace(b, c) if b else a)
    raw = text([chr(i) for i in range(1, 256)], 20)
    check('text_str(%s)' % quote(raw), escaped(raw))
    check('string_quoted(%s)' % quote(raw), '"' + escaped(raw) + '"')
    start, length = rnd.randrange(14), rnd.randrange(14)
    check('substr(%s, %d, %d)' % (quote(a), start, length), a[start:start + length])
    long = 'q' * rnd.randrange(5, 30)
    limit = rnd.randrange(5, 20)
    check('text_strn(%s, %d, 1)' % (quote(long), limit),
          '"%s"' % long if len(long) + 2 <= limit else '"%s"...' % long[:limit - 5])
    check('text_strn(%s, %d, 0)' % (quote(long), limit), long[:limit])

    t = rnd.randrange(-2**31, 2**31)
    check('ctime(%d)' % t, time.strftime('%a %b %e %H:%M:%S %Y', time.gmtime(t)))
    n = rnd.getrandbits(64)
    check('htons(%d)' % (n & 0xffff), socket.htons(n & 0xffff))
    check('htonl(%d)' % (n & 0xffffffff), socket.htonl(n & 0xffffffff))
    check('ntohll(htonll(%d))' % (n >> 1), n >> 1)
    check('sprintf("%%u", htonll(%d))' % (n >> 1), struct.unpack('>Q', struct.pack('<Q', n >> 1))[0])
    check('ip_ntop(%d)' % (n & 0xffffffff), socket.inet_ntoa(struct.pack('<I', n & 0xffffffff)))
    major, minor = rnd.randrange(4096), rnd.randrange(1 << 20)
    check('MAJOR(MKDEV(%d, %d))' % (major, minor), major)
    check('MINOR(MKDEV(%d, %d))' % (major, minor), minor)
    minor &= 0xff
    check('usrdev2kerndev(%d)' % (major << 8 | minor), major << 20 | minor)
    ms = rnd.randrange(10**8)
    check('msecs_to_string(%d)' % ms, '%dm%d.%03ds' % (ms // 60000, ms // 1000 % 60, ms % 1000))
    size = rnd.getrandbits(rnd.randrange(1, 40))
    unit, amount = '', size
    for u in 'KMG':
        if amount >= 1024:
            unit, rest, amount = u, amount % 1024, amount // 1024
    check('bytes_to_string(%d)' % size, '%5d' % amount if not unit else
          '%2d.%d%s' % (amount, rest * 10 // 1024, unit) if amount < 100 else '%4d%s' % (amount, unit))
    e = rnd.choice(list(errno.errorcode))
    check('errno_str(%d)' % e, errno.errorcode[e])
    check('return_str(1, -%d)' % e, '-%d (%s)' % (e, errno.errorcode[e]))
    words = [text('abc', 4) for _ in range(4)]
    line = ' '.join(words)
    tokens = [w for w in words if w]
    check('tokenize(%s, " ")' % quote(line or ' '), tokens[0] if tokens else '')
    for token in tokens[1:] + ['', '']:
        check('tokenize(" ")', token)

    # what lies in memory: wide strings, valid and not, and bytes
    wide = ''.join(chr(rnd.choice((rnd.randrange(1, 128), rnd.randrange(1, 0xd800), rnd.randrange(0xe000, 0x110000))))
                   for _ in range(rnd.randrange(20)))
    narrow = wide.encode()
    home = rnd.choice(('kernel', 'user'))
    for width, name in ((2, 'utf-16-le'), (4, 'utf-32-le')):
        where = in_memory(wide.encode(name) + bytes(width))
        check('%s_string_utf%d(%s)' % (home, 8 * width, where), narrow)
        check('%s_string_quoted_utf%d(%s)' % (home, 8 * width, where), quoted_bytes(narrow))
        check('kernel_or_user_string_quoted_utf%d(%s)' % (8 * width, where), quoted_bytes(narrow))
        bad = rnd.choice((0xd800, 0xdc00, 0xdfff)) if width == 2 else rnd.choice((0xd800, 0x110000, 0xffffffff))
        where = in_memory(wide.encode(name) + bad.to_bytes(width, 'little') + bytes(width))
        check('%s_string_utf%d(%s, "bad")' % (home, 8 * width, where), 'bad')
    check('%s_string_utf16(%d, "no")' % (home, rnd.randrange(4096)), 'no')
    check('%s_string_quoted_utf32(17)' % home, '0x11')
    check('kernel_or_user_string_quoted(18)', '0x12')
    raw = rnd.randbytes(rnd.randrange(40))
    where = in_memory(raw)
    check('%s_buffer_quoted(%s, %d, 0)' % (home, where, len(raw)), quoted_bytes(raw))
    check('kernel_buffer_quoted(%s, %d)' % (where, len(raw)), quoted_bytes(raw))
    limit = rnd.randrange(5, 60)
    check('%s_buffer_quoted_error(%s, %d, %d)' % (home, where, len(raw), limit), quoted_bytes(raw, limit))
    check('%s_buffer_quoted(19, 2, 5)' % home, '0x13')
    check('user_string_nofault(%s)' % in_memory(b'ab\0'), 'ab')
    check('user_string_n_nofault(%s, %d)' % (in_memory(b'abcdef\0'), 3), 'abc')
    check('user_string_nofault(20), user_string_n_nofault(20, 3)', '')
    check('kernel_string_quoted(%s)' % in_memory(raw.replace(b'\0', b'') + b'\0'), quoted_bytes(raw.replace(b'\0', b'')))
    n = rnd.randrange(-2**31, 2**31)
    check('atomic_read(%s)' % in_memory(struct.pack('<i', n)), n)
    check('atomic_long_read(%s)' % in_memory(struct.pack('<q', n << 20)), n << 20)

with open(sys.argv[2], 'w') as script:
    script.write('%%{ static const unsigned char memory[] = {%s}; %%}\n' % ', '.join(map(str, memory)))
    script.write('function at:long (n:long) %{ /* pure */ STAP_RETURN(memory + STAP_ARG_n); %}\n')
    script.write('probe begin {\n%s\nexit() }\n' % '\n'.join('\tprintln(%s)' % c for c in calls))
with open(sys.argv[3], 'wb') as out:
    out.write(b'\n'.join(wanted) + b'\n')
