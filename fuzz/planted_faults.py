#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Shows that each fuzz target can fail: plants a fault in a copy of the sources, builds the target
from it without libFuzzer, and demands that the seeds and regressions make it abort.

usage: planted_faults.py --cmake CMAKE --build DIR --planted DIR --corpus DIR TARGET...
"""
import argparse
import pathlib
import shutil
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
FOLDERS = (
    "include", "backends", "integrations", "fuzz", "tools/cotter",
    "tests/agreement", "tests/certificate", "tests/vectors",
)
FOREVER = 60  # seconds; a target that hangs has found nothing

# By target: what the fault is, the file, what stands there, what is put in its place.
FAULTS = {
    "der_reader": (
        "a tag number with leading zeros counts as minimal",
        "include/cotter/der/reader.hpp",
        "if (number == 0 && octet == 0x80) h.minimal = false;",
        "",
    ),
    "certificate_form": (
        "a certificate with something behind it counts as canonical",
        "include/cotter/certificate/form.hpp",
        "form.canonical = form.minimal_shell && document.at_end();",
        "form.canonical = form.minimal_shell;",
    ),
    "form_twin": (
        "a signature may have unused bits",
        "include/cotter/certificate/form.hpp",
        "if (octets[0] != 0) {",
        "if (octets[0] > 7) {",
    ),
    "certificate_view": (
        "the year 50 of UTCTime is 2050",
        "include/cotter/certificate/view.hpp",
        "(yy >= 50 ? 1900 : 2000)",
        "(yy > 50 ? 1900 : 2000)",
    ),
    "names": (
        "a wildcard names whole top-level domains",
        "include/cotter/certificate/names.hpp",
        "return parent.find('.') != std::string_view::npos &&",
        "return",
    ),
    "pem": (
        "a private key counts as a certificate",
        "tools/cotter/pem.cpp",
        "const bool is_certificate = label == PEM_STRING_X509 ||",
        "const bool is_certificate = label == PEM_STRING_X509 || label == PEM_STRING_PKCS8INF ||",
    ),
    "upgrade": (
        "an answer need not prove that it saw the key",
        "include/cotter/net/upgrade.hpp",
        "return upgrades == 1 && connection && accepts == 1 &&",
        "return upgrades == 1 && connection && accepts < 2 &&",
    ),
    "websocket": (
        "the reason of a Close frame need not be UTF-8",
        "include/cotter/net/websocket.hpp",
        "octets.size() == 1 || (octets.size() > 2 && !detail::is_utf8(octets.substr(2)))",
        "octets.size() == 1",
    ),
    "engine_openssl": (
        "a handshake that failed counts as complete",
        "backends/openssl/cotter/backends/openssl/engine.hpp",
        "want::failed, 0, {truncated && end_ ? errc::tls_truncated : errc::tls_failure, 0, why}};",
        "want::nothing, 0, {}};",
    ),
    "engine_wolfssl": (
        "a handshake that failed counts as complete",
        "backends/wolfssl/cotter/backends/wolfssl/engine.hpp",
        "return fail(cut_short_ ? errc::tls_truncated : errc::tls_failure, why);",
        "return {want::nothing, 0, {}};",
    ),
    "engine_mbedtls": (
        "a handshake that failed counts as complete",
        "backends/mbedtls/cotter/backends/mbedtls/engine.hpp",
        "failure_ = {errc::tls_failure, 0, result};",
        "return {want::nothing, 0, {}};",
    ),
    "envelope": (
        "a key that has signed twice counts twice",
        "integrations/json/cotter/json/trusted_keys.hpp",
        "if (counted[*signer]) refuse(",
        "if (false) refuse(",
    ),
    "manifest": (
        "a region may be nobody's default",
        "integrations/json/cotter/json/manifest.hpp",
        "if (defaults == 0) {",
        "if (false) {",
    ),
    "pin_spelling": (
        "cotter's own spelling may be in upper case",
        "integrations/json/cotter/json/spelling.hpp",
        "if (text[i] >= 'A' && text[i] <= 'Z') return",
        "if (text[i] == 'Z') return",
    ),
    "audit_record": (
        "a refusal may have been accepted by a pin",
        "include/cotter/values/audit_encoding.hpp",
        "if (by != matched::none || would != reason::none) from.bad = true;",
        "",
    ),
    "http_report": (
        "a connection that ends in the middle of an answer has agreed",
        "include/cotter/net/http_report.hpp",
        "if (!complete_) return errc::report_truncated;",
        "if (!complete_ && !has_header_) return errc::report_truncated;",
    ),
    "audit_segment": (
        "a record that has been damaged ends the segment",
        "integrations/posix/cotter/posix/audit_segment.hpp",
        """      at += header->frame_bytes();
      continue;
    }
    if (at == from""",
        """      break;
    }
    if (at == from""",
    ),
    "backends_agree": (
        "the octets of the wire are hashed in place of form C",
        "include/cotter/pipeline/assessment.hpp",
        "write_form(form, [&](bytes_view piece) noexcept { certificate_hasher.update(piece); });",
        "certificate_hasher.update(der);",
    ),
}


def copy_sources(planted):
    shutil.rmtree(planted, ignore_errors=True)
    for folder in FOLDERS:
        for source in (ROOT / folder).rglob("*"):
            if source.suffix in (".hpp", ".ipp", ".cpp"):
                copy = planted / source.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, copy)


def plant(target, planted):
    _, file, old, new = FAULTS[target]
    text = (ROOT / file).read_text()
    found = text.count(old)
    if found != 1:
        sys.exit(f"{target}: {file} has it {found} times instead of once: {old!r}")
    (planted / file).write_text(text.replace(old, new))


def how_it_ended(program, folders):
    """(what the process ended with, the last input it began and what it said of it)"""
    try:
        run = subprocess.run(
            [program, *folders], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            errors="replace", timeout=FOREVER,
        )
    except subprocess.TimeoutExpired:
        return "hung", ""
    ended = "aborted" if run.returncode == -signal.SIGABRT else f"ended with {run.returncode}"
    return ended, ": ".join(run.stderr.splitlines()[-2:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--planted", required=True, type=pathlib.Path)
    parser.add_argument("--corpus", required=True, type=pathlib.Path)
    parser.add_argument("targets", nargs="+")
    asked = parser.parse_args()

    for target in asked.targets:
        if target not in FAULTS:
            sys.exit(f"{target}: no fault is planted for it")
        copy_sources(asked.planted / target)
        plant(target, asked.planted / target)

    subprocess.run(
        [asked.cmake, "--build", asked.build, "--parallel", "2",
         "--target", *(f"fuzz_planted_{target}" for target in asked.targets)],
        check=True, stdout=subprocess.DEVNULL,
    )
    missed = 0
    for target in asked.targets:
        ended, said = how_it_ended(
            asked.build / "bin" / f"fuzz_planted_{target}",
            [asked.corpus / target, HERE / "regressions" / target],
        )
        missed += ended != "aborted"
        print(f"{'caught' if ended == 'aborted' else 'MISSED, ' + ended}: "
              f"{target}: {FAULTS[target][0]} [{said}]")
    print(f"{len(asked.targets)} faults, {missed} missed")
    sys.exit(1 if missed else 0)


main()
