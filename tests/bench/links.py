#!/usr/bin/env python3
"""What rewriting links costs: CPU time of sfmtls for a body with a link in each KiB, passed on as JSON
(rewritten) and as text (left alone), and with rewrite-links = off, in interleaved rounds.

    sh tests/bench/run.sh --links [--mib 1024] [--rounds 5]
"""
import argparse
import pathlib
import shutil
import statistics
import subprocess
import tempfile

import bench


def body(origin, mib):
    link = f"https://localhost:{origin}/odata/v2/User('x')"
    row = f'{{"__metadata":{{"uri":"{link}","type":"SFOData.User"}},'
    while len(row) < 990:
        row += '"firstName":"Anna","hireDate":"/Date(1388534400000)/","email":"anna.schmidt@example.com",'
    row += '"last":null},\n'
    return ('{"d":{"results":[' + row * ((mib << 20) // len(row)) + "{}]}}").encode()


def fetch(proxy, path):
    before = proxy.cpu_seconds()
    subprocess.run(["taskset", "-c", bench.LOAD_CPU, "curl", "-sSf", "-o", "/dev/null",
                    f"http://localhost:{proxy.port}{path}"], check=True)
    return proxy.cpu_seconds() - before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--links", action="store_true", help="for run.sh")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-bench-"))
    folder.chmod(0o755)
    pki, origin_port, started = folder / "pki", bench.free_port(), []
    subprocess.run(["sh", pathlib.Path(__file__).resolve().parents[1] / "certs/make.sh", pki], check=True)
    try:
        started.append(bench.start_origin(folder, pki, origin_port, "types { application/json json; text/plain txt; }"))
        for name in ("rows.json", "rows.txt"):
            (folder / "files" / name).write_bytes(body(origin_port, args.mib))
        on = bench.start_sfmtls(args.binary, folder, pki, origin_port)
        off = bench.start_sfmtls(args.binary, folder, pki, origin_port, "rewrite-links = off")
        started += [on.process, off.process]
        cases = {"JSON, rewritten": (on, "/rows.json"), "JSON, switched off": (off, "/rows.json"),
                 "text, left alone": (on, "/rows.txt"), "text, switched off": (off, "/rows.txt")}
        taken = {name: [] for name in cases}
        for _ in range(args.rounds):
            for name, case in cases.items():
                taken[name].append(fetch(*case))
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
    medians = {name: statistics.median(samples) for name, samples in taken.items()}
    for name, seconds in medians.items():
        print(f"{name:20} {seconds:6.3f} s CPU for {args.mib} MiB")
    print(f"rewriting costs {medians['JSON, rewritten'] / medians['JSON, switched off']:.2f} of passing on, "
          f"types that are left alone {medians['text, left alone'] / medians['text, switched off']:.2f}")


if __name__ == "__main__":
    main()
