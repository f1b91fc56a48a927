# SPDX-License-Identifier: GPL-2.0-only
"""Random expressions, for programs.py: each method gives a text and a closure that computes it."""
import random

from semantics import (
    ARITHMETIC,
    Array,
    BITS,
    COMPARISON,
    cut,
    log_bucket,
    Samples,
    ScriptError,
    strtol,
    substr,
    wrap,
)


class Expressions:
    """The variables of a program, and expressions of them."""

    NUMBERS = ["n0", "n1", "n2"]
    STRINGS = ["s0", "s1"]

    def __init__(self, seed, number):
        self.rnd = random.Random(seed * 1000003 + number)
        self.number = number
        p = f"p{number}_"
        self.gn, self.gs = [p + "g0", p + "g1"], [p + "t0"]
        self.stats = [p + "st"]
        self.globals = {}
        self.declared = []
        # name -> kinds of keys, kind of value
        self.arrays = {}
        for name in self.gn:
            self.declare(name, lambda: 0, "")
        self.declare(self.gs[0], lambda: "", "")
        self.declare(self.stats[0], Samples, "")
        for i, (keys, value) in enumerate(
            [("n", "n"), ("s", "n"), ("n", "s"), ("ns", "n"), ("sn", "s"), ("n", "t"), ("s", "t")]
        ):
            self.declare_array(f"{p}a{i}", keys, value)
        self.functions = {}
        low, width = self.rnd.randint(-20, 5), self.rnd.randint(1, 9)
        self.linear = (low, low + self.rnd.randint(0, 12 * width), width)
        self.in_function = False
        self.locked = []  # arrays that a foreach around us walks
        self.depth = 0
        self.loops = 0
        self.function_text = []
        for i in range(self.rnd.randint(0, 3)):
            self.make_function(f"{p}f{i}", self.rnd.choice("ns"))

    def declare(self, name, make, suffix):
        self.globals[name] = make
        self.declared.append(name + suffix)

    def declare_array(self, name, keys, value):
        size, wraps = 2048, False
        suffix = ""
        if self.rnd.random() < 0.4:
            size = self.rnd.randint(1, 6)
            wraps = self.rnd.random() < 0.5
            suffix = ("%" if wraps else "") + f"[{size}]"
        self.arrays[name] = (keys, value)
        self.declare(name, lambda: Array(size, wraps), suffix)

    # --- expressions: each gives (text, closure) ---------------------------------------------

    def deeper(self):
        return self.depth < 4 and self.rnd.random() < 0.75

    def expr(self, kind):
        self.depth += 1
        try:
            return self.number_expr() if kind == "n" else self.string_expr()
        finally:
            self.depth -= 1

    def number_expr(self):
        if not self.deeper():
            return self.rnd.choice([self.literal, self.variable_number])()
        return self.rnd.choice(
            [self.arithmetic] * 5
            + [self.compare, self.logic, self.ternary_number, self.unary, self.step]
            + [self.assign_number, self.element_number, self.member, self.string_number]
            + [self.call_number, self.statistic, self.slice_member]
        )()

    def string_expr(self):
        if not self.deeper():
            return self.rnd.choice([self.literal_string, self.variable_string])()
        return self.rnd.choice(
            [self.concat] * 3
            + [self.ternary_string, self.substring, self.formatted, self.element_string]
            + [self.call_string, self.assign_string]
        )()

    def literal(self):
        n = self.rnd.choice(
            [self.rnd.randint(0, 9), self.rnd.randint(0, 300), self.rnd.getrandbits(63)]
            + [0, 1, 63, 64, 2**63 - 1, 2**31]
        )
        return (hex(n) if self.rnd.random() < 0.1 else str(n)), lambda st: n

    def literal_string(self):
        s = "".join(self.rnd.choice("abcxyz 0123-%/") for _ in range(self.rnd.randint(0, 9)))
        return f'"{s}"', lambda st: s

    def names(self, kind):
        if kind == "n":
            return self.NUMBERS + self.gn
        return self.STRINGS + self.gs

    def variable_number(self):
        name = self.rnd.choice(self.names("n"))
        return name, lambda st: st.get(name)

    def variable_string(self):
        name = self.rnd.choice(self.names("s"))
        return name, lambda st: st.get(name)

    def pair(self, op, kind, function):
        (lt, lf), (rt, rf) = self.expr(kind), self.expr(kind)

        def run(st):
            left = lf(st)
            return function(left, rf(st))

        return f"({lt} {op} {rt})", run

    def arithmetic(self):
        op = self.rnd.choice(list(ARITHMETIC))
        if op in "/%" and self.rnd.random() < 0.9:
            return self.safe_division(op)
        return self.pair(op, "n", ARITHMETIC[op])

    def safe_division(self, op):
        (lt, lf), (rt, rf) = self.expr("n"), self.expr("n")

        def run(st):
            left = lf(st)
            return ARITHMETIC[op](left, rf(st) | 1)

        return f"({lt} {op} ({rt} | 1))", run

    def compare(self):
        op = self.rnd.choice(list(COMPARISON))
        return self.pair(op, self.rnd.choice("nns"), COMPARISON[op])

    def concat(self):
        return self.pair(".", "s", lambda a, b: cut(a + b))

    def logic(self):
        (lt, lf), (rt, rf) = self.expr("n"), self.expr("n")
        if self.rnd.random() < 0.5:
            return f"({lt} && {rt})", lambda st: int(lf(st) != 0 and rf(st) != 0)
        return f"({lt} || {rt})", lambda st: int(lf(st) != 0 or rf(st) != 0)

    def ternary(self, kind):
        (ct, cf), (yt, yf), (nt, nf) = self.expr("n"), self.expr(kind), self.expr(kind)
        return f"({ct} ? {yt} : {nt})", lambda st: yf(st) if cf(st) else nf(st)

    def ternary_number(self):
        return self.ternary("n")

    def ternary_string(self):
        return self.ternary("s")

    def unary(self):
        op = self.rnd.choice("-~!+")
        t, f = self.expr("n")
        run = {"-": lambda v: wrap(-v), "~": lambda v: ~v, "!": lambda v: int(v == 0), "+": int}[op]
        return f"({op} {t})", lambda st: run(f(st))

    def step(self):
        """++ and -- of a variable or element, before and after."""
        place_text, place = self.place("n")
        op, prefix = self.rnd.choice(["++", "--"]), self.rnd.random() < 0.5
        delta = 1 if op == "++" else -1

        def run(st):
            get, put = place(st)
            old = get()
            put(wrap(old + delta))
            return wrap(old + delta) if prefix else old

        return f"({op}{place_text})" if prefix else f"({place_text}{op})", run

    def place(self, kind):
        """Something that can be written: text, and a closure giving (get, put)."""
        arrays = [
            a for a, (_, v) in self.arrays.items() if v == kind and a not in self.locked
        ]
        if self.in_function or not arrays or self.rnd.random() < 0.5:
            name = self.rnd.choice(self.names(kind))
            return name, lambda st: (lambda: st.get(name), lambda v: st.set(name, v))
        name = self.rnd.choice(arrays)
        kt, kf = self.keys(name)
        empty = 0 if kind == "n" else ""

        def run(st):
            array, key = st.get(name), kf(st)
            return (lambda: array.items.get(key, empty), lambda v: array.store(key, v))

        return f"{name}[{kt}]", run

    def keys(self, name):
        parts = [self.small_key(k) for k in self.arrays[name][0]]
        text = ", ".join(t for t, _ in parts)
        return text, lambda st: tuple(f(st) for _, f in parts)

    def small_key(self, kind):
        """Mostly of few values, so that keys meet again."""
        if kind == "n" and self.rnd.random() < 0.8:
            t, f = self.expr("n")
            n = self.rnd.choice([2, 4, 7])
            return f"({t} & {n})", lambda st: f(st) & n
        if kind == "s" and self.rnd.random() < 0.8:
            s = self.rnd.choice(["", "a", "b", "longer key", "longer kez"])
            return f'"{s}"', lambda st: s
        return self.expr(kind)

    def assignment(self, kind, ops):
        pt, place = self.place(kind)
        vt, vf = self.expr(kind)
        op = self.rnd.choice(list(ops))

        def run(st):
            get, put = place(st)
            value = vf(st)
            if op != "=":
                value = ops[op](get(), value)
            put(value)
            return value

        return f"({pt} {op} {vt})", run

    def assign_number(self):
        ops = {o + "=": f for o, f in ARITHMETIC.items() if o not in "/%" or self.rnd.random() < 0.1}
        return self.assignment("n", {"=": None, **ops})

    def assign_string(self):
        return self.assignment("s", {"=": None, ".=": lambda a, b: cut(a + b)})

    def element(self, kind):
        names = [a for a, (_, v) in self.arrays.items() if v == kind]
        name = self.rnd.choice(names)
        kt, kf = self.keys(name)
        empty = 0 if kind == "n" else ""
        return f"{name}[{kt}]", lambda st: st.get(name).items.get(kf(st), empty)

    def element_number(self):
        return self.variable_number() if self.in_function else self.element("n")

    def element_string(self):
        return self.variable_string() if self.in_function else self.element("s")

    def member(self):
        if self.in_function:
            return self.variable_number()
        name = self.rnd.choice(list(self.arrays))
        kt, kf = self.keys(name)
        return f"([{kt}] in {name})", lambda st: int(kf(st) in st.get(name).items)

    def slice(self, name):
        """Keys of which some are *: text, and a closure giving what tells members."""
        parts = [
            None if self.rnd.random() < 0.5 else self.small_key(k) for k in self.arrays[name][0]
        ]
        text = ", ".join("*" if p is None else p[0] for p in parts)

        def run(st):
            values = [None if p is None else p[1](st) for p in parts]
            return lambda key: all(v is None or v == k for v, k in zip(values, key))

        return text, run

    def slice_member(self):
        if self.in_function:
            return self.variable_number()
        name = self.rnd.choice([a for a, (k, _) in self.arrays.items() if len(k) > 1])
        text, run = self.slice(name)

        def has(st):
            match = run(st)
            return int(any(match(key) for key in st.get(name).items))

        return f"([{text}] in {name})", has

    def string_number(self):
        t, f = self.expr("s")
        u, g = self.expr("s")
        n, h = self.small_key("n")

        def isinstr(st):
            s = f(st)
            return int(g(st) in s)

        def stringat(st):
            s, i = f(st), h(st)
            return ord(s[i]) if 0 <= i < len(s) else 0

        return self.rnd.choice(
            [
                (f"strlen({t})", lambda st: len(f(st))),
                (f"isinstr({t}, {u})", isinstr),
                (f"strtol({t}, 10)", lambda st: strtol(f(st))),
            ]
        )

    def substring(self):
        t, f = self.expr("s")
        (a, af), (b, bf) = self.small_key("n"), self.small_key("n")

        def run(st):
            s = f(st)
            start = af(st)
            return substr(s, start, bf(st))

        return f"substr({t}, {a}, {b})", run

    CONVERSIONS = [
        ("%d", lambda v: str(v)),
        ("%5d", lambda v: "%5d" % v),
        ("%-7d|", lambda v: "%-7d|" % v),
        ("%06d", lambda v: "%06d" % v),
        ("%+d", lambda v: "%+d" % v),
        ("%u", lambda v: str(v % BITS)),
        ("%x", lambda v: "%x" % (v % BITS)),
        ("%X", lambda v: "%X" % (v % BITS)),
        ("%o", lambda v: "%o" % (v % BITS)),
    ]
    STRING_CONVERSIONS = [
        ("%s", lambda v: v),
        ("%8s", lambda v: "%8s" % v),
        ("%-8s|", lambda v: "%-8s|" % v),
        ("%.3s", lambda v: v[:3]),
    ]

    def format(self):
        """A format, its arguments as text, and a closure giving the string."""
        text, args, makers = "", [], []
        for _ in range(self.rnd.randint(1, 3)):
            kind = self.rnd.choice("nns")
            conv, show = self.rnd.choice(
                self.CONVERSIONS if kind == "n" else self.STRING_CONVERSIONS
            )
            t, f = self.expr(kind)
            text += conv + " "
            args.append(t)
            makers.append((show, f))

        def run(st):
            values = [f(st) for _, f in makers]
            return " ".join(show(v) for (show, _), v in zip(makers, values)) + " "

        return text, ", ".join(args), run

    def formatted(self):
        form, args, f = self.format()
        return f'sprintf("{form}", {args})', lambda st: cut(f(st))

    def statistic(self):
        """An operator on a statistic or element; of an empty one it is an error."""
        if self.in_function:
            return self.variable_number()
        what = self.rnd.choice(["count", "sum", "min", "max", "avg", "variance", "bucket"])
        if self.rnd.random() < 0.4:
            name = self.rnd.choice(self.stats)
            text, get = name, lambda st: st.get(name)
        else:
            name = self.rnd.choice([a for a, (_, v) in self.arrays.items() if v == "t"])
            kt, kf = self.keys(name)
            text, get = f"{name}[{kt}]", lambda st: st.get(name).items.get(kf(st)) or Samples()
        if what in ("count", "sum") or (what != "bucket" and self.rnd.random() < 0.1):
            return f"@{what}({text})", lambda st: get(st).take(what)
        if what != "bucket":
            # the keys are evaluated twice
            return f"(@count({text}) ? @{what}({text}) : -1)", lambda st: (
                get(st).take(what) if get(st).take("count") else -1
            )
        t, f = self.expr("n")

        def bucket(st):
            if not get(st).all:
                return 5
            n, samples = f(st) & 127, get(st).all
            if not samples:  # the key has changed meanwhile
                raise ScriptError("empty aggregate")
            return sum(log_bucket(v) == n for v in samples)

        return f"(@count({text}) ? @hist_log({text})[{t} & 127] : 5)", bucket
