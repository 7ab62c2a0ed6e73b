#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Answers form_twin.cpp: what the independent implementation makes of each input.

usage: form_twin.py FOLDER     FOLDER: where form_c.py is

Both ways on descriptor 0, each message a number of octets (four, big-endian) and the octets. An
answer begins with 0 and form C, or with 1 and the refusal's code. One answer comes unasked.
"""
import socket
import sys

sys.path.insert(0, sys.argv[1])
import form_c  # noqa: E402

peer = socket.socket(fileno=0)


def receive(size):
    octets = b""
    while len(octets) < size:
        piece = peer.recv(size - len(octets))
        if not piece:
            sys.exit()
        octets += piece
    return octets


def answer(octets):
    peer.sendall(len(octets).to_bytes(4, "big") + octets)


answer(b"ready")
while True:
    octets = receive(int.from_bytes(receive(4), "big"))
    try:
        answer(b"\0" + form_c.form_c(octets))
    except form_c.Refused as refusal:
        answer(b"\1" + refusal.code.encode())
