#!/bin/sh
# The bench beside nginx and HAProxy: see bench.py. Arguments go to it (--rounds, --seconds, --only).
# With --links first: what rewriting links costs, see links.py. With --counts first: system calls and
# instructions of a request, see counts.py.
set -eu
cd "$(dirname "$0")/../.."
sh conf/setup.sh --packages gcc libc6-dev cmake ninja-build libevent-dev libssl-dev libhttp-parser-dev \
    libinih-dev zlib1g-dev libjansson-dev libyaml-dev libcrypt-dev libseccomp-dev libkrb5-dev \
    libcurl4-openssl-dev openssl nginx-light haproxy wrk python3 util-linux
sh conf/setup.sh
bench=bench
case ${1:-} in
--links) bench=links ;;
--counts)
    bench=counts
    sh conf/setup.sh --packages strace valgrind
    ;;
esac
exec /usr/bin/python3 "tests/bench/$bench.py" build/release/sfmtls "$@"
