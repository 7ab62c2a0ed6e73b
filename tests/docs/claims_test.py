#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Plants one fault at a time in documents, units and tests, and sees that claims.py finds it."""
import pathlib
import tempfile
import unittest

import claims

ERRORS = 'case errc::state_absent: return "";\ncase errc::reset_expired: return "";\n'
TESTS = 'TEST_CASE("what is said, is so") {\n}\nTEST_CASE(\n    "and " "this") {\n}\n'
COMMAND = """#!/bin/sh
case "$*" in
  --help) printf 'Usage: cotter [OPTIONS] SUBCOMMAND\\n\\nSubcommands:\\n  vault   Keep\\n' ;;
  'vault --help') printf 'Usage: cotter vault SUBCOMMAND\\n\\nSubcommands:\\n  serve   It\\n' ;;
  'vault serve --help')
    printf 'Usage: cotter vault serve\\n\\nOptions:\\n  --directory PATH REQUIRED  It\\n  --user USER ... REQUIRED  It\\n' ;;
  *) exit 3 ;;
esac
"""
SERVICE = """[Service]
User=keeper
StateDirectory=kept
EnvironmentFile=/etc/kept.env
ExecStart=/usr/bin/cotter vault serve --directory %S/kept $COTTER_VAULT_USERS
"""
SOCKET = "[Socket]\nListenSequentialPacket=/run/kept.socket\n"
DOCUMENT = """| `state_absent` | gone |
| `reset_expired` | late |
It is shown: `cotter_test_good:what is said, is so`, `cotter_test_good:and this`, `command_good`.
```sh
useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin keeper
echo 'COTTER_VAULT_USERS="--user phone"' > /etc/kept.env
cotter vault serve --directory x \\
  --user phone   # service:/run/kept.socket
```
In `/var/lib/kept`.
"""


class Claims(unittest.TestCase):
    def faults(self, document=DOCUMENT, tests=TESTS, errors=ERRORS, service=SERVICE):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            files = {"docs/breaker.md": document, "tests/one/good_test.cpp": tests,
                     "tests/one/CMakeLists.txt": "cotter_add_test(cotter_test_good good_test.cpp)\n"
                     "cotter_add_command_test(command_good good_test.py)\n",
                     "include/cotter/values/error.hpp": errors, "cotter": COMMAND,
                     "units/cotter-vault.service": service, "units/cotter-vault.socket": SOCKET}
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            (root / "cotter").chmod(0o755)
            command = claims.Command(root / "cotter")
            written = root / "docs/breaker.md"
            return [str(fault) for _, fault in [
                *claims.faults_of_tests(root), *claims.faults_of_codes(root),
                *claims.faults_of_citations(root, written),
                *claims.faults_of_commands(command, written),
                *claims.faults_of_units(root, command, root / "units")]]

    def finds(self, what, **planted):
        found = self.faults(**planted)
        self.assertTrue(any(what in fault for fault in found), found)

    def test_what_is_so_has_no_faults(self):
        self.assertEqual(self.faults(), [])

    def test_a_test_that_is_not_there_is_found(self):
        self.finds("there is no test cotter_test_good:and this",
                   tests=TESTS.replace('"this"', '"that"'))
        self.finds("there is no test cotter_test_other:",
                   document=DOCUMENT.replace("good:and", "other:and"))
        self.finds("there is no test command_bad",
                   document=DOCUMENT.replace("command_good", "command_bad"))

    def test_a_name_that_ctest_cuts_is_found(self):
        self.finds("cuts this name", tests=TESTS.replace("said, is", "said; is"))

    def test_a_code_that_is_not_explained_or_not_there_is_found(self):
        self.finds("state_new is not explained", errors=ERRORS + "case errc::state_new: x")
        self.finds("there is no code state_absent", errors=ERRORS.replace("absent", "gone"))

    def test_a_command_that_is_not_there_is_found(self):
        self.finds("no verb", document=DOCUMENT.replace("vault serve", "vault sell"))
        self.finds("has no option --users", document=DOCUMENT.replace("--user phone  ", "--users x"))
        self.finds("needs --directory", document=DOCUMENT.replace("--directory x", ""))

    def test_a_unit_that_says_otherwise_is_found(self):
        for old, new, what in [("serve", "sell", "no verb"),
                               ("--directory", "--folder", "has no option --folder"),
                               ("$COTTER_VAULT_USERS", "", "COTTER_VAULT_USERS"),
                               ("/usr/bin/cotter", "@bin@/cotter", "does not start cotter"),
                               ("User=keeper", "User=nobody", "say otherwise"),
                               ("/etc/kept.env", "/etc/other", "say otherwise"),
                               ("[Service]", "[Service]\nPrivateUsers=yes", "namespace")]:
            self.finds(what, service=SERVICE.replace(old, new))


if __name__ == "__main__":
    unittest.main()
