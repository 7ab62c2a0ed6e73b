#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that the C++ in the documents is C++ that compiles.

usage: examples.py ROOT FILE...
Every ```cpp block says where it is compiled: ```cpp compiled=PATH, relative to ROOT. Its lines stand
in that file one after another, as they are or all indented alike, and the file is named in the
CMakeLists.txt beside it. Prints FILE:LINE: FAULT. Exit: 0 none, 1 some, 2 nothing to check.
"""
import pathlib
import re
import sys
import textwrap

FENCE = re.compile(r"^```(\S*) *(.*?) *$")


def blocks(text):
    """Yields (line, language, attributes, lines) of every fenced block."""
    opened = None
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if opened is None and fence:
            opened = (number, fence.group(1), fence.group(2).split(), [])
        elif opened is not None and line.strip() == "```":
            yield opened
            opened = None
        elif opened is not None:
            opened[3].append(line)
    if opened is not None:
        yield opened[0], "unclosed", [], []


def dedented(lines):
    return textwrap.dedent("\n".join(lines)).split("\n")


def stands_in(lines, source):
    wanted = dedented(lines)
    all_lines = source.splitlines()
    return any(dedented(all_lines[at:at + len(wanted)]) == wanted
               for at in range(len(all_lines) - len(wanted) + 1))


def faults(root, document):
    for line, language, attributes, lines in blocks(document.read_text()):
        if language == "unclosed":
            yield line, "the block is never closed"
        if language not in ("cpp", "c++"):
            continue
        named = [a.removeprefix("compiled=") for a in attributes if a.startswith("compiled=")]
        if len(named) != 1:
            yield line, "the block does not say where it is compiled (compiled=PATH)"
            continue
        path = root / named[0]
        listed = path.parent / "CMakeLists.txt"
        if not path.is_file():
            yield line, f"{named[0]} does not exist"
        elif not listed.is_file() or path.stem not in listed.read_text():
            yield line, f"{named[0]} is compiled by nobody"
        elif not stands_in(lines, path.read_text()):
            yield line, f"the block does not stand in {named[0]}"


def main(arguments):
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    root, *documents = map(pathlib.Path, arguments)
    found = 0
    checked = 0
    for document in documents:
        checked += sum(language in ("cpp", "c++")
                       for _, language, _, _ in blocks(document.read_text()))
        for line, fault in faults(root, document):
            found += 1
            print(f"{document}:{line}: {fault}")
    print(f"{checked} blocks")
    return 1 if found else 0 if checked else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
