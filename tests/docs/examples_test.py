#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Plants one fault at a time in a document and sees that examples.py finds it."""
import pathlib
import tempfile
import unittest

import examples

SOURCE = "int one();\nvoid two() {\n  int a = one();\n  int b = a;\n}\n"


class Examples(unittest.TestCase):
    def faults(self, document, cmake="add_executable(good good.cpp)\n"):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "good.cpp").write_text(SOURCE)
            (root / "CMakeLists.txt").write_text(cmake)
            (root / "README.md").write_text(document)
            return [fault for _, fault in examples.faults(root, root / "README.md")]

    def block(self, text, attributes=" compiled=good.cpp"):
        return f"Words.\n\n```cpp{attributes}\n{text}\n```\n"

    def test_blocks_that_stand_in_their_file_have_no_faults(self):
        self.assertEqual(self.faults(self.block("int one();")), [])
        self.assertEqual(self.faults(self.block("int a = one();\nint b = a;")), [])
        self.assertEqual(self.faults(self.block("  int a = one();\n  int b = a;")), [])

    def test_other_languages_are_not_looked_at(self):
        self.assertEqual(self.faults("```sh\nrm -rf x\n```\n```\nplain\n```\n"), [])

    def test_a_block_that_differs_is_found(self):
        for text in ["int three();", "int a = one();\nint b = 2;", "int b = a;\nint a = one();",
                     "void two() {\nint a = one();"]:
            self.assertIn("does not stand in", self.faults(self.block(text))[0])

    def test_a_block_that_nobody_compiles_is_found(self):
        self.assertIn("does not say where", self.faults(self.block("int one();", ""))[0])
        self.assertIn("does not exist",
                      self.faults(self.block("int one();", " compiled=lost.cpp"))[0])
        self.assertIn("compiled by nobody", self.faults(self.block("int one();"), "")[0])

    def test_a_block_that_is_never_closed_is_found(self):
        self.assertIn("never closed", self.faults("```cpp compiled=good.cpp\nint one();\n")[0])

    def test_documents_without_examples_prove_nothing(self):
        with tempfile.NamedTemporaryFile("w", suffix=".md") as empty:
            self.assertEqual(examples.main([".", empty.name]), 2)


if __name__ == "__main__":
    unittest.main()
