#!/usr/bin/env python3
"""What a request costs in counts that do not depend on the machine's load: system calls (strace) and
instructions in user mode (callgrind), of sfmtls, nginx, HAProxy and a forwarding loop that parses
nothing.

    sh tests/bench/run.sh --counts                  all of them, and how sfmtls compares to the table
    sh tests/bench/run.sh --counts --update         writes sfmtls' counts of this system into the table
    python3 tests/bench/counts.py BINARY --check    sfmtls alone; fails if it grew by more than 3 %
    ... --check --only "1 KiB, 1 caller"            that load alone, in ten seconds

First a connection to the server is opened for each caller, so that no handshake is counted. System
calls are those of the load alone. For instructions it runs twice with different numbers of requests,
each time against a new process: the difference is what the further requests cost.
Processor features are pinned, so that libraries take the same path on every machine. HAProxy closes
connections that it does not expect to need, so its figures can hold handshakes.

The table (counts.json) holds, for each system, sfmtls' own instructions and all its system calls.
Other systems have other compilers and libraries, so there the counts are printed and not judged.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import bench
import steady

LOADS = [  # name, path, callers, requests of each: fewer and more, a connection for each request, callers who only stay
    ("1 KiB, 1 caller", "/1k", 1, (50, 450), False, 0),
    ("1 KiB, 64 callers", "/1k", 64, (2, 10), False, 0),
    ("64 KiB, 32 callers", "/64k", 32, (2, 6), False, 0),
    ("1 MiB, 8 callers", "/1m", 8, (1, 4), False, 0),
    ("1 KiB, reconnecting", "/1k", 64, (2, 10), True, 0),
    ("1 KiB, 1 of 10,000 callers", "/1k", 1, (50, 450), False, 9999),
]
TABLE = pathlib.Path(__file__).with_name("counts.json")
TOLERANCE = 1.03
# Of CPUID's leaf 7: what some machines have and others do not (AVX512F, DQ, ADX, IFMA, SHA, BW, VL, VAES, VPCLMULQDQ).
ABSENT = sum(1 << bit for bit in (16, 17, 19, 21, 29, 30, 31, 32 + 9, 32 + 10))
# callgrind counts each step of `rep movsb`, so copies are to be made by vector moves.
PINNED = {"OPENSSL_ia32cap": f":~{ABSENT:#x}",
          "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL:glibc.cpu.x86_rep_movsb_threshold=1073741824:"
                            "glibc.cpu.x86_rep_stosb_threshold=1073741824"}
# An instrument makes a process slow: no connection is to be closed as idle meanwhile. valgrind lives in no sandbox.
KEEP = "sandbox = off\npool-idle = 1h\npool-age = 1h"
ALL_HANDSHAKES_ALIKE = "ssl_session_tickets off; ssl_session_cache off;"
OBJECTS = [("own", r"/(sfmtls|forward_loop|nginx|haproxy)$"), ("libcrypto", r"/libcrypto"), ("libssl", r"/libssl"),
           ("libevent", r"/libevent"), ("http-parser", r"/libhttp_parser"), ("libc", r"/(libc|ld-linux[^/]*)\.")]


# ---- one run ----

@contextlib.contextmanager
def running(start, folder, under=()):
    """A proxy with a connection to the server for each caller, under an instrument."""
    proxy = start(folder, under)
    try:
        yield proxy
    finally:
        proxy.stop(120)


def scratch(folder):
    path = pathlib.Path(tempfile.mkdtemp(dir=folder))
    path.chmod(0o777)  # nginx' worker, which is another user, writes there
    return path


@contextlib.contextmanager
def traced(pid, summary):
    """Counts the system calls of a process and its children from here on."""
    pids = ",".join(str(p) for p in bench.family(pid))
    tracer = subprocess.Popen(["strace", "-f", "-c", "-o", summary, "-p", pids], stderr=subprocess.PIPE, text=True)
    for _ in pids.split(","):
        if "attached" not in tracer.stderr.readline():
            sys.exit("strace cannot attach")
    yield
    tracer.send_signal(signal.SIGINT)
    tracer.communicate()


def count_calls(start, folder, load):
    """Of each system call, how many a request takes."""
    _, path, callers, (_, rounds), closes, others = load
    summary = scratch(folder) / "calls"
    with running(start, folder) as proxy:
        steady.warm(proxy.port, proxy.origin, callers)
        with steady.others(proxy.port, others, callers):
            steady.run(proxy.port, path, callers, rounds, closes, traced(proxy.process.pid, summary))
    calls = {}
    for line in summary.read_text().splitlines():
        found = re.fullmatch(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)", line)
        if found and found.group(2) != "total":
            calls[found.group(2)] = int(found.group(1)) / (callers * rounds)
    return calls


def object_of(path):
    return next((name for name, pattern in OBJECTS if re.search(pattern, path)), "other")


def instructions_of(start, folder, load, rounds):
    _, path, callers, _, closes, others = load
    out = scratch(folder)
    with running(start, folder, ["valgrind", "-q", "--tool=callgrind", "--trace-children=yes",
                                 f"--callgrind-out-file={out}/callgrind.%p"]) as proxy:
        steady.warm(proxy.port, proxy.origin, callers)
        with steady.others(proxy.port, others, callers):
            steady.run(proxy.port, path, callers, rounds, closes)
    spent = collections.Counter()
    for file in out.glob("callgrind.*"):
        read_callgrind(file.read_text(), spent)
    return spent


def count_instructions(start, folder, load):
    """Of each object, how many instructions a request takes."""
    _, _, callers, (fewer, more), *_ = load
    few, many = (instructions_of(start, folder, load, rounds) for rounds in (fewer, more))
    return {key: (many[key] - few[key]) / (callers * (more - fewer)) for key in many}


def read_callgrind(text, spent):
    """Adds up the cost lines of each object. The line after `calls=` is the callee's, and counted there."""
    names, current, callee = {}, "other", False
    for line in text.splitlines():
        if line.startswith("ob="):
            number, _, path = line[3:].partition(" ")
            if path:
                names[number] = object_of(path)
            current = names[number]
        elif line.startswith("cob="):
            number, _, path = line[4:].partition(" ")
            if path:
                names[number] = object_of(path)
        elif line.startswith("calls="):
            callee = True
        elif line[:1] in "+-*0123456789" and line:
            if not callee:
                spent[current] += int(line.split()[1])
            callee = False


# ---- one load ----

def starters(binary, loop, pki, origin):
    return {
        "sfmtls": lambda folder, under: bench.start_sfmtls(binary, folder, pki, origin, "", under, KEEP),
        "nginx": lambda folder, under: bench.start_nginx(folder, pki, origin, under),
        "haproxy": lambda folder, under: bench.start_haproxy(folder, pki, origin, under),
        "loop": lambda folder, under: bench.start_loop(str(loop), pki, origin, under),
    }


def measure(start, folder, load):
    """How many calls a large body takes depends on how much comes at once: the fewest of three are kept."""
    times = 1 if load[1] == "/1k" else 3
    calls = min((count_calls(start, folder, load) for _ in range(times)), key=lambda calls: sum(calls.values()))
    return {"calls": calls, "instructions": count_instructions(start, folder, load)}


def show(name, result):
    calls, spent = result["calls"], result["instructions"]
    columns = [key for key, _ in OBJECTS] + ["other"]
    print(f"  {name:8} {sum(calls.values()):7.2f} {sum(spent.values()):10.0f} "
          + " ".join(f"{spent.get(c, 0):10.0f}" for c in columns))
    most = sorted(calls.items(), key=lambda item: -item[1])[:9]
    print("           " + ", ".join(f"{call} {n:.2f}" for call, n in most if abs(n) >= 0.005), flush=True)


# ---- the table ----

def system_name():
    """The release, since compiler and libraries are the release's."""
    about = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return (about["ID"] + " " + about.get("VERSION_ID", "")).replace('"', "").strip()


def wanted_counts():
    """The table's of this system; None: it has none."""
    wanted = json.loads(TABLE.read_text()).get(system_name()) if TABLE.exists() else None
    if wanted is None:
        print(f"{TABLE.name} has no counts of {system_name()}: nothing is judged")
    return wanted


def judge(results):
    """Sentences about what grew beyond the table of this system."""
    wanted, grown = wanted_counts(), []
    if wanted is None:
        return []
    for load, result in results.items():
        for what, now in summary(result).items():
            before = wanted.get(load, {}).get(what, now)
            if now > before * TOLERANCE:
                grown.append(f"{load}: {what} {now:.2f}, {now / before - 1:+.1%} above the table's {before:.2f}")
    return grown


def summary(result):
    return {"calls": round(sum(result["calls"].values()), 2), "own instructions": round(result["instructions"]["own"])}


def update(results):
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    table.setdefault(system_name(), {}).update({load: summary(result) for load, result in results.items()})
    TABLE.write_text(json.dumps(table, indent=2, sort_keys=True) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--counts", action="store_true", help="for run.sh")
    parser.add_argument("--check", action="store_true", help="sfmtls alone; exit 1 if it grew")
    parser.add_argument("--update", action="store_true", help="write the table")
    parser.add_argument("--only", default="", help="loads whose name holds this")
    parser.add_argument("--proxies", default="sfmtls,nginx,haproxy,loop")
    args = parser.parse_args()

    if args.check and wanted_counts() is None:
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-counts-"))
    folder.chmod(0o755)
    os.environ.update(PINNED)
    pki, origin = folder / "pki", bench.free_port()
    here = pathlib.Path(__file__).resolve().parent
    subprocess.run(["sh", here.parent / "certs" / "make.sh", pki], check=True)
    names = ["sfmtls"] if args.check else args.proxies.split(",")
    if "loop" in names:
        subprocess.run(["gcc", "-O2", "-o", folder / "forward_loop", here / "forward_loop.c", "-lssl", "-lcrypto"],
                       check=True)
    results = {}
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        server = bench.start_origin(folder, pki, origin, ALL_HANDSHAKES_ALIKE)
        stack.callback(lambda: (server.terminate(), server.wait(10)))
        start = starters(args.binary, folder / "forward_loop", pki, origin)
        columns = " ".join(f"{name:>10}" for name in [*(key for key, _ in OBJECTS), "other"])
        print(f"per request: system calls, instructions in user mode, of these in\n{'':10} {'calls':>7} {'instr':>10} "
              + columns)
        for load in LOADS:
            if args.only not in load[0]:
                continue
            print(load[0])
            for name in names:
                if name == "loop" and (load[4] or load[5]):
                    continue  # each connection would cost it a handshake, which the others keep
                result = measure(start[name], folder, load)
                show(name, result)
                if name == "sfmtls":
                    results[load[0]] = result
    if args.update:
        update(results)
        return
    grown = judge(results)
    for sentence in grown:
        print(sentence)
    if grown and args.check:
        sys.exit("a request costs more than the table says; if that is meant, run "
                 "`sh tests/bench/run.sh --counts --update` and commit the table with the reason")


if __name__ == "__main__":
    main()
