# SPDX-License-Identifier: GPL-2.0-only
"""What numbers, strings, arrays and statistics of scripts are, for programs.py."""
STRING_MAX = 511  # MAXSTRINGLEN is 512
BITS = 1 << 64


def wrap(n):
    n &= BITS - 1
    return n - BITS if n >> 63 else n


def cut(s):
    return s[:STRING_MAX]


class ScriptError(Exception):
    pass


class Break(Exception):
    pass


class Continue(Exception):
    pass


class Return(Exception):
    def __init__(self, value):
        super().__init__()
        self.value = value


def divide(a, b):
    if b == 0:
        raise ScriptError("division by 0")
    q = abs(a) // abs(b)
    return wrap(-q if (a < 0) != (b < 0) else q)


def modulo(a, b):
    return wrap(a - divide(a, b) * b)


ARITHMETIC = {
    "+": lambda a, b: wrap(a + b),
    "-": lambda a, b: wrap(a - b),
    "*": lambda a, b: wrap(a * b),
    "/": divide,
    "%": modulo,
    "&": lambda a, b: wrap(a & b),
    "|": lambda a, b: wrap(a | b),
    "^": lambda a, b: wrap(a ^ b),
    "<<": lambda a, b: wrap(a << (b & 63)),
    ">>": lambda a, b: a >> (b & 63),
}
COMPARISON = {
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b),
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
}


def substr(s, start, length):
    if start < 0 or length <= 0 or start >= len(s):
        return ""
    return s[start : start + length]


def strtol(s):
    """Base 10."""
    s = s.lstrip(" ")
    sign = -1 if s[:1] == "-" else 1
    s = s[1:] if s[:1] in ("-", "+") else s
    n = 0
    for ch in s:
        if not "0" <= ch <= "9":
            break
        n = n * 10 + ord(ch) - ord("0")
    return wrap(sign * n)


def log_bucket(v):
    if v == 0:
        return 64
    return 64 + v.bit_length() if v > 0 else 64 - (-v).bit_length()


def log_value(bucket):
    if bucket == 64:
        return 0
    return 1 << (bucket - 65) if bucket > 64 else -(1 << (63 - bucket))


def draw(counts, first, last, label):
    """Rows first to last of a histogram; counts by bucket, of which most are 0."""
    most = max(counts.values())
    scale = -(-most // 50)
    rows = {b: label(b) for b in range(first, last + 1)}
    width = max([5] + [len(text) for text in rows.values()])
    lines = ["value".rjust(width) + " |" + "-" * 50 + " count"]
    gap = False
    for b, text in rows.items():
        if not any(counts.get(near) for near in range(b - 2, b + 3) if first <= near <= last):
            gap = True
            continue
        if gap:
            lines.append(" " * width + " ~")
        gap = False
        n = counts.get(b, 0)
        bar = ("@" * (n // scale)).ljust(50)
        lines.append(f"{text.rjust(width)} |{bar} {str(n).rjust(len(str(most)))}")
    return lines + [""]


def count_all(samples, bucket_of):
    counts = {}
    for v in samples:
        counts[bucket_of(v)] = counts.get(bucket_of(v), 0) + 1
    return counts


def draw_log(samples):
    counts = count_all(samples, log_bucket)
    first, last = min(counts), max(counts)
    first = max(first - 2, 64) if first >= 64 else max(first - 2, 0)
    return draw(counts, first, min(last + 2, 127), lambda b: str(log_value(b)))


def draw_linear(samples, low, high, width):
    """Buckets 1 to n; 0 is what is below and n + 1 what is above, drawn if there is any."""
    n = (high - low) // width + 1
    counts = count_all(samples, lambda v: 0 if v < low else min((v - low) // width + 1, n + 1))
    first, last = max(min(counts) - 2, 0), min(max(counts) + 2, n + 1)
    first = 1 if first == 0 and not counts.get(0) else first
    last = n if last == n + 1 and not counts.get(n + 1) else last

    def label(b):
        if b == 0:
            return f"<{low}"
        return f">{low + (n - 1) * width}" if b == n + 1 else str(low + (b - 1) * width)

    return draw(counts, first, last, label)


class Samples:
    """A statistic. Values that need all samples are computed from all samples."""

    def __init__(self):
        self.all = []

    def take(self, what):
        v = self.all
        if what == "count":
            return len(v)
        if what == "sum":
            return wrap(sum(v))
        if not v:
            raise ScriptError("empty aggregate")
        if what == "min":
            return min(v)
        if what == "max":
            return max(v)
        if what == "avg":
            return divide(wrap(sum(v)), len(v))
        return self.variance()

    def variance(self):
        """As stap(1) shows it: Welford's steps in integers, joined with the mean of the sum."""
        mean, squares = 0, 0
        for i, x in enumerate(self.all):
            delta = wrap(x - mean)
            if i == 0:
                mean = x
                continue
            mean = wrap(mean + divide(delta, i + 1))
            squares = wrap(squares + wrap(delta * wrap(x - mean)))
        n = len(self.all)
        if n < 2:
            return 0
        away = wrap(mean - divide(wrap(sum(self.all)), n))
        parts = wrap(n * wrap(away * away) + (n - 1) * divide(squares, n - 1))
        return divide(parts, n - 1)


class Array:
    """Elements in the order in which they were made; a size, and whether it wraps."""

    def __init__(self, size, wraps):
        self.size, self.wraps, self.items = size, wraps, {}

    def make(self, key):
        if key in self.items:
            return
        if len(self.items) >= self.size:
            if not self.wraps:
                raise ScriptError("Array overflow, check MAXMAPENTRIES")
            del self.items[next(iter(self.items))]

    def store(self, key, value):
        self.make(key)
        self.items[key] = value

    def sample(self, key, value):
        self.make(key)
        self.items.setdefault(key, Samples()).all.append(value)


class State:
    """What a running program has: variables by name, arrays, and what it printed."""

    def __init__(self, globals_):
        self.frames = [{}]
        self.globals = {name: make() for name, make in globals_.items()}
        self.lines = []
        self.text = ""

    def get(self, name):
        return self.globals[name] if name in self.globals else self.frames[-1][name]

    def set(self, name, value):
        if name in self.globals:
            self.globals[name] = value
        else:
            self.frames[-1][name] = value
