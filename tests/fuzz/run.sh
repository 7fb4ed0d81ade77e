#!/bin/sh
# Runs every fuzz target for SECONDS (default 60), starting from the corpus that is kept beside it.
# What they find new goes to build/fuzz/corpus; a crash stops the run and leaves its input there.
#
#   sh tests/fuzz/run.sh [SECONDS]
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
mkdir -p build
cmake --preset fuzz >build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }
cmake --build --preset fuzz >>build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }

for source in tests/fuzz/*_fuzz.c; do
    name=$(basename "$source" .c)
    mkdir -p "build/fuzz/corpus/$name"
    "build/fuzz/tests/$name" -max_total_time="$seconds" -print_final_stats=1 -verbosity=0 -timeout=10 \
        -artifact_prefix="build/fuzz/corpus/$name-" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" \
        >"build/fuzz/$name.log" 2>&1 || { cat "build/fuzz/$name.log"; exit 1; }
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")
    printf '%s: %s runs in %s s, nothing found\n' "$name" "$runs" "$seconds"
done
