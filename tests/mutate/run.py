#!/usr/bin/env python3
"""Builds each mutant and runs tests until one notices it: see run.sh."""
import argparse
import collections
import concurrent.futures
import fcntl
import json
import multiprocessing
import pathlib
import random
import shutil
import subprocess
import sys
import time

import bench as benches
import mutants
import rules

ROOT = mutants.ROOT
TOGETHER = 12  # survivors in one program
GATE = [f"test_{name}.py" for name in ("first", "head", "tenants", "strict", "own_name", "credentials", "set_cookie",
                                       "collecting", "cookies", "allow")]
NOT_BUILT = "it does not compile"
bench = None  # of this process


def open_bench(numbers, parallel):
    global bench
    benches.adopt_orphans()
    bench = benches.Bench(numbers.get(), parallel)  # with the tree as it is now


def try_first(m):
    """What notices a mutant of the tests to begin with, "" if nothing does; and the seconds it took."""
    failed, seconds = bench.with_mutants([m], bench.run_first, m.first)
    return (failed or [""])[0], seconds


def fail_as_it_is(tests):
    """Those of the tests that fail without a mutant; what they notice is none."""
    return bench.run_first(tests) if tests else []


def noticed_of(group):
    """{name: test} of the mutants of a group that the whole of the tests notices, or, with sanitizers, those to begin
    with."""
    units_first = sorted({test for m in group for test in m.first}, key=lambda test: not test.startswith("unit_"))
    return (noticed_by(group, bench.run_whole, (), bench.run_first) or
            noticed_by(group, bench.run_sanitized, (units_first,), bench.run_sanitized))


def noticed_by(group, run, args, run_again):
    """Runs tests on all of a group, and those that fail on each of it; then without those that were noticed."""
    failed, seconds = bench.with_mutants(group, run, *args)
    print(f"  {len(group)} in one program, {run.__name__}: {len(failed)} tests fail ({seconds:.0f} s)", flush=True)
    noticed = {}
    for m in group if failed else []:
        if by := bench.with_mutants([m], run_again, failed)[0]:
            noticed[m.name] = by[0]
    rest = [m for m in group if m.name not in noticed]
    if failed and not noticed and len(group) > 1:  # noticed are some together, or none, and a test failed by chance
        half = len(group) // 2
        return noticed_by(group[:half], run, args, run_again) | noticed_by(group[half:], run, args, run_again)
    return noticed | (noticed_by(rest, run, args, run_again) if noticed and rest else {})


def groups_of(survivors):
    """Few groups, in which as few as can be are of one file."""
    count = -(-len(survivors) // TOGETHER)
    by_file = sorted(survivors, key=lambda m: m.file)
    return [by_file[i::count] for i in range(count)]


class Results:
    """One row for each mutant, printed as it comes."""
    def __init__(self):
        self.rows, self.broken, self.begun = [], [], time.monotonic()

    def add(self, m, by, seconds):
        verdict = by and "noticed" or m.accepted and "accepted" or "survived"
        self.rows.append({"name": m.name, "area": m.area, "file": m.file, "place": m.place, "old": m.old,
                          "new": m.new, "verdict": verdict, "noticed_by": by, "reason": m.accepted,
                          "seconds": round(seconds, 1)})
        print(f"{verdict.upper() if verdict == 'survived' else verdict:9}{seconds:5.0f} s  {m.title}"
              + (f"\n{'':18}{by}" if by else ""), flush=True)

    def noticed_after_all(self, by_name):
        for row in self.rows:
            if row["name"] in by_name:
                row.update(verdict="noticed", noticed_by=by_name[row["name"]])

    def noticing(self):
        """The tests that noticed something; unit programs whole."""
        tests = [row["noticed_by"].removesuffix(" (ended)") for row in self.rows]
        return [t for t in dict.fromkeys(tests) if t.startswith("unit_") or "::" in t]

    def complaints(self):
        """What has to be changed, in the lists first of all."""
        yield from (f"{test} fails without a mutant, too" for test in self.broken)
        for row in self.rows:
            if row["noticed_by"] == NOT_BUILT:
                yield f"{row['place']}: {NOT_BUILT}; write another mutant"
            elif row["reason"] and row["noticed_by"]:
                yield f"{row['place']}: {row['noticed_by']} notices it; take out its reason (~)"
            elif row["verdict"] == "survived":
                yield (f"{row['place']}: no test notices it; write one that does, or give the reason why none can (~)")

    def print_table(self):
        areas = collections.defaultdict(collections.Counter)
        for row in self.rows:
            for area in (row["area"], "all"):
                areas[area][row["verdict"]] += 1
        print(f"\n{'':8}{'noticed':>9}{'survived':>10}{'accepted':>10}   noticed of those not accepted")
        for area, n in sorted(areas.items(), key=lambda a: (a[0] == "all", a[0])):
            share = n["noticed"] / max(1, n["noticed"] + n["survived"])
            print(f"{area:8}{n['noticed']:9}{n['survived']:10}{n['accepted']:10}{share:9.1%}")
        print(f"{len(self.rows)} mutants, {time.monotonic() - self.begun:.0f} s")


def lock_benches():
    """For one run at a time: the lock, which is held as long as the object lives."""
    benches.FOLDER.mkdir(parents=True, exist_ok=True)
    lock = open(benches.FOLDER / "lock", "w", encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def make_pki():
    """One for all, and for later runs with the same script."""
    pki, script = benches.FOLDER / "pki", ROOT / "tests/certs/make.sh"
    made_by = pki / "made-by"
    if not made_by.exists() or made_by.read_bytes() != script.read_bytes():
        shutil.rmtree(pki, ignore_errors=True)
        subprocess.run(["sh", script, pki], check=True, stdout=subprocess.DEVNULL)
        shutil.copy(script, made_by)


def pool_of(jobs):
    """Processes with a bench each."""
    numbers = multiprocessing.get_context("fork").SimpleQueue()
    for n in range(jobs):
        numbers.put(n)
    return concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), open_bench,
                                                  (numbers, 2))


def try_mutants(chosen, jobs, whole):
    results = Results()
    with pool_of(jobs) as pool:
        for m, (by, seconds) in zip(chosen, pool.map(try_first, chosen)):
            results.add(m, by, seconds)
        survivors = [m for m, row in zip(chosen, results.rows) if row["verdict"] == "survived"]
        for noticed in pool.map(noticed_of, groups_of(survivors) if whole and survivors else []):
            results.noticed_after_all(noticed)
        results.broken = pool.submit(fail_as_it_is, results.noticing()).result()
    return results


def try_accepted(every):
    """All accepted mutants in one program: it passes, or one of the reasons is wrong."""
    accepted = [m for m in every if m.accepted]
    begun = time.monotonic()
    with pool_of(1) as pool:
        failed = pool.submit(run_gate, accepted).result()
    print(f"{len(accepted)} accepted mutants in one program: "
          f"{'pass' if not failed else ', '.join(failed) + ' fails'} ({time.monotonic() - begun:.0f} s)")
    if failed:
        sys.exit("a test notices an accepted mutant: tests/mutate/run.sh FILE says which; take out its reason (~)")


def run_gate(accepted):
    bench.parallel = "5"
    units = [p.name for p in sorted((ROOT / "tests/unit").iterdir()) if p.is_dir()]
    tests = [f"unit_{name}" for name in units] + GATE
    return bench.with_mutants(accepted, bench.run_first, tests)[0]


def choose(every, files, sample):
    chosen = [m for m in every if not files or m.file.startswith(tuple(f.removeprefix("proxy/") for f in files))]
    if sample:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, check=False).stdout
        chosen = [m for m in chosen if not m.accepted]
        random.Random(commit).shuffle(chosen)
        chosen = chosen[:sample]
    return chosen


def print_proposals(every, files):
    known = {(m.file, tuple(m.old), tuple(m.new)) for m in every}
    for file in files:
        for rule, old, new in rules.propose((ROOT / "proxy" / file).read_text()):
            if (file, (old,), (new,) if new else ()) not in known:
                print(f"# {rule}\n== {file}\n- {old}" + (f"\n+ {new}" if new else ""))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, usage="sh tests/mutate/run.sh [options] [FILE...]")
    parser.add_argument("files", nargs="*", metavar="FILE", help="below proxy/, or the beginning of the name")
    parser.add_argument("--sample", type=int, metavar="N", help="N mutants, chosen by the commit")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="so many at a time")
    parser.add_argument("--first", action="store_true", help="only the tests to begin with")
    parser.add_argument("--accepted", action="store_true", help="the accepted ones in one program, which has to pass")
    parser.add_argument("--propose", action="store_true", help="print mutants, made by rule, that no list has")
    parser.add_argument("--json", metavar="FILE", default=benches.FOLDER / "report.json", help="the report")
    return parser.parse_args()


def main():
    args = arguments()
    try:
        every = mutants.read_all()
    except mutants.BadList as e:
        sys.exit(str(e))
    if args.propose:
        print_proposals(every, args.files)
        return
    lock = lock_benches()
    make_pki()
    if args.accepted:
        try_accepted(every)
        return
    chosen = choose(every, args.files, args.sample)
    if not chosen:
        sys.exit("no list has a mutant of these files: see --propose")
    results = try_mutants(chosen, args.jobs, not args.first)
    lock.close()
    results.print_table()
    pathlib.Path(args.json).write_text(json.dumps(results.rows, indent=1) + "\n")
    if complaints := list(results.complaints()):
        sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main()
