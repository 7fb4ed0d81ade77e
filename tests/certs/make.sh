#!/bin/sh
# Makes a throw-away PKI for tests into DIR: a server CA with servers of several kinds, a client CA
# with an intermediate, and client certificates. Nothing of it is ever committed.
#
#   sh tests/certs/make.sh DIR
set -eu
umask 077
dir=$1
mkdir -p "$dir"
cd "$dir"

key() { # NAME [rsa:BITS]
    case ${2:-ec} in
    ec) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" ;;
    rsa:*) openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#rsa:}" -out "$1.key" ;;
    esac
}

root() { # NAME SUBJECT
    key "$1"
    openssl req -x509 -new -key "$1.key" -subj "$2" -days 200 -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# NAME SUBJECT ISSUER EXTENSIONS [KEY-TYPE [NOT-BEFORE NOT-AFTER]]; dates as YYYYMMDDHHMMSSZ
signed() {
    key "$1" "${5:-ec}"
    openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
    printf '%b' "$4" >"$1.ext"
    mkdir "$1.d"
    : >"$1.d/db"
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/db\nnew_certs_dir=%s\n' "$1.d" "$1.d" >"$1.d/cnf"
    printf 'rand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\n' >>"$1.d/cnf"
    for field in C ST L O OU CN; do printf '%s=optional\n' "$field" >>"$1.d/cnf"; done
    dates='-days 90'
    [ $# -lt 7 ] || dates="-startdate $6 -enddate $7"
    # shellcheck disable=SC2086
    openssl ca -batch -notext -config "$1.d/cnf" -cert "$3.pem" -keyfile "$3.key" -in "$1.csr" \
        -out "$1.pem" -extfile "$1.ext" -preserveDN $dates 2>/dev/null
    rm -rf "$1.csr" "$1.ext" "$1.d"
}

ca='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
leaf='basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
server="${leaf}extendedKeyUsage=serverAuth\nsubjectAltName="
client="${leaf}extendedKeyUsage=clientAuth\n"

root ca '/O=Test/CN=Test Server CA'
root other-ca '/O=Test/CN=Another CA'
root client-ca '/O=Test/CN=Test Client Root'
signed client-sub '/O=Test/CN=Test Client Sub CA' client-ca "$ca"

mkdir lists
: >lists/db
echo 01 >lists/number
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=lists/db\ncrlnumber=lists/number\ndefault_md=sha256\n' >lists/conf
openssl ca -gencrl -config lists/conf -cert ca.pem -keyfile ca.key -crldays 90 -out ca.crl 2>/dev/null
rm -r lists

hosts='DNS:localhost,DNS:api4.cert.successfactors.com,DNS:api8.cert.successfactors.com'
signed server '/O=Test/CN=localhost' ca "$server$hosts,IP:127.0.0.1,IP:::1\n"
signed server-wrong-host '/O=Test/CN=elsewhere' ca "${server}DNS:elsewhere.example\n"
label=$(printf '%060d' 0 | tr 0 s)
signed server-long-name '/O=Test/CN=long' ca "${server}DNS:$label.$label.$label.test\n"
signed server-untrusted '/O=Test/CN=localhost' other-ca "${server}DNS:localhost\n"
signed server-expired '/O=Test/CN=localhost' ca "${server}DNS:localhost\n" ec \
    20200101000000Z 20210101000000Z

for name in acme globex; do
    signed "$name" "/O=Test/OU=API/CN=${name}_user" client-sub "$client"
    cat "$name.pem" client-sub.pem client-ca.pem >"$name-chain.pem"
    cat "$name.key" "$name-chain.pem" >"$name-all.pem"
done
signed rsa '/O=Test/CN=rsa_user' client-sub "$client" rsa:2048
cat rsa.pem client-sub.pem >rsa-chain.pem
key rsa-4096 rsa:4096
signed expired '/O=Test/CN=expired_user' client-sub "$client" ec 20200101000000Z 20210101000000Z
cat expired.pem client-sub.pem >expired-chain.pem
signed future '/O=Test/CN=future_user' client-sub "$client" ec 20900101000000Z 20910101000000Z
cat future.pem client-sub.pem >future-chain.pem
root stranger-ca '/O=Test/CN=A CA the server does not know'
signed stranger '/O=Test/CN=stranger' stranger-ca "$client"

printf 'correct horse\n' >acme.pass
openssl pkcs8 -topk8 -v2 aes-256-cbc -in acme.key -passout file:acme.pass -out acme-encrypted.key
openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in acme.key -passout file:acme.pass -out acme-3des.key
openssl ec -in acme.key -aes256 -passout file:acme.pass -out acme-sec1-encrypted.key 2>/dev/null
openssl ec -in acme.key -out acme-sec1.key 2>/dev/null
