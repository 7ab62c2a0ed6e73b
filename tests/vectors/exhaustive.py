#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes tests/vectors/exhaustive.json: what form_c.py makes of every short row of octets over a
small alphabet, alone and in the places of a small certificate where a row can do harm.

The outcomes of a place are told by one digest: SHA-256 over, for each row in order of length and
then of the alphabet, form C or else the code of the refusal, and a newline.

usage: exhaustive.py [--check]     --check: exit 1 if the committed file differs
"""
import hashlib
import itertools
import json
import pathlib
import sys

from form_c import Refused, form_c

ALPHABET = bytes.fromhex("00 01 02 03 05 1f 23 30 3f 80 81 ff")
LONGEST = 5
PLACES = {  # before and after the row; "LL" is the length of all that follows, "ll" that of the row
    "the input": ("", ""),
    "the outer contents": ("30 LL 30 00 30 00", ""),
    "after signatureValue, the outer length indefinite": ("30 80 30 00 30 00 03 02 00 41", ""),
    "TBSCertificate of indefinite length": ("30 LL 30 80", "30 00 03 02 00 41"),
    "signatureAlgorithm": ("30 LL 30 00 30 ll", "03 02 00 41"),
    "signatureAlgorithm of indefinite length": ("30 80 30 00 30 80", "00 00 03 02 00 41 00 00"),
}


def spell(before, row, after):
    """`ll` is the length of the row alone"""
    octets = bytes.fromhex(before.replace("LL", "00").replace("ll", f"{len(row):02x}"))
    octets = bytearray(octets + row + bytes.fromhex(after))
    if "LL" in before:
        octets[1] = len(octets) - 2
    return bytes(octets)


def digest(before, after):
    outcomes = hashlib.sha256()
    for size in range(LONGEST + 1):
        for row in itertools.product(ALPHABET, repeat=size):
            try:
                outcomes.update(form_c(spell(before, bytes(row), after)))
            except Refused as refusal:
                outcomes.update(refusal.code.encode())
            outcomes.update(b"\n")
    return outcomes.hexdigest()


def document():
    places = [{"place": place, "before": before, "after": after,
               "outcomes_sha256": digest(before, after)}
              for place, (before, after) in PLACES.items()]
    return json.dumps({"made_by": "tests/vectors/exhaustive.py; do not edit",
                       "alphabet": ALPHABET.hex(" "), "longest": LONGEST, "places": places},
                      indent=1) + "\n"


def main():
    target = pathlib.Path(__file__).resolve().parent / "exhaustive.json"
    if sys.argv[1:] not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 3
    wanted = document()
    if sys.argv[1:] == ["--check"]:
        current = target.is_file() and target.read_text() == wanted
        if not current:
            print(f"{target.name} is not what {pathlib.Path(__file__).name} makes", file=sys.stderr)
        return 0 if current else 1
    target.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
