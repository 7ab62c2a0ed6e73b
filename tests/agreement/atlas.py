#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes docs/divergence-atlas.md from what the agreement tests saw.

usage: atlas.py [--check] RESULTS    RESULTS: results.jsonl, which cotter_test_agreement writes
       --check: exit 1 if the committed page differs, 77 if it is about other library versions
"""
import collections
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "divergence-atlas.md"
KEYS = ("rsa2048", "p256", "p384", "ed25519")
SHOWN = {"openssl": "OpenSSL", "wolfssl": "wolfSSL", "mbedtls": "mbedTLS"}
GROUPS = (  # a slug belongs to the first group whose prefix it has
    ("The outer element", ("outer-", "inside-", "nothing", "as-", "preceded-")),
    ("What follows the certificate", ("followed-",)),
    ("The three elements", ("elements-", "tbs-is-")),
    ("Cut short", ("cut-",)),
    ("Sizes and chains", ("size-", "below-", "5-KB", "20-KB", "60-KB", "1000-names",
                          "200-extensions", "100-names")),
    ("signatureAlgorithm", ("algorithm-", "algorithms-")),
    ("signatureValue", ("signature-", "ecdsa-", "ed25519-")),
    ("TBSCertificate changed under its signature", ("kept-signature-",)),
    ("How TBSCertificate is spelled, signed again", ("tbs-",)),
    ("What TBSCertificate says, signed again", ("",)),
)


def read(path):
    backends, vectors, trials = [], [], collections.defaultdict(dict)
    for line in pathlib.Path(path).read_text().splitlines():
        row = json.loads(line)
        if "build" in row:
            backends.append(row)
        elif "form_c_sha256" in row:
            vectors.append(row)
        else:
            trials[row["vector"]][row["backend"], row["version"]] = row
    return backends, vectors, trials


def outcome(trial):
    """What a cell says of one handshake"""
    if trial["accepted"]:
        return "**yes**"
    if trial["reason"] == "malformed_certificate":
        return f"no, `{trial['detail']}`"
    if trial["reason"] == "unbound":
        return f"no, {trial['native']}"
    return f"no, `{trial['reason']}`"


def cell(backend, trials):
    seen = [outcome(trials[backend["backend"], version]) for version in backend["versions"]]
    if len(set(seen)) == 1:
        return seen[0]
    return "; ".join(f"{version}: {each}" for version, each in zip(backend["versions"], seen))


def said(vector, backend):
    """What the library's own export functions give: C, raw, other or nothing"""
    names = {vector["form_c_sha256"]: "C", vector["raw_sha256"]: "raw"}
    if vector["form_c_sha256"] == vector["raw_sha256"]:
        names = {vector["raw_sha256"]: "C"}
    digests = vector["exported"].get(backend["backend"], {})
    found = sorted({names.get(digest, "**other**") for digest in digests.values()})
    return ", ".join(found) if found else "-"


def table(vectors, backends, trials):
    names = [SHOWN[b["backend"]] for b in backends]
    heads = ["vector", "keys", "form C", *names, *(f"{name} exports" for name in names)]
    rows = collections.OrderedDict()
    for vector in vectors:
        key, slug = vector["vector"].split("/", 1)
        form = f"no, `{vector['refused']}`" if vector["refused"] else "yes"
        shown = trials[vector["vector"]]
        row = (slug, form, *(cell(b, shown) for b in backends),
               *(said(vector, b) for b in backends))
        rows.setdefault(row, []).append(key)
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for (slug, form, *cells), keys in rows.items():
        lines.append("| " + " | ".join([slug, ", ".join(keys), form, *cells]) + " |")
    return lines


def expand(pattern, vectors):
    for vector in vectors:
        key, slug = vector["vector"].split("/", 1)
        if pattern in (f"*/{slug}", f"{key}/*", vector["vector"]):
            yield vector["vector"]


def count(backends, vectors, trials):
    """What is said in numbers, in the order of the page"""
    by_name = {vector["vector"]: vector for vector in vectors}
    verdicts = {name: [t["accepted"] for t in seen.values()] for name, seen in trials.items()}
    pins = {name: {t["fingerprint"] for t in seen.values()} - {""} for name, seen in trials.items()}
    some = {name for name, accepted in verdicts.items() if any(accepted)}
    every = {name for name, accepted in verdicts.items() if all(accepted)}

    def exports(name):
        return {digest for b in backends
                if any(trials[name][b["backend"], version]["accepted"] for version in b["versions"])
                for digest in by_name[name]["exported"].get(b["backend"], {}).values()}
    return some, {
        "vectors": len(vectors),
        "handshakes": sum(map(len, verdicts.values())),
        "handshakes completed": sum(map(sum, verdicts.values())),
        "vectors with which every backend completes": len(every),
        "vectors with which some backend completes and another does not": len(some - every),
        "vectors with which no backend completes": len(vectors) - len(some),
        "handshakes in which a leaf was seen and had a form C":
            sum(bool(t["fingerprint"]) for seen in trials.values() for t in seen.values()),
        "vectors for which two backends compute different pins":
            sum(len(seen) > 1 for seen in pins.values()),
        "vectors without form C with which a backend completes":
            sum(bool(by_name[name]["refused"]) for name in some),
        "vectors for which the libraries' own exports differ, where the handshake completes":
            sum(len(exports(name)) > 1 for name in some),
    }


INTRODUCTION = """\
# Divergence atlas

Made by tests/agreement/atlas.py from what the tests with the label `agreement` saw; do not edit.

Libraries: {builds}.

Each vector of tests/vectors/vectors.json is sent as a server's leaf, octet by octet, to a client of
each library under a guard, TLS 1.2 and 1.3 where the library has it, with the CA, the name and the
validity checked. Pinned is form C of the leaf, as an independent implementation computes it.

| | |
|---|---|
{numbers}

## Known differences in what is accepted

No normalisation makes libraries accept the same certificates. Where one completes and another does
not, this is why, and when the entry has to go; a difference that is not listed fails the tests, and
so does an entry that no longer holds (tests/agreement/divergences.json).

| library | refuses, since | until | vectors |
|---|---|---|---|
{known}

## Vector by vector

*form C*: whether there is one, or why not. *A library*: whether the guarded handshake completes; if
not, cotter's reason, the fault in the leaf that it names, or the library's own error number where
it ended the handshake by itself. *exports*: what SHA-256 over the library's own export functions
(`i2d_X509` and `X509_digest`; `wolfSSL_X509_get_der`; `mbedtls_x509_crt.raw`) would have pinned: C
is form C, raw the octets as sent, - that the library does not parse them.
"""


def page(path):
    backends, vectors, trials = read(path)
    some, numbers = count(backends, vectors, trials)
    builds = ", ".join(" ".join(b["build"].split()[:3 if b["build"].startswith("mbed ") else 2])
                       for b in backends)
    known = []
    for entry in json.loads((HERE / "divergences.json").read_text())["divergences"]:
        names = {name for pattern in entry["vectors"] for name in expand(pattern, vectors)} & some
        versions = f" (TLS {', '.join(entry['versions'])})" if "versions" in entry else ""
        known.append(f"| {SHOWN[entry['backend']]}{versions} | {entry['because']} "
                     f"| {entry['until']} | {len(names)} |")
    lines = [INTRODUCTION.format(
        builds=builds, known="\n".join(known),
        numbers="\n".join(f"| {what} | {number} |" for what, number in numbers.items())).rstrip()]
    left = list(vectors)
    for title, prefixes in GROUPS:
        chosen = [v for v in left if v["vector"].split("/", 1)[1].startswith(prefixes)]
        left = [v for v in left if v not in chosen]
        lines += ["", f"### {title}", "", *table(chosen, backends, trials)]
    return "\n".join(lines) + "\n", builds


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 3
    wanted, builds = page(arguments[0])
    if "--check" not in sys.argv:
        PAGE.write_text(wanted)
        return 0
    current = PAGE.read_text() if PAGE.is_file() else ""
    if f"Libraries: {builds}." not in current and current:
        print(f"{PAGE.name} is about other libraries than {builds}")
        return 77
    if current != wanted:
        print(f"{PAGE.name} is not what {pathlib.Path(__file__).name} makes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
