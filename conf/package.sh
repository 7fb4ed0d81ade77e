#!/bin/sh
# Makes the Debian package of this tree in build/deb: sfmtls_VERSION_ARCH.deb, the same bytes for the same tree.
#
#   sh conf/package.sh                 for this Debian
#   sh conf/package.sh --source        the source package only
#
# Builds outside of the tree, from the files that git knows. Uses ccache if CMAKE_C_COMPILER_LAUNCHER says so.
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf 'package: %s\n' "$1" >&2
    exit 1
}

kind=--build=any
case "${1:-}" in
'') ;;
--source) kind=--build=source ;;
*) fail "usage: sh conf/package.sh [--source]" ;;
esac
command -v dh >/dev/null || fail "debhelper is missing; install it with: apt-get install debhelper"

# Between two releases, the version of the last one and the time of the last commit.
version=$(sed -n 's/^project(sfmtls VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
! grep -q '^## Unreleased' CHANGELOG.md || version=$version+git$(date -u -d "@$epoch" +%Y%m%d%H%M%S)

out=build/deb
tree=$out/sfmtls # the same for each version, so that ccache finds what it had
rm -rf "$out"
mkdir -p "$tree"
{ git ls-files 2>/dev/null || find . -path ./build -prune -o -type f -print; } | grep -v '^tests/' |
    tar -c --mtime="@$epoch" -T - | tar -x -C "$tree"
mv "$tree/conf/debian" "$tree/debian"
cat >"$tree/debian/changelog" <<EOF
sfmtls ($version) unstable; urgency=medium

  * CHANGELOG.md has the changes.

 -- the sfmtls developers <sfmtls@packages.debian.org>  $(date -R -u -d "@$epoch")
EOF
cd "$tree"
dpkg-buildpackage -us -uc $kind >../build.log 2>&1 || { tail -n 40 ../build.log >&2; fail "the build failed; $out/build.log has all of it"; }
cd ..
for made in *.deb *.dsc; do
    [ ! -e "$made" ] || printf '%s\n' "$out/$made"
done
