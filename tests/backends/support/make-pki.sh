#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The lab's PKI, and what only the backend tests need beside it:
#   chained-leaf-only  `chained` without its intermediate
#   renewed            good's names and good's key, another certificate
#   sip-only           URI:sip:localhost and no DNS name
# usage: make-pki.sh LAB-SCRIPT DIR
set -eu
rm -rf "$2"
sh "$1" "$2"
cd "$2"
openssl x509 -in chained.pem -out chained-leaf-only.pem

issue() {
  printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=%s\n' "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 8)" \
    -days 20 -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  rm "$1.csr" "$1.ext"
}
cp good.key renewed.key
openssl req -new -key renewed.key -subj /CN=localhost -out renewed.csr
issue renewed DNS:localhost,IP:127.0.0.1,URI:sip:localhost
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout sip-only.key -subj /CN=localhost \
  -out sip-only.csr 2>/dev/null
issue sip-only URI:sip:localhost
