#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The lab's PKI, and what only the tests of backends and attacks need beside it:
#   chained-leaf-only  `chained` without its intermediate
#   renewed            good's names and good's key, another certificate
#   sip-only           URI:sip:localhost and no DNS name
#   huge               good with 700 names more, above 20 KB
# usage: make-pki.sh LAB-SCRIPT DIR
set -eu
rm -rf "$2"
sh "$1" "$2"
cd "$2"
openssl x509 -in chained.pem -out chained-leaf-only.pem

issue() {
  openssl req -new -key "$1.key" -subj /CN=localhost -out "$1.csr"
  printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=%s\n' "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 8)" \
    -days 20 -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  rm "$1.csr" "$1.ext"
}
names=DNS:localhost,IP:127.0.0.1,URI:sip:localhost
cp good.key renewed.key
issue renewed $names
for leaf in sip-only huge; do
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $leaf.key 2>/dev/null
done
issue sip-only URI:sip:localhost
issue huge "$names$(seq -f ',DNS:server-%03g.telephony.example' -s '' 700)"
