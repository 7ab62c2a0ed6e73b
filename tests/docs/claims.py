#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks what the documents claim: tests, codes, files, commands, and the units of systemd.

usage: claims.py ROOT FILE... [--command COTTER] [--units DIRECTORY]
A test that is named as ctest names it (`cotter_test_x:its name`, `command_x`) exists. docs/breaker.md
explains every code of stored state. Every `cotter ...` line of a shell block has a verb and options that the
command has; so has the unit, and the documents name its user, socket and file of settings.
Prints WHERE: FAULT. Exit: 0 none, 1 some, 2 nothing to check.
"""
import argparse
import functools
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

TEST_CASE = re.compile(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
SUITE = re.compile(r"cotter_add_test\((\w+)([^)]*)\)")
CITED = re.compile(r"`(cotter_test_\w+):([^`]+)`")
CITED_WHOLE = re.compile(r"`(command_\w+)`")
COMMAND_TEST = re.compile(r"cotter_add_command_test\((\w+)")
STORED = re.compile(r"case errc::((?:state|reset)_\w+|bad_seal):")
EXPLAINED = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
MENTIONED = re.compile(r"`(cotter [^`]+)`")
SHELL = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@functools.cache
def names_in(source):
    joined = ("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found))
              for found in TEST_CASE.findall(source.read_text()))
    return [name.replace('\\"', '"') for name in joined]


@functools.cache
def suites(root):
    """The names of every suite's tests, for those that ctest runs one by one."""
    out = {}
    for file in (root / "tests").rglob("CMakeLists.txt"):
        for name, words in SUITE.findall(file.read_text()):
            if "WHOLE" in words.split():
                continue
            sources = [file.parent / word for word in words.split() if word.endswith(".cpp")]
            out[name] = [one for source in sources if source.is_file() for one in names_in(source)]
    return out


def faults_of_tests(root):
    for suite, names in sorted(suites(root).items()):
        for name in names:
            if ";" in name:
                yield suite, f"ctest cuts this name at its semicolon and runs nothing: {name}"


def faults_of_citations(root, document):
    known = suites(root)
    for suite, name in CITED.findall(document.read_text()):
        if name not in known.get(suite, []):
            yield document, f"there is no test {suite}:{name}"
    whole = {name for file in (root / "tests").rglob("CMakeLists.txt")
             for name in COMMAND_TEST.findall(file.read_text())}
    for name in CITED_WHOLE.findall(document.read_text()):
        if name not in whole:
            yield document, f"there is no test {name}"


def faults_of_codes(root):
    document = root / "docs/breaker.md"
    codes = set(STORED.findall((root / "include/cotter/values/error.hpp").read_text()))
    explained = set(EXPLAINED.findall(document.read_text()))
    for code in sorted(codes - explained):
        yield document, f"{code} is not explained"
    for code in sorted(explained - codes):
        if code.startswith(("state_", "reset_")):
            yield document, f"there is no code {code}"


class Command:
    def __init__(self, path):
        self.path = path

    @functools.cache
    def help(self, *verb):
        told = subprocess.run([self.path, *verb, "--help"], capture_output=True, text=True)
        return told.stdout if told.returncode == 0 else None

    def faults(self, words, mentioned=False):
        """What is wrong with `cotter WORDS`; of what is only mentioned, nothing is missing."""
        verb = []
        for word in words:
            about = self.help(*verb)
            listed = re.search(rf"^  {re.escape(word)}\s", about, re.MULTILINE)
            if word.startswith("-") or not listed or self.help(*verb, word) is None:
                break
            verb.append(word)
        about = self.help(*verb)
        if not verb and mentioned and words and words[0].startswith("--"):
            pass
        elif not verb or "SUBCOMMAND" in about.split("\n\n")[0]:
            yield f"there is no verb in: cotter {' '.join(words)}"
            return
        known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", about))
        given = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        for option in sorted(given - known):
            yield f"cotter {' '.join(verb)} has no option {option}"
        if mentioned:
            return
        needed = set(re.findall(r"^  (--[a-z-]+) .*REQUIRED", about, re.MULTILINE))
        for option in sorted(needed - given):
            yield f"cotter {' '.join(verb)} needs {option}"


def faults_of_commands(command, document):
    for block in SHELL.findall(document.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words and words[0] == "cotter":
                for fault in command.faults(words[1:]):
                    yield document, fault


def commands_in(text):
    """The words of each `cotter ...` that a sentence mentions."""
    for quoted in MENTIONED.findall(text):
        yield shlex.split(quoted)


def faults_of_text(command, text):
    for words in commands_in(text):
        yield from command.faults(words[1:], mentioned=True)


def settings_of(unit):
    out = {}
    for line in unit.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            out.setdefault(key, value)
    return out


def faults_of_units(root, command, units):
    service, socket = (units / ("cotter-vault." + kind) for kind in ("service", "socket"))
    document = root / "docs/breaker.md"
    text = document.read_text()
    serves, listens = settings_of(service), settings_of(socket)
    started = shlex.split(serves["ExecStart"])
    users = re.search(r'COTTER_VAULT_USERS="([^"]*)"', text)
    if not users or "$COTTER_VAULT_USERS" not in started:
        yield document, "it does not say what COTTER_VAULT_USERS is"
    else:
        at = started.index("$COTTER_VAULT_USERS")
        started[at:at + 1] = users.group(1).split()
    if pathlib.Path(started[0]).name != "cotter" or "@" in started[0]:
        yield service, f"it does not start cotter: {started[0]}"
    for fault in command.faults(started[1:]):
        yield service, fault
    for what in (f"useradd --system --user-group --no-create-home --home-dir /nonexistent "
                 f"--shell /usr/sbin/nologin {serves['User']}",
                 "service:" + listens["ListenSequentialPacket"], serves["EnvironmentFile"],
                 "/var/lib/" + serves["StateDirectory"] + "`"):
        if what not in text:
            yield document, f"the units say otherwise: {what}"
    if "PrivateUsers" in serves:
        yield service, "in a user namespace every client is nobody"


def faults_of_drainer(root, command, units):
    """The unit that delivers a trail starts with what the manual says that its settings are."""
    service, document = units / "cotter-audit@.service", root / "docs/audit.md"
    runs, text = settings_of(service), document.read_text()
    settings = {}
    for block in SHELL.findall(text):
        for word in shlex.split(block, comments=True):
            if word.startswith("COTTER_AUDIT_"):
                name, _, value = word.partition("=")
                settings[name] = value.strip('"')
    started = []
    for word in shlex.split(runs["ExecStart"]):
        name = word.removeprefix("$")
        if word.startswith("$") and name not in settings:
            yield document, f"it does not say what {name} is"
        started += settings.get(name, "").split() if word.startswith("$") else [word]
    if pathlib.Path(started[0]).name != "cotter" or "@" in started[0]:
        yield service, f"it does not start cotter: {started[0]}"
    for fault in command.faults(started[1:]):
        yield service, fault
    for what in (runs["EnvironmentFile"].replace("%i", "phone"), "cotter-audit@phone.service",
                 *(path.lstrip("-").replace("%i", "phone")
                   for path in runs["ReadWritePaths"].split())):
        if what not in text:
            yield document, f"the unit says otherwise: {what}"


def faults_by_systemd(command, units):
    tool = shutil.which("systemd-analyze")
    if not tool:
        return
    with tempfile.TemporaryDirectory() as directory:
        copies = []
        for name in ("cotter-vault.service", "cotter-vault.socket", "cotter-audit@.service"):
            text = (units / name).read_text()
            # It looks for the program, which is not installed here.
            text = re.sub(r"^ExecStart=\S+", f"ExecStart={command.path}", text, flags=re.MULTILINE)
            copies.append(pathlib.Path(directory, name.replace("@", "@root")))
            copies[-1].write_text(text)
        told = subprocess.run([tool, "--man=no", "verify", *map(str, copies)],
                              capture_output=True, text=True)
        for line in (told.stdout + told.stderr).splitlines():
            if "cotter-" in line:
                yield units, line


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("documents", nargs="*", type=pathlib.Path)
    parser.add_argument("--command")
    parser.add_argument("--units", type=pathlib.Path)
    given = parser.parse_args(arguments)
    found = [*faults_of_tests(given.root), *faults_of_codes(given.root)]
    cited = 0
    for document in given.documents:
        cited += len(CITED.findall(document.read_text()))
        found += faults_of_citations(given.root, document)
    if given.command:
        command = Command(pathlib.Path(given.command).resolve())
        for document in given.documents:
            found += faults_of_commands(command, document)
        if given.units:
            found += faults_of_units(given.root, command, given.units)
            found += faults_of_drainer(given.root, command, given.units)
            found += faults_by_systemd(command, given.units)
    for where, fault in found:
        print(f"{where}: {fault}")
    print(f"{cited} tests named")
    return 1 if found else 0 if cited else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
