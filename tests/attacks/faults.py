# SPDX-License-Identifier: BSL-1.0
"""Faults for the attacks to catch: what is edited, and the test cases that must then fail.

An edit is (header, what it says once, what it says instead); `planted("NAME")` is true in the run
that tests NAME. A fault without edits shares those of the one before it."""

OPENSSL = "backends/openssl/cotter/backends/openssl/hooks.hpp"
WOLFSSL = "backends/wolfssl/cotter/backends/wolfssl/hooks.hpp"
MBEDTLS = "backends/mbedtls/cotter/backends/mbedtls/hooks.hpp"
ASSESSMENT = "include/cotter/pipeline/assessment.hpp"
CONNECTION = "include/cotter/pipeline/connection.hpp"

OVERSIZED = "the pinned leaf behind an oversized leaf is not the leaf"
ABOVE = "a pinned certificate above the leaf is not the leaf"
BESIDE = "a pinned certificate beside the chain is not the leaf"
FIRST = "what the backend hands over is the first certificate, once"
RENEWED = "the pinned key in another certificate is no pinned certificate"
REPLAYED = "the pinned leaf replayed without its key is no success and clears no count"
MIRRORED = "the same leaf with ECDSA's s turned to n - s is another certificate with the same key"
CHAIN = "a fault of the chain is found above the leaf, whatever the pin says"
NAME = "another name is refused, whatever the pin says"
LIBRARY = "the library checks the chain and the name by itself, before the pipeline does"
HOOKS = "hooks replaced after attach do not pass for a verdict"
RESUMED = "a session that the application supplies is not resumed"

# Caught at every backend: the pipeline decides for all of them.
EVERYWHERE = {
    "pins-not-compared": (
        [(ASSESSMENT, "      if (p.form != form || p.digest != digest) continue;",
          '      if (p.form != form || (!planted("pins-not-compared") && p.digest != digest)) continue;')],
        [OVERSIZED, ABOVE, BESIDE, RENEWED, REPLAYED, MIRRORED]),
    "names-not-compared": (
        [(ASSESSMENT, "!detail::names_canonical<Addresses>(leaf, whom)",
          '!planted("names-not-compared") && !detail::names_canonical<Addresses>(leaf, whom)')],
        [NAME]),
    "chain-not-asked": (
        [(CONNECTION, "if (why == reason::none && !chain.trusted) why = reason::pkix;",
          'if (why == reason::none && !planted("chain-not-asked") && !chain.trusted) '
          "why = reason::pkix;")],
        [CHAIN]),
    "hook-counted-as-success": (
        [(CONNECTION, "    phase_ = phase::pending;\n    return true;",
          "    phase_ = phase::pending;\n"
          '    if (planted("hook-counted-as-success")) {\n'
          "      conclude(assessment_.pinned, false);\n"
          "    }\n"
          "    return true;")],
        [REPLAYED]),
}

# mbedTLS fails earlier, in the handshake.
CONFIRM = (
    [(CONNECTION, "    } else if (!facts.hooks_intact || !facts.authenticated ||",
      '    } else if (planted("confirms-replaced-hooks")) {\n'
      "      verdict_ = verdict_type::accept(matched::primary);\n"
      "    } else if (!facts.hooks_intact || !facts.authenticated ||")],
    [HOOKS])

OF_BACKEND = {
    "openssl": {
        "skips-the-pin": (
            [(OPENSSL, "    if (!may_go_on) return refuse(store);",
              '    if (!may_go_on && !planted("skips-the-pin")) return refuse(store);')],
            [OVERSIZED, ABOVE, BESIDE, FIRST, RENEWED, MIRRORED]),
        "skips-the-name": (
            [(OPENSSL, "    if (named != 1) return errc::unfit_backend;",
              "    if (named != 1) return errc::unfit_backend;\n"
              '    if (planted("skips-the-name"))\n'
              "      X509_VERIFY_PARAM_set1_host(param, nullptr, 0);")],
            [LIBRARY]),
        "uses-the-second-certificate": (
            [(OPENSSL, "    state->leaf_handed_over = true;\n"
              "    state->observer->on_leaf(message.subspan(at, leaf_bytes));",
              "    state->leaf_handed_over = true;\n"
              "    const std::size_t second =\n"
              "        at + leaf_bytes + (SSL_version(ssl) >= TLS1_3_VERSION ? 2u : 0u);\n"
              '    if (planted("uses-the-second-certificate") && second + 3 < message.size()) {\n'
              "      const std::size_t size = static_cast<std::size_t>(message[second]) << 16 |\n"
              "          static_cast<std::size_t>(message[second + 1]) << 8 |\n"
              "          message[second + 2];\n"
              "      state->observer->on_leaf(message.subspan(second + 3, size));\n"
              "      return;\n"
              "    }\n"
              "    state->observer->on_leaf(message.subspan(at, leaf_bytes));")],
            [OVERSIZED, BESIDE, FIRST]),
        "forgives-the-chain": (
            [(OPENSSL, "    return good == 1 && X509_STORE_CTX_get_error(store) == X509_V_OK;",
              '    return planted("forgives-the-chain") ||\n'
              "           (good == 1 && X509_STORE_CTX_get_error(store) == X509_V_OK);")],
            [CHAIN, LIBRARY,
             "verification that the application weakened, before attach or after, is as strict"]),
        "confirms-replaced-hooks": CONFIRM,
        "keeps-the-session": (
            [(OPENSSL,
              "      SSL_set_session(const_cast<SSL*>(ssl), ours);",
              '      if (!planted("keeps-the-session"))\n'
              "      SSL_set_session(const_cast<SSL*>(ssl), ours);")],
            [RESUMED]),
        "keeps-the-flags": (
            [(OPENSSL, "    X509_VERIFY_PARAM_clear_flags(",
              '    if (!planted("keeps-the-flags")) X509_VERIFY_PARAM_clear_flags(')],
            ["verification that the application weakened, before attach or after, is as strict"]),
    },
    "wolfssl": {
        "skips-the-pin": (
            [(WOLFSSL, "    state->accepted = state->observer->on_chain({true, 0});",
              "    state->accepted = state->observer->on_chain({true, 0}) ||\n"
              '                      planted("skips-the-pin");')],
            [OVERSIZED, ABOVE, BESIDE, FIRST, RENEWED, MIRRORED]),
        "skips-the-name": (
            [(WOLFSSL, "      if (whom.kind == identity::host &&\n",
              '      if (!planted("skips-the-name") && whom.kind == identity::host &&\n')],
            [LIBRARY]),
        "uses-the-first-of-the-session-chain": (
            [(WOLFSSL,
              "        state->observer->on_leaf({store->certs[0].buffer, store->certs[0].length});",
              "        WOLFSSL_X509_CHAIN* chain = wolfSSL_get_peer_chain(ssl);\n"
              '        if (planted("uses-the-first-of-the-session-chain") &&\n'
              "            wolfSSL_get_chain_count(chain) > 0) {\n"
              "          state->observer->on_leaf(\n"
              "              {wolfSSL_get_chain_cert(chain, 0),\n"
              "               static_cast<std::size_t>(wolfSSL_get_chain_length(chain, 0))});\n"
              '        } else if (planted("uses-the-certificate-at-hand")) {\n'
              "          const int last = store->totalCerts - 1;\n"
              "          state->observer->on_leaf(\n"
              "              {store->certs[last].buffer, store->certs[last].length});\n"
              "        } else {\n"
              "          state->observer->on_leaf(\n"
              "              {store->certs[0].buffer, store->certs[0].length});\n"
              "        }")],
            [OVERSIZED, FIRST]),
        "uses-the-certificate-at-hand": ([], [BESIDE, FIRST]),
        "forgives-the-chain": (
            [(WOLFSSL, "    bool good = good_so_far == 1 && store->error == 0 &&",
              '    bool good = planted("forgives-the-chain") ? true : good_so_far == 1 && '
              "store->error == 0 &&")],
            [CHAIN, LIBRARY]),
        "believes-preverify": (
            [(WOLFSSL, "                wolfSSL_get_verify_mode(ssl) == WOLFSSL_VERIFY_PEER;\n"
              "    if (!state->leaf_handed_over) {",
              "                wolfSSL_get_verify_mode(ssl) == WOLFSSL_VERIFY_PEER;\n"
              '    if (planted("believes-preverify")) good = good_so_far == 1;\n'
              "    if (!state->leaf_handed_over) {")],
            ["an address of the application's own that is wrong is not forgiven"]),
        "confirms-replaced-hooks": CONFIRM,
    },
    "mbedtls": {
        "skips-the-pin": (
            [(MBEDTLS, "  if (!held.observer_->on_chain(", "  if ((!held.observer_->on_chain("),
             (MBEDTLS, "(held.flags_)}) || !trusted) {",
              '(held.flags_)}) && !planted("skips-the-pin")) || !trusted) {')],
            [OVERSIZED, ABOVE, BESIDE, FIRST, RENEWED, MIRRORED]),
        "skips-the-name": (
            [(MBEDTLS, "  held.flags_ &= ~not_ours;",
              '  held.flags_ &= planted("skips-the-name")\n'
              "                     ? ~std::uint32_t{MBEDTLS_X509_BADCERT_CN_MISMATCH}\n"
              "                     : ~not_ours;")],
            [LIBRARY]),
        "uses-the-second-certificate": (
            [(MBEDTLS, "  held.observer_->on_leaf({crt->raw.p, crt->raw.len});",
              '  if (planted("uses-the-second-certificate") && crt->next != nullptr) {\n'
              "    held.observer_->on_leaf({crt->next->raw.p, crt->next->raw.len});\n"
              "  } else {\n"
              "  held.observer_->on_leaf({crt->raw.p, crt->raw.len});\n"
              "  }")],
            [OVERSIZED, BESIDE, FIRST]),
        "forgives-the-chain": (
            [(MBEDTLS, "  held.flags_ |= *flags;",
              '  if (planted("forgives-the-chain")) *flags = 0;\n'
              '  if (planted("knows-the-last-flags-only")) held.flags_ = 0;\n'
              "  held.flags_ |= *flags;")],
            [CHAIN, LIBRARY,
             "verification that the application weakened before attach is as strict"]),
        "knows-the-last-flags-only": ([], [CHAIN]),
        "keeps-the-session": (
            [(MBEDTLS, "offered->COTTER_MBEDTLS_FIELD(ciphersuite) != 0 &&",
              "offered->COTTER_MBEDTLS_FIELD(ciphersuite) != 0 &&\n"
              '         !planted("keeps-the-session") &&')],
            [RESUMED]),
        "finishes-without-a-decision": (
            [(MBEDTLS, "  } else if (state > MBEDTLS_SSL_SERVER_CERTIFICATE &&",
              '  } else if (!planted("finishes-without-a-decision") &&\n'
              "             state > MBEDTLS_SSL_SERVER_CERTIFICATE &&")],
            [HOOKS]),
    },
}


def of(backend):
    """Every fault of a backend: its name, edits and the test cases that must fail."""
    return {**EVERYWHERE, **OF_BACKEND[backend]}
