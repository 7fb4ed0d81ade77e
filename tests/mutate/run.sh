#!/bin/sh
# Which small faults do the tests notice? Each mutant of the lists (*.mutants) is built into the program, and tests run
# until one fails. What survives the tests to begin with (first.txt) is tried with all, several in one program.
#
#   sh tests/mutate/run.sh                      every mutant
#   sh tests/mutate/run.sh --sample 20          twenty of them, chosen by the commit
#   sh tests/mutate/run.sh upstream/pool.c      those of the named files
#   sh tests/mutate/run.sh --accepted           all accepted survivors in one program, which has to pass
#   sh tests/mutate/run.sh --propose sf/x.c     prints mutants, made by rule, that no list has
#
# --jobs N: so many at a time (2). --first: only the tests to begin with. --json FILE: the report, which else is
# build/mutate/report.json. What it builds is kept in build/mutate, for the next time.
set -eu
cd "$(dirname "$0")/../.."
exec /usr/bin/python3 tests/mutate/run.py "$@"
