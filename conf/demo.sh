#!/bin/sh
# Shows what sfmtls is for, on this machine alone: builds it, starts a server like SuccessFactors that
# insists on client certificates, the proxy before it, and makes a call that knows nothing of either.
#
#   sh conf/demo.sh           stays up until Ctrl-C, for calls by hand
#   sh conf/demo.sh --once    ends after the first call; exit 0 only if it was answered
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
sh "$root/conf/setup.sh"
exec "$root/build/release/sfmtls" demo "$@"
