#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Certification authorities and server certificates for the lab, by the openssl command alone.
#
# NAME.pem is what a server sends, leaf first; NAME.key is its key. P-256 unless said otherwise.
#   ca                    the authority that clients of the lab trust
#   good                  DNS:localhost, IP:127.0.0.1, URI:sip:localhost
#   other                 the same names from the same authority with another key: an interceptor's
#   expired, not-yet      good's names, its time over; its time to come
#   wrong-name            good, but for elsewhere.example
#   cn-only               localhost in the common name and nowhere else
#   ip                    IP:127.0.0.1 and no name
#   rsa                   good with an RSA-2048 key
#   large                 good with 100 names more, above 3 KB
#   chained               good under `intermediate`, both sent
#   expired-intermediate  good under an intermediate whose time is over, both sent
#   renewed               good's names and issuer, issued later, with another key
#   other-ca, foreign     another authority, and good's names under it
#   public                foreign, with the marks of a publicly trusted CA: a policy of the
#                         CA/Browser Forum and embedded SCTs (of no log)
#   client                for a client's authentication, from `ca`
set -eu

usage() { echo "usage: make-pki.sh DIR [--name DNS-NAME] [--ip ADDRESS] [--days N]"; }

directory='' name=localhost ip=127.0.0.1 days=30
while [ $# -gt 0 ]; do
  case $1 in
    --name) name=$2; shift ;;
    --ip) ip=$2; shift ;;
    --days) days=$2; shift ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) directory=$1 ;;
  esac
  shift
done
[ -n "$directory" ] || { usage >&2; exit 2; }

umask 077
mkdir -p "$directory"
cd "$directory"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The machine's own configuration must not change what the lab gets.
OPENSSL_CONF=$work/openssl.cnf
export OPENSSL_CONF
: >"$work/index"
cat >"$OPENSSL_CONF" <<END
[req]
distinguished_name = subject
prompt = no
[subject]
[ca]
default_ca = lab
[lab]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = none
[any]
commonName = supplied
END

at() { date -u -d "$1" +%Y%m%d%H%M%SZ; }
yesterday=$(at '-1 day')
end=$(at "+$days days")

quietly() {
  "$@" >"$work/log" 2>&1 || { echo "make-pki: $* failed:" >&2; cat "$work/log" >&2; exit 1; }
}

# request FILE COMMON-NAME [ALGORITHM]: a key and a request for it.
request() {
  case ${3:-ec} in
    ec) set -- "$1" "$2" -newkey ec -pkeyopt ec_paramgen_curve:P-256 ;;
    rsa) set -- "$1" "$2" -newkey rsa:2048 ;;
  esac
  file=$1 common_name=$2
  shift 2
  quietly openssl req "$@" -nodes -keyout "$file.key" -out "$work/$file.csr" -subj "/CN=$common_name"
}

# sign FILE ISSUER START END EXTENSIONS: the request becomes FILE.pem; its own ISSUER signs itself.
sign() {
  if [ "$1" = "$2" ]; then set -- "$@" -selfsign; else set -- "$@" -cert "$2.pem"; fi
  printf '%b' "$5" >"$work/$1.ext"
  quietly openssl ca -batch -notext -in "$work/$1.csr" -out "$1.pem" -keyfile "$2.key" "$6" \
    ${7:+"$7"} -startdate "$3" -enddate "$4" -extfile "$work/$1.ext"
}

authority='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
authority="${authority}subjectKeyIdentifier=hash\n"
leaf='basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
leaf="${leaf}subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
server="${leaf}extendedKeyUsage=serverAuth\n"
names="DNS:$name,IP:$ip,URI:sip:$name"

# server_leaf FILE ISSUER START END SUBJECT-ALTERNATIVE-NAMES [ALGORITHM [MORE-EXTENSIONS]]
server_leaf() {
  request "$1" "$name" "${6:-ec}"
  sign "$1" "$2" "$3" "$4" "$server${5:+subjectAltName=$5\n}${7:-}"
}

for ca in ca other-ca; do
  request $ca "cotter lab $ca"
  sign $ca $ca "$yesterday" "$end" "$authority"
done
for intermediate in intermediate expired-intermediate-ca; do
  request $intermediate "cotter lab $intermediate"
done
sign intermediate ca "$yesterday" "$end" "${authority}authorityKeyIdentifier=keyid\n"
sign expired-intermediate-ca ca "$(at '-2 years')" "$(at '-1 year')" \
  "${authority}authorityKeyIdentifier=keyid\n"

server_leaf good ca "$yesterday" "$end" "$names"
server_leaf other ca "$yesterday" "$end" "$names"
server_leaf expired ca "$(at '-2 years')" "$(at '-1 year')" "$names"
server_leaf not-yet ca "$(at '+1 year')" "$(at '+2 years')" "$names"
server_leaf wrong-name ca "$yesterday" "$end" DNS:elsewhere.example,URI:sip:elsewhere.example
server_leaf cn-only ca "$yesterday" "$end" ''
server_leaf ip ca "$yesterday" "$end" "IP:$ip"
server_leaf rsa ca "$yesterday" "$end" "$names" rsa
server_leaf large ca "$yesterday" "$end" \
  "$names$(seq -f ',DNS:server-%03g.telephony.example' -s '' 100)"
server_leaf renewed ca "$(at '-1 hour')" "$end" "$names"
server_leaf public other-ca "$yesterday" "$end" "$names" ec \
  'certificatePolicies=2.23.140.1.2.1\n1.3.6.1.4.1.11129.2.4.2=ASN1:FORMAT:HEX,OCT:0000\n'
server_leaf foreign other-ca "$yesterday" "$end" "$names"
server_leaf chained intermediate "$yesterday" "$end" "$names"
cat intermediate.pem >>chained.pem
server_leaf expired-intermediate expired-intermediate-ca "$yesterday" "$end" "$names"
cat expired-intermediate-ca.pem >>expired-intermediate.pem

request client client
sign client ca "$yesterday" "$end" "${leaf}extendedKeyUsage=clientAuth\n"
