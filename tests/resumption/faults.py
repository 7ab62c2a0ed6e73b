# SPDX-License-Identifier: BSL-1.0
"""Faults for the tests of resumption to catch: what is edited, and the test cases that must then fail.

An edit is (header, what it says once, what it says instead); `planted("NAME")` is true in the run
that tests NAME. "decision" is the pipeline alone, over a backend without a library."""

CONNECTION = "include/cotter/pipeline/connection.hpp"
GUARD = "include/cotter/pipeline/guard.hpp"
OPENSSL = "backends/openssl/cotter/backends/openssl/hooks.hpp"
OPENSSL_SESSIONS = "backends/openssl/cotter/backends/openssl/resumption.hpp"
WOLFSSL = "backends/wolfssl/cotter/backends/wolfssl/hooks.hpp"
WOLFSSL_SESSIONS = "backends/wolfssl/cotter/backends/wolfssl/resumption.hpp"
MBEDTLS = "backends/mbedtls/cotter/backends/mbedtls/hooks.hpp"

NOT_OFFERED = "a session is not offered"
AGAIN = "what has changed between the offer and confirm is asked again"
NOTHING_ELSE = "confirm accepts nothing that this connection did not offer"
NOT_KEPT = "nothing is kept of a connection that a pin did not accept"
PROBE = "a probe of a locked target neither resumes nor keeps"
RENEWED = "what a resumed connection yields inherits the binding, its time too"
LIES = "a store that lies about what a session is bound to gains nothing"
ONCE = "a stored session is offered once and resumed under the pin that its leaf has"
BY_KEY = "an SPKI pin resumes a session whose key is known, and only such a one"
OWN = "a session of the application's own is never resumed"
WITHOUT_EMS = "a server without extended master secret leaves nothing to resume"
PSK_KE = "resumption without (EC)DHE is never accepted"
DECLINED = "a server that refuses to resume gets a full handshake"


def instead(header, old, name, new):
    """`old` until the fault is planted, then `new`; both are conditions or values."""
    return (header, old, f'(planted("{name}") ? ({new}) : ({old}))')


def without(header, condition, name):
    """A condition that refuses is not asked."""
    return (header, condition, f'(!planted("{name}") && ({condition}))')


FAULTS = {
    "decision": {
        "pin-not-asked": (
            [(GUARD, "    return detail::match(one.pinned(), bound.fingerprint, bound.key, at);\n",
              '    if (planted("pin-not-asked")) return verdict::accept(matched::primary);\n'
              "    return detail::match(one.pinned(), bound.fingerprint, bound.key, at);\n")],
            [NOT_OFFERED, LIES]),
        "age-not-asked": (
            [without(GUARD, "at - bound.established_at > longest_session", "age-not-asked")],
            [NOT_OFFERED, AGAIN, RENEWED]),
        "future-not-asked": (
            [without(GUARD, "bound.established_at > at", "future-not-asked")], [NOT_OFFERED]),
        "validity-not-asked": (
            [without(GUARD, "at < bound.not_before || at > bound.not_after", "validity-not-asked")],
            [NOT_OFFERED, AGAIN]),
        "whose-not-asked": ([without(GUARD, "bound.whose != whose", "whose-not-asked")], [LIES]),
        "key-not-asked": (
            [without(GUARD, "one.pinned().wants(pin_form::spki) && !bound.has_key",
                     "key-not-asked")], [BY_KEY]),
        "anchors-not-asked": (
            [without(CONNECTION, "!anchors.known", "anchors-not-asked"),
             (GUARD, "return known && anchors.known &&",
              'return known && (planted("anchors-not-asked") || anchors.known) &&')],
            [NOT_OFFERED]),
        "probe-not-asked": (
            [(CONNECTION, "      if (permit_.probe() ||",
              '      if ((!planted("probe-not-asked") && permit_.probe()) ||')], [PROBE]),
        "octets-not-compared": (
            [without(CONNECTION, "found != bound.octets", "octets-not-compared")], [NOT_OFFERED]),
        "not-asked-again": (
            [(CONNECTION, "      if (!found) return false;\n",
              '      if (!found && !planted("not-asked-again")) return false;\n'),
             (CONNECTION, "      assessment_.pinned = found;\n",
              "      assessment_.pinned = found ? found : verdict_type::accept(matched::primary);\n")], [AGAIN]),
        "any-resumption-taken": (
            [without(CONNECTION, "!facts.offered", "any-resumption-taken")], [NOTHING_ELSE]),
        "version-not-compared": (
            [without(CONNECTION, "facts.version != bound.version", "version-not-compared")],
            [NOTHING_ELSE]),
        "hooks-not-asked": (
            [(CONNECTION, "    } else if (!facts.hooks_intact || !facts.authenticated ||",
              '    } else if ((!(planted("hooks-not-asked") && facts.resumed) &&\n'
              "                (!facts.hooks_intact || !facts.authenticated)) ||")],
            [NOTHING_ELSE]),
        "observed-kept": (
            [(CONNECTION, "                  verdict_.matched() != matched::observed &&",
              '                  (planted("observed-kept") || '
              "verdict_.matched() != matched::observed) &&")], [NOT_KEPT]),
        "unproven-kept": (
            [(CONNECTION, "own.keeps = own.allowed && facts.resumable &&",
              'own.keeps = own.allowed && (planted("unproven-kept") || facts.resumable) &&')],
            [NOT_KEPT]),
        "kept-behind-replaced-hooks": (
            [(CONNECTION, "      if (!facts.finished || !facts.hooks_intact ||",
              '      if (!facts.finished || (!planted("kept-behind-replaced-hooks") && '
              "!facts.hooks_intact) ||")], [NOT_KEPT]),
        "time-renewed": (
            [(CONNECTION, "      if (own.resumed || !own.keeps) return;",
              '      if ((own.resumed && !planted("time-renewed")) || !own.keeps) return;')],
            [RENEWED]),
        "not-audited-as-resumed": (
            [(CONNECTION, "what.resumed = sessions_.resumed;",
              'what.resumed = sessions_.resumed && !planted("not-audited-as-resumed");')],
            [ONCE]),
    },
    "openssl": {
        "session-of-the-application": (
            [(OPENSSL, "      SSL_set_session(const_cast<SSL*>(ssl), ours);",
              '      if (!planted("session-of-the-application"))\n'
              "      SSL_set_session(const_cast<SSL*>(ssl), ours);")], [OWN]),
        "extended-secret-not-asked": (
            [instead(OPENSSL,
                     "seen->extended_master_secret() && hooks::extended_master_secret(ssl)",
                     "extended-secret-not-asked", "true")], [WITHOUT_EMS]),
        "key-exchange-not-asked": (
            [instead(OPENSSL, "(seen->key_share() && hooks::ephemeral(ssl))",
                     "key-exchange-not-asked", "true")], [PSK_KE]),
    },
    "wolfssl": {
        "any-offer-taken": (
            [instead(WOLFSSL, "seen.as_offered()", "any-offer-taken", "true")], [OWN]),
        "extended-secret-not-asked": (
            [instead(WOLFSSL, "tls1_3 || seen.extended_master_secret()",
                     "extended-secret-not-asked", "true"),
             instead(WOLFSSL_SESSIONS, "session.extended_master_secret",
                     "extended-secret-not-asked", "true")], [WITHOUT_EMS]),
        "tickets-of-1.2-offered": (
            [(WOLFSSL, "  state.sessions = new (std::nothrow) resumption(slot);",
              '  if (planted("tickets-of-1.2-offered")) wolfSSL_UseSessionTicket(state.ssl);\n'
              "  state.sessions = new (std::nothrow) resumption(slot);"),
             instead(WOLFSSL_SESSIONS, "session.ticket.empty() && !session.id.empty()",
                     "tickets-of-1.2-offered", "true")], [DECLINED]),
        "lengths-not-looked-at": (
            [without(WOLFSSL_SESSIONS, "found.id.size() > id_bytes", "lengths-not-looked-at")],
            ["wolfSSL's own reader is never given what is not one of its sessions"]),
    },
    "mbedtls": {
        "session-of-the-application": (
            [instead(MBEDTLS, "!hooks::is_ours(held, *offered)", "session-of-the-application",
                     "false")], ["a session put in beside the stored one is not even sent"]),
        "extended-secret-not-asked": (
            [instead(MBEDTLS, "tls1_2 && seen.extended_master_secret()",
                     "extended-secret-not-asked", "true")], [WITHOUT_EMS]),
    },
}


def of(backend):
    """Every fault of a backend: its name, edits and the test cases that must fail."""
    return FAULTS[backend]
