#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that data flows one way: who includes whom among the headers of a source tree.

usage: rooms.py ROOT
Prints FILE:LINE: FAULT for each fault. Exit: 0 none, 1 some, 2 nothing to check.
"""
import pathlib
import re
import sys

# A room includes itself and what is named here, all of it before it.
ROOMS = {
    "values": set(),
    "der": {"values"},
    "certificate": {"values", "der"},
    "concepts": {"values"},
    "policies": {"values", "der", "certificate", "concepts"},
    "pipeline": {"values", "der", "certificate", "concepts", "policies"},
    "net": {"values", "der", "certificate", "concepts", "policies", "pipeline"},
    "health": {"values", "der", "certificate", "concepts", "policies", "pipeline"},
    "testing": {"values", "der", "certificate", "concepts", "policies", "pipeline"},
    "json": {"values", "der", "certificate", "concepts", "policies", "pipeline"},
    "posix": {"values", "concepts", "policies"},
    "tpm2": {"values", "concepts"},
    "libsecret": {"values", "concepts"},
    "backends": {"values", "concepts"},
}
FLOW = ["values", "der", "certificate", "concepts", "policies", "pipeline"]
LISTS = {"cotter.hpp", "embedded.hpp"}

# Of the core, but asked for by name: they carry test keys, or stand beside the decision.
APART = {"cotter/pipeline/self_test.hpp", "cotter/pipeline/self_test_pki.hpp"}

# What belongs to which TLS library, by the first part of an include.
TLS = {"openssl": "openssl", "wolfssl": "wolfssl", "mbedtls": "mbedtls", "psa": "mbedtls"}
NET_THIRD_PARTIES = {"asio", "boost", "wslay", "http_parser"}

# The rooms below integrations/, each with the third parties that it integrates.
SYSTEM = {"dirent", "fcntl", "poll", "stdio", "sys", "time", "unistd"}
INTEGRATIONS = {
    "json": {"nlohmann"},
    "posix": SYSTEM,
    "tpm2": SYSTEM | {"tss2"},
    "libsecret": SYSTEM | {"libsecret", "glib", "gio"},
}

# What a device without a heap to spare may be made to compile: everything else of the standard
# library allocates, throws, runs code at start-up, or is large.
EMBEDDED_STANDARD = {
    "algorithm", "array", "atomic", "bit", "charconv", "chrono", "climits", "compare", "concepts",
    "cstddef", "cstdint", "cstring", "iterator", "limits", "numeric", "optional", "span",
    "string_view", "tuple", "type_traits", "utility", "version",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+"|\S+)')
STANDARD = re.compile(r"^[a-z_0-9]+$")


class Header:
    def __init__(self, path, name, base):
        self.path = path
        self.name = name  # as it is included: cotter/values/pin.hpp
        self.base = base  # where that name begins: ("include",) or ("integrations", "json")
        self.includes = []  # (line, text between the brackets, True if in quotes)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if found:
                text = found.group(1)
                self.includes.append((number, text.strip('<>"'), not text.startswith("<")))

    @property
    def room(self):
        return room_of(self.name)


def room_of(name):
    parts = name.split("/")
    if parts[0] != "cotter" or len(parts) < 2:
        return None
    return parts[1] if len(parts) > 2 else "" if parts[1] in LISTS else None


def library_of(name):
    """The TLS library of a backend's header: of cotter/backends/openssl.hpp, and of every part of
    it in the folder of that name."""
    return name.split("/")[2].removesuffix(".hpp") if room_of(name) == "backends" else None


def headers_below(root):
    headers = {}
    bases = [root / "include", *sorted((root / "backends").glob("*/")),
             *sorted((root / "integrations").glob("*/"))]
    for base in bases:
        for path in sorted([*base.rglob("*.hpp"), *base.rglob("*.ipp")]):
            name = path.relative_to(base).as_posix()
            headers[name] = Header(path, name, base.relative_to(root).parts)
    return headers


def third_party_allowed(header, first):
    if header.room == "backends":
        return TLS.get(first) == library_of(header.name)
    if header.room in INTEGRATIONS:
        return first in INTEGRATIONS[header.room]
    return header.room == "net" and first in NET_THIRD_PARTIES


def faults_of(header):
    if header.room is None or (header.room != "" and header.room not in ROOMS):
        yield 1, f"{header.name} stands in no room of the house"
        return
    integrated = header.base[1] if header.base[0] == "integrations" else None
    if integrated != (header.room if header.room in INTEGRATIONS else None):
        yield 1, f"{header.name} is of another integration"
    if header.room == "backends" and header.base != ("backends", library_of(header.name)):
        yield 1, f"{header.name} is of another backend"
    libraries = set()
    for line, target, quoted in header.includes:
        if quoted:
            yield line, f"{target} is not included by its full name in angle brackets"
            continue
        first = re.split(r"[/.]", target)[0]
        if first == "cotter":
            room = room_of(target)
            if header.room == "":
                if room is None or (room not in FLOW and target.split("/")[-1] not in LISTS):
                    yield line, f"{header.name} lists {target}, which is not of the core"
            elif room != header.room and room not in ROOMS[header.room]:
                yield line, f"{header.room} comes before {room or 'the lists'}: {target}"
            elif room == "backends" and library_of(target) != library_of(header.name):
                yield line, f"{target} of another backend has no place in {header.name}"
        elif first in TLS:
            libraries.add(TLS[first])
            if not third_party_allowed(header, first):
                yield line, f"{target} of a TLS library has no place in {header.name}"
        elif not STANDARD.match(target) and not third_party_allowed(header, first):
            yield line, f"{target} of a third party has no place in {header.name}"
        elif STANDARD.match(target) and first in NET_THIRD_PARTIES and header.room != "net":
            yield line, f"{target} of a third party has no place in {header.name}"
    if len(libraries) > 1:
        yield 1, f"{header.name} names {' and '.join(sorted(libraries))}"


def faults_of_list(header):
    """A list follows the flow, and names nothing twice."""
    last = 0
    seen = set()
    for line, target, _ in header.includes:
        room = room_of(target)
        if target in seen:
            yield line, f"{target} is listed twice"
        seen.add(target)
        if room not in FLOW:
            continue
        if FLOW.index(room) < last:
            yield line, f"{target} is listed after {FLOW[last]}, against the flow"
        last = max(last, FLOW.index(room))


def reach(headers, name):
    """Every header that `name` brings in, with itself."""
    reached = {}
    todo = [name]
    while todo:
        one = todo.pop()
        if one in reached or one not in headers:
            continue
        reached[one] = headers[one]
        todo += [target for _, target, _ in headers[one].includes]
    return reached


def check(root):
    """Yields (path, line, fault)."""
    headers = headers_below(root)
    for header in headers.values():
        for line, fault in faults_of(header):
            yield header.path, line, fault
        for line, target, _ in header.includes:
            if target.startswith("cotter/") and target not in headers:
                yield header.path, line, f"{target} does not exist"
        if header.room == "":
            for line, fault in faults_of_list(header):
                yield header.path, line, fault
    for header in reach(headers, "cotter/embedded.hpp").values():
        for line, target, _ in header.includes:
            if STANDARD.match(target) and target not in EMBEDDED_STANDARD:
                yield header.path, line, f"embedded.hpp would bring in <{target}>"
    listed = reach(headers, "cotter/cotter.hpp")
    for header in headers.values():
        if header.room in FLOW and header.name not in listed and header.name not in APART:
            yield header.path, 1, f"cotter.hpp does not bring in {header.name}"


def main(arguments):
    if len(arguments) != 1 or not headers_below(pathlib.Path(arguments[0])):
        print(__doc__, file=sys.stderr)
        return 2
    faults = list(check(pathlib.Path(arguments[0])))
    for path, line, fault in faults:
        print(f"{path}:{line}: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
