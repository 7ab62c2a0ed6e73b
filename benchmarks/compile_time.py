#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""How long each public header takes to compile, alone, against what it stands on: measured, not gated.

usage: compile_time.py [--compiler CXX] [--rounds N] [--write FILE] [HEADER...]
Prints a table of medians, milliseconds of processor time (-std=c++20 -fsyntax-only). A backend's header is set against
the TLS library's own; others against an empty file. --write replaces the table in FILE, between its marks.
HEADER is a path as it is included; without any: all of them that this machine has the third parties for.
"""
import argparse
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROOMS = [("include", ROOT / "include"),
         *((path.name, path) for path in sorted((ROOT / "backends").iterdir())),
         *((path.name, path) for path in sorted((ROOT / "integrations").iterdir()))]
OWN = {
    "openssl": "#include <openssl/err.h>\n#include <openssl/evp.h>\n#include <openssl/ssl.h>\n"
               "#include <openssl/x509.h>\n#include <openssl/x509v3.h>\n",
    "wolfssl": "#include <wolfssl/options.h>\n#include <wolfssl/ssl.h>\n"
               "#include <wolfssl/wolfcrypt/sha256.h>\n",
    "mbedtls": "#include <mbedtls/ctr_drbg.h>\n#include <mbedtls/entropy.h>\n"
               "#include <mbedtls/sha256.h>\n#include <mbedtls/ssl.h>\n",
}
GOAL_MS = 300
BEGIN, END = "<!-- begin: measured by benchmarks/compile_time.py -->", "<!-- end -->"


def flags():
    includes = [f"-I{path}" for _, path in ROOMS]
    found = subprocess.run(["pkg-config", "--cflags", "libsecret-1", "tss2-esys"],
                           capture_output=True, text=True)
    return ["-std=c++20", "-fsyntax-only", "-DASIO_STANDALONE", *includes, *found.stdout.split()]


def spent():
    """Processor time of the children so far: what else the machine does is not counted."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Clock:
    def __init__(self, compiler, rounds, work):
        self.compiler, self.rounds, self.work, self.flags = compiler, rounds, work, flags()

    def once(self, text):
        file = self.work / "one.cpp"
        file.write_text(text)
        began = spent()
        done = subprocess.run([self.compiler, *self.flags, str(file)], capture_output=True)
        return spent() - began if done.returncode == 0 else None

    def compare(self, text, base):
        """Medians of both, rounds interleaved; None if `text` does not compile here."""
        seen = [(self.once(text), self.once(base)) for _ in range(self.rounds)]
        if any(one[0] is None for one in seen):
            return None
        return tuple(1000 * statistics.median(column) for column in zip(*seen))


def headers():
    for room, base in ROOMS:
        for path in sorted(base.rglob("*.hpp")):
            name = path.relative_to(base).as_posix()
            if "/detail/" not in name:
                yield room, name


def table(clock, wanted):
    yield "| header | alone | stands on | difference |"
    yield "|---|---:|---:|---:|"
    slowest = []
    for room, name in headers():
        if wanted and name not in wanted:
            continue
        base = OWN.get(room, "\n")
        took = clock.compare(f"#include <{name}>\n", base)
        if took is None:
            print(f"{name}: does not compile here", file=sys.stderr)
            continue
        alone, below = took
        yield f"| `{name}` | {alone:.0f} | {below:.0f} | {alone - below:.0f} |"
        if room in OWN and name == f"cotter/backends/{room}.hpp":
            with_guard = clock.compare(f"#include <{name}>\n#include <cotter/embedded.hpp>\n", base)
            slowest.append((room, with_guard))
    yield ""
    yield f"A translation unit with one backend and `cotter/embedded.hpp`; the goal is {GOAL_MS} ms more."
    yield ""
    yield "| backend | the library's own headers | with cotter | difference | goal |"
    yield "|---|---:|---:|---:|---|"
    for room, (alone, below) in slowest:
        more = alone - below
        yield (f"| {room} | {below:.0f} | {alone:.0f} | {more:.0f} | "
               f"{'met' if more <= GOAL_MS else '**missed**'} |")


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("headers", nargs="*")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        clock = Clock(given.compiler, given.rounds, pathlib.Path(work))
        lines = []
        for line in table(clock, set(given.headers)):
            print(line, flush=True)
            lines.append(line)
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN + "\n", 1)
        given.write.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" +
                               rest[rest.index(END):], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
