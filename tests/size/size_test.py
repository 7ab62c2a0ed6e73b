#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""That size.py sees what it is there to see."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import size

ROW = {"target": "Thumb-2", "backend": "mbedtls", "set": "embedded", "text": 1000, "rodata": 100,
       "ram": 50}
KEY = "Thumb-2/mbedtls/embedded"


def names_of(text):
    """What `nm -C` says of a program of this machine's, compiled as the sets are."""
    with tempfile.TemporaryDirectory() as scratch:
        file = pathlib.Path(scratch) / "one.cpp"
        file.write_text(text)
        compiler = shutil.which("g++") or "c++"
        subprocess.run([compiler, *size.FLAGS, str(file), "-c", "-o", str(file) + ".o"], check=True)
        return subprocess.run(["nm", "-C", str(file) + ".o"], check=True, capture_output=True,
                              text=True).stdout


class Budget(unittest.TestCase):
    def faults(self, **seen):
        agreed = {KEY: {"text": 1000, "rodata": 100, "ram": 50}}
        return list(size.over_budget([{**ROW, **seen}], agreed))

    def test_two_in_a_hundred_more_is_allowed_and_no_more(self):
        self.assertEqual(self.faults(), [])
        self.assertEqual(self.faults(text=1020, rodata=108), [])
        for seen in ({"text": 1021}, {"rodata": 109}, {"ram": 59}, {"text": 2024}):
            with self.subTest(seen):
                self.assertEqual(len(self.faults(**seen)), 1)

    def test_a_row_without_a_budget_is_a_fault(self):
        self.assertEqual(len(list(size.over_budget([ROW], {}))), 1)


class Symbols(unittest.TestCase):
    def assert_named(self, text, with_heap=False):
        self.assertTrue(list(size.faults_in_symbols(names_of(text), with_heap)))

    def test_streams_functions_and_exceptions_are_seen_with_a_heap_or_without(self):
        for text in ("#include <iostream>\nint f() { return 1; }",
                     "#include <functional>\nstd::function<int()> f; int g() { return f(); }",
                     "#include <locale>\nbool f(char c) { return std::isalpha(c, std::locale()); }",
                     "#include <sstream>\nvoid f() { std::ostringstream s; s << 1; }"):
            with self.subTest(text):
                self.assert_named(text, with_heap=True)

    def test_a_heap_is_seen_where_there_is_to_be_none(self):
        for text in ("int* f() { return new int(1); }",
                     "#include <string>\nstd::string f(const char* s) { return s; }",
                     "#include <cstdlib>\nvoid* f() { return std::malloc(9); }"):
            with self.subTest(text):
                self.assert_named(text)
        self.assertEqual(list(size.faults_in_symbols(names_of("int* f() { return new int(1); }"),
                                                     True)), [])

    def test_pins_that_can_be_written_are_seen(self):
        self.assertTrue(size.constant_pins("00010400 r pins\n"))
        for text in ("00016280 d pins\n", "00016280 D pins\n", "00010400 r other_pins\n", ""):
            self.assertFalse(size.constant_pins(text))

    def test_what_a_decision_does_is_no_fault(self):
        text = ("#include <cstring>\n#include <chrono>\n"
                "long f(char* a, const char* b) { std::memcpy(a, b, 9);\n"
                "return std::chrono::steady_clock::now().time_since_epoch().count(); }")
        self.assertEqual(list(size.faults_in_symbols(names_of(text), False)), [])


def graph(*nodes, edges=()):
    return "".join(f'node: {{ title: "{n}" label: "{label}\\nx.cpp:1:1\\n{frame}" }}\n'
                   for n, label, frame in nodes) + "".join(
        f'edge: {{ sourcename: "{a}" targetname: "{b}" label: "x" }}\n' for a, b in edges)


class Stack(unittest.TestCase):
    def test_the_deepest_chain_counts_with_the_hook_above_it(self):
        text = graph(("h", "int cotter::v0::backends::x::hook()", "16 bytes (static)"),
                     ("l", "void cotter::v0::connection<G>::on_leaf(bytes)", "100 bytes (static)"),
                     ("a", "int a()", "50 bytes (static)"), ("b", "int b()", "70 bytes (static)"),
                     ("c", "int c()", "8 bytes (static)"),
                     edges=[("l", "a"), ("l", "b"), ("a", "c"), ("a", "elsewhere")])
        self.assertEqual(size.frame_bound(text), 16 + 100 + 70)

    def test_what_nests_counts_once_a_level(self):
        name = "bool cotter::v0::detail::is_plain_der(bytes)"
        text = graph(("p", name, "10 bytes (static)"), edges=[("p", "p")])
        self.assertEqual(size.call_depths(text), {(name, True): 170})

    def test_no_bound_is_given_where_there_is_none(self):
        for text in (graph(("a", "int a()", "8 bytes (static)"), edges=[("a", "a")]),
                     graph(("a", "int a()", "8 bytes (static)"), ("b", "int b()", "8 bytes (static)"),
                           edges=[("a", "b"), ("b", "a")]),
                     graph(("a", "int a()", "8 bytes (dynamic)"))):
            with self.subTest(text), self.assertRaises(SystemExit):
                size.call_depths(text)


class Document(unittest.TestCase):
    def test_a_figure_that_has_moved_is_stale(self):
        line = "| set | mbedtls | %d | 100 |"
        self.assertEqual(list(size.stale([line % 1000], [line % 1015])), [])
        self.assertEqual(len(list(size.stale([line % 1000], [line % 1100]))), 1)
        self.assertEqual(len(list(size.stale(["| a | 1 |"], ["| b | 1 |"]))), 1)
        self.assertEqual(len(list(size.stale([], ["| b | 1 |"]))), 1)


if __name__ == "__main__":
    unittest.main()
