#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""tests/attacks/plant_faults.py with the faults of this folder; its usage."""
import pathlib
import runpy
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import faults  # noqa: E402,F401: found by the script below in place of its own

runpy.run_path(str(HERE.parent / "attacks" / "plant_faults.py"), run_name="__main__")
