#!/bin/sh
# Every test: lint, unit, integration, a short fuzz run; under ASan and UBSan, TSan, and as released.
# Installs the packages it needs (Debian, Ubuntu).
#
#   sh tests/run.sh                     small counts, some minutes
#   sh tests/run.sh --full              the full counts
#   sh tests/run.sh [--full] STAGE...   some of: lint unit asan tsan release package counts mutants fuzz
set -eu
cd "$(dirname "$0")/.."
fuzz_seconds=3 fuzz_seed=1
if [ "${1:-}" = --full ]; then
    fuzz_seconds=120 fuzz_seed=0
    export SFMTLS_FULL=1
    shift
fi
all='lint unit asan tsan release package counts mutants fuzz'
stages=${*:-$all}
for stage in $stages; do
    case " $all " in
    *" $stage "*) ;;
    *)
        echo "usage: sh tests/run.sh [--full] [STAGE...]; the stages are: $all" >&2
        exit 2
        ;;
    esac
done

chosen() { # STAGE
    case " $stages " in *" $1 "*) ;; *) return 1 ;; esac
}

sh conf/setup.sh --packages gcc libc6-dev cmake ninja-build libevent-dev libssl-dev libhttp-parser-dev \
    libinih-dev zlib1g-dev libjansson-dev libyaml-dev libcrypt-dev libseccomp-dev libkrb5-dev libcurl4-openssl-dev \
    ca-certificates clang \
    clang-tidy clang-format cppcheck llvm openssl curl wget gnutls-bin apache2-utils whois nginx-light haproxy \
    default-jdk-headless python3 python3-pytest python3-pytest-xdist python3-requests python3-jsonschema \
    libnss-wrapper squid libgssapi-krb5-2 procps systemd hostname iproute2 chromium scdoc mandoc man-db strace valgrind \
    zsh fish build-essential debhelper
[ -z "${SFMTLS_FULL:-}" ] || sh conf/setup.sh --packages prometheus krb5-kdc krb5-admin-server krb5-user gss-ntlmssp \
    apache2 libapache2-mod-auth-gssapi debootstrap lintian piuparts systemd-container podman buildah runc
# What this clang's sanitizers and fuzzer are linked with; each release has another number in the package's name.
sh conf/setup.sh --packages "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"

# A root without /etc/hosts, as debootstrap of Debian 12 makes it, does not know what localhost is.
getent ahosts localhost >/dev/null || sh conf/setup.sh --packages libnss-myhostname

# Whoever has another node and npm than Debian's keeps them.
command -v npm >/dev/null && command -v node >/dev/null || sh conf/setup.sh --packages nodejs npm

export LC_ALL=C.UTF-8 # what the tools say is compared
python=/usr/bin/python3
work=$(mktemp -d "${TMPDIR:-/tmp}/sfmtls-tests-XXXXXX")
beside=
trap 'for job in $beside; do kill -- "-${job#*=}" 2>/dev/null || :; done; rm -rf "$work"' EXIT
mkdir -p build
total=0

now() {
    date +%s
}

look_at_times() { # used = seconds of a processor that have been used by what has ended; a subshell counts its own only
    times >"$work/used"
    used=$(sed -n '2s/[ms]/ /gp' "$work/used" | { read -r m s n t; echo $((m * 60 + n * 60 + ${s%.*} + ${t%.*})); })
}

stage() {
    end_stage
    for job in $beside; do
        [ ! -e "$work/${job%=*}.failed" ] || { cat "build/${job%=*}.log"; exit 1; }
    done
    title=$1
    begun=$(now)
    look_at_times
    used_before=$used
    printf '\n== %s\n' "$title"
}

end_stage() {
    [ -n "${title:-}" ] || return 0
    look_at_times
    printf '%5d s, %5d s of a processor: %s\n' "$(($(now) - begun))" "$((used - used_before))" "$title" >>"$work/times"
    title=
}

build() { # PRESET...: one after the other
    for preset; do
        { cmake --preset "$preset" && cmake --build --preset "$preset"; } >"build/$preset.log" 2>&1 ||
            { cat "build/$preset.log"; exit 1; }
    done
}

start_beside() { # NAME COMMAND...: runs beside all that follows, in what time that leaves; its log is build/NAME.log
    name=$1
    shift
    setsid nice -n 19 sh -c '"$@" || { echo failed >"$0"; exit 1; }' "$work/$name.failed" "$@" >"build/$name.log" 2>&1 &
    beside="$beside $name=$!"
}

wait_for() { # NAME
    for job in $beside; do
        [ "${job%=*}" != "$1" ] || wait "${job#*=}" || { cat "build/$1.log"; exit 1; }
    done
}

count() { # the number that stands before the word $2 at the end of file $1
    sed -n "s/.*\b\([0-9][0-9]*\) $2.*/\1/p" "$1" | tail -n 1
}

unit() { # PRESET
    for program in "build/$1"/tests/unit_*; do
        [ -x "$program" ] || continue
        "$program" >"$work/unit" 2>&1 || { cat "$work/unit"; exit 1; }
        total=$((total + $(count "$work/unit" tests)))
        printf '%s: %s\n' "$(basename "$program")" "$(tail -n 1 "$work/unit")"
    done
}

integration() { # BUILD pytest-arguments...
    folder=$1
    shift
    SFMTLS="$PWD/build/$folder/sfmtls" SFMTLS_BUILD="$folder" $python -m pytest -q -p no:cacheprovider \
        -n 10 --dist loadfile --basetemp "$work/pytest" "$@" >"$work/integration" 2>&1 || { cat "$work/integration"; exit 1; }
    tail -n 1 "$work/integration"
    total=$((total + $(count "$work/integration" passed)))
}

without() { # NAME...: all integration tests but, every day, those of test_NAME.py, as pytest wants it
    printf 'tests/integration'
    [ -n "${SFMTLS_FULL:-}" ] || printf ' --ignore=tests/integration/test_%s.py' "$@"
}

of() { # NAME...: every day those of test_NAME.py alone
    if [ -n "${SFMTLS_FULL:-}" ]; then printf 'tests/integration'; else printf 'tests/integration/test_%s.py ' "$@"; fi
}

clients() { # what tests/integration/package-lock.json pins, in build/npm
    mkdir -p build/npm
    ! cmp -s tests/integration/package-lock.json build/npm/installed || return 0
    cp tests/integration/package.json tests/integration/package-lock.json build/npm
    npm --prefix build/npm ci --ignore-scripts --no-audit --no-fund >build/npm.log 2>&1 ||
        { cat build/npm.log; exit 1; }
    cp tests/integration/package-lock.json build/npm/installed
}

stage 'build'
clients &
clients=$!
build ci asan &
build fuzz tsan
wait $!
wait $clients
! chosen lint || start_beside lint sh tests/lint/run.sh build/release/sfmtls build/fuzz
# Every day the package of this Debian is built and looked at. With --full it is installed in fresh systems, which are
# booted, and the image is built and run.
! chosen package || start_beside package $python -m pytest -q -p no:cacheprovider --basetemp "$work/package" tests/package
export SFMTLS_RELEASE="$PWD/build/release/sfmtls"
sh tests/certs/make.sh "$work/pki"
export SFMTLS_TEST_PKI="$work/pki"
# The libraries are not instrumented: TSan does not see how they order what their threads share.
export TSAN_OPTIONS="${TSAN_OPTIONS:+$TSAN_OPTIONS:}ignore_noninstrumented_modules=1"

if chosen unit; then
    stage 'unit tests, ASan and UBSan'
    unit asan
    stage 'unit tests, TSan'
    unit tsan
fi
if chosen asan; then
    stage 'integration tests, ASan and UBSan'
    # Browsers and other clients take minutes, and see no difference: they try the released program. So do those that
    # are marked, long tables of what the fuzz targets read, too, commands, and what passwords take their time for.
    integration asan -m 'not released' $(without browser clients newman many_keys config import parent_config \
        callers_file certificate chaos cli completion examples expansion files init listen noise settings try)
fi
if chosen tsan; then
    stage 'integration tests, TSan, several workers'
    # Where threads meet: what a process shares, what changes while it serves, what is done beside the workers.
    SFMTLS_WORKERS=4 integration tsan -m 'not alone' $(of admin callers callers_file chaos collecting connect \
        cookies limits manners metrics operate overlap parent peer pool process reload reload_keys session_reuse \
        slowloris status trace)
fi
if chosen release; then
    stage 'integration tests, as released'
    # In its sandbox; without long tables and waits that are the same outside of it.
    integration release $(without tenants vectors browser turns vanished manners batch bodies callers_file check \
        cookies failures framing head hints link_places links overlap own_name pool ranges readings set_cookie \
        storms strict unasked)
    # A browser gives up what takes too long beside others.
    integration release tests/integration/test_browser.py
fi
if chosen counts; then
    stage 'what a request costs'
    # With one caller the counts are always the same; with many, the calls depend on who comes when.
    only='--only=1 KiB, 1 caller'
    [ -z "${SFMTLS_FULL:-}" ] || only=
    if strace -qq -e trace=none true 2>/dev/null; then
        $python tests/bench/counts.py build/release/sfmtls --check ${only:+"$only"}
        total=$((total + 1))
    else
        echo 'this system does not let strace trace: not compared'
    fi
fi
if chosen mutants && [ -n "${SFMTLS_FULL:-}" ]; then
    stage 'mutants that are accepted, all in one program'
    sh tests/mutate/run.sh --accepted
    stage 'twenty mutants, chosen by the commit'
    sh tests/mutate/run.sh --sample 20
    total=$((total + 21))
fi
if chosen fuzz; then
    stage "fuzzing, $fuzz_seconds s for each target"
    sh tests/fuzz/run.sh "$fuzz_seconds" 2 "$fuzz_seed"
    total=$((total + $(ls tests/fuzz/*_fuzz.c | wc -l)))
fi
stage 'lint and package, what was left of them'
if chosen lint; then
    wait_for lint
    cat build/lint.log
    total=$((total + 1))
fi
if chosen package; then
    wait_for package
    tail -n 1 build/package.log
    total=$((total + $(count build/package.log passed)))
fi

end_stage
printf '\n'
cat "$work/times"
printf '\n%d tests run, all passed\n' "$total"
