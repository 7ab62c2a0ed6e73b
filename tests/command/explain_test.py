# SPDX-License-Identifier: BSL-1.0
"""`cotter explain`: a page for every word that cotter says, and each one something to act on."""

import functools
import os
import re
import sys
import unittest

from lab import cotter, main, read, repository, settings

sys.path.insert(0, os.path.join(repository, "tests", "docs"))
import claims  # noqa: E402  (found by the path above)

include = os.path.join(repository, "include", "cotter")
tools = os.path.join(repository, "tools", "cotter")


def spellings(header, function):
    """What a function of the form `switch (x) { case a: return "b"; ... }` returns."""
    body = re.search(re.escape(function) + r".*?\n}\n", read(os.path.join(include, header)), re.S)
    words = re.findall(r'case \w+::\w+: return "(\w+)";', body.group())
    if not words:
        raise AssertionError(f"{function} says nothing")
    return words


def words_of_kind():
    return {
        "error": spellings("values/error.hpp", "code(errc c)"),
        "reason": spellings("values/verdict.hpp", "to_string(reason r)"),
        "diagnosis": spellings("values/diagnosis.hpp", "to_string(cause c)"),
        "evidence": spellings("values/diagnosis.hpp", "to_string(evidence e)"),
        "event": spellings("values/audit_record.hpp", "to_string(audit_type t)"),
    }


def findings():
    """The codes that the command gives besides the library's."""
    shapes = [r'\badd\("([a-z_]+)",\s*(?:severity::|\w+ \?)', r'\bsay\("([a-z_]+)", exit_code::',
              r'\bproblem(?: p)?\{"([a-z_]+)",', r'push_back\(\{"([a-z_]+)", exit_code::']
    found = set()
    for folder, _, names in os.walk(tools):
        for name in names:
            if name.endswith((".cpp", ".hpp")):
                text = read(os.path.join(folder, name))
                found |= {word for shape in shapes for word in re.findall(shape, text)}
    return found


@functools.cache
def pages():
    result = cotter("explain", "--list", "--json")
    if result.status != 0:
        raise AssertionError(result.stderr)
    return result.lines


def page(word, kind):
    only, = (one for one in pages() if (one["code"], one["kind"]) == (word, kind))
    return only


class Explain(unittest.TestCase):
    def test_every_word_of_the_library_has_a_page_and_no_page_is_of_another_word(self):
        for kind, words in words_of_kind().items():
            with self.subTest(kind):
                self.assertEqual([one["code"] for one in pages() if one["kind"] == kind],
                                 sorted(words, key=words.index))

    def test_every_code_that_the_command_makes_up_has_a_page(self):
        known = {one["code"] for one in pages()}
        self.assertGreater(len(findings()), 30)
        self.assertEqual(findings() - known, set())
        # A word that is gone from the sources is gone from the pages.
        own = {one["code"] for one in pages() if one["kind"] == "finding"}
        self.assertEqual(own - findings(), set())

    def test_the_header_for_programs_gives_advice_for_words_that_have_pages(self):
        text = read(os.path.join(include, "net", "error.hpp"))
        codes = set(re.findall(r"case errc::(\w+):", text))
        reasons = set(re.findall(r"case reason::(\w+):", text))
        self.assertEqual(codes - {one["code"] for one in pages() if one["kind"] == "error"}, set())
        self.assertEqual(reasons, {one["code"] for one in pages() if one["kind"] == "reason"})
        self.assertIn("see `cotter explain`", text)

    def test_every_page_says_what_it_means_how_to_confirm_it_and_what_to_do(self):
        for one in pages():
            with self.subTest(one["code"], kind=one["kind"]):
                self.assertGreaterEqual(len(one["meaning"].split()), 4)
                self.assertRegex(one["meaning"], r"\.$")
                self.assertGreaterEqual(len(one["confirm"].split()), 4)
                self.assertRegex(one["confirm"], "[.?]$")
                self.assertTrue(one["do"])
                self.assertFalse(one["do"].endswith("."))
                self.assertNotIn("report this", one["do"].replace("report this:", ""))

    def test_no_page_is_a_copy_of_another(self):
        for part in "meaning", "confirm":
            seen = {}
            for one in pages():
                before = seen.setdefault(one[part], one["code"])
                self.assertEqual(before, one["code"], f"the same {part}: {one[part]}")

    def test_reasons_and_diagnoses_say_whether_they_count_and_what_the_phone_does(self):
        for one in pages():
            attempt = one["kind"] in ("reason", "diagnosis")
            self.assertEqual(one["counts"] is not None,
                             attempt and (one["kind"], one["code"]) != ("diagnosis", "none"), one)
            self.assertEqual(one["phone"] is not None, one["counts"] is not None, one)
        counting = {one["code"] for one in pages() if one["counts"] == "always"}
        self.assertEqual(counting, {"pin_mismatch"})
        self.assertEqual(page("captive_portal", "diagnosis")["counts"], "never")
        self.assertEqual(page("clock_wrong", "diagnosis")["counts"], "never")

    def test_errors_say_the_same_as_their_pages(self):
        error = cotter("connect", "http://localhost/", "--pin", "x", "--json").line["error"]
        self.assertEqual(error["do"], page(error["code"], "error")["do"])
        error = cotter("fingerprint", os.devnull, "--json").line["error"]
        self.assertEqual(error["code"], "empty_input")
        self.assertEqual(error["do"], page("empty_input", "error")["do"])

    def test_every_command_on_a_page_is_one_that_there_is(self):
        command = claims.Command(settings.command)
        faults = [f"{one['code']}: {fault}" for one in pages()
                  for part in ("meaning", "confirm", "do", "phone")
                  for fault in claims.faults_of_text(command, one[part] or "")]
        self.assertEqual(faults, [])
        named = {line[1] for one in pages() for part in ("confirm", "do")
                 for line in claims.commands_in(one[part])}
        self.assertGreaterEqual(named, {"extract", "selftest", "fingerprint", "manifest", "audit",
                                        "breaker", "rotation", "connect"})

    def test_the_three_edge_cases_can_be_acted_on(self):
        for word in "tls_terminating_proxy", "inspection_proxy":
            one = page(word, "diagnosis")
            self.assertIn("`cotter extract HOST:PORT", one["confirm"])
            self.assertIn("openssl s_client -connect HOST:PORT", one["confirm"])
            self.assertRegex(one["do"], "(?s)pin what the boundary presents")
            self.assertRegex(one["do"], "TLS (through|passes through)")
        skew = page("region_skew", "diagnosis")
        self.assertIn("--connect IP:PORT", skew["confirm"])
        self.assertIn("each region its own primary and fallback", skew["do"])
        self.assertIn("cotter rotation plan", page("rotation_under_way", "diagnosis")["do"])
        self.assertIn("extract", page("fallback_expired", "reason")["confirm"])
        for word in "runtime_mismatch", "malformed_certificate":
            one = page(word, "reason")
            self.assertIn("`cotter selftest`", one["confirm"])
            self.assertIn("`cotter fingerprint", one["confirm"])

    def test_one_word_in_any_spelling_and_all_that_it_is(self):
        for typed in "pin_mismatch", "Pin-Mismatch", "PIN MISMATCH":
            result = cotter("explain", typed, "--json")
            self.assertEqual((result.status, result.line["code"]), (0, "pin_mismatch"))
        result = cotter("explain", "none", "--json")
        self.assertEqual([one["kind"] for one in result.lines], ["reason", "diagnosis"])

    def test_people_read_paragraphs(self):
        result = cotter("explain", "region_skew")
        self.assertEqual(result.status, 0)
        for head in "meaning", "confirm", "do", "breaker", "phone":
            self.assertRegex(result.stdout, rf"(?m)^  {head} +\S")
        self.assertLessEqual(max(map(len, result.stdout.splitlines())), 100)
        said = page("region_skew", "diagnosis")
        self.assertIn(said["do"], re.sub(r"\s+", " ", result.stdout))
        listed = cotter("explain", "--list").stdout.splitlines()
        self.assertEqual(len(listed), len(pages()))

    def test_a_word_that_there_is_not_is_refused_with_the_nearest(self):
        for typed, meant in [("pin_missmatch", "pin_mismatch"), ("captive", "captive_portal"),
                             ("beraker_locked", "breaker_locked"), ("runtme_mismatch", None)]:
            result = cotter("explain", typed, "--json")
            self.assertEqual(result.status, 3)
            error = result.line["error"]
            self.assertEqual(error["code"], "unknown_code")
            self.assertIn(typed, error["seen"])
            self.assertEqual(error["suggestion"].split(", ")[0], meant or "runtime_mismatch")
            self.assertIn("unknown_code", result.stderr)
        error = cotter("explain", "xylophone", "--json").line["error"]
        self.assertNotIn("suggestion", error)
        for line in ["explain"], ["explain", "--list", "pkix"], ["explain", "pkix", "unbound"]:
            result = cotter(*line, "--json")
            self.assertEqual((result.status, result.line["error"]["code"]), (3, "usage"))
        evil = cotter("explain", "\x1b[31m" + "x" * 100_000)
        self.assertEqual(evil.status, 3)
        self.assertNotIn("\x1b", evil.stderr)
        self.assertLess(len(evil.stderr), 1000)


if __name__ == "__main__":
    main()
