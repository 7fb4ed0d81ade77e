#!/bin/sh
# Shows on this machine alone what sfmtls does: builds it, starts a server like SuccessFactors that requires
# client certificates, starts the proxy, and sends a call without a certificate through the proxy.
#
#   sh conf/demo.sh           stays up until Ctrl-C, for calls by hand
#   sh conf/demo.sh --once    ends after the first call; exit 0 only if it was answered
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
sh "$root/conf/setup.sh"
exec "$root/build/release/sfmtls" demo "$@"
