# SPDX-License-Identifier: BSL-1.0
"""`cotter selftest`, `--version`, `--help`, and command lines that cannot be obeyed."""

import subprocess
import unittest

from lab import cotter, main, settings

backends = ["openssl", "wolfssl", "mbedtls"]


class Selftest(unittest.TestCase):
    def test_every_backend_of_this_binary_proves_itself(self):
        result = cotter("selftest", "--json")
        self.assertEqual(result.status, 0, result.stdout)
        self.assertEqual([line["backend"] for line in result.lines], backends)
        for line in result.lines:
            self.assertIs(line["passed"], True)
            self.assertIs(line["server_side_available"], True)
            self.assertEqual([case["seen"] for case in line["cases"]],
                             ["accepted", "pin_mismatch", "pkix", "hostname", "validity"])

    def test_one_backend_can_be_chosen(self):
        for backend in backends:
            self.assertEqual(cotter("selftest", "--json", "--backend", backend).line["backend"],
                             backend)

    def test_text_is_a_table(self):
        result = cotter("selftest")
        self.assertEqual(result.stdout.count("pass  "), 15)


class CommandLine(unittest.TestCase):
    def test_version_names_the_libraries_and_the_licence(self):
        result = cotter("--version")
        self.assertEqual(result.status, 0)
        for word in [*backends, "GPL-3.0-or-later"]:
            self.assertIn(word, result.stdout)

    def test_help_is_no_error(self):
        for arguments in [], ["fingerprint"], ["connect"], ["selftest"]:
            result = cotter(*arguments, "--help")
            self.assertEqual((result.status, result.stderr), (0, ""))
            self.assertIn("Usage:", result.stdout)

    def test_what_cannot_be_obeyed_is_usage(self):
        for arguments in ([], ["no-such-verb"], ["fingerprint"], ["connect"],
                          ["selftest", "--backend", "gnutls"], ["selftest", "too", "many"],
                          ["connect", "wss://h/", "--pin"],
                          ["fingerprint", "--no-such-option", "f"]):
            with self.subTest(arguments):
                result = cotter(*arguments)
                self.assertEqual((result.status, result.stdout), (3, ""))
                self.assertIn("usage", result.stderr)
                if arguments:
                    result = cotter(arguments[0], "--json", *arguments[1:])
                    self.assertEqual(result.status, 3)
                    self.assertEqual(result.line["error"]["code"], "usage")

    def test_a_result_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([settings.command, "selftest"], stdout=full, check=False,
                                     stderr=subprocess.DEVNULL, timeout=60)
        self.assertEqual(process.returncode, 3)

    def test_usage_errors_do_not_repeat_what_may_be_secret(self):
        result = cotter("connect", "tls://h:1", "--send", "REGISTER", "hunter2", "--json")
        self.assertEqual(result.status, 3)
        self.assertNotIn("hunter2", result.stderr + result.stdout)


if __name__ == "__main__":
    main()
