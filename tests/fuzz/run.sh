#!/bin/sh
# Runs every fuzz target for SECONDS each (default 60), JOBS at a time (default 1), starting from the
# corpus that is kept beside it, and says how fast each was and how much of the program it reached:
# edges (cov) and features (ft), as libFuzzer counts them. What they find new goes to
# build/fuzz/corpus; a crash ends the run and leaves its input there. Credentials need seeds with
# private keys, which are made anew each time. With a SEED it looks at the same inputs each time: a change that
# breaks one of them is found by whoever makes it; without, it finds what nobody has tried.
#
#   sh tests/fuzz/run.sh [SECONDS [JOBS [SEED]]]
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
jobs=${2:-1}
seed=${3:-0} # 0: by chance
mkdir -p build
cmake --preset fuzz >build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }
cmake --build --preset fuzz >>build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }

# Each form in which a credential may come, under the passphrase that the target has at hand.
make_credentials() { # FOLDER
    pki=$(mktemp -d "${TMPDIR:-/tmp}/sfmtls-fuzz-XXXXXX")
    trap 'rm -rf "$pki"' EXIT
    sh tests/certs/make.sh "$pki"
    (
        cd "$pki"
        umask 077
        secret='-passout pass:secret'
        cp acme-all.pem expired-chain.pem rsa-chain.pem "$1"
        base64 -w 0 acme-all.pem >"$1/base64"
        { cat acme-chain.pem; echo --; cat acme.key; } >"$1/two-files"
        { cat acme-chain.pem; echo --; cat globex.key; } >"$1/another-key"
        { cat acme-chain.pem; echo --; cat acme-sec1.key; } >"$1/sec1"
        { cat rsa-chain.pem; echo --; openssl rsa -in rsa.key -traditional 2>/dev/null; } >"$1/pkcs1"
        { cat acme-chain.pem; echo --; openssl pkey -in acme.key -aes128 $secret; } >"$1/encrypted"
        { cat acme-chain.pem; echo --; openssl ec -in acme-sec1.key -aes128 $secret 2>/dev/null; } >"$1/sec1-encrypted"
        openssl x509 -in acme.pem -outform DER -out "$1/der"
        { cat "$1/der"; printf '\n--\n'; openssl pkey -in acme.key -outform DER; } >"$1/der-and-key"
        openssl pkcs12 -export -in acme-chain.pem -inkey acme.key $secret -out "$1/pkcs12"
        openssl pkcs12 -export -in acme-chain.pem -inkey acme.key $secret -iter 1 -nomaciter -out "$1/pkcs12-quick"
        openssl pkcs12 -export -in acme-chain.pem -inkey acme.key $secret -certpbe NONE -keypbe NONE -nomac \
            -out "$1/pkcs12-open"
        openssl pkcs12 -export -in acme-chain.pem -inkey acme.key $secret -iter 1 -nomac -out "$1/pkcs12-no-mac"
        legacy='-provider legacy -provider default'
        openssl pkcs12 -export $legacy -in acme-chain.pem -inkey acme.key $secret -iter 1 -nomaciter \
            -keypbe PBE-SHA1-RC4-40 -certpbe PBE-SHA1-RC2-40 -out "$1/pkcs12-old"
        { cat acme-chain.pem; echo --; openssl ec $legacy -in acme-sec1.key -des $secret 2>/dev/null; } >"$1/des"
        { cat acme-chain.pem; echo --; openssl pkcs8 $legacy -topk8 -v1 PBE-MD5-DES -iter 1 -in acme.key $secret; } \
            >"$1/pkcs8-old"
        cat expired.key expired.pem acme.key acme.pem client-sub.pem >"$1/two-pairs"
        sed 's/^/  /' acme-all.pem >"$1/indented"
        sed -z 's/\n/\\n/g' acme-all.pem >"$1/written-out"
        { printf '{"certificate": "'; sed -z 's/\n/\\n/g' acme-all.pem; printf '"}\n'; } >"$1/json"
        sed 's/^-----END/\n&/' acme-all.pem >"$1/empty-lines"
        cat ca.pem ca.crl >"$1/list"
        openssl crl -in ca.crl -outform DER -out "$1/list-der"
        openssl crl2pkcs7 -in ca.crl -certfile ca.pem -out "$1/list-pkcs7"
    )
}

run() { # TARGET
    name=$1
    out=build/fuzz/corpus/$name
    mkdir -p "$out" "tests/fuzz/corpus/$name"
    [ "$name" != credential_fuzz ] || make_credentials "$PWD/$out"
    if "build/fuzz/tests/$name" -max_total_time="$seconds" -seed="$seed" -print_final_stats=1 -timeout=60 \
        -artifact_prefix="build/fuzz/corpus/$name-" "$out" "tests/fuzz/corpus/$name" \
        >"build/fuzz/$name.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")
        each=$(sed -n 's/^stat::average_exec_per_sec: *//p' "build/fuzz/$name.log")
        cov=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "build/fuzz/$name.log" | tail -n 1)
        ft=$(sed -n 's/.* ft: \([0-9]*\) .*/\1/p' "build/fuzz/$name.log" | tail -n 1)
        printf '%-22s %12s %9s %7s %7s  nothing found\n' "$name" "$runs" "$each" "$cov" "$ft"
    else
        printf '%-22s %s\n' "$name" 'FAILED'
        cat "build/fuzz/$name.log"
        return 1
    fi
}

printf '%-22s %12s %9s %7s %7s\n' "target, $seconds s" runs 'per s' cov ft
failed=0
running=
for source in tests/fuzz/*_fuzz.c; do
    run "$(basename "$source" .c)" &
    running="$running $!"
    # shellcheck disable=SC2086
    set -- $running
    if [ $# -ge "$jobs" ]; then
        wait "$1" || failed=1
        shift
        running=$*
    fi
    [ "$failed" -eq 0 ] || break
done
for pid in $running; do wait "$pid" || failed=1; done
exit "$failed"
