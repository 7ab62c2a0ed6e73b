#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Holds the renderings of audit events against the schemas of docs/schemas, and those against the code.

usage: schemas_test.py EMIT ROOT
EMIT prints events (emit.cpp). Needs jsonschema 4.10 or later (Debian: python3-jsonschema).
"""
import base64
import copy
import datetime
import json
import pathlib
import re
import subprocess
import sys
import unittest

import jsonschema

EMIT = ROOT = None
NAMES = {"cotter": "cotter-audit-1", "hpkp": "hpkp-report", "ecs": "cloudevents-ecs"}
DECISIONS = {"accepted", "resumed", "would_refuse", "refused"}

formats = jsonschema.FormatChecker()


@formats.checks("date-time")
def is_date_time(text):
    """RFC 3339, with days that the calendar has; year 0, which Python has not, is a leap year."""
    if not isinstance(text, str):
        return True
    text = "2000" + text[4:] if text.startswith("0000") else text
    try:
        datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return False
    return True


@formats.checks("uri-reference")
@formats.checks("uri")
def is_uri(text):
    return not isinstance(text, str) or bool(re.fullmatch(r"([!#-;=?-\[\]_a-z~]|%[0-9A-F]{2})*", text))


def load(name):
    schema = json.loads((ROOT / "docs" / "schemas" / f"{NAMES[name]}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def validator(name):
    return jsonschema.Draft202012Validator(load(name), format_checker=formats)


def run(what):
    return subprocess.run([EMIT, what], check=True, stdout=subprocess.PIPE, timeout=60).stdout


def strict(text):
    """JSON that is the same for every reader: no name twice, no NaN."""

    def unique(pairs):
        assert len(pairs) == len(dict(pairs)), "a name twice"
        return dict(pairs)

    def refuse(word):
        raise AssertionError(word)

    return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)


def events(what):
    return [strict(line) for line in run(what).decode("ascii").splitlines()]


def enums(node, found=None):
    """Every enum of a schema, as sorted tuples."""
    found = [] if found is None else found
    if isinstance(node, dict):
        if "enum" in node:
            found.append(tuple(node["enum"]))
        for child in node.values():
            enums(child, found)
    elif isinstance(node, list):
        for child in node:
            enums(child, found)
    return found


def described(node, path, missing):
    """Names the objects and named things of a schema that nobody has described."""
    for name, one in node.get("$defs", {}).items():
        if "description" not in one and one.get("type") != "object":
            missing.append(f"{path}/$defs/{name}")


class EveryLine(unittest.TestCase):
    def test_every_line_is_valid(self):
        for name in NAMES:
            check = validator(name)
            lines = events(name)
            self.assertGreater(len(lines), 400)
            for event in lines:
                for fault in check.iter_errors(event):
                    self.fail(f"{name}: {fault.json_path}: {fault.message}\n{json.dumps(event)[:2000]}")

    def test_lines_are_the_same_each_time_and_hold_no_control_character(self):
        for name in NAMES:
            octets = run(name)
            self.assertEqual(octets, run(name))
            self.assertFalse(re.search(rb"[^\n -~]", octets))
            self.assertNotIn(b"\\u0000", octets)
            self.assertFalse(re.search(rb"\\ud[89ab]..(?!\\ud[c-f])", octets), "a lone surrogate")

    def test_every_word_of_every_enumeration_occurs(self):
        spelled = strict(run("spellings"))
        lines = events("cotter")
        seen = {key: set() for key in spelled}
        for one in lines:
            seen["type"].add(one["type"])
            seen["matched"].add(one.get("matched"))
            seen["reason"] |= {one.get("reason"), one.get("wouldRefuse"),
                               one.get("manifest", {}).get("reason")}
            guess = one.get("diagnosis", {})
            seen["cause"].add(guess.get("cause"))
            seen["evidence"] |= set(guess.get("evidence", []))
            for key in ("state", "before"):
                seen["breakerState"].add(one.get("breaker", {}).get(key))
            seen["manifestChange"].add(one.get("manifest", {}).get("change"))
            seen["clockFault"].add(one.get("clock", {}).get("fault"))
            seen["errorCode"].add(one.get("manifest", {}).get("error", {}).get("code"))
        for key, words in spelled.items():
            self.assertEqual(set(words), seen[key] - {None}, key)
        pairs = {(one["reason"], one.get("diagnosis", {}).get("cause", "none"))
                 for one in lines if one["type"] == "refused"}
        for why in set(spelled["reason"]) - {"none"}:
            for cause in spelled["cause"]:
                self.assertIn((why, cause), pairs)

    def test_a_report_is_sent_of_refusals_only(self):
        wanted = [e["id"] for e in events("cotter") if e["type"] in ("refused", "would_refuse")]
        self.assertEqual(wanted, [e["cotter-event-id"] for e in events("hpkp")])

    def test_the_three_renderings_say_the_same(self):
        check = validator("cotter")
        reports = {e["cotter-event-id"]: e for e in events("hpkp")}
        clouds = events("ecs")
        own = events("cotter")
        self.assertEqual(len(clouds), len(own))
        for cloud, event in zip(clouds, own):
            self.assertEqual(cloud["id"], event["id"])
            self.assertEqual(cloud["type"], "io.cotter.audit." + event["type"])
            self.assertEqual({cloud["time"], cloud["data"]["@timestamp"]}, {event["time"]})
            again = dict(cloud["data"]["cotter"], id=event["id"], time=event["time"])
            tls = cloud["data"].get("tls", {})
            if event["type"] in DECISIONS:
                again["resumed"] = tls["resumed"]
            server = tls.get("server", {})
            if "hash" in server:
                again["fingerprint"] = server["hash"]["sha256"].lower()
            leaf = {to: server[key] for key, to in
                    (("not_before", "notBefore"), ("not_after", "notAfter")) if key in server}
            if "certificate" in server:
                der = base64.b64decode(server["certificate"], validate=True)
                body = base64.b64encode(der).decode()
                leaf["pem"] = "".join(
                    ["-----BEGIN CERTIFICATE-----\n",
                     *(body[i:i + 64] + "\n" for i in range(0, len(body), 64)),
                     "-----END CERTIFICATE-----\n"])
            if leaf:
                again["leaf"] = leaf
            self.assertEqual(again, event)
            check.validate(again)
            report = reports.get(event["id"])
            if report is None:
                continue
            self.assertEqual(report["hostname"], event["target"]["host"])
            self.assertEqual(report["port"], event["target"]["port"])
            self.assertEqual(report["app-vendor-id"], event.get("clientId", ""))
            self.assertEqual(report["cotter-reason"], event.get("reason") or event["wouldRefuse"])
            self.assertEqual(report["enforce-pinning"], event["type"] == "refused")
            self.assertEqual(report.get("cotter-fingerprint"), event.get("fingerprint"))
            self.assertEqual(report["served-certificate-chain"],
                             [event["leaf"]["pem"]] if "pem" in event.get("leaf", {}) else [])
            pins = [p["pin"] for p in event.get("pins", [])]
            self.assertEqual(report["cotter-certificate-pins"],
                             [p for p in pins if p.startswith("cert-")])
            keys = [base64.b64decode(p[len('pin-sha256="'):-1]).hex() for p in report["known-pins"]]
            self.assertEqual(keys, [p.split(":")[1] for p in pins if p.startswith("spki-")])


class Schemas(unittest.TestCase):
    def test_enumerations_are_those_of_the_code(self):
        spelled = strict(run("spellings"))
        own = load("cotter")["$defs"]
        for key, words in spelled.items():
            self.assertEqual(words, own[key]["enum"], key)
        report = load("hpkp")["properties"]
        self.assertEqual(report["cotter-reason"]["enum"], spelled["reason"][1:])
        self.assertEqual(report["cotter-diagnosis"]["enum"], spelled["cause"][1:])
        cloud = load("ecs")["properties"]
        self.assertEqual(cloud["type"]["enum"], ["io.cotter.audit." + t for t in spelled["type"]])
        self.assertEqual(cloud["data"]["properties"]["cotter"]["properties"]["type"]["enum"],
                         spelled["type"])

    def test_no_other_list_of_words_has_a_word_that_the_code_has_not(self):
        every = {w for words in strict(run("spellings")).values() for w in words}
        elsewhere = {"host", "sip", "primary", "fallback"}
        for words in enums(load("cotter")):
            self.assertLessEqual(set(words), every | elsewhere)

    def test_words_of_ecs_are_those_that_ecs_allows(self):
        # docs of ECS 8.17: allowed values, and the types expected of each category used here.
        expected = {"network": {"access", "allowed", "connection", "denied", "end", "info", "protocol",
                                "start"},
                    "host": {"access", "change", "end", "info", "start"},
                    "configuration": {"access", "change", "creation", "deletion", "info"}}
        for one in events("ecs"):
            event = one["data"]["event"]
            self.assertLessEqual(set(event["type"]), expected[event["category"][0]])

    def test_everything_is_described(self):
        for name in NAMES:
            schema = load(name)
            missing = [key for key, one in schema["properties"].items()
                       if name == "cotter" and "description" not in one
                       and "description" not in schema["$defs"].get(
                           one.get("$ref", "").rsplit("/")[-1], {})]
            described(schema, name, missing)
            self.assertEqual([], missing)


def at(document, path):
    for key in path[:-1]:
        document = document[key]
    return document, path[-1]


GONE = object()


class WrongDocuments(unittest.TestCase):
    """What a schema must refuse. Each is a good document with one thing changed."""

    def refuse(self, name, pick, changes):
        check = validator(name)
        good = next(e for e in events(name) if pick(e))
        check.validate(good)
        for path, wrong in changes:
            document = copy.deepcopy(good)
            where, key = at(document, path)
            if wrong is GONE:
                del where[key]
            else:
                where[key] = wrong
            with self.subTest(schema=name, path=path, wrong=wrong):
                self.assertFalse(check.is_valid(document))

    def test_of_cotter(self):
        def full(e):
            return (e["type"] == "refused" and "pem" in e.get("leaf", {}) and "pins" in e
                    and "detail" in e and "owner" in e.get("diagnosis", {}) and "backend" in e
                    and "manifest" in e and "since" in e)

        self.refuse("cotter", full, [
            (["schema"], "cotter.audit/2"), (["schema"], GONE), (["id"], GONE), (["id"], "7"),
            (["id"], "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf-07"), (["time"], GONE),
            (["time"], "2026-02-30T00:00:00Z"), (["time"], "2026-02-03T00:00:00+01:00"),
            (["time"], "2026-02-03T00:00:00.5Z"), (["time"], 1780000000), (["type"], "denied"),
            (["type"], "accepted"), (["type"], "breaker"), (["type"], "loss"), (["extra"], 1),
            (["clientId"], ""), (["target"], GONE), (["target", "port"], 65536),
            (["target", "port"], "443"), (["target", "kind"], "dns"), (["target", "user"], "x"),
            (["backend", "version"], "3.0"), (["reason"], GONE), (["reason"], "none"),
            (["reason"], "PIN_MISMATCH"), (["reason"], "unknown"), (["matched"], "primary"),
            (["wouldRefuse"], "pkix"), (["pinLabel"], "x"), (["fingerprint"], "AB" * 32),
            (["fingerprint"], "ab" * 31), (["resumed"], "false"), (["resumed"], GONE),
            (["detail", "code"], "E_FAIL"), (["detail", "native"], 1 << 31),
            (["diagnosis", "cause"], "mitm"), (["diagnosis", "evidence"], ["newer", "newer"]),
            (["diagnosis", "evidence"], ["hearsay"]), (["diagnosis", "owner", "host"], ""),
            (["breaker"], GONE), (["breaker", "streak"], 1), (["breaker", "state"], "open"),
            (["leaf"], {}), (["leaf", "pem"], "-----BEGIN PRIVATE KEY-----\nAAAA\n"),
            (["pins"], []), (["pins", 0, "pin"], "ab" * 32), (["pins", 0, "role"], "backup"),
            (["manifest", "sequence"], 1 << 40), (["manifest", "keySetEpoch"], GONE),
            (["manifest", "change"], "adopted"), (["clock"], {}), (["suppressedCount"], 1 << 32),
            (["suppressedCount"], GONE), (["since"], GONE),
        ])
        self.refuse("cotter", lambda e: e["type"] == "would_refuse", [
            (["matched"], "primary"), (["matched"], GONE), (["wouldRefuse"], "none"),
            (["wouldRefuse"], GONE), (["reason"], "pkix")])
        self.refuse("cotter", lambda e: e["type"] == "accepted", [
            (["matched"], "observed"), (["resumed"], True), (["wouldRefuse"], "pkix")])
        self.refuse("cotter", lambda e: e["type"] == "resumed", [(["resumed"], False)])
        self.refuse("cotter", lambda e: e["type"] == "breaker", [
            (["breaker", "before"], GONE), (["breaker", "alert"], 1), (["breaker", "streak"], 256),
            (["target"], GONE), (["reason"], "pkix"), (["resumed"], False)])
        for change, key in (("rejected", "error"), ("lapsed", "reason")):
            self.refuse("cotter", lambda e, c=change: e.get("manifest", {}).get("change") == c, [
                (["manifest", key], GONE), (["manifest", "change"], "adopted"),
                (["manifest", "change"], GONE), (["manifest"], GONE), (["breaker"], {"state": "closed"})])
        self.refuse("cotter", lambda e: e["type"] == "clock", [
            (["clock", "says"], GONE), (["clock", "fault"], "slow"), (["clock"], GONE)])
        self.refuse("cotter", lambda e: e["type"] == "loss", [
            (["suppressedCount"], GONE), (["suppressedCount"], -1), (["since"], GONE)])

    def test_of_hpkp(self):
        def full(e):
            return e["served-certificate-chain"] and e["known-pins"] and "cotter-since" in e

        self.refuse("hpkp", full, [
            (["date-time"], GONE), (["date-time"], "yesterday"), (["hostname"], GONE), (["port"], -1),
            (["include-subdomains"], True), (["known-pins", 0], "cert-sha256:" + "ab" * 32),
            (["known-pins", 0], 'pin-sha256="AAAA"'), (["known-pins"], GONE),
            (["validated-certificate-chain"], ["x"]), (["served-certificate-chain", 0], "x"),
            (["validation-result"], 0), (["validation-result"], 4), (["validation-result"], "1"),
            (["enforce-pinning"], 1), (["known-pins-expiration-date"], GONE),
            (["known-pins-expiration-date"], "2026-11-21T00:00:00Z"), (["cotter-reason"], "none"),
            (["cotter-since"], GONE), (["cotter-suppressed-count"], 0), (["report-uri"], "x"),
            (["effective-expiration-date"], None), (["trustkit-version"], "3.0.0")])

    def test_of_ecs(self):
        def full(e):
            return e["type"] == "io.cotter.audit.refused" and "subject" in e and (
                "certificate" in e["data"]["tls"].get("server", {}))

        self.refuse("ecs", full, [
            (["specversion"], "0.3"), (["id"], GONE), (["source"], ""), (["source"], "/cotter/a b"),
            (["source"], GONE), (["type"], "io.cotter.audit.denied"), (["type"], GONE),
            (["type"], "io.cotter.audit.accepted"), (["type"], "io.cotter.audit.breaker"),
            (["subject"], "a\nb:1"), (["time"], GONE), (["datacontenttype"], "text/plain"),
            (["dataschema"], ""), (["data"], GONE), (["data", "@timestamp"], GONE),
            (["data", "ecs", "version"], "9.0.0"), (["data", "event", "kind"], "signal"),
            (["data", "event", "category"], "network"), (["data", "event", "category"], ["web"]),
            (["data", "event", "type"], ["connection", "allowed"]),
            (["data", "event", "outcome"], "success"), (["data", "event", "outcome"], GONE),
            (["data", "event", "severity"], 0), (["data", "event", "severity"], 7),
            (["data", "event", "duration"], 1), (["data", "server"], GONE),
            (["data", "server", "port"], 65536), (["data", "server", "user"], "x"),
            (["data", "tls"], GONE), (["data", "tls", "established"], True),
            (["data", "tls", "server", "hash"], {"sha256": "ab" * 32}),
            (["data", "tls", "server", "certificate"], "-----BEGIN"),
            (["data", "cotter", "id"], "x"), (["data", "cotter", "leaf"], {}),
            (["data", "labels"], {})])


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    EMIT = sys.argv.pop(1)
    ROOT = pathlib.Path(sys.argv.pop(1))
    unittest.main()
