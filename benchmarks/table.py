#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Sets what benchmarks measured beside its goals: ratios within one run, never a time.

usage: table.py [--goals DIR] show RAW.json...
       table.py [--goals DIR] keep FIGURES.json RAW.json...
       table.py [--goals DIR] write|check FIGURES.json DOCUMENT.md

RAW.json is what bench_SUBJECT wrote with --benchmark_out, named SUBJECT.json; its rows are in
DIR/SUBJECT.json (DIR: goals/ beside this file). `keep` puts the medians that the rows ask for into
FIGURES.json and leaves other subjects there as they are; `write` makes DOCUMENT.md of FIGURES.json;
`check` asks whether it is what `write` would make.

A row is an object. What it measures:
  of, field         a benchmark, and one of its figures: real_time (without a field), cpu_time or a
                    counter. Times are nanoseconds per iteration; /manual_time and the like are no
                    part of a name.
  over, over_field  what it is divided by: another benchmark, or another figure of the same
  minus, minus_field  what is taken away from it instead
What a reader is told:
  what              in words
  unit              of a counter: ns (the default of a counter of that name), bytes or nothing
  goal              {"at_most": X}, {"at_least": X} or null
  source            where the goal is from, or why there is none
  control           true: both arms do the same; how far the ratio is from 1 is the noise of its table
A row {"section": TITLE, "text": WORDS} begins a table. One without a control has its subject's noise.

A time is never a gate: a goal that is missed is printed, no error. Exit: 0; 1 a benchmark failed or
the document is not current; 2 a row names what was not measured, or a file cannot be used.
"""
import argparse
import itertools
import json
import pathlib
import re
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
KEYS = {"what", "of", "field", "over", "over_field", "minus", "minus_field", "unit", "goal",
        "source", "control"}
TIMES = ("real_time", "cpu_time")
TO_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
DECORATION = re.compile(
    r"/(?:manual_time|real_time|process_time|(?:iterations|repeats|min_time|threads|min_warmup_time)"
    r":[0-9.]+)(?=/|$)")

HEAD = """# Performance

What `scripts/bench --write` measured: every benchmark in [benchmarks/](../benchmarks), beside the goals it
is to meet. This file is written by `benchmarks/table.py`; do not edit it.

How to read it: only a **ratio** says anything. Both of its arms ran in one process, in random order,
{repetitions} times; each figure is the median. The column *this* is there to show the order of magnitude; on
another machine it is another one, and the ratio is nearly the same. A row marked *control* divides two arms
that do the same: as far as it is from 1, so far may any other ratio of that table be wrong. S is SHA-256 of
the same leaf by OpenSSL on a context that was prepared before.

How to run it: `scripts/bench` measures everything and prints these tables; `scripts/bench decision form`
measures two subjects; `--write` also writes this file. A goal that is missed is never an error: what must not
get worse is counted, not timed (`ctest -L 'allocation|instructions|size'`).

What is missed, and why:

- **The decision on OpenSSL, against S.** With SHA instructions S is so short that 0.3 of it are some 190 ns. What is not
  digest takes about four times that: form C 85, fields 300 (every extension is walked: a second subjectAltName refuses), the
  name 140, validity, pins and the guard the rest. It was 4,615 instructions for a small leaf and is 3,900
  (`tests/instructions`): elements are filled in place, headers of two octets and of four have a path of their own, a
  host is judged once, in `admit`. Against `X509_digest`, which programs call, the whole decision takes half. The goal would
  need fields found by offset alone, without that walk.
- **In the hook of a live handshake** everything is cold, and cotter's code is longer than a digest's. The whole pin check is half
  a percent of the client's handshake there, and half of what programs do today.
- **Through i2d** nothing of ours goes: OpenSSL's message callback has the octets as they came.
- **wolfSSL's hook** hashes without SHA instructions (the slot `use_hasher` takes another SHA-256). Where it is built with
  `WOLFSSL_VERIFY_CB_ALL_CERTS`, as Debian's is, it makes a whole X509 for every intermediate as soon as any verify callback is set,
  some 200,000 instructions each. No other hook that may refuse comes before Finished.
- **wolfSSL's memory**: 13 KB are the list of suites that `wolfSSL_get_ciphers_compat` leaves in a session; nothing else says
  which suites it will offer.
- **Asynchronous reads**: `async_compose` counts work on the executor for each operation.
- **Manifests**: the JSON library reads them twice as fast as a reader that keeps every value's place and refuses what is there
  twice.

What some changes gave: 10,000 pins of one target cost 580,000 instructions to match, and 254 since there is an index; a
signatureAlgorithm of 64 KiB, nested 14 deep, cost its size times its depth squared, and costs it once a level; a
16 KB read took two reads from the socket and takes one; a WebSocket frame of 32 octets cost 1.3 of Beast's and costs 1.1, since
masks are drawn 16 at a time; wolfSSL's suites are looked up by name 64 times in `attach` instead of a thousand.

"""


class Unusable(Exception):
    pass


class Failed(Exception):
    pass


def read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as why:
        raise Unusable(f"{path}: {why}") from why


def name_of(run):
    return DECORATION.sub("", run.get("run_name", run["name"]))


def figures_of(raw, path):
    """{benchmark: {field: median over the repetitions}}"""
    runs = raw.get("benchmarks")
    if not runs:
        raise Failed(f"{path}: nothing was measured")
    seen = {}
    for run in runs:
        if run.get("error_occurred"):
            raise Failed(f"{path}: {name_of(run)} failed: {run.get('error_message', '')}")
        if run.get("run_type", "iteration") != "iteration":
            continue
        scale = TO_NS[run.get("time_unit", "ns")]
        fields = seen.setdefault(name_of(run), {})
        for field, value in run.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            fields.setdefault(field, []).append(value * scale if field in TIMES else value)
    return {name: {field: statistics.median(values) for field, values in fields.items()}
            for name, fields in seen.items()}


def rows_of(goals, subject):
    path = goals / f"{subject}.json"
    rows = read_json(path)
    if not isinstance(rows, list) or not any("of" in row for row in rows):
        raise Unusable(f"{path}: not a list of rows")
    for row in rows:
        if "section" in row:
            continue
        where = f"{path}: {row.get('what', row)}"
        if not {"what", "of", "goal", "source"} <= row.keys() or not row.keys() <= KEYS:
            raise Unusable(f"{where}: missing or unknown keys, see table.py --help")
        if {"over", "minus"} <= row.keys():
            raise Unusable(f"{where}: over and minus exclude each other")
        goal = row["goal"]
        if goal is not None and (len(goal) != 1 or not goal.keys() <= {"at_most", "at_least"}):
            raise Unusable(f"{where}: a goal is at_most or at_least, or null")
        if row.get("control") and "over" not in row:
            raise Unusable(f"{where}: a control arm is a ratio")
    return rows


def asked(row):
    """The (benchmark, field) pairs that a row needs; the second one is what it is compared with."""
    field = row.get("field", "real_time")
    yield row["of"], field
    for key in ("over", "minus"):
        if key in row:
            yield row[key], row.get(f"{key}_field", field)


def look_up(figures, one, subject):
    name, field = one
    if name not in figures:
        raise Unusable(f"{subject}: no benchmark is named {name}")
    if field not in figures[name]:
        raise Unusable(f"{subject}: {name} has no {field}")
    return figures[name][field]


def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def quantity(value, row, field):
    unit = row.get("unit", "ns" if field in (*TIMES, "ns") else "")
    if unit != "ns":
        return f"{number(value)} {unit}".rstrip()
    for size, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if abs(value) >= size:
            return f"{value / size:.3g} {name}"
    return f"{value:.3g} ns"


def noise_of(rows, figures, subject):
    """How far from 1 the ratio of two identical arms was; nothing without a control arm."""
    found = [abs(measure(row, figures, subject)[1] - 1) for row in rows if row.get("control")]
    return max(found, default=0)


def measure(row, figures, subject):
    """(what was measured, what is held against the goal)"""
    mine, *other = [look_up(figures, one, subject) for one in asked(row)]
    if "over" in row:
        if other[0] == 0:
            raise Unusable(f"{subject}: {row['over']} is 0")
        return mine, mine / other[0]
    return mine, mine - other[0] if other else mine


def outcome(row, value, noise):
    goal = row["goal"]
    if row.get("control"):
        return "control"
    if goal is None:
        return ""
    (kind, bound), = goal.items()
    if value <= bound if kind == "at_most" else value >= bound:
        return "met"
    near = "over" in row and abs(value - bound) <= noise * bound
    return "missed, by less than the noise" if near else "missed"


def lines_of(rows, figures, subject):
    """Yields sections as they are, and rows as six cells."""
    whole = noise = noise_of(rows, figures, subject)
    for at, row in enumerate(rows):
        if "section" in row:
            table = itertools.takewhile(lambda one: "section" not in one, rows[at + 1:])
            noise = noise_of(list(table), figures, subject) or whole
            yield row
            continue
        field = row.get("field", "real_time")
        mine, value = measure(row, figures, subject)
        ratio = number(value) if "over" in row else quantity(value, row, field) * ("minus" in row)
        goal = ""
        if row["goal"] is not None:
            (kind, bound), = row["goal"].items()
            unit = number(bound) if "over" in row else quantity(bound, row, field)
            goal = ("≤ " if kind == "at_most" else "≥ ") + unit
        yield (row["what"], quantity(mine, row, field), ratio, goal, outcome(row, value, noise),
               row["source"])


COLUMNS = ("", "this", "ratio or difference", "goal", "", "")


def as_text(title, lines):
    out = [f"== {title}"]
    table = []

    def flush():
        widths = [max(len(row[i]) for row in table) for i in range(5)] if table else []
        for row in table:
            cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]),
                     row[3].rjust(widths[3]), row[4]]
            out.append("  ".join(cells).rstrip())
        table.clear()

    table.append(COLUMNS)
    for line in lines:
        if isinstance(line, dict):
            if len(table) > 1:
                flush()
            table.clear()
            out.append(f"-- {line['section']}")
            table.append(COLUMNS)
        else:
            table.append(line)
    flush()
    return "\n".join(out) + "\n"


def as_markdown(lines):
    out = []
    head = ["| what | this | ratio or difference | goal | | |", "|---|--:|--:|--:|---|---|"]
    begun = False
    for line in lines:
        if isinstance(line, dict):
            out += ["", f"## {line['section']}", ""]
            if line.get("text"):
                out += [line["text"], ""]
            begun = False
            continue
        if not begun:
            out += head
            begun = True
        cells = [cell.replace("|", "\\|") for cell in line]
        if cells[4].startswith("missed"):
            cells[4] = f"**{cells[4]}**"
        out.append("| " + " | ".join(cells) + " |")
    return "\n".join(out).strip() + "\n"


def document(kept, goals):
    """The whole text, of what `keep` kept."""
    parts = []
    for subject in sorted(kept["subjects"], key=order_of):
        rows = rows_of(goals, subject)
        if "section" not in rows[0]:
            rows.insert(0, {"section": subject.capitalize()})
        parts.append(as_markdown(lines_of(rows, kept["subjects"][subject]["figures"], subject)))
    machines = []
    for subject in sorted(kept["subjects"], key=order_of):
        one = kept["subjects"][subject]
        machines.append(f"| {subject} | {one['date']} | {one['cpus']} x {one['mhz']} MHz | "
                        f"{one['repetitions']} | {number(one['load'])} |")
    tail = ["## The run", "", "| subject | date | machine | repetitions | load at the start |",
            "|---|---|---|--:|--:|", *machines]
    counts = sorted({one["repetitions"] for one in kept["subjects"].values()})
    times = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return HEAD.format(repetitions=times) + "\n".join(parts) + "\n" + "\n".join(tail) + "\n"


def order_of(subject):
    known = ["form", "decision", "handshake", "resumption", "breaker", "manifest", "audit", "stream",
             "websocket", "idle"]
    return (known.index(subject) if subject in known else len(known), subject)


def rounded(value):
    return float(f"{value:.5g}") if isinstance(value, float) else value


def keep(path, goals, raws):
    kept = read_json(path) if path.is_file() else {"subjects": {}}
    for raw_path in raws:
        subject = raw_path.stem
        raw = read_json(raw_path)
        figures = figures_of(raw, raw_path)
        wanted = {}
        for row in rows_of(goals, subject):
            if "section" in row:
                continue
            for one in asked(row):
                value = rounded(look_up(figures, one, subject))
                wanted.setdefault(one[0], {})[one[1]] = value
        context = raw["context"]
        kept["subjects"][subject] = {
            "date": context["date"][:10], "cpus": context["num_cpus"],
            "mhz": context["mhz_per_cpu"], "load": rounded(context.get("load_avg", [0.0])[0]),
            "repetitions": max(run.get("repetitions", 1) for run in raw["benchmarks"]),
            "figures": wanted}
    text = json.dumps(kept, indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")


def show(goals, raws):
    for path in raws:
        figures = figures_of(read_json(path), path)
        rows = rows_of(goals, path.stem)
        print(as_text(path.stem, lines_of(rows, figures, path.stem)))
        noise = noise_of(rows, figures, path.stem)
        if noise:
            print(f"noise of {path.stem}: {100 * noise:.1f} %, which is how far identical arms differ\n")


def main(arguments):
    parser = argparse.ArgumentParser(usage=__doc__[__doc__.index("usage:") + 7:])
    parser.add_argument("--goals", type=pathlib.Path, default=HERE / "goals")
    parser.add_argument("verb", choices=("show", "keep", "write", "check"))
    parser.add_argument("files", type=pathlib.Path, nargs="+")
    given = parser.parse_args(arguments)
    if given.verb in ("write", "check") and len(given.files) != 2:
        parser.error(f"{given.verb} takes FIGURES.json and DOCUMENT.md")
    if given.verb == "keep" and len(given.files) < 2:
        parser.error("keep takes FIGURES.json and RAW.json")
    try:
        if given.verb == "show":
            show(given.goals, given.files)
        elif given.verb == "keep":
            keep(given.files[0], given.goals, given.files[1:])
        else:
            wanted = document(read_json(given.files[0]), given.goals)
            target = given.files[1]
            if given.verb == "write":
                target.write_text(wanted, encoding="utf-8")
            elif not target.is_file() or target.read_text(encoding="utf-8") != wanted:
                print(f"{target}: not what {given.files[0]} and the goals make; run "
                      f"{sys.argv[0]} write {given.files[0]} {target}")
                return 1
    except Unusable as why:
        print(why, file=sys.stderr)
        return 2
    except Failed as why:
        print(why, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
