#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Counts the instructions of the decision, and holds them against those on record.

Callgrind counts what is executed inside cotter_measured() of a program, whatever else the machine is
doing. Only instructions of the program itself count: those of the TLS library, of libc and of
libstdc++ differ with the processor they find. A count may exceed its record by 2 percent.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

TOLERANCE = 0.02
NAME = re.compile(r"\((\d+)\)(?: (.*))?")


def own_instructions(text, program):
    """The sum of the costs of functions that lie in `program`, without what they call elsewhere."""
    names = {}
    inside = skip = False
    total = 0
    for line in text.splitlines():
        if line.startswith("ob="):
            number, name = NAME.match(line[3:]).groups()
            if name is not None:
                names[number] = name
            inside = pathlib.Path(names[number]).name == program
        elif line.startswith("cob="):
            number, name = NAME.match(line[4:]).groups()
            if name is not None:
                names[number] = name
        elif line.startswith("calls="):
            skip = True
        elif line and line[0] in "0123456789+-*":
            if inside and not skip:
                total += int(line.split()[1])
            skip = False
    return total


def count(program, case):
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch) / "out"
        ran = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--collect-atstart=no",
             "--toggle-collect=cotter_measured", str(program.resolve()), case],
            capture_output=True, text=True, timeout=300)
        if ran.returncode != 0:
            sys.exit(f"{program.name} {case}: ended with {ran.returncode}\n{ran.stderr[-2000:]}")
        total = own_instructions(out.read_text(), program.name)
        if total == 0:
            sys.exit(f"{program.name} {case}: nothing was counted")
        return total


def cases(program):
    return subprocess.run([str(program.resolve())], capture_output=True, text=True,
                          check=True).stdout.split()


def compare(record, counted):
    """What is wrong, in lines for people."""
    faults = []
    for name in sorted(record.keys() | counted.keys()):
        if name not in counted:
            faults.append(f"{name}: on record, and not there any more")
        elif name not in record:
            faults.append(f"{name}: {counted[name]} instructions, none on record")
        elif counted[name] > record[name] * (1 + TOLERANCE):
            faults.append(f"{name}: {counted[name]} instructions, {record[name]} on record")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the counts down")
    parser.add_argument("counts", type=pathlib.Path)
    parser.add_argument("programs", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    record = json.loads(options.counts.read_text()) if options.counts.exists() else {}
    counted = {}
    for program in options.programs:
        room = program.name.removeprefix("cotter_instructions_")
        for case in cases(program):
            counted[f"{room}/{case}"] = count(program, case)
    for name, number in sorted(counted.items()):
        change = f"{100 * (number / record[name] - 1):+.1f} %" if name in record else "new"
        print(f"{name:32} {number:9} {change}")
    if options.record:
        options.counts.write_text(json.dumps(counted, indent=1, sort_keys=True) + "\n")
        return
    mine = {program.name.removeprefix("cotter_instructions_") for program in options.programs}
    faults = compare({k: v for k, v in record.items() if k.split("/")[0] in mine}, counted)
    if "decision/assess-twice" in counted:
        # What this counts, it counts: twice the work is twice the count.
        ratio = counted["decision/assess-twice"] / counted["decision/assess"]
        if not 1.8 < ratio < 2.2:
            faults.append(f"two assessments cost {ratio:.2f} times one")
    for fault in faults:
        print(f"FAIL {fault}", file=sys.stderr)
    if faults:
        sys.exit("A count that must grow is written down anew with --record, and says why.")


if __name__ == "__main__":
    main()
