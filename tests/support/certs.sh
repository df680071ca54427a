#!/usr/bin/env bash
# Makes a throwaway certificate authority and certificates for loopback servers.
#
#   certs.sh DIR     ca.crt, and server, wronghost, expired, ending, client (.crt and .key each)
set -euo pipefail
umask 077
[ $# = 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
cd "$1"

new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${new_key[@]}" -days 30 -subj '/CN=throwaway CA' -keyout ca.key -out ca.crt 2>/dev/null
cat >ca.conf <<'C'
[ca]
default_ca = throwaway
[throwaway]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
copy_extensions = copy
policy = names
[names]
commonName = supplied
C
: >index.txt

# issue NAME CN SUBJECT_ALT_NAME START END (YYYYMMDDHHMMSSZ)
issue() {
  openssl req -new "${new_key[@]}" -subj "/CN=$2" -addext "subjectAltName=$3" \
    -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl ca -batch -notext -config ca.conf -cert ca.crt -keyfile ca.key -startdate "$4" -enddate "$5" \
    -in "$1.csr" -out "$1.crt" 2>/dev/null
}
when() { date -u -d "$1" +%Y%m%d%H%M%SZ; }

issue server localhost DNS:localhost,IP:127.0.0.1 "$(when '-1 hour')" "$(when '+29 days')"
issue wronghost db.example DNS:db.example "$(when '-1 hour')" "$(when '+29 days')"
issue expired localhost DNS:localhost,IP:127.0.0.1 "$(when '-10 days')" "$(when '-1 day')"
issue ending localhost DNS:localhost,IP:127.0.0.1 "$(when '-28 days')" "$(when '+2 days')"
issue client exporter DNS:client "$(when '-1 hour')" "$(when '+29 days')"
rm -f ./*.csr ./*.pem ./index.txt* ca.conf
chmod 644 ./*.crt
