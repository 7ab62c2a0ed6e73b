# SPDX-License-Identifier: BSL-1.0
"""Form C of an X.509 certificate, written from its definition alone.

The second implementation beside include/cotter/certificate/form.hpp: it shares no code with it, and
the tests here compare the two. The definition: the shell (all of Certificate outside
TBSCertificate) is encoded anew with the shortest tags and lengths, the TBSCertificate element is
copied as it stands, what follows the outer element is dropped. Clauses in brackets are those of
X.690 (02/2021). A tag is judged before the length behind it; the end of an indefinite length is
found before anything inside it is judged.
"""
import hashlib

MAX_OCTETS = 65535  # of the whole input, what is dropped of it included
MAX_DEPTH = 16
MAX_TAG_NUMBER = (1 << 28) - 1

BIT_STRING = (0x00, 3)
BIT_STRING_IN_PIECES = (0x20, 3)
SEQUENCE = (0x20, 16)
STRUCTURES = {8, 11, 16, 17, 29}  # EXTERNAL, EMBEDDED PDV, SEQUENCE, SET, CHARACTER STRING


class Refused(Exception):
    """The certificate has no form C. `code` is spelled as in include/cotter/values/error.hpp."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def read_tag(octets, at):
    """((class and constructed bits, number), position after)  [8.1.2]

    Reads more than 8.1.2.2 and 8.1.2.4.2 c) allow, as OpenSSL does: a number below 31 in the form
    for higher ones, and leading zeros there."""
    first = octets[at]
    at += 1
    bits, number = first & 0xE0, first & 0x1F
    if number == 0x1F:
        number, more = 0, True
        while more:
            if at == len(octets):
                raise Refused("truncated")
            number = number << 7 | octets[at] & 0x7F
            more = octets[at] & 0x80
            at += 1
            if number > MAX_TAG_NUMBER:
                raise Refused("invalid_tag")
    if bits & 0xC0 == 0 and number == 0:  # [8.4]: end-of-contents is looked for elsewhere
        raise Refused("invalid_tag")
    return (bits, number), at


def read_length(octets, at, constructed):
    """(length or None where it is indefinite, position after)  [8.1.3]"""
    if at == len(octets):
        raise Refused("truncated")
    first = octets[at]
    at += 1
    if first == 0xFF:  # [8.1.3.5 c]
        raise Refused("invalid_length")
    if first == 0x80:
        if not constructed:  # [8.1.3.2 a]
            raise Refused("invalid_length")
        return None, at
    if first < 0x80:
        length = first
    elif len(octets) - at < first - 0x80:
        raise Refused("truncated")
    else:
        length = int.from_bytes(octets[at:at + first - 0x80], "big")
        at += first - 0x80
        if length > MAX_OCTETS:
            raise Refused("too_large")
    if length > len(octets) - at:
        raise Refused("truncated")
    return length, at


def find_end(octets, at, depth=1):
    """Where the end-of-contents begins that closes an element with contents from `at` on [8.1.5]"""
    if depth > MAX_DEPTH:
        raise Refused("too_deep")
    while True:
        rest = octets[at:at + 2]
        if rest in (b"", b"\0"):
            raise Refused("missing_end_of_contents")
        if rest == b"\0\0":
            return at
        tag, after = read_tag(octets, at)
        length, after = read_length(octets, after, tag[0] & 0x20)
        at = find_end(octets, after, depth + 1) + 2 if length is None else after + length


def take(octets, wanted=None):
    """(tag, contents, the whole element, what follows it)"""
    if not octets:
        raise Refused("missing_element")
    tag, at = read_tag(octets, 0)
    if wanted and tag != wanted:
        in_pieces = (wanted, tag) == (BIT_STRING, BIT_STRING_IN_PIECES)
        raise Refused("constructed_bit_string" if in_pieces else "unexpected_tag")
    length, at = read_length(octets, at, tag[0] & 0x20)
    end = find_end(octets, at) if length is None else at + length
    after = end + 2 if length is None else end
    return tag, octets[at:end], octets[:after], octets[after:]


def encode(tag, contents):
    """The shortest tag and length [8.1.2, 10.1]"""
    bits, number = tag
    if number < 31:
        identifier = bytes([bits | number])
    else:
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(number & 0x7F | 0x80)
        identifier = bytes([bits | 0x1F, *reversed(septets)])
    size = len(contents)
    if size < 0x80:
        return identifier + bytes([size]) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return identifier + bytes([0x80 | len(length)]) + length + contents


def shorten(tag, contents, depth=1):
    """The element and all below it with the shortest tags and lengths

    A universal type in a form that DER does not have for it has more than one reading: refused."""
    bits, number = tag
    if depth > MAX_DEPTH:
        raise Refused("too_deep")
    if bits & 0xC0 == 0 and bool(bits & 0x20) != (number in STRUCTURES):
        raise Refused("unexpected_tag")
    if not bits & 0x20:
        return encode(tag, contents)
    shortened = b""
    while contents:
        inner, inside, _, contents = take(contents)
        shortened += shorten(inner, inside, depth + 1)
    return encode(tag, shortened)


def form_c(octets):
    """The octets whose SHA-256 is the certificate's pin; raises Refused"""
    if not octets:
        raise Refused("empty_input")
    if len(octets) > MAX_OCTETS:
        raise Refused("too_large")
    _, parts, _, _ = take(octets, SEQUENCE)
    _, _, tbs, parts = take(parts, SEQUENCE)
    tag, contents, _, parts = take(parts, SEQUENCE)
    algorithm = shorten(tag, contents)
    _, bits, _, parts = take(parts, BIT_STRING)
    if bits[:1] not in (b"", b"\0"):
        raise Refused("unused_bits")
    if len(bits) < 2:
        raise Refused("empty_signature")
    if parts:
        raise Refused("extra_element")
    return encode(SEQUENCE, tbs + algorithm + encode(BIT_STRING, bits))


def outcome(octets):
    """(SHA-256 of form C in hex, None) or (None, the refusal's code)"""
    try:
        return hashlib.sha256(form_c(octets)).hexdigest(), None
    except Refused as refusal:
        return None, refusal.code
