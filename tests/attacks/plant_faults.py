#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Shows that the attacks catch faults: plants them in copies of our headers, runs the attacks.

One build per backend holds every fault of faults.py; each sleeps until COTTER_PLANTED_FAULT names
it.

usage: plant_faults.py list BACKEND                       the names of the faults
       plant_faults.py write BACKEND PROJECT DIRECTORY    the copies, as an include directory
       plant_faults.py run BACKEND PROJECT FAULT PROGRAM  fails unless the attacks named there catch
                                                          it; with the fault `none`, unless all pass
"""
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as xml

import faults


def plant(backend, project, stale):
    """The edited headers, text by path; without faults that fit no more, which `stale` names."""
    known = faults.of(backend)
    headers = {header for edits, _ in known.values() for header, _, _ in edits}
    texts = {header: (pathlib.Path(project) / header).read_text() for header in sorted(headers)}
    for name, (edits, _) in known.items():
        edited = dict(texts)
        for header, old, new in edits:
            found = edited[header].count(old)
            if found != 1:
                stale[name] = f"{header} has it {found} times instead of once: {old!r}"
                break
            edited[header] = edited[header].replace(old, new)
        else:
            texts = edited
    return texts


def write(backend, project, directory):
    for header, text in plant(backend, project, {}).items():
        copy = pathlib.Path(directory) / header[header.index("cotter/"):]
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text)


def failing_cases(program, fault, names=()):
    """Those of the named test cases, or of all, that fail under `fault`."""
    chosen = ",".join(name.replace(",", "\\,") for name in names)
    done = subprocess.run([program, "-r", "xml", *filter(None, [chosen])], text=True, check=False,
                          stdout=subprocess.PIPE,
                          env={**os.environ, "COTTER_PLANTED_FAULT": fault})
    if done.returncode < 0:
        sys.exit(f"the attacks died of signal {-done.returncode}")
    cases = list(xml.fromstring(done.stdout).iter("TestCase"))
    if not cases:
        sys.exit("no attack was run")
    failing = [c.get("name") for c in cases if c.find("OverallResult").get("success") != "true"]
    if bool(failing) != bool(done.returncode):
        sys.exit(f"the program returned {done.returncode}, its report says otherwise")
    return failing


def run(backend, project, fault, program):
    stale = {}
    plant(backend, project, stale)
    if fault == "none":
        failing = failing_cases(program, fault)
        if failing:
            sys.exit("without a fault these fail: " + "; ".join(failing))
        return
    if fault in stale:
        sys.exit(f"the fault {fault} does not fit any more, adjust faults.py: {stale[fault]}")
    expected = faults.of(backend)[fault][1]
    failing = failing_cases(program, fault, expected)
    missed = [name for name in expected if name not in failing]
    if missed or not expected:
        sys.exit("not caught by: " + "; ".join(missed))
    print("caught by: " + "; ".join(failing))


def main():
    verb, backend, *rest = sys.argv[1:]
    if verb == "list":
        print("\n".join(faults.of(backend)))
    elif verb == "write":
        write(backend, *rest)
    elif verb == "run":
        run(backend, *rest)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
