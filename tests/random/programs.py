#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Random well-typed scripts, run by spile and computed here a second time.

Each construct is made by one function, which gives its text and a Python closure that does what the
language reference says it does; nothing of spile's is used for the second. Many programs go into one
script, as begin probes of their own with globals of their own, so that one compiler run serves them
all. Each first prints a line with its number; the first difference is shown with how to get the
program's text.

What the language leaves open is avoided (order of unsorted loops), or fixed as spile does it: operands
from left to right; the right side of `x op= y` before x is read; shift counts modulo 64.

usage: programs.py SPILE COUNT [SEED]        prints "N programs, N differ"; status 1 if any does
       programs.py --show SEED NUMBER        the text of one program

Compiling takes most of the time: of more than MANY programs, only every eighth batch is compiled as
users' scripts are, the others without optimization.
"""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays clean
from expressions import Expressions
from semantics import Break, Continue, Return, ScriptError, State
from semantics import draw_linear, draw_log, log_bucket, wrap

BATCH = 60
MANY = 500


class Maker(Expressions):
    """One program."""

    # --- functions ---------------------------------------------------------------------------

    def call(self, kind):
        names = [n for n, (k, _) in self.functions.items() if k == kind]
        if not names:
            return self.variable_number() if kind == "n" else self.variable_string()
        name = self.rnd.choice(names)
        (at, af), (bt, bf) = self.expr("n"), self.expr("s")

        def run(st):
            a = af(st)
            return self.functions[name][1](st, 3, a, bf(st))

        return f"{name}(3, {at}, {bt})", run

    def call_number(self):
        return self.call("n")

    def call_string(self):
        return self.call("s")

    def make_function(self, name, kind):
        """Of a count-down, a number and a string; it may call itself, and those made before."""
        outer, self.in_function = self.in_function, True
        body_text, body = self.block(2)
        rt, rf = self.expr(kind)
        et, ef = self.expr(kind)
        again = self.rnd.random() < 0.5
        self.in_function = outer
        self.functions[name] = (kind, None)

        def run(st, left, a, b):
            st.frames.append({"n0": a, "s0": b, "n1": 0, "n2": 0, "s1": ""})
            try:
                if left <= 0:
                    return ef(st)
                body(st)
                if again:
                    return run(st, left - 1, st.get("n0"), st.get("s0"))
                return rf(st)
            except Return as r:
                return r.value
            finally:
                st.frames.pop()

        self.functions[name] = (kind, run)
        tail = f"return {name}(left - 1, n0, s0)" if again else f"return {rt}"
        self.function_text.append(
            f"function {name}:{'long' if kind == 'n' else 'string'} (left:long, n0:long, s0:string) {{\n"
            f"n1 = n2 = 0; s1 = \"\";\n"
            f"if (left <= 0) return {et};\n{body_text}{tail};\n}}\n"
        )

    # --- statements --------------------------------------------------------------------------

    def block(self, count):
        made = [self.statement() for _ in range(self.rnd.randint(1, count))]

        def run(st):
            for _, f in made:
                f(st)

        return "".join(t + "\n" for t, _ in made), run

    def statement(self):
        self.depth += 1
        try:
            choices = [self.set_statement] * 6 + [self.print_statement] * 2
            if not self.in_function:
                choices += [self.sample, self.sample, self.delete, self.histogram]
            if self.depth < 4:
                choices += [self.if_statement, self.for_statement, self.try_statement]
                if not self.in_function:
                    choices += [self.foreach, self.foreach, self.foreach_bucket]
            return self.rnd.choice(choices)()
        finally:
            self.depth -= 1

    def set_statement(self):
        depth, self.depth = self.depth, 0
        t, f = self.rnd.choice([self.assign_number, self.assign_string, self.step])()
        self.depth = depth
        return t[1:-1] + ";", f

    def print_statement(self):
        depth, self.depth = self.depth, 1
        form, args, f = self.format()
        self.depth = depth

        def run(st):
            st.lines.append(f"{self.number}: {f(st)}")

        return f'printf("{self.number}: {form}\\n", {args});', run

    def sample(self):
        t, f = self.small_key("n") if self.rnd.random() < 0.6 else self.expr("n")
        if self.rnd.random() < 0.4:
            name = self.rnd.choice(self.stats)

            def run(st):
                v = f(st)
                st.get(name).all.append(v)

            return f"{name} <<< {t};", run
        names = [a for a, (_, v) in self.arrays.items() if v == "t" and a not in self.locked]
        if not names:
            return ";", lambda st: None
        name = self.rnd.choice(names)
        kt, kf = self.keys(name)

        def run_element(st):
            key = kf(st)
            st.get(name).sample(key, f(st))

        return f"{name}[{kt}] <<< {t};", run_element

    def histogram(self):
        """A drawing, logarithmic or with the linear buckets that this program has."""
        name, (low, high, width) = self.stats[0], self.linear
        if self.rnd.random() < 0.4:
            text, paint = f"@hist_log({name})", draw_log
        else:
            text = f"@hist_linear({name}, {low}, {high}, {width})"

            def paint(samples):
                return draw_linear(samples, low, high, width)

        def run(st):
            if st.get(name).all:
                st.lines += paint(st.get(name).all)

        return f"if (@count({name})) print({text});", run

    def delete(self):
        names = [a for a in self.arrays if a not in self.locked]
        if self.rnd.random() < 0.2 or not names:
            name = self.stats[0]
            return f"delete {name};", lambda st: st.get(name).all.clear()
        name = self.rnd.choice(names)
        how = self.rnd.random()
        if how < 0.15:
            return f"delete {name};", lambda st: st.get(name).items.clear()
        if how < 0.6:
            kt, kf = self.keys(name)
            return f"delete {name}[{kt}];", lambda st: st.get(name).items.pop(kf(st), None)
        text, run = self.slice(name)

        def drop(st):
            match, items = run(st), st.get(name).items
            for key in [k for k in items if match(k)]:
                del items[key]

        return f"delete {name}[{text}];", drop

    def if_statement(self):
        ct, cf = self.expr("n")
        (yt, yf), (nt, nf) = self.block(2), self.block(2)
        return f"if ({ct}) {{\n{yt}}} else {{\n{nt}}}", lambda st: (yf if cf(st) else nf)(st)

    def loop_variable(self):
        self.loops += 1
        return f"i{self.loops}"

    def exits(self):
        """Sometimes a way out of a round or of the loop: text, closure."""
        if self.rnd.random() < 0.6:
            return "", lambda st: None
        ct, cf = self.expr("n")
        word, what = self.rnd.choice([("break", Break), ("continue", Continue)])

        def run(st):
            if cf(st):
                raise what()

        return f"if ({ct}) {word};\n", run

    def for_statement(self):
        name, count = self.loop_variable(), self.rnd.randint(0, 4)
        et, ef = self.exits()
        bt, bf = self.block(2)

        def run(st):
            for _ in range(count):
                try:
                    ef(st)
                    bf(st)
                except Continue:
                    pass
                except Break:
                    break

        if self.rnd.random() < 0.5:
            return f"for ({name} = 0; {name} < {count}; {name}++) {{\n{et}{bt}}}", run
        return f"{name} = 0; while ({name}++ < {count}) {{\n{et}{bt}}}", run

    def try_statement(self):
        (bt, bf), (ht, hf) = self.block(3), self.block(1)

        def run(st):
            depth = len(st.frames)
            try:
                bf(st)
            except ScriptError as e:
                del st.frames[depth:]
                st.set("s1", str(e))
                hf(st)

        return f"try {{\n{bt}}} catch (s1) {{\n{ht}}}", run

    def foreach(self):
        """Sorted by a key that tells all apart, or summed up, so that the order does not matter."""
        name = self.rnd.choice(list(self.arrays))
        kinds, value = self.arrays[name]
        if len(kinds) > 1 or name in self.locked:
            return self.foreach_sum(name)
        var = self.NUMBERS[2] if kinds == "n" else self.STRINGS[1]
        down = self.rnd.random() < 0.5
        lt, lf = ("", None) if self.rnd.random() < 0.6 else self.small_key("n")
        self.locked.append(name)
        et, ef = self.exits()
        bt, bf = self.block(2)
        self.locked.pop()

        def run(st):
            limit = lf(st) if lf else None
            keys = sorted(st.get(name).items, reverse=down)
            for key in keys if limit is None else keys[: max(limit, 0)]:
                st.set(var, key[0])
                try:
                    ef(st)
                    bf(st)
                except Continue:
                    pass
                except Break:
                    break

        limit = f" limit {lt}" if lt else ""
        return f"foreach ({var}{'-' if down else '+'} in {name}{limit}) {{\n{et}{bt}}}", run

    def foreach_sum(self, name):
        kinds, value = self.arrays[name]
        loop = [f"k{name}{i}" for i in range(len(kinds))]
        total = self.rnd.choice(self.gn)
        text, match = self.slice(name)
        show = {"n": f"{name}[{', '.join(loop)}]", "s": f"strlen({name}[{', '.join(loop)}])"}
        show["t"] = f"@sum({name}[{', '.join(loop)}])"
        worth = {"n": lambda v: v, "s": len, "t": lambda v: v.take("sum")}[value]
        sort = "" if name in self.locked else self.rnd.choice(["", "+", "-"])
        sliced = f"[{text}]" if self.rnd.random() < 0.6 else ""

        def run(st):
            fits = match(st) if sliced else lambda key: True
            for key, v in st.get(name).items.items():
                if fits(key):
                    st.set(total, wrap(st.get(total) + worth(v)))

        return (
            f"foreach ([{', '.join(loop)}] in {name}{sliced}{sort}) {total} += {show[value]};",
            run,
        )

    def foreach_bucket(self):
        name, total = self.stats[0], self.rnd.choice(self.gn)
        var = self.loop_variable()

        def run(st):
            for v in st.get(name).all:
                st.set(total, wrap(st.get(total) + log_bucket(v)))

        return (
            f"foreach ({var} in @hist_log({name})) if (@count({name}))"
            f" {total} += {var} * @hist_log({name})[{var}];",
            run,
        )

    # --- the whole ---------------------------------------------------------------------------

    def dump(self):
        """Prints all variables and arrays: text, closure."""
        numbers, strings = self.NUMBERS + self.gn, self.STRINGS + self.gs
        made = [self.dump_array(name) for name in self.arrays]
        form = "%d " * len(numbers) + "%s|" * len(strings)
        stats = ["count", "sum", "min", "max", "avg", "variance"]
        stat = self.stats[0]

        def run(st):
            values = [str(st.get(n)) + " " for n in numbers] + [st.get(n) + "|" for n in strings]
            st.lines.append(f"{self.number}: {''.join(values)}")
            samples = st.get(stat)
            if samples.all:
                st.lines.append(f"{self.number}: {' '.join(str(samples.take(w)) for w in stats)}")
            for _, f in made:
                f(st)

        text = f'printf("{self.number}: {form}\\n", {", ".join(numbers + strings)})\n'
        text += f'if (@count({stat})) printf("{self.number}: {" ".join(["%d"] * 6)}\\n"'
        text += "".join(f", @{w}({stat})" for w in stats) + ")\n"
        return text + "".join(t for t, _ in made), run

    def dump_array(self, name):
        """Elements in the order of their first key; of two keys, sums for each."""
        keys, value = self.arrays[name]
        loop = [f"d{name}{i}" for i in range(len(keys))]
        element = f"{name}[{', '.join(loop)}]"
        if len(keys) > 1:
            worth = {"n": lambda v: v, "s": len}[value]
            what = {"n": element, "s": f"strlen({element})"}[value]
            text = (
                f"n0 = n1 = 0; foreach ([{', '.join(loop)}] in {name}) {{ n0++; n1 += {what} }}\n"
                f'printf("{self.number}: %d %d\\n", n0, n1)\n'
            )

            def run_sum(st):
                items = st.get(name).items.values()
                st.set("n0", len(items))
                st.set("n1", wrap(sum(worth(v) for v in items)))
                st.lines.append(f"{self.number}: {st.get('n0')} {st.get('n1')}")

            return text, run_sum
        key = "%d" if keys == "n" else "%s"
        form, values = {
            "n": ("%d", [element]),
            "s": ("%s", [element]),
            "t": ("%d,%d,%d", [f"@{w}({element})" for w in ("count", "sum", "variance")]),
        }[value]
        text = (
            f'foreach ({loop[0]}+ in {name}) printf("{self.number}: {key}={form}\\n", '
            f"{', '.join(loop + values)})\n"
        )

        def run(st):
            for k in sorted(st.get(name).items):
                v = st.get(name).items[k]
                if value == "t":
                    v = ",".join(str(v.take(w)) for w in ("count", "sum", "variance"))
                st.lines.append(f"{self.number}: {k[0]}={v}")

        return text, run

    def program(self):
        body_text, body = self.block(14)
        ends = [self.print_statement() for _ in range(3)]
        dump_text, dump = self.dump()
        init = "n0 = n1 = n2 = 0; s0 = s1 = \"\";\n"
        # every global is written and its type is told, whatever the program does
        types = "".join(f"{n} = 0;" for n in self.gn) + f'{self.gs[0] } = "";'
        for name, (keys, value) in self.arrays.items():
            kt = ", ".join("0" if k == "n" else '""' for k in keys)
            what = {"n": "= 0", "s": '= ""', "t": "<<< 0"}[value]
            types += f"{name}[{kt}] {what};"
        text = (
            f"global {', '.join(self.declared)}\n"
            + "".join(self.function_text)
            + f"probe begin({self.number}) {{\n"
            + f'println("={self.number}");\n'
            + f"{init}if (n0) {{ {types} {self.stats[0]} <<< 0 }}\n"
            + f"try {{\n{body_text}"
            + "".join(t + "\n" for t, _ in ends)
            + f'}} catch (s1) {{ printf("{self.number}: caught %s\\n", s1) }}\n'
            + dump_text
            + "}\n"
        )

        def run():
            st = State(self.globals)
            st.frames[-1].update({n: 0 for n in self.NUMBERS} | {s: "" for s in self.STRINGS})
            try:
                body(st)
                for _, f in ends:
                    f(st)
            except ScriptError as e:
                st.set("s1", str(e))
                st.lines.append(f"{self.number}: caught {e}")
            dump(st)
            return st.lines

        return text, run


def run_batch(spile, seed, numbers, work):
    """How many of the programs differ."""
    made = {n: Maker(seed, n).program() for n in numbers}
    path = os.path.join(work, "batch.stp")
    with open(path, "w", encoding="ascii") as f:
        f.write("".join(text for text, _ in made.values()) + """probe begin(1000000000) { println("=-1") exit() }\n""")
    # -u: an assignment that nobody reads is not dropped, with the error that it would raise
    command = [spile, "--runtime=process", "-u", "-w", "-s", "64", "-D", "MAXNESTING=40"]
    command += ["-D", "MAXACTION=10000000", path]
    got = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if got.returncode:
        sys.stdout.write(got.stderr[:3000])
        print(f"status {got.returncode} of programs {numbers[0]} to {numbers[-1]}, seed {seed}")
        return len(numbers)
    lines, mine = {}, []
    for line in got.stdout.split("\n"):
        if line[:1] == "=":
            mine = lines.setdefault(int(line[1:]), [])
        else:
            mine.append(line)
    differ = 0
    for number, (_, run) in made.items():
        want = [line for text in run() for line in text.split("\n")]
        have = lines.get(number, [])
        if want == have:
            continue
        differ += 1
        print(f"program {number} differs; text: {sys.argv[0]} --show {seed} {number}")
        for i in range(max(len(want), len(have))):
            w = want[i] if i < len(want) else None
            h = have[i] if i < len(have) else None
            if w != h:
                print(f"  line {i}: wanted {w!r}\n  spile printed {h!r}")
                break
    return differ


def quick_compiler(work):
    """Names a compiler that does not optimize."""
    path = os.path.join(work, "cc")
    with open(path, "w", encoding="ascii") as f:
        f.write(f'#!/bin/sh\nexec {os.environ.get("CC", "cc")} "$@" -O0\n')
    os.chmod(path, 0o755)
    return path


def main():
    if sys.argv[1] == "--show":
        print(Maker(int(sys.argv[2]), int(sys.argv[3])).program()[0])
        return 0
    spile, count = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    sys.setrecursionlimit(10000)
    differ = 0
    with tempfile.TemporaryDirectory() as work:
        os.environ["SPILE_CACHE"] = work
        usual, quick = os.environ.get("CC", "cc"), quick_compiler(work)
        for start in range(0, count, BATCH):
            os.environ["CC"] = quick if count > MANY and start // BATCH % 8 else usual
            differ += run_batch(spile, seed, list(range(start, min(start + BATCH, count))), work)
    print(f"{count} programs, {differ} differ")
    return 1 if differ else 0


sys.exit(main())
