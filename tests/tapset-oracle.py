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
    wanted.append(str(result))


def escaped(s):
    names = dict(zip('\a\b\t\n\v\f\r"\\', 'abtnvfr"\\'))
    return ''.join('\\' + names[ch] if ch in names else
                   '\\%03o' % ord(ch) if not 32 <= ord(ch) <= 126 else ch for ch in s)


def text(alphabet, most):
    return ''.join(rnd.choice(alphabet) for _ in range(rnd.randrange(most + 1)))


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

with open(sys.argv[2], 'w') as script:
    script.write('probe begin {\n%s\nexit() }\n' % '\n'.join('\tprintln(%s)' % c for c in calls))
with open(sys.argv[3], 'w', encoding='latin-1') as out:
    out.write('\n'.join(wanted) + '\n')
