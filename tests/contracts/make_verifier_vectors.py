#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes verifier_vectors.hpp: keys, messages and signatures with the answer every verifier owes.

The arithmetic is here and not a library's, so that signatures can be made that no library makes:
an x coordinate above the order of the curve, the point at infinity, numbers of one octet.

usage: make_verifier_vectors.py [--check]     --check: exit 1 if the committed file differs
"""
import hashlib
import pathlib
import sys

# P-256 (SP 800-186 3.2.1.3) and P-384 (3.2.1.4).
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
G384 = (
    0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
    0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
)
# Edwards25519 (RFC 8032 5.1).
Q = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, Q) % Q
BASE_Y = 4 * pow(5, -1, Q) % Q


def add(a, b):
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    total = None
    while k:
        if k & 1:
            total = add(total, point)
        point = add(point, point)
        k >>= 1
    return total


def negate(point):
    return point[0], -point[1] % P


def lift(x):
    """The point with this x and an even y, or None."""
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return x, y if y % 2 == 0 else P - y


def derive(words):
    return int.from_bytes(hashlib.sha256(words.encode()).digest(), "big") % (N - 1) + 1


def hashed(message):
    return int.from_bytes(hashlib.sha256(message).digest(), "big")


def sign(key, message, nonce=None):
    nonce = nonce or derive(f"nonce {key:x} {hashed(message):x}")
    r = multiply(nonce, G)[0] % N
    return r, pow(nonce, -1, N) * (hashed(message) + r * key) % N


def good(point, message, r, s):
    """ECDSA as FIPS 186-5 6.4.2 has it."""
    if not (0 < r < N and 0 < s < N):
        return False
    w = pow(s, -1, N)
    found = add(multiply(hashed(message) * w % N, G), multiply(r * w % N, point))
    return found is not None and found[0] % N == r


def signer_of(at, r, s, message):
    """The key under which (r, s) is a signature of `message` that verifies at the point `at`."""
    w = pow(r, -1, N)
    return add(multiply(s * w % N, at), multiply(-hashed(message) * w % N, G))


def tlv(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*parts):
    return tlv(0x30, b"".join(parts))


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def spki(algorithm, key, unused=0):
    return sequence(sequence(*algorithm), tlv(0x03, bytes([unused]) + key))


EC = bytes.fromhex("06072a8648ce3d0201")
P256 = bytes.fromhex("06082a8648ce3d030107")
P384 = bytes.fromhex("06052b81040022")
K256 = bytes.fromhex("06052b8104000a")
RSA = bytes.fromhex("06092a864886f70d010101")
ED25519 = bytes.fromhex("06032b6570")
X25519 = bytes.fromhex("06032b656e")
NULL = b"\x05\x00"


def uncompressed(point, size=32):
    return b"\x04" + point[0].to_bytes(size, "big") + point[1].to_bytes(size, "big")


def p256(point):
    return spki((EC, P256), uncompressed(point))


def explicit_p256(point):
    """The same curve, spelled out (SEC 1 C.2): RFC 5480 2.1.1 forbids it."""
    field = sequence(bytes.fromhex("06072a8648ce3d0101"), integer(P))
    curve = sequence(tlv(4, (P - 3).to_bytes(32, "big")), tlv(4, B.to_bytes(32, "big")))
    domain = sequence(integer(1), field, curve, tlv(4, uncompressed(G)), integer(N), integer(1))
    return spki((EC, domain), uncompressed(point))


def ecdsa(r, s):
    return sequence(integer(r), integer(s))


# --- Ed25519 -----------------------------------------------------------------------------------


def edwards_add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % Q
    return ((x1 * y2 + x2 * y1) * pow(1 + k, -1, Q) % Q, (y1 * y2 + x1 * x2) * pow(1 - k, -1, Q) % Q)


def edwards_multiply(k, point):
    total = (0, 1)
    while k:
        if k & 1:
            total = edwards_add(total, point)
        point = edwards_add(point, point)
        k >>= 1
    return total


def edwards_lift(y, sign):
    """The point with this y, or None."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    if x * x % Q != square:
        x = x * pow(2, (Q - 1) // 4, Q) % Q
    if x * x % Q != square or (x == 0 and sign):
        return None
    return (x if x % 2 == sign else Q - x), y


EDWARDS_BASE = edwards_lift(BASE_Y, 0)


def little(number):
    return number.to_bytes(32, "little")


def encoded(point):
    return little(point[1] | (point[0] & 1) << 255)


class Ed25519Key:
    def __init__(self, seed):
        wide = bytearray(hashlib.sha512(seed).digest())
        wide[0] &= 248
        wide[31] = wide[31] & 127 | 64
        self.scalar = int.from_bytes(wide[:32], "little")
        self.prefix = bytes(wide[32:])
        self.public = encoded(edwards_multiply(self.scalar, EDWARDS_BASE))

    def sign(self, message):
        nonce = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % L
        r = encoded(edwards_multiply(nonce, EDWARDS_BASE))
        k = int.from_bytes(hashlib.sha512(r + self.public + message).digest(), "little")
        return r + little((nonce + k * self.scalar) % L)


def ed25519(public):
    return spki((ED25519,), public)


# --- the vectors ---------------------------------------------------------------------------------

VECTORS = []


def vector(name, scheme, key, message, signature, answer):
    VECTORS.append((name, scheme, key, message, signature, answer))


def p256_vectors():
    key = derive("verifier vectors, P-256 key")
    point = multiply(key, G)
    other = multiply(derive("verifier vectors, other P-256 key"), G)
    message = b"payload"
    r, s = sign(key, message)
    assert good(point, message, r, s)
    right, der = p256(point), ecdsa(r, s)

    def case(name, answer, key=right, message=message, signature=der):
        vector("ECDSA: " + name, "ecdsa_p256_sha256", key, message, signature, answer)

    def bad(name, signature, **rest):
        case(name, "bad_signature", signature=signature, **rest)

    def unsupported(name, octets, **rest):
        case(name, "unsupported_key", key=octets, **rest)

    case("valid", "ok")
    case("valid, of no octets", "ok", message=b"", signature=ecdsa(*sign(key, b"")))
    case("valid, of all octet values", "ok", message=bytes(range(256)),
         signature=ecdsa(*sign(key, bytes(range(256)))))
    assert good(point, message, r, N - s)
    case("valid with the other s", "ok", signature=ecdsa(r, N - s))

    # Numbers that no honest signer hits, and are good all the same.
    def recovered(name, at, r, s):
        signer = signer_of(at, r, s, message)
        assert good(signer, message, r, s)
        case(name, "ok", key=p256(signer), signature=ecdsa(r, s))

    small = next(x for x in range(1, 128) if lift(x))
    recovered("valid with r and s of one octet", lift(small), small, 1)
    recovered("valid with s = n - 1", lift(small), small, N - 1)
    above = next(x for x in range(N, N + 128) if lift(x))
    recovered("valid, x of the point is above n", lift(above), above - N, s)
    top = next(x for x in range(N - 1, 0, -1) if lift(x))
    recovered("valid with the largest r", lift(top), top, 1)
    e = hashed(message) % N
    nonce = derive("verifier vectors, doubling")
    r2 = multiply(nonce, G)[0] % N
    twin = e * pow(r2, -1, N) % N  # both products are one point
    s2 = 2 * e * pow(nonce, -1, N) % N
    assert good(multiply(twin, G), message, r2, s2)
    case("valid, the sum is a doubling", "ok", key=p256(multiply(twin, G)), signature=ecdsa(r2, s2))
    infinite = multiply(-e * pow(r2, -1, N) % N, G)
    assert not good(infinite, message, r2, s2)
    bad("the sum is the point at infinity", ecdsa(r2, s2), key=p256(infinite))
    case("valid, the key is the base point", "ok", key=p256(G), signature=ecdsa(*sign(1, message)))
    case("valid, the key is the base point's negative", "ok", key=p256(negate(G)),
         signature=ecdsa(*sign(N - 1, message)))

    bad("another message", der, message=b"payloae")
    bad("a longer message", der, message=b"payload\x00")
    bad("a shorter message", der, message=b"payloa")
    bad("of no octets, other signature", der, message=b"")
    bad("another key", der, key=p256(other))
    bad("the negative of the key", der, key=p256(negate(point)))
    bad("r and s exchanged", ecdsa(s, r))
    bad("one bit of r", ecdsa(r ^ 1, s))
    bad("one bit of s", ecdsa(r, s ^ 1))
    bad("signature of the digest, not the message",
        ecdsa(*sign(key, hashlib.sha256(message).digest())))

    bad("no octets", b"")
    bad("one octet", b"\x30")
    bad("an empty SEQUENCE", b"\x30\x00")
    bad("one INTEGER", sequence(integer(r)))
    bad("three INTEGERs", sequence(integer(r), integer(s), integer(s)))
    bad("truncated by one octet", der[:-1])
    bad("cut in half", der[:len(der) // 2])
    bad("a trailing octet", der + b"\x00")
    bad("a trailing octet inside", sequence(integer(r), integer(s), b"\x00"))
    bad("NULL inside", sequence(integer(r), integer(s), NULL))
    bad("SEQUENCE length of two octets", b"\x30\x81" + der[1:])
    bad("SEQUENCE length of three octets", b"\x30\x82\x00" + der[1:])
    bad("SEQUENCE of indefinite length", b"\x30\x80" + der[2:] + b"\x00\x00")
    bad("SET", b"\x31" + der[1:])
    bad("primitive SEQUENCE", b"\x10" + der[1:])
    bad("INTEGER length of two octets",
        sequence(b"\x02\x81" + integer(r)[1:], integer(s)))
    bad("the second INTEGER's length of two octets",
        sequence(integer(r), b"\x02\x81" + integer(s)[1:]))
    bad("OCTET STRINGs", sequence(b"\x04" + integer(r)[1:], b"\x04" + integer(s)[1:]))

    def raw(number, size):
        return tlv(0x02, number.to_bytes(size, "big"))

    bad("a zero octet too many before r", sequence(raw(r, 34), integer(s)))
    bad("a zero octet too many before s", sequence(integer(r), raw(s, 34)))
    high = next(n for n in (s, N - s) if n >> 255)
    bad("negative, for want of a zero octet before s", sequence(integer(r), raw(high, 32)))
    low = next(n for n in (s, N - s) if not n >> 255)
    bad("a zero octet too many before a low s", sequence(integer(r), raw(low, 33)))
    negative = (2**264 - r).to_bytes(33, "big")
    bad("negative r", sequence(tlv(0x02, negative), integer(s)))
    bad("negative s", sequence(integer(r), tlv(0x02, (2**264 - s).to_bytes(33, "big"))))
    bad("r is -1", sequence(tlv(0x02, b"\xff"), integer(s)))
    bad("an INTEGER of no octets", sequence(integer(r), b"\x02\x00"))
    bad("an INTEGER past the end", sequence(integer(r), integer(s)[:1] + b"\x7f" + integer(s)[2:]))
    for name, value in (("0", 0), ("n", N), ("n + 1", N + 1), ("p", P), ("2^256", 2**256)):
        bad(f"r = {name}", ecdsa(value, s))
        bad(f"s = {name}", ecdsa(r, value))
    bad("r = s = 0", ecdsa(0, 0))
    bad("r + n", ecdsa(r + N, s))
    bad("s + n", ecdsa(r, s + N))
    bad("r = s = 1", ecdsa(1, 1))
    bad("r and s as 64 octets, not DER", r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    unsupported("no key", b"")
    unsupported("a key cut short", right[:-1])
    unsupported("a trailing octet behind the key", right + b"\x00")
    unsupported("key's SEQUENCE length of two octets", b"\x30\x81" + right[1:])
    unsupported("key of indefinite length", b"\x30\x80" + right[2:] + b"\x00\x00")
    unsupported("the point alone", uncompressed(point))
    unsupported("unused bits in the BIT STRING", spki((EC, P256), uncompressed(point), 1))
    unsupported("an octet behind the point", spki((EC, P256), uncompressed(point) + b"\x00"))
    unsupported("compressed point",
                spki((EC, P256), bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")))
    unsupported("hybrid point",
                spki((EC, P256), bytes([6 + point[1] % 2]) + uncompressed(point)[1:]))
    unsupported("point at infinity", spki((EC, P256), b"\x00"))
    unsupported("point at infinity, padded", spki((EC, P256), bytes(65)))
    unsupported("all coordinates zero", p256((0, 0)))
    unsupported("not on the curve", p256((point[0], point[1] ^ 1)))
    unsupported("x is the prime", p256((P, lift(0)[1] if lift(0) else 1)))
    x = next(x for x in range(2**256 - P) if lift(x))
    unsupported("x with the prime added", p256((x + P, lift(x)[1])))
    unsupported("P-384", spki((EC, P384), uncompressed(G384, 48)))
    unsupported("secp256k1 by name", spki((EC, K256), uncompressed(point)))
    unsupported("P-384 by name, a point of P-256", spki((EC, P384), uncompressed(point)))
    unsupported("explicit parameters", explicit_p256(point))
    unsupported("no parameters", spki((EC,), uncompressed(point)))
    unsupported("NULL parameters", spki((EC, NULL), uncompressed(point)))
    unsupported("NULL behind the parameters", spki((EC, P256, NULL), uncompressed(point)))
    unsupported("id-ecDH", spki((bytes.fromhex("06052b8104010c"), P256), uncompressed(point)))
    modulus = int.from_bytes(b"".join(hashlib.sha256(b"RSA%d" % i).digest() for i in range(8)),
                             "big") | 1 << 2047 | 1
    unsupported("RSA", spki((RSA, NULL), sequence(integer(modulus), integer(65537))))
    unsupported("Ed25519's key", ed25519(Ed25519Key(b"k" * 32).public))
    unsupported("no key and no signature", b"", signature=b"")
    unsupported("a wrong key and a malformed signature", right + b"\x00", signature=der + b"\x00")


def ed25519_vectors():
    key = Ed25519Key(hashlib.sha256(b"verifier vectors, Ed25519 key").digest())
    other = Ed25519Key(hashlib.sha256(b"verifier vectors, other Ed25519 key").digest())
    message = b"payload"
    right, signature = ed25519(key.public), key.sign(message)

    def case(name, answer, key=right, message=message, signature=signature):
        vector("Ed25519: " + name, "ed25519", key, message, signature, answer)

    def bad(name, signature=signature, **rest):
        case(name, "bad_signature", signature=signature, **rest)

    def unsupported(name, octets, **rest):
        case(name, "unsupported_key", key=octets, **rest)

    case("valid", "ok")
    case("valid, of no octets", "ok", message=b"", signature=key.sign(b""))
    case("valid, of 300 octets", "ok", message=b"x" * 300, signature=key.sign(b"x" * 300))
    bad("another message", message=b"payloae")
    bad("a longer message", message=b"payload\x00")
    bad("another key", key=ed25519(other.public))
    bad("of no octets, other signature", message=b"")
    for bit in (0, 7, 128, 255, 256, 300, 503, 511):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        bad(f"bit {bit} flipped", bytes(flipped))
    bad("no octets", b"")
    bad("63 octets", signature[:-1])
    bad("a trailing octet", signature + b"\x00")
    bad("all zero", bytes(64))
    s = int.from_bytes(signature[32:], "little")
    bad("S + L", signature[:32] + little(s + L))
    bad("S = L", signature[:32] + little(L))
    bad("S above every bound", signature[:32] + b"\xff" * 32)
    bad("in a DER envelope", tlv(0x04, signature))
    bad("prehashed", key.sign(hashlib.sha512(message).digest()))
    # The same R in another spelling of its number: an encoding is compared, not a point.
    r = int.from_bytes(signature[:32], "little")
    bad("R's number with the prime added", little((r + Q) % 2**256) + signature[32:])
    bad("a key that is no point", key=ed25519(little(next(
        y for y in range(2, 99) if edwards_lift(y, 0) is None))))

    # S = 0, R the identity: under a key of small order that is good for many messages.
    forged = little(1) + bytes(32)
    for y in range(Q):
        torsion = edwards_lift(y, 0)
        candidate = torsion and edwards_multiply(L, torsion)
        if candidate and edwards_multiply(4, candidate) != (0, 1):
            break
    small = {encoded(edwards_multiply(i, candidate)) for i in range(8)}
    assert len(small) == 8
    for octets in sorted(small):
        unsupported(f"key of small order {octets[:2].hex()}..{octets[31]:02x}", ed25519(octets),
                    signature=forged)
    unsupported("the identity with a sign", ed25519(little(1 | 1 << 255)), signature=forged)
    unsupported("the identity with the prime added", ed25519(little(1 + Q)), signature=forged)
    unsupported("a y of the prime", ed25519(little(Q)), signature=forged)
    unsupported("a y above the prime", ed25519(little(Q + 3)))
    unsupported("no key", b"")
    unsupported("the key cut short", right[:-1])
    unsupported("a trailing octet behind the key", right + b"\x00")
    unsupported("the 32 octets alone", key.public)
    unsupported("NULL parameters", spki((ED25519, NULL), key.public))
    unsupported("unused bits", spki((ED25519,), key.public, 1))
    unsupported("X25519", spki((X25519,), key.public))
    unsupported("SEQUENCE length of two octets", b"\x30\x81" + right[1:])
    unsupported("an octet behind the key's 32", spki((ED25519,), key.public + b"\x00"))
    unsupported("P-256's key", p256(G))
    unsupported("no key and no signature", b"", signature=b"")


def long_vectors():
    """A megabyte, which the file does not hold: every octet is `fill`."""
    message = b"\x5a" * (1 << 20)
    key = derive("verifier vectors, P-256 key")
    ed = Ed25519Key(hashlib.sha256(b"verifier vectors, Ed25519 key").digest())
    return [
        ("long_p256", p256(multiply(key, G)), ecdsa(*sign(key, message))),
        ("long_ed25519", ed25519(ed.public), ed.sign(message)),
    ]


def check_against_published():
    """RFC 6979 A.2.5 and RFC 8032 7.1, test 3: that the arithmetic above is right."""
    key = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    nonce = 0xA6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60
    assert sign(key, b"sample", nonce) == (
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8)
    ed = Ed25519Key(bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"))
    assert ed.public.hex() == "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
    assert ed.sign(b"\xaf\x82").hex() == (
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")


def text():
    check_against_published()
    p256_vectors()
    ed25519_vectors()
    lines = [
        "// SPDX-License-Identifier: BSL-1.0",
        "// Made by tests/contracts/make_verifier_vectors.py; do not edit.",
        "#pragma once",
        "",
        "#include <cotter/values/error.hpp>",
        "#include <cotter/values/signature.hpp>",
        "",
        "#include <string_view>",
        "",
        "namespace verifier_vectors {",
        "",
        "/// Octets are hexadecimal digits.",
        "struct one {",
        "  std::string_view name;",
        "  cotter::signature_scheme scheme;",
        "  std::string_view key, message, signature;",
        "  cotter::errc answer;",
        "};",
        "",
        "// clang-format off",
        "inline constexpr one all[] = {",
    ]
    for name, scheme, key, message, signature, answer in VECTORS:
        lines += [
            f'    {{"{name}", cotter::signature_scheme::{scheme},',
            f'     "{key.hex()}",',
            f'     "{message.hex()}",',
            f'     "{signature.hex()}", cotter::errc::{answer}}},',
        ]
    lines += ["};", "", "/// Signatures of 2^20 octets 0x5a."]
    for name, key, signature in long_vectors():
        lines += [
            f'inline constexpr std::string_view {name}_key = "{key.hex()}";',
            f'inline constexpr std::string_view {name}_signature = "{signature.hex()}";',
        ]
    return "\n".join(lines + ["// clang-format on", "", "}  // namespace verifier_vectors", ""])


def main():
    path = pathlib.Path(__file__).resolve().parent / "verifier_vectors.hpp"
    made = text()
    if sys.argv[1:] == ["--check"]:
        if not path.exists() or path.read_text() != made:
            sys.exit(f"{path.name} is not what {pathlib.Path(__file__).name} makes: run it")
        return
    path.write_text(made)


main()
