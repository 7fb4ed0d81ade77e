#!/bin/sh
# Rules of the tree, formatting, static analysis.
#
#   sh tests/lint/run.sh BINARY BUILD      BUILD: made by clang, for its compile_commands.json
set -eu
cd "$(dirname "$0")/../.."
/usr/bin/python3 tests/lint/rules.py "$1" "$2"
pages=$(mktemp -d)
for page in conf/man/*.scd; do
    made=$pages/$(basename "$page" .scd)
    sh conf/man/page.sh "$page" >"$made"
    mandoc -T lint "$made"
    man --warnings -l "$made" 2>&1 >/dev/null | { ! grep .; }
done
rm -rf "$pages"
echo 'manual pages: clean'
find proxy tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror
echo 'clang-format: clean'
# The analyzer follows each function through 225,000 states, if need be, which takes 6 of 7 minutes. Every day an
# eighth must do; `tests/run.sh --full` has them all.
depth=
[ -n "${SFMTLS_FULL:-}" ] ||
    depth='--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=30000'
find proxy -name '*.c' -print0 | xargs -0 -P "$(nproc)" -n 6 clang-tidy -p "$2" --quiet $depth >build/tidy.log \
    2>/dev/null || { cat build/tidy.log; exit 1; }
echo 'clang-tidy: clean'
# From 2.11 on less is looked at unless one asks for all; before, nobody could ask.
thorough=
! cppcheck --help | grep -q -e --check-level || thorough=--check-level=exhaustive
cppcheck --quiet $thorough --enable=warning,performance,portability --inline-suppr --std=c11 -Iproxy --error-exitcode=1 \
    -j "$(nproc)" proxy
echo 'cppcheck: clean'
