# SPDX-License-Identifier: BSL-1.0
"""Keys and signatures that come out the same each time: all of it is derived from words.

The keys are public on purpose; nothing but a test ever trusts them.
"""
import functools
import hashlib

from ber import Node, bit_string, integer, null, octet_string, oid, sequence


def stretch(words, size):
    """`size` octets out of `words`"""
    return hashlib.shake_256(words.encode()).digest(size)


class Curve:
    """y^2 = x^3 - 3x + b over the field of p; b is not needed to sign."""

    def __init__(self, dotted, p, n, x, y):
        self.dotted, self.p, self.n, self.g = dotted, p, n, (x, y, 1)
        self.size = (p.bit_length() + 7) // 8

    def double(self, point):  # Jacobian coordinates
        x, y, z = point
        p = self.p
        alpha = 3 * (x - z * z) * (x + z * z) % p
        beta = 4 * x * y * y % p
        x3 = (alpha * alpha - 2 * beta) % p
        return x3, (alpha * (beta - x3) - 8 * pow(y, 4, p)) % p, 2 * y * z % p

    def add(self, a, b):
        if a is None:
            return b
        (x1, y1, z1), (x2, y2, z2), p = a, b, self.p
        u1, u2 = x1 * z2 * z2 % p, x2 * z1 * z1 % p
        s1, s2 = y1 * pow(z2, 3, p) % p, y2 * pow(z1, 3, p) % p
        if u1 == u2:
            assert s1 == s2  # the sum is the point at infinity: not with derived scalars
            return self.double(a)
        h, r = (u2 - u1) % p, (s2 - s1) % p
        x3 = (r * r - pow(h, 3, p) - 2 * u1 * h * h) % p
        return x3, (r * (u1 * h * h - x3) - s1 * pow(h, 3, p)) % p, h * z1 * z2 % p

    def multiply(self, k):
        total, point = None, self.g
        while k:
            if k & 1:
                total = self.add(total, point)
            point = self.double(point)
            k >>= 1
        x, y, z = total
        inverse = pow(z, -1, self.p)
        return x * inverse ** 2 % self.p, y * inverse ** 3 % self.p


P256 = Curve(  # SEC 2, 2.4.2
    "1.2.840.10045.3.1.7",
    0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
P384 = Curve(  # SEC 2, 2.5.1
    "1.3.132.0.34",
    2 ** 384 - 2 ** 128 - 2 ** 96 + 2 ** 32 - 1,
    2 ** 384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D,
    int("AA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B98"
        "59F741E082542A385502F25DBF55296C3A545E3872760AB7", 16),
    int("3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147C"
        "E9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F", 16))


def ecdsa_sig_value(r, s):
    return sequence(integer(r), integer(s))


class EcKey:
    def __init__(self, curve, words):
        self.curve, self.words = curve, words
        self.d = int.from_bytes(stretch(words, curve.size + 16), "big") % (curve.n - 1) + 1
        self.x, self.y = curve.multiply(self.d)

    def point(self):
        size = self.curve.size
        return b"\x04" + self.x.to_bytes(size, "big") + self.y.to_bytes(size, "big")

    def compressed_point(self):
        return bytes([2 + self.y % 2]) + self.x.to_bytes(self.curve.size, "big")

    def key_algorithm(self):
        return sequence(oid("1.2.840.10045.2.1"), oid(self.curve.dotted))

    def spki(self):
        return sequence(self.key_algorithm(), bit_string(self.point()))

    def pkcs8(self):
        sec1 = sequence(integer(1), octet_string(self.d.to_bytes(self.curve.size, "big")),
                        Node(b"\xa1", bit_string(self.point())))
        return sequence(integer(0), self.key_algorithm(), octet_string(sec1))

    def algorithm(self, digest):
        arc = {"sha1": "1", "sha256": "3.2", "sha384": "3.3", "sha512": "3.4"}[digest]
        return sequence(oid(f"1.2.840.10045.4.{arc}"))

    @functools.lru_cache(maxsize=None)
    def pair(self, message, digest):
        n, hashed = self.curve.n, hashlib.new(digest, message).digest()[:self.curve.size]
        z = int.from_bytes(hashed, "big")
        k = int.from_bytes(stretch(f"{self.words} nonce {digest} {hashed.hex()}",
                                   self.curve.size + 16), "big") % (n - 1) + 1
        r = self.curve.multiply(k)[0] % n
        return r, pow(k, -1, n) * (z + r * self.d) % n

    def sign(self, message, digest):
        return ecdsa_sig_value(*self.pair(message, digest)).octets()


DIGEST_INFO = {  # RFC 8017 9.2, note 1
    "sha1": "3021300906052b0e03021a05000414",
    "sha256": "3031300d060960864801650304020105000420",
    "sha384": "3041300d060960864801650304020205000430",
    "sha512": "3051300d060960864801650304020305000440",
}


def is_prime(candidate):
    """Miller-Rabin to the first 8 prime bases: the candidates are not chosen by an adversary."""
    odd, twos = candidate - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19):
        power = pow(base, odd, candidate)
        if power in (1, candidate - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % candidate
            if power == candidate - 1:
                break
        else:
            return False
    return True


SMALL_PRIMES = [n for n in range(3, 2000) if all(n % d for d in range(2, int(n ** 0.5) + 1))]


def find_prime(words, bits, e):
    candidate = int.from_bytes(stretch(words, bits // 8), "big") | 3 << bits - 2 | 1
    while True:
        if all(candidate % small for small in SMALL_PRIMES) and candidate % e != 1:
            if is_prime(candidate):
                return candidate
        candidate += 2


class RsaKey:
    e = 65537

    def __init__(self, bits, words):
        self.p = find_prime(words + " p", bits // 2, self.e)
        self.q = find_prime(words + " q", bits // 2, self.e)
        self.n = self.p * self.q
        self.d = pow(self.e, -1, (self.p - 1) * (self.q - 1))
        self.size = bits // 8

    def key_algorithm(self):
        return sequence(oid("1.2.840.113549.1.1.1"), null())

    def spki(self):
        return sequence(self.key_algorithm(),
                        bit_string(sequence(integer(self.n), integer(self.e)).octets()))

    def pkcs8(self):
        numbers = (0, self.n, self.e, self.d, self.p, self.q, self.d % (self.p - 1),
                   self.d % (self.q - 1), pow(self.q, -1, self.p))
        return sequence(integer(0), self.key_algorithm(),
                        octet_string(sequence(*(integer(n) for n in numbers))))

    def algorithm(self, digest):
        arc = {"sha1": 5, "sha256": 11, "sha384": 12, "sha512": 13}[digest]
        return sequence(oid(f"1.2.840.113549.1.1.{arc}"), null())

    @functools.lru_cache(maxsize=None)
    def sign(self, message, digest):
        info = bytes.fromhex(DIGEST_INFO[digest]) + hashlib.new(digest, message).digest()
        padded = b"\0\1" + b"\xff" * (self.size - len(info) - 3) + b"\0" + info
        m = int.from_bytes(padded, "big")
        a, b = pow(m, self.d % (self.p - 1), self.p), pow(m, self.d % (self.q - 1), self.q)
        signed = b + self.q * ((a - b) * pow(self.q, -1, self.p) % self.p)
        return signed.to_bytes(self.size, "big")


class Ed25519Key:
    """RFC 8032 5.1"""

    p = 2 ** 255 - 19
    order = 2 ** 252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, p) % p
    base = (15112221349535400772501151409588531511454012693041857206046113283949847762202,
            46316835694926478169428394003475163141307993866256225615783033603165251855960)

    def __init__(self, words):
        self.seed = stretch(words, 32)
        hashed = hashlib.sha512(self.seed).digest()
        self.scalar = int.from_bytes(hashed[:32], "little") & (1 << 254) - 8 | 1 << 254
        self.prefix = hashed[32:]
        self.public = self.encode(self.scalar)

    def add(self, a, b):  # extended coordinates, 5.1.4
        (x1, y1, z1, t1), (x2, y2, z2, t2), p = a, b, self.p
        left, right = (y1 - x1) * (y2 - x2) % p, (y1 + x1) * (y2 + x2) % p
        c, d = 2 * t1 * t2 * self.d % p, 2 * z1 * z2 % p
        e, f, g, h = right - left, d - c, d + c, right + left
        return e * f % p, g * h % p, f * g % p, e * h % p

    def encode(self, k):
        x, y = self.base
        total, point = (0, 1, 1, 0), (x, y, 1, x * y % self.p)
        while k:
            if k & 1:
                total = self.add(total, point)
            point = self.add(point, point)
            k >>= 1
        inverse = pow(total[2], -1, self.p)
        x, y = total[0] * inverse % self.p, total[1] * inverse % self.p
        return (y | (x & 1) << 255).to_bytes(32, "little")

    def key_algorithm(self):
        return sequence(oid("1.3.101.112"))

    def spki(self):
        return sequence(self.key_algorithm(), bit_string(self.public))

    def pkcs8(self):
        return sequence(integer(0), self.key_algorithm(), octet_string(octet_string(self.seed)))

    def algorithm(self, digest):
        return self.key_algorithm()

    @functools.lru_cache(maxsize=None)
    def sign(self, message, digest):
        def number(*parts):
            return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % self.order
        r = number(self.prefix, message)
        point = self.encode(r)
        s = (r + number(point, self.public, message) * self.scalar) % self.order
        return point + s.to_bytes(32, "little")
