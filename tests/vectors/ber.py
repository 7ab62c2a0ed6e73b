# SPDX-License-Identifier: BSL-1.0
"""Writes BER, well-formed or not: every header can be spelled as no encoder would."""


def length_octets(size, pad=0):
    """The shortest length, or with `pad` octets more than that"""
    if size < 0x80 and not pad:
        return bytes([size])
    octets = size.to_bytes(max(1, (size.bit_length() + 7) // 8), "big")
    if pad:  # 0x81 nn already is one octet more than nn
        octets = bytes(pad - 1 if size < 0x80 else pad) + octets
    return bytes([0x80 | len(octets)]) + octets


class Node:
    """One element. `parts` are nodes and octets.

    `pad`: octets that the length takes beyond the shortest. `length`: its octets, whatever the
    contents. `eoc`: the octets that end an indefinite length."""

    def __init__(self, tag, *parts):
        self.tag, self.parts = tag, list(parts)
        self.pad, self.length, self.eoc = 0, None, None

    def __getitem__(self, at):
        return self.parts[at]

    def become(self, other):
        self.__dict__ = dict(other.__dict__, parts=list(other.parts))

    def contents(self):
        return b"".join(p.octets() if isinstance(p, Node) else p for p in self.parts)

    def octets(self):
        contents = self.contents()
        if self.eoc is not None:
            return self.tag + b"\x80" + contents + self.eoc
        if self.length is not None:
            return self.tag + self.length + contents
        return self.tag + length_octets(len(contents), self.pad) + contents


def indefinite(node, eoc=b"\0\0"):
    node.eoc = eoc
    return node


def padded(node, pad):
    node.pad = pad
    return node


def sequence(*parts):
    return Node(b"\x30", *parts)


def set_of(*parts):
    return Node(b"\x31", *parts)


def boolean(octets=b"\xff"):
    return Node(b"\x01", octets)


def integer(value):
    return Node(b"\x02", value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1,
                                        "big", signed=True))


def bit_string(octets, unused=0):
    return Node(b"\x03", bytes([unused]), octets)


def octet_string(*parts):
    return Node(b"\x04", *parts)


def null():
    return Node(b"\x05")


def oid(dotted):
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    contents = b""
    for arc in (first * 40 + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        contents += bytes(reversed(septets))
    return Node(b"\x06", contents)


def explicit(number, *parts):
    return Node(bytes([0xA0 | number]), *parts)


def nested(depth, innermost):
    """`innermost` inside `depth` SEQUENCEs"""
    for _ in range(depth):
        innermost = sequence(innermost)
    return innermost
