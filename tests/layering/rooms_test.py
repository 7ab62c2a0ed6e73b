#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Plants one violation at a time in a small house and sees that rooms.py finds it."""
import pathlib
import tempfile
import unittest

import rooms

HOUSE = {
    "include/cotter/cotter.hpp":
        "#include <cotter/embedded.hpp>\n#include <cotter/policies/owned.hpp>\n",
    "include/cotter/embedded.hpp":
        "#include <cotter/values/pin.hpp>\n#include <cotter/concepts/hasher.hpp>\n"
        "#include <cotter/policies/fixed.hpp>\n",
    "include/cotter/values/pin.hpp": "#include <cstdint>\n",
    "include/cotter/concepts/hasher.hpp": "#include <cotter/values/pin.hpp>\n",
    "include/cotter/policies/fixed.hpp": "#include <cotter/concepts/hasher.hpp>\n#include <span>\n",
    "include/cotter/policies/owned.hpp": "#include <cotter/values/pin.hpp>\n#include <vector>\n",
    "include/cotter/net/stream.hpp": "#include <asio/buffer.hpp>\n#include <asio.hpp>\n",
    "include/cotter/testing/clock.hpp": "#include <cotter/values/pin.hpp>\n#include <string>\n",
    "backends/openssl/cotter/backends/openssl.hpp":
        "#include <cotter/concepts/hasher.hpp>\n#include <openssl/ssl.h>\n"
        "#include <cotter/backends/openssl/hash.hpp>\n",
    "backends/openssl/cotter/backends/openssl/hash.hpp":
        "#include <cotter/backends/openssl.hpp>\n#include <openssl/evp.h>\n",
    "backends/mbedtls/cotter/backends/mbedtls.hpp": "#include <psa/crypto.h>\n",
    "integrations/json/cotter/json/document.hpp":
        "#include <cotter/policies/owned.hpp>\n#include <nlohmann/json.hpp>\n#include <string>\n",
}


class Rooms(unittest.TestCase):
    def faults(self, changes):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for name, text in {**HOUSE, **changes}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return [fault for _, _, fault in rooms.check(root)]

    def plant(self, name, line, expected):
        faults = self.faults({name: HOUSE.get(name, "") + line + "\n"})
        self.assertEqual(len(faults), 1, faults)
        self.assertIn(expected, faults[0])

    def test_a_house_in_order_has_no_faults(self):
        self.assertEqual(self.faults({}), [])

    def test_a_room_that_includes_a_later_one_is_found(self):
        self.plant("include/cotter/values/pin.hpp", "#include <cotter/concepts/hasher.hpp>",
                   "values comes before concepts")
        self.plant("include/cotter/concepts/hasher.hpp", "#include <cotter/policies/fixed.hpp>",
                   "concepts comes before policies")
        self.plant("include/cotter/policies/fixed.hpp", "# include <cotter/embedded.hpp>",
                   "policies comes before the lists")

    def test_net_and_testing_that_meet_are_found(self):
        self.plant("include/cotter/testing/clock.hpp", "#include <cotter/net/stream.hpp>",
                   "testing comes before net")

    def test_a_backend_that_includes_more_than_values_and_concepts_is_found(self):
        self.plant("backends/openssl/cotter/backends/openssl.hpp",
                   "#include <cotter/policies/fixed.hpp>", "backends comes before policies")

    def test_a_header_with_two_tls_libraries_is_found(self):
        faults = self.faults({"backends/openssl/cotter/backends/openssl.hpp":
                              "#include <openssl/ssl.h>\n#include <wolfssl/ssl.h>\n"})
        self.assertTrue(any("names openssl and wolfssl" in fault for fault in faults), faults)

    def test_a_backend_with_the_wrong_tls_library_is_found(self):
        faults = self.faults({"backends/mbedtls/cotter/backends/mbedtls.hpp":
                              "#include <openssl/evp.h>\n"})
        self.assertEqual(len(faults), 1, faults)
        self.assertIn("has no place", faults[0])

    def test_a_part_of_a_backend_with_the_wrong_tls_library_is_found(self):
        part = "backends/openssl/cotter/backends/openssl/hash.hpp"
        faults = self.faults({part: "#include <wolfssl/ssl.h>\n"})
        self.assertEqual(len(faults), 1, faults)
        self.assertIn("has no place", faults[0])
        self.plant(part, "#include <cotter/backends/mbedtls.hpp>", "of another backend")

    def test_a_part_in_the_folder_of_another_backend_is_found(self):
        self.plant("backends/mbedtls/cotter/backends/openssl/more.hpp", "", "of another backend")
        self.plant("backends/openssl/cotter/backends/wolfssl.hpp", "", "of another backend")
        self.plant("backends/openssl/cotter/backends/more.hpp", "", "of another backend")
        faults = self.faults({"backends/openssl/cotter/backends/openssl/wolfssl.hpp":
                              "#include <wolfssl/ssl.h>\n"})
        self.assertEqual(len(faults), 1, faults)
        self.assertIn("has no place", faults[0])

    def test_third_parties_outside_of_their_room_are_found(self):
        self.plant("include/cotter/values/pin.hpp", "#include <openssl/evp.h>", "TLS library")
        self.plant("include/cotter/policies/owned.hpp", "#include <nlohmann/json.hpp>",
                   "third party")
        self.plant("include/cotter/policies/owned.hpp", "#include <asio.hpp>", "third party")
        self.plant("include/cotter/testing/clock.hpp", "#include <catch2/catch.hpp>",
                   "third party")

    def test_an_integration_that_meets_another_room_or_library_is_found(self):
        document = "integrations/json/cotter/json/document.hpp"
        self.plant(document, "#include <cotter/net/stream.hpp>", "json comes before net")
        self.plant(document, "#include <asio.hpp>", "third party")
        self.plant(document, "#include <openssl/evp.h>", "TLS library")
        self.plant("include/cotter/policies/owned.hpp", "#include <cotter/json/document.hpp>",
                   "policies comes before json")
        self.plant("include/cotter/net/stream.hpp", "#include <nlohmann/json.hpp>", "third party")

    def test_an_integration_in_a_place_that_is_not_its_own_is_found(self):
        self.plant("include/cotter/json/more.hpp", "", "another integration")
        self.plant("integrations/json/cotter/net/more.hpp", "", "another integration")
        self.plant("integrations/toml/cotter/json/more.hpp", "", "another integration")

    def test_what_embedded_programs_cannot_afford_is_found(self):
        for name in ["iostream", "locale", "functional", "regex", "string", "vector", "memory"]:
            self.plant("include/cotter/policies/fixed.hpp", f"#include <{name}>", f"<{name}>")

    def test_a_list_against_the_flow_is_found(self):
        faults = self.faults({"include/cotter/embedded.hpp":
                              "#include <cotter/policies/fixed.hpp>\n"
                              "#include <cotter/values/pin.hpp>\n"})
        self.assertEqual(len(faults), 1, faults)
        self.assertIn("against the flow", faults[0])

    def test_a_header_that_is_listed_twice_is_found(self):
        self.plant("include/cotter/embedded.hpp", "#include <cotter/policies/fixed.hpp>",
                   "listed twice")

    def test_a_header_that_is_not_listed_is_found(self):
        self.plant("include/cotter/values/forgotten.hpp", "", "does not bring in")

    def test_a_header_outside_of_every_room_is_found(self):
        self.plant("include/cotter/attic/box.hpp", "", "in no room")

    def test_quotes_and_names_that_do_not_exist_are_found(self):
        self.plant("include/cotter/net/stream.hpp", '#include "stream.ipp"', "angle brackets")
        self.plant("include/cotter/net/stream.hpp", "#include <cotter/net/nowhere.hpp>",
                   "does not exist")


if __name__ == "__main__":
    unittest.main()
