#!/bin/sh
# Prepares a Debian or Ubuntu machine and builds sfmtls into build/release.
#
#   sh conf/setup.sh                      packages, then the build
#   sh conf/setup.sh --packages NAME...   only these packages, if they are missing
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

missing_of() {
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
    done
}

# Installs what is missing, in a way that no service starts (nginx would take port 80).
install_packages() {
    command -v dpkg-query >/dev/null || fail "this is not Debian or Ubuntu; install by hand: $*"
    missing=$(missing_of "$@")
    [ -n "$missing" ] || return 0
    sudo=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "run this as root, or install sudo; missing packages: $missing"
        sudo=sudo
    fi
    printf 'setup: installing %s\n' "$missing" >&2
    policy=/usr/sbin/policy-rc.d
    own_policy=
    if [ ! -e "$policy" ]; then
        own_policy=yes
        printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
        $sudo chmod 755 "$policy"
    fi
    status=0
    # shellcheck disable=SC2086
    { $sudo apt-get -q update && $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends $missing; } >&2 || status=$?
    [ -z "$own_policy" ] || $sudo rm -f "$policy"
    [ "$status" = 0 ] || fail "apt-get failed; the lines above say why"
}

if [ "${1:-}" = --packages ]; then
    shift
    install_packages "$@"
    exit 0
fi

install_packages gcc libc6-dev cmake ninja-build libevent-dev libssl-dev libhttp-parser-dev libinih-dev \
    zlib1g-dev libjansson-dev libyaml-dev libcrypt-dev libseccomp-dev ca-certificates scdoc
mkdir -p build
printf 'setup: building (half a minute; build/release.log has the details)\n' >&2
if ! { cmake --preset release -DSFMTLS_TESTS=OFF && cmake --build --preset release; } >build/release.log 2>&1; then
    cat build/release.log >&2
    fail "the build failed; the lines above say why"
fi
printf 'setup: built %s/build/release/sfmtls\n' "$PWD" >&2
