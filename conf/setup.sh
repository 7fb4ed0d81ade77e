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

say() {
    printf 'setup: %s\n' "$1" >&2
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
    if [ -z "$missing" ]; then
        say "all packages are installed"
        return 0
    fi
    sudo=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "run this as root, or install sudo; missing packages: $missing"
        sudo=sudo
    fi
    say "installing with apt-get${sudo:+, as root by sudo}: $missing"
    policy=/usr/sbin/policy-rc.d
    own_policy=
    if [ ! -e "$policy" ]; then
        say "$policy keeps services from starting meanwhile; it is removed afterwards"
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

say "this installs the packages that the build needs, if they are missing, and builds in $PWD/build/release"
install_packages gcc libc6-dev cmake ninja-build libevent-dev libssl-dev libhttp-parser-dev libinih-dev \
    zlib1g-dev libjansson-dev libyaml-dev libcrypt-dev libseccomp-dev libkrb5-dev libcurl4-openssl-dev \
    ca-certificates scdoc
mkdir -p build
say "building (a minute or two; build/release.log has the details)"
if ! { cmake --preset release -DSFMTLS_TESTS=OFF && cmake --build --preset release; } >build/release.log 2>&1; then
    cat build/release.log >&2
    fail "the build failed; the lines above say why"
fi
say "built $PWD/build/release/sfmtls"
