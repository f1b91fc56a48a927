# SPDX-License-Identifier: GPL-2.0-only
"""Floating point functions of the tapset against Python's: floatingpoint-oracle.py SEED SCRIPT EXPECTED
writes a script that calls them with random numbers, and what it must print."""
import math
import random
import struct
import sys
from fractions import Fraction

SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 2.0**-1022, 0.5, 1.5, 2.5,
           sys.float_info.max, 2.0**52, 2.0**53]


def bits(x):
    return struct.unpack('<q', struct.pack('<d', x))[0]


def value(b):
    return struct.unpack('<d', struct.pack('<Q', b))[0]


def number():
    return random.choice([
        lambda: random.choice(SPECIAL),
        lambda: value(random.getrandbits(64)),
        lambda: value(random.getrandbits(53)),  # subnormal, often
        lambda: random.uniform(-1e3, 1e3),
        lambda: float(random.randint(-10**6, 10**6)),
        lambda: random.randint(-2**53, 2**53) * 2.0**random.randint(-60, 10),
        lambda: random.gauss(0, 1) * 10**random.randint(-8, 8),
    ])()


def shown(x):
    return 'nan' if math.isnan(x) else str(bits(x))


def divided(a, b):
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def or_nan(function, *arguments):
    try:
        return function(*arguments)
    except ValueError:
        return math.nan


def away_from_zero(x):
    return int(math.copysign(1, x)) * int((abs(Fraction(x)) + Fraction(1, 2)) // 1)


def calls():
    a, b = number(), number()
    if not random.randrange(5):
        b = math.nextafter(a, math.inf)
    x, y = bits(a), bits(b)
    for name, result in (('add', a + b), ('sub', a - b), ('mul', a * b), ('div', divided(a, b)),
                         ('rem', or_nan(math.remainder, a, b))):
        yield f'show(fp_{name}({x}, {y}))', shown(result)
    yield f'show(fp_sqrt({x}))', shown(or_nan(math.sqrt, a))
    yield f'println(fp_eq({x}, {y}), fp_le({x}, {y}), fp_lt({x}, {y}))', f'{a == b:d}{a <= b:d}{a < b:d}'
    n = random.getrandbits(64) - 2**63 >> random.randrange(60)
    yield f'show(long_to_fp({n}))', shown(float(n))
    if abs(a) < 2.0**62:
        digits = random.randrange(18)
        yield f'println(fp_to_string({x}, {digits}))', '%.*f' % (digits, a)
        for rounding, result in enumerate((round(a), math.trunc(a), math.floor(a), math.ceil(a), away_from_zero(a))):
            yield f'println(fp_to_long({x}, {rounding}, 0))', str(result)
    whole, digits = random.randrange(10**random.randint(1, 8)), random.randint(1, 9)
    text = '%s%d.%0*d' % (random.choice(['', '-']), whole, digits, random.randrange(10))
    yield f'show(string_to_fp("{text}"))', shown(float(text))
    single = random.getrandbits(32)
    yield f'show(fp32_to_fp64({single}))', shown(struct.unpack('<f', struct.pack('<I', single))[0])


def main(seed, script, expected):
    random.seed(int(seed))
    rows = [row for _ in range(150) for row in calls()]
    with open(script, 'w') as out:
        out.write('function show(x) { if (fp_eq(x, x)) println(x) else println("nan") }\nprobe begin {\n')
        out.write('\n'.join(row[0] for row in rows) + '\nexit()\n}\n')
    with open(expected, 'w') as out:
        out.write('\n'.join(row[1] for row in rows) + '\n')


main(*sys.argv[1:])
