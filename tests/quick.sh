#!/bin/sh
# The inner loop: builds what has changed, and runs the tests that one names.
#
#   sh tests/quick.sh               all unit tests
#   sh tests/quick.sh LAYER         those of one folder of tests/unit
#   sh tests/quick.sh NAME          the integration tests of test_NAME.py, or with NAME in their names; test_config is
#                                   test_config.py, where config is the layer
set -eu
cd "$(dirname "$0")/.."

# A first run makes what later ones use: the build's folder and certificates of today.
[ -f build/asan/build.ninja ] || cmake --preset asan >/dev/null
cmake --build --preset asan | { grep -v -e '^\[' -e 'no work to do' || :; }
[ -n "$(find build/pki/made -mtime -1 2>/dev/null)" ] || {
    rm -rf build/pki
    sh tests/certs/make.sh build/pki
    touch build/pki/made
}
export SFMTLS_TEST_PKI="$PWD/build/pki" SFMTLS="$PWD/build/asan/sfmtls" SFMTLS_BUILD=asan
# Some tests are of the released program; without that they try this one.
export SFMTLS_RELEASE="$PWD/build/release/sfmtls"
[ -x "$SFMTLS_RELEASE" ] || SFMTLS_RELEASE=$SFMTLS

unit() { # LAYER
    printf '%s: ' "$1"
    build/asan/tests/unit_"$1"
}

integration() { # NAME
    if [ -f "tests/integration/test_${1#test_}.py" ]; then
        set -- "tests/integration/test_${1#test_}.py"
    else
        # Reading all files takes longer than most tests. Names of cases may come from a file that has no tests.
        files=$(find tests/integration -maxdepth 1 -name '*.py' \
            \( -iname "*$1*" -o -exec grep -qiF -e "$1" {} \; \) -print | sort)
        [ -n "$files" ] && ! printf '%s\n' "$files" | grep -qv '/test_[^/]*$' || files=tests/integration
        set -- $files -k "$1"
    fi
    /usr/bin/python3 -m pytest -q -p no:cacheprovider -n "$(nproc)" "$@"
}

[ $# -gt 0 ] || set -- $(ls tests/unit | grep -v '\.')
for name; do
    if [ -d "tests/unit/$name" ]; then unit "$name"; else integration "$name"; fi
done
