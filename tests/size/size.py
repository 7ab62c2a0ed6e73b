#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What a guard adds to a program: measured, held against a budget, and written down.

usage: size.py measure  --root DIR --sysroots DIR --work DIR   compiles, links, runs; fills WORK
       size.py budget   --root DIR --work DIR [--write|--raise] against tests/size/budget.json
       size.py symbols  --root DIR --work DIR                  what no decision may name
       size.py document --root DIR --work DIR [--write]        docs/size.md is current
Exit: 0 good or written, 1 not, 77 this machine lacks the compilers that the figures are of.
`budget --write` lowers what has become smaller; only --raise allows more, and is for review.
"""
import argparse
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys

COMPILER = "12.2.0"  # Debian 12's: figures of another one are other figures
FLAGS = ["-std=c++20", "-Os", "-fno-exceptions", "-fno-rtti", "-ffunction-sections",
         "-fdata-sections", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-fno-pie",
         "-Wall", "-Wextra", "-Werror"]
LINK = ["-no-pie", "-Wl,--gc-sections,-z,now"]
Target = collections.namedtuple("Target", "name prefix flags sysroot emulator")
TARGETS = [
    Target("Thumb-2", "arm-linux-gnueabihf-", ["-mthumb", "-march=armv7-a+fp"], "armhf",
           ["qemu-arm", "-L", "/usr/arm-linux-gnueabihf"]),
    Target("AArch64", "aarch64-linux-gnu-", [], "arm64",
           ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]),
    Target("x86-64", "x86_64-linux-gnu-", [], None, []),
]
# libwolfssl exports names of OpenSSL's, but here each library is alone.
BACKENDS = {"mbedtls": ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"], "openssl": ["-lssl", "-lcrypto"],
            "wolfssl": ["-lwolfssl"]}
SETS = {
    "embedded": "fixed pins, breaker in memory, ring audit",
    "no_breaker": "the same without a breaker",
    "stored_breaker": "the embedded set, its breaker in flash",
    "live_manifest": "the embedded set, pins that can be replaced",
    "resumption": "the embedded set, two sessions in place",
}
# No heap in these: `attach` on OpenSSL sorts cipher suites in one, and nothing else does.
HEAPLESS = {(backend, name) for backend in ("mbedtls", "wolfssl")
            for name in ("embedded", "no_breaker", "stored_breaker")}
RING_SLOTS, RING_SLOT_BYTES = 8, 48
STEPS = ("admit", "start", "decision", "confirm")

# What no decision may name. Of std::function and the standard exceptions, what is out of line.
NEVER = re.compile(
    r"\b(std::locale|std::ios_base|std::(__cxx11::)?basic_[io]?(string)?stream|std::basic_regex|"
    r"std::__detail::_NFA|std::__throw_bad_function_call|__cxa_throw|__cxa_allocate_exception|__cxa_begin_catch|"
    r"__gxx_personality_v0|pthread_create)\b|std::cout|std::cerr|typeinfo (for|name)|"
    r"vtable for __cxxabiv1|std::_Function_base|std::function<")
NO_HEAP = re.compile(r"operator new|^(malloc|calloc|realloc|aligned_alloc|posix_memalign|strdup|"
                     r"mbedtls_calloc|wolfSSL_Malloc|CRYPTO_malloc|CRYPTO_zalloc)\b|"
                     r"std::__throw_")


def run(command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nfailed:\n{done.stdout}{done.stderr}")
    return done.stdout


def missing():
    """Why this machine cannot measure; empty if it can."""
    for target in TARGETS:
        compiler = target.prefix + "g++"
        if not shutil.which(compiler):
            return f"there is no {compiler}; scripts/bootstrap --test installs it"
        version = run([compiler, "-dumpfullversion"]).strip()
        if version != COMPILER:
            return f"{compiler} is {version}, and the figures are of {COMPILER} (Debian 12)"
        if target.emulator and not shutil.which(target.emulator[0]):
            return f"there is no {target.emulator[0]}; scripts/bootstrap --test installs it"
    return ""


# --- measure ---------------------------------------------------------------------------------


class Bench:
    def __init__(self, given):
        self.sources = pathlib.Path(__file__).resolve().parent
        self.root, self.work, self.sysroots = given.root, given.work, given.sysroots
        self.cache = [shutil.which("ccache")] if shutil.which("ccache") else []

    def folder(self, target, backend):
        made = self.work / target.name / backend
        made.mkdir(parents=True, exist_ok=True)
        return made

    def compile(self, target, backend, source, out, set_name=None, graph=False):
        command = [] if graph else list(self.cache)  # ccache keeps no call graphs
        command += [target.prefix + "g++", *FLAGS, *target.flags,
                    "-I", self.root / "include", "-I", self.root / "backends" / backend,
                    "-I", self.sources, "-I", self.sources / "backends" / backend]
        if set_name:
            command += ["-I", self.sources / "sets" / set_name]
        if target.sysroot:
            command += ["-isystem", self.sysroots / target.sysroot / "usr" / "include",
                        "-isystem", self.sysroots / target.sysroot / "usr" / "include" /
                        target.prefix.rstrip("-")]
        if graph:
            command.append("-fcallgraph-info=su")
        run([*command, "-c", self.sources / source, "-o", out])

    def link(self, target, backend, objects, out):
        command = [target.prefix + "g++", *target.flags, *LINK, *objects, "-o", out]
        if target.sysroot:
            libraries = self.sysroots / target.sysroot / "usr" / "lib" / target.prefix.rstrip("-")
            command += [f"-L{libraries}", f"-Wl,-rpath,{libraries},-rpath-link,{libraries}"]
        run([*command, *BACKENDS[backend]])

    def program(self, target, backend, source, name, set_name=None, graph=False):
        folder = self.folder(target, backend)
        self.compile(target, backend, source, folder / f"{name}.o", set_name, graph)
        self.link(target, backend, [folder / f"{name}.o"], folder / name)
        return folder / name

    def stack(self, target, backend):
        """Octets of stack for each of STEPS, painted and run on the target."""
        program = self.program(target, backend, "stack.cpp", "stack")
        told = run([*target.emulator, program]).split()
        return dict(zip(STEPS, map(int, told)))


def sections(target, program):
    """Octets of code, constants and RAM."""
    out = collections.Counter()
    for line in run([target.prefix + "size", "-A", program]).splitlines():
        words = line.split()
        if len(words) == 3 and words[0].startswith("."):
            out[words[0]] = int(words[1])
    return {"text": out[".text"], "rodata": out[".rodata"] + out[".data.rel.ro"],
            "ram": out[".data"] + out[".bss"], "data": out[".data"], "bss": out[".bss"]}


def sizes_of(target, object_file):
    found = {}
    for line in run([target.prefix + "nm", "-S", object_file]).splitlines():
        words = line.split()
        if len(words) == 4 and words[3].startswith("size_of_"):
            found[words[3].removeprefix("size_of_")] = int(words[1], 16)
    return found


NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


# What calls itself, once for each constructed element around an octet: der::max_nesting_depth.
NESTING = re.compile(r"::detail::(is_plain_der|measure_shell_element|write_shell_element)[(<]")
DEEPEST_NESTING = 16


def call_depths(text):
    """Of each function in a call graph, the stack of its deepest chain of calls, its own included.

    Functions outside the graph, those of the libraries, count nothing. A frame of unknown size, or
    a recursion without a limit, ends the measurement: a bound would be none.
    """
    own, name, calls = {}, {}, collections.defaultdict(set)
    for title, label in NODE.findall(text):
        name[title] = label.split("\\n")[0]
        found = re.search(r"(\d+) bytes \(([a-z,]+)\)", label)
        if found and "static" not in found[2] and found[2] != "dynamic,bounded":
            raise SystemExit(f"{name[title]}: its frame has no fixed size")
        own[title] = int(found[1]) if found else 0
    for source, sink in EDGE.findall(text):
        if sink not in name:  # a complete constructor that is the base one's, under its other name
            sink = re.sub(r"([CD])1E", r"\g<1>2E", sink)
        if source != sink:
            calls[source].add(sink)
        elif NESTING.search(name[source]):
            own[source] *= DEEPEST_NESTING + 1
        else:
            raise SystemExit(f"{name[source]} calls itself")
    depth, open_ones = {}, set()

    def of(title):
        if title in open_ones:
            raise SystemExit(f"{name[title]} calls itself")
        if title not in depth:
            open_ones.add(title)
            depth[title] = own.get(title, 0) + max(map(of, calls[title]), default=0)
            open_ones.discard(title)
        return depth[title]

    sys.setrecursionlimit(10000)
    called = {sink for sinks in calls.values() for sink in sinks}
    return {(name[title], title not in called): of(title) for title in name}


def frame_bound(text):
    """cotter's own frames below the TLS library's hook: the hook, and the decision that it calls."""
    hook = decision = 0
    for (name, is_root), depth in call_depths(text).items():
        if re.search(r"::on_(start|leaf|chain)\(", name):
            decision = max(decision, depth)
        elif is_root and "cotter::v0::backends" in name.split(" [with")[0]:
            hook = max(hook, depth)
    return hook + decision


def measure(given):
    why_not = missing()
    if why_not:
        print("skipped:", why_not)
        return 77
    bench = Bench(given)
    rows, stacks = [], []
    for target in TARGETS:
        for backend in BACKENDS:
            base = sections(target, bench.program(target, backend, "baseline.cpp", "baseline"))
            for set_name in SETS:
                program = bench.program(target, backend, "guarded.cpp", set_name, set_name,
                                        graph=set_name == "embedded")
                row = {"target": target.name, "backend": backend, "set": set_name}
                row.update({key: value - base[key] for key, value in
                            sections(target, program).items()})
                row.update(sizes_of(target, program.with_suffix(".o")))
                rows.append(row)
            graph = bench.folder(target, backend) / "embedded.ci"
            stacks.append({"target": target.name, "backend": backend,
                           "frames": frame_bound(graph.read_text()), **bench.stack(target, backend)})
    text = json.dumps({"rows": rows, "stacks": stacks}, indent=1)
    (given.work / "results.json").write_text(text + "\n")
    for row in rows:
        print(f"{row['target']:8} {row['backend']:8} {row['set']:15} text {row['text']:6} "
              f"rodata {row['rodata']:5} ram {row['ram']:5} guard {row['guard']:4} "
              f"connection {row['connection']:5}")
    for row in stacks:
        print(f"{row['target']:8} {row['backend']:8} stack", {k: row[k] for k in (*STEPS, "frames")})
    return 0


# --- budget ----------------------------------------------------------------------------------

GATED = ("text", "rodata", "ram")


def key_of(row):
    return f"{row['target']}/{row['backend']}/{row['set']}"


def allowed(figure):
    """Two in a hundred more than what was agreed, and a word for the small ones."""
    return figure + max(figure // 50, 8)


def over_budget(rows, budget):
    for row in rows:
        agreed = budget.get(key_of(row))
        if agreed is None:
            yield f"{key_of(row)}: there is no budget; size.py budget --raise makes one"
            continue
        for what in GATED:
            if row[what] > allowed(agreed[what]):
                yield (f"{key_of(row)}: {row[what]} octets of {what}, "
                       f"and {agreed[what]} + 2 % are agreed")


def check_budget(given):
    rows = results(given)["rows"]
    file = given.root / "tests" / "size" / "budget.json"
    budget = json.loads(file.read_text()) if file.exists() else {}
    if given.write or given.raise_:
        fresh = {}
        for row in rows:
            old = budget.get(key_of(row), {})
            fresh[key_of(row)] = {
                what: row[what] if given.raise_ else min(row[what], old.get(what, row[what]))
                for what in GATED}
        file.write_text("{\n" + ",\n".join(f' {json.dumps(k)}: {json.dumps(v)}'
                                           for k, v in fresh.items()) + "\n}\n")
        return 0
    faults = list(over_budget(rows, budget))
    for fault in faults:
        print(fault)
    for what, goal, seen in goals(rows):
        print(f"goal {'met' if seen <= goal else 'MISSED'}: {what}: {seen} of {goal}")
    return 1 if faults else 0


def goals(rows):
    """design's goals for a phone: (what, goal, seen) in octets."""
    row, = (r for r in rows if (r["target"], r["backend"], r["set"]) ==
            ("Thumb-2", "mbedtls", "embedded"))
    yield "code of the embedded guard with the mbed TLS glue, Thumb-2", 6 * 1024, row["text"]
    yield ("its RAM besides 48 for each slot of the ring", 256,
           row["ram"] - RING_SLOTS * RING_SLOT_BYTES)


# --- symbols ---------------------------------------------------------------------------------


def faults_in_symbols(text, with_heap):
    """`text` is what `nm -C` says of an object."""
    for line in text.splitlines():
        found = re.match(r"[0-9a-f]*\s+([A-Za-z]) (.*)", line)
        if not found:
            continue
        if NEVER.search(found[2]) or (not with_heap and NO_HEAP.search(found[2])):
            yield found[2]


def constant_pins(text):
    """True if the pins are read-only; `text` as above."""
    return re.search(r"^[0-9a-f]+ [rR] pins$", text, re.MULTILINE) is not None


def check_symbols(given):
    results(given)
    faults = 0
    for target in TARGETS:
        for backend in BACKENDS:
            for set_name in SETS:
                file = given.work / target.name / backend / f"{set_name}.o"
                named = run([target.prefix + "nm", "-C", file])
                if "cotter::v0::connection" not in named:
                    raise SystemExit(f"{file}: there is no connection in it")
                program = run([target.prefix + "nm", "-C", file.with_suffix("")])
                seen = [f"names {fault}" for fault in
                        faults_in_symbols(program, (backend, set_name) not in HEAPLESS)]
                if not constant_pins(program) and set_name != "live_manifest":
                    seen.append("has its pins where they can be written")
                for fault in seen:
                    print(f"{target.name}/{backend}/{set_name} {fault}")
                faults += len(seen)
    return 1 if faults else 0


# --- document --------------------------------------------------------------------------------

BEGIN, END = "<!-- begin: measured by tests/size/size.py -->", "<!-- end -->"


def tables(measured):
    rows, stacks = measured["rows"], measured["stacks"]
    yield "| goal | octets | measured | |"
    yield "|---|---:|---:|---|"
    for what, goal, seen in goals(rows):
        yield f"| {what} | {goal} | {seen} | {'met' if seen <= goal else '**missed**'} |"
    for target in TARGETS:
        yield ""
        yield f"### {target.name}"
        yield ""
        yield "| set | backend | .text | constants | .data | .bss | guard | connection |"
        yield "|---|---|---:|---:|---:|---:|---:|---:|"
        for set_name, about in SETS.items():
            for backend in BACKENDS:
                row, = (r for r in rows if (r["target"], r["backend"], r["set"]) ==
                        (target.name, backend, set_name))
                yield (f"| {about} | {backend} | {row['text']} | {row['rodata']} | {row['data']} | "
                       f"{row['bss']} | {row['guard']} | {row['connection']} |")
    yield ""
    yield "### Stack"
    yield ""
    yield "| | backend | `admit` | before the leaf | decision | `confirm` | cotter's own frames |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for row in stacks:
        yield (f"| {row['target']} | {row['backend']} | " +
               " | ".join(str(row[step]) for step in STEPS) + f" | {row['frames']} |")


def close_enough(old, new, rough=False):
    """Two figures of one cell. A library's point release moves code by an alignment, its stack more."""
    return abs(old - new) <= max(abs(new) // (4 if rough else 50), 512 if rough else 8)


def stale(old, new):
    """Lines of `new` that `old` does not say, and the other way round."""
    if len(old) != len(new):
        yield f"{len(old)} lines, and there are {len(new)}"
        return
    rough = False
    for was, now in zip(old, new):
        rough = rough or now == "### Stack"
        words = [re.split(r"(?<=\| )(-?\d+)(?= \|)", line) for line in (was, now)]
        fits = len(words[0]) == len(words[1]) and all(
            a == b or (a.lstrip("-").isdigit() and b.lstrip("-").isdigit() and
                       close_enough(int(a), int(b), rough)) for a, b in zip(*words))
        if not fits:
            yield f"says  {was}\n  and it is {now}"


def check_document(given):
    file = given.root / "docs" / "size.md"
    text = file.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN + "\n", 1)
    old, after = rest.split(END + "\n", 1)
    new = list(tables(results(given)))
    if given.write:
        file.write_text(before + BEGIN + "\n" + "\n".join(new) + "\n" + END + "\n" + after,
                        encoding="utf-8")
        return 0
    faults = list(stale(old.splitlines(), new))
    for fault in faults:
        print(f"{file}: {fault}")
    if faults:
        print(f"to write it anew: {sys.argv[0]} document --root {given.root} --work {given.work} --write")
    return 1 if faults else 0


def results(given):
    file = given.work / "results.json"
    if not file.exists():
        print("skipped: nothing was measured")
        sys.exit(77)
    return json.loads(file.read_text())


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("measure", "budget", "symbols", "document"))
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--sysroots", type=pathlib.Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--raise", action="store_true", dest="raise_")
    given = parser.parse_args(arguments)
    return {"measure": measure, "budget": check_budget, "symbols": check_symbols,
            "document": check_document}[given.verb](given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
