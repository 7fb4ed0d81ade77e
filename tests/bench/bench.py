#!/usr/bin/env python3
"""The same load through sfmtls, nginx and HAProxy, one worker each, in interleaved rounds.

Each proxy takes plain HTTP, sets successfactors-companyid, removes Authorization, presents a client
certificate and keeps connections to the same nginx, which insists on one. Printed per row: requests
per second, CPU time per request of the proxy's processes, p50 and p99, resident memory after the
load, and the ratio of sfmtls' CPU to that of the better peer (below 1.00: sfmtls needs less).

The proxies run on the first processor, load and origin on the second. CPU per request is the figure
to compare: it hardly depends on what else the machine does.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import steady

# As many as HAProxy takes, which wants two descriptors for each.
CROWD = min(10000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2000 * 1000 - 1000)
ROWS = [  # name, path, connections, wrk's further arguments, other callers who stay connected and ask nothing
    ("1 KiB, 64 callers", "/1k", 64, [], 0),
    ("1 KiB, 1 caller", "/1k", 1, [], 0),
    ("64 KiB, 32 callers", "/64k", 32, [], 0),
    ("1 MiB, 8 callers", "/1m", 8, [], 0),
    ("1 KiB, reconnecting", "/1k", 64, ["-H", "Connection: close"], 0),
    ("1 KiB, 64 of 1,000 callers", "/1k", 64, [], 936),
    (f"1 KiB, 64 of {CROWD:,} callers", "/1k", 64, [], CROWD - 64),
]
TICKS = os.sysconf("SC_CLK_TCK")
PROXY_CPU, LOAD_CPU = "0", "1"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, seconds=10):
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            threading.Event().wait(0.02)


def family(pid):
    """The process and all below it."""
    pids, found = [pid], []
    while pids:
        pid = pids.pop()
        found.append(pid)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                pids += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


class Proxy:
    """origin: the server's port; under: what the command runs under, an instrument with its arguments."""
    def __init__(self, name, command, port, origin, under=()):
        self.name, self.port, self.origin = name, port, origin
        # What the tests are told in SFMTLS_... would be settings of the program.
        env = {key: value for key, value in os.environ.items() if not key.startswith("SFMTLS_")}
        self.process = subprocess.Popen(["taskset", "-c", PROXY_CPU, *under, *command], env=env,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(port, 60 if under else 10)

    def cpu_seconds(self):
        """From the scheduler's own account (nanoseconds), of every thread."""
        total = 0
        for pid in family(self.process.pid):
            for task in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(OSError):
                    account = pathlib.Path(f"/proc/{pid}/task/{task}/schedstat")
                    total += int(account.read_text().split()[0])
        return total / 1e9

    def resident_kib(self):
        total = 0
        for pid in family(self.process.pid):
            with contextlib.suppress(OSError):
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                total += int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
        return total

    def stop(self, seconds=10):
        self.process.terminate()
        self.process.wait(seconds)


def write(path, text):
    path.write_text(text)
    return str(path)


def start_origin(folder, pki, port, more=""):
    files = folder / "files"
    (files / "put").mkdir(parents=True)
    (files / "put").chmod(0o777)
    for name, size in (("1k", 1024), ("64k", 65536), ("1m", 1048576)):
        (files / name).write_bytes(os.urandom(size // 2).hex().encode())
    config = write(folder / "origin.conf", f"""
        worker_processes 1; daemon off; pid {folder}/origin.pid; error_log {folder}/origin.err;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; sendfile off; open_file_cache max=100; {more}
            keepalive_requests 100000000; keepalive_timeout 600s;
            client_body_temp_path {folder}/origin-body;
            output_buffers 2 256k;
            server {{
                listen 127.0.0.1:{port} ssl; root {files};
                ssl_certificate {pki}/server.pem; ssl_certificate_key {pki}/server.key;
                ssl_client_certificate {pki}/client-ca.pem; ssl_verify_client on; ssl_verify_depth 3;
                ssl_protocols TLSv1.2 TLSv1.3;
                location /put/ {{ dav_methods PUT; }}
            }}
        }}""")
    process = subprocess.Popen(["taskset", "-c", LOAD_CPU, "nginx", "-c", config],
                               stderr=subprocess.DEVNULL)
    wait_for_port(port)
    return process


def start_sfmtls(binary, folder, pki, origin, more="", under=(), process=""):
    """more: of the tenant; process: of [proxy]."""
    port = free_port()
    config = write(folder / f"sfmtls-{port}.ini", f"""
[proxy]
listen = 127.0.0.1:{port}
log = /dev/null
max-connections = 12000
idle-timeout = 600s
{process}
[tenant acme]
company-id = ACME
server = localhost:{origin}
connect-to = 127.0.0.1:{origin}
certificate = {pki}/acme-all.pem
ca-file = {pki}/ca.pem
max-upstream = 128
{more}
""")
    return Proxy("sfmtls", [binary, "run", "-c", config], port, origin, under)


def start_loop(binary, pki, origin, under=()):
    """A caller of forward_loop.c has a connection to the server of its own, and gets no header set."""
    port = free_port()
    return Proxy("loop", [binary, str(port), str(origin), f"{pki}/acme-all.pem", f"{pki}/ca.pem"], port, origin, under)


def start_nginx(folder, pki, origin, under=()):
    port = free_port()
    config = write(folder / "nginx.conf", f"""
        worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
        events {{ worker_connections 16384; }}
        http {{
            access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
            client_body_temp_path {folder}/n1; proxy_temp_path {folder}/n2;
            fastcgi_temp_path {folder}/n3; uwsgi_temp_path {folder}/n4; scgi_temp_path {folder}/n5;
            upstream origin {{
                server 127.0.0.1:{origin};
                keepalive 128; keepalive_requests 100000000; keepalive_timeout 600s;
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass https://origin; proxy_http_version 1.1;
                    proxy_max_temp_file_size 0; proxy_request_buffering off; proxy_buffers 8 32k; proxy_buffer_size 32k;
                    proxy_set_header Connection ""; proxy_set_header Host localhost:{origin};
                    proxy_set_header successfactors-companyid ACME; proxy_set_header Authorization "";
                    proxy_ssl_certificate {pki}/acme-chain.pem; proxy_ssl_certificate_key {pki}/acme.key;
                    proxy_ssl_trusted_certificate {pki}/ca.pem; proxy_ssl_verify on;
                    proxy_ssl_name localhost; proxy_ssl_server_name on;
                    proxy_ssl_protocols TLSv1.2 TLSv1.3;
                }}
            }}
        }}""")
    return Proxy("nginx", ["nginx", "-c", config], port, origin, under)


def start_haproxy(folder, pki, origin, under=()):
    port = free_port()
    tls = f"ssl crt {pki}/acme-all.pem ca-file {pki}/ca.pem verify required sni str(localhost) verifyhost localhost"
    config = write(folder / "haproxy.cfg", f"""
global
    nbthread 1
    maxconn {CROWD + 500}
defaults
    mode http
    timeout connect 10s
    timeout client 600s
    timeout server 450s
    option http-keep-alive
    http-reuse always
frontend callers
    bind 127.0.0.1:{port}
    http-request set-header successfactors-companyid ACME
    http-request set-header Host localhost:{origin}
    http-request del-header Authorization
    default_backend origin
backend origin
    server s 127.0.0.1:{origin} {tls} pool-purge-delay 600s
""")
    return Proxy("haproxy", ["haproxy", "-f", config], port, origin, under)


def to_ms(text):
    if text == "-nan":  # too few requests
        return float("nan")
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m|h)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def load(proxy, path, connections, extra, others, seconds):
    with steady.others(proxy.port, others):
        return load_beside(proxy, path, connections, extra, seconds)


def load_beside(proxy, path, connections, extra, seconds):
    before = proxy.cpu_seconds()
    out = subprocess.run(
        ["taskset", "-c", LOAD_CPU, "wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}",
         "-H", "Authorization: Basic c2ZhcGlAQUNNRTpwdw==", *extra,
         f"http://127.0.0.1:{proxy.port}{path}"],
        check=True, capture_output=True, text=True).stdout
    used = proxy.cpu_seconds() - before
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if bad or requests == 0:
        sys.exit(f"{proxy.name}: wrong answers under load:\n{out}")
    return {
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
        "cpu": used / requests * 1e6,
        "p50": to_ms(re.search(r"(?m)^\s+50%\s+(\S+)", out).group(1)),
        "p99": to_ms(re.search(r"(?m)^\s+99%\s+(\S+)", out).group(1)),
        "rss": proxy.resident_kib(),
    }


def median_of(samples):
    return {key: statistics.median(s[key] for s in samples) for key in samples[0]}


def spread_of(taken):
    """Of the ratio of CPU to the better peer's, from round to round; a round's loads follow each other at once."""
    peers = [samples for name, samples in taken.items() if name != "sfmtls"]
    if "sfmtls" not in taken or not peers:
        return ""
    ratios = [own["cpu"] / min(p["cpu"] for p in others) for own, *others in zip(taken["sfmtls"], *peers)]
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


def print_row(row, results, spread):
    print(f"\n{row}")
    print(f"  {'':8} {'requests/s':>11} {'CPU us/req':>11} {'p50 ms':>8} {'p99 ms':>8} {'RSS MiB':>8}")
    for name, r in results.items():
        print(f"  {name:8} {r['rps']:11.0f} {r['cpu']:11.2f} {r['p50']:8.2f} {r['p99']:8.2f} "
              f"{r['rss'] / 1024:8.1f}")
    peers = [r for name, r in results.items() if name != "sfmtls"]
    if "sfmtls" in results and peers:
        cpu = results["sfmtls"]["cpu"] / min(p["cpu"] for p in peers)
        rss = results["sfmtls"]["rss"] / min(p["rss"] for p in peers)
        print(f"  ratio to the better peer: CPU {cpu:.2f} ({spread}), memory {rss:.2f}", flush=True)
        return cpu, rss
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load for each row, proxy and round")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    parser.add_argument("--proxies", default="sfmtls,nginx,haproxy")
    parser.add_argument("--json", help="write all samples to this file")
    args = parser.parse_args()

    folder = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-bench-"))
    folder.chmod(0o755)
    pki = folder / "pki"
    here = pathlib.Path(__file__).resolve().parent
    subprocess.run(["sh", here.parent / "certs" / "make.sh", pki], check=True)
    origin_port = free_port()
    started = []
    ratios, samples = [], {}
    try:
        started.append(start_origin(folder, pki, origin_port))
        starters = {"sfmtls": lambda: start_sfmtls(args.binary, folder, pki, origin_port),
                    "nginx": lambda: start_nginx(folder, pki, origin_port),
                    "haproxy": lambda: start_haproxy(folder, pki, origin_port)}
        proxies = []
        for name in args.proxies.split(","):
            proxies.append(starters[name]())
            started.append(proxies[-1].process)
        for row, path, connections, extra, others in ROWS:
            if args.only not in row:
                continue
            taken = {p.name: [] for p in proxies}
            for p in proxies:
                load(p, path, connections, extra, others, 1)  # warm
            for round_number in range(args.rounds):
                turn = round_number % len(proxies)
                for p in proxies[turn:] + proxies[:turn]:
                    taken[p.name].append(load(p, path, connections, extra, others, args.seconds))
            samples[row] = taken
            ratios.append((row, print_row(row, {n: median_of(s) for n, s in taken.items()}, spread_of(taken))))
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(samples))
    missed = [f"{row} ({'CPU' if r[0] > 1 else ''}{'memory' if r[1] > 1 else ''})"
              for row, r in ratios if r and (r[0] > 1 or r[1] > 1)]
    print("\nabove the better peer: " + (", ".join(missed) if missed else "no row"))


if __name__ == "__main__":
    main()
