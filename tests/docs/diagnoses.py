#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes docs/diagnoses.md from what `cotter explain --list --json` says, or checks that it is current.

usage: diagnoses.py --command COTTER [--write] FILE
Exit: 0 current or written, 1 not current, 2 the command says nothing.
"""
import argparse
import json
import pathlib
import subprocess
import sys

HEAD = """# Diagnoses

What `cotter explain` says of refusals, from the same table: `cotter explain CODE` prints any of these pages,
and those of every error. This file is written by `tests/docs/diagnoses.py`; do not edit it.

A *reason* is why a connection was refused, and a fact. A *diagnosis* is a guess beside it, and rests on
*evidence*; whoever stands on the path can bring any of them about. Neither turns a refusal into an acceptance.

"""
SECTIONS = [
    ("diagnosis", "Diagnoses", "What probably lies behind a refusal."),
    ("evidence", "Evidence", "What a diagnosis rests on."),
    ("reason", "Reasons", "Why a connection was refused."),
    ("event", "Events", "The types of event in the audit trail, see [audit.md](audit.md)."),
]
COUNTS = {"always": "counts", "never": "does not count",
          "with_pin_mismatch": "counts with `pin_mismatch`, not with other reasons"}


def cell(text):
    return text.replace("|", "\\|")


def table(pages):
    yield "| | means | confirm | do |"
    yield "|---|---|---|---|"
    for one in pages:
        yield (f"| `{one['code']}` | {cell(one['meaning'])} | {cell(one['confirm'])} | "
               f"{cell(one['do'])} |")


def document(pages):
    lines = []
    for kind, title, about in SECTIONS:
        some = [one for one in pages if one["kind"] == kind and one["code"] != "none"]
        lines += [f"## {title}", "", about, "", *table(some), ""]
        if kind in ("diagnosis", "reason"):
            lines += ["| | breaker | phone |", "|---|---|---|"]
            lines += [f"| `{one['code']}` | {COUNTS[one['counts']]} | {cell(one['phone'])} |"
                      for one in some]
            lines.append("")
    return HEAD + "\n".join(lines).rstrip() + "\n"


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--command", required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("file", type=pathlib.Path)
    given = parser.parse_args(arguments)
    told = subprocess.run([given.command, "explain", "--list", "--json"], capture_output=True,
                          text=True)
    if told.returncode != 0 or not told.stdout:
        print(told.stderr, file=sys.stderr)
        return 2
    wanted = document([json.loads(line) for line in told.stdout.splitlines()])
    if given.write:
        given.file.write_text(wanted, encoding="utf-8")
        return 0
    if given.file.is_file() and given.file.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{given.file}: not what the command says; run {sys.argv[0]} --command "
          f"{given.command} --write {given.file}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
