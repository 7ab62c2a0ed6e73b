#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Plants one fault at a time in measurements, goals and the document, and sees that table.py finds it.

usage: performance_test.py TABLE
"""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

TABLE = None


def runs(name, times, **more):
    return [{"name": f"{name}/manual_time", "run_name": f"{name}/manual_time",
             "run_type": "iteration", "repetitions": len(times), "repetition_index": i,
             "real_time": time, "cpu_time": time, "time_unit": "ns", **more}
            for i, time in enumerate(times)]


MEDIAN = [{"name": "ours/manual_time_median", "run_name": "ours/manual_time",
           "run_type": "aggregate", "aggregate_name": "median", "real_time": 7e9, "cpu_time": 7e9,
           "time_unit": "ns"}]
CONTEXT = {"date": "2026-11-21T12:00:00+00:00", "host_name": "somewhere", "num_cpus": 2,
           "mhz_per_cpu": 2445, "load_avg": [0.1], "executable": "/there/bench_one"}
MEASURED = [*runs("ours", [130, 900, 120], allocations=0.0), *MEDIAN, *runs("S", [100, 101, 99]),
            *runs("again", [102, 90, 300])]
RATIO = {"what": "ours / S", "of": "ours", "over": "S", "goal": {"at_most": 1.3}, "source": "design"}
CONTROL = {"what": "S / S", "of": "again", "over": "S", "control": True, "goal": None, "source": ""}
BEYOND = {"what": "beyond S", "of": "ours", "minus": "S", "goal": {"at_most": 20}, "source": ""}
COUNT = {"what": "heap", "of": "ours", "field": "allocations", "goal": {"at_most": 0}, "source": ""}


class Table(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        (self.root / "goals").mkdir()

    def write(self, rows=None, measured=None):
        rows = [RATIO, CONTROL, BEYOND, COUNT] if rows is None else rows
        measured = MEASURED if measured is None else measured
        (self.root / "goals/one.json").write_text(json.dumps(rows))
        (self.root / "one.json").write_text(json.dumps({"context": CONTEXT, "benchmarks": measured}))

    def run_table(self, verb, *files):
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = TABLE.main(["--goals", str(self.root / "goals"), verb,
                                 *(str(self.root / file) for file in files)])
        return status, said.getvalue()

    def show(self, rows=None, measured=None):
        self.write(rows, measured)
        return self.run_table("show", "one.json")

    def line(self, said, what):
        return next(line.split(what, 1)[1].split() for line in said.splitlines()
                    if line.startswith(what))

    def test_ratios_are_of_medians_over_repetitions(self):
        status, said = self.show()
        self.assertEqual(status, 0, said)
        self.assertEqual(self.line(said, "ours / S"), ["130", "ns", "1.30", "≤", "1.30", "met"])
        self.assertEqual(self.line(said, "S / S")[-2:], ["1.02", "control"])
        self.assertEqual(self.line(said, "beyond S")[2:], ["30", "ns", "≤", "20", "ns", "missed"])
        self.assertEqual(self.line(said, "heap"), ["0", "≤", "0", "met"])
        self.assertIn("noise of one: 2.0 %", said)

    def test_a_goal_that_is_missed_is_said_and_is_no_error(self):
        status, said = self.show([{**RATIO, "goal": {"at_most": 1.2}}, CONTROL])
        self.assertEqual((status, self.line(said, "ours / S")[-1]), (0, "missed"))
        status, said = self.show([{**RATIO, "goal": {"at_most": 1.29}}, CONTROL])
        self.assertIn("missed, by less than the noise", said)
        self.assertEqual(status, 0)
        status, said = self.show([{**RATIO, "goal": {"at_least": 2}}])
        self.assertEqual(self.line(said, "ours / S")[-1], "missed")

    def test_a_row_about_nothing_measured_is_an_error(self):
        for row in [{**RATIO, "of": "hours"}, {**RATIO, "over": "s"}, {**RATIO, "field": "ns"},
                    {**COUNT, "field": "alocations"}, {**BEYOND, "minus": "T"}]:
            status, said = self.show([row])
            self.assertEqual(status, 2, said)
            self.assertRegex(said, "no benchmark is named|has no")

    def test_a_row_that_says_nothing_sensible_is_an_error(self):
        for row in [{**RATIO, "minus": "S"}, {**RATIO, "gaol": 1}, {**RATIO, "goal": {"below": 1}},
                    {**COUNT, "control": True}, {"of": "ours"}]:
            self.assertEqual(self.show([row])[0], 2, row)
        self.assertEqual(self.show([{"section": "nothing else"}])[0], 2)

    def test_a_benchmark_that_failed_is_an_error_whatever_the_rows_say(self):
        broken = {**runs("other", [1])[0], "error_occurred": True, "error_message": "not accepted"}
        status, said = self.show(measured=[*MEASURED, broken])
        self.assertEqual(status, 1)
        self.assertIn("other failed: not accepted", said)
        self.assertEqual(self.show(measured=[])[0], 1)

    def test_the_document_is_what_the_figures_make(self):
        self.write()
        self.assertEqual(self.run_table("keep", "kept.json", "one.json")[0], 0)
        self.assertEqual(self.run_table("write", "kept.json", "it.md")[0], 0)
        self.assertEqual(self.run_table("check", "kept.json", "it.md")[0], 0)
        kept = (self.root / "kept.json").read_text()
        for private in ("somewhere", "/there"):
            self.assertNotIn(private, kept + (self.root / "it.md").read_text())

        document = self.root / "it.md"
        document.write_text(document.read_text().replace("1.30 |", "1.20 |"))
        status, said = self.run_table("check", "kept.json", "it.md")
        self.assertEqual(status, 1)
        self.assertIn("not what", said)
        document.unlink()
        self.assertEqual(self.run_table("check", "kept.json", "it.md")[0], 1)

    def test_other_subjects_figures_stay(self):
        self.write()
        (self.root / "kept.json").write_text(json.dumps({"subjects": {"two": {"figures": {}}}}))
        self.run_table("keep", "kept.json", "one.json")
        self.assertEqual(set(json.loads((self.root / "kept.json").read_text())["subjects"]),
                         {"one", "two"})

    def test_a_goal_that_changed_makes_the_document_stale(self):
        self.write()
        self.run_table("keep", "kept.json", "one.json")
        self.run_table("write", "kept.json", "it.md")
        self.write([{**RATIO, "goal": {"at_most": 2}}, CONTROL, BEYOND, COUNT])
        self.assertEqual(self.run_table("check", "kept.json", "it.md")[0], 1)


if __name__ == "__main__":
    table = pathlib.Path(sys.argv.pop(1)).resolve()
    sys.path.insert(0, str(table.parent))
    import table as TABLE
    unittest.main()
