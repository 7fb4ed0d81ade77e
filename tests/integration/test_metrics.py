"""/metrics: what it says is what the log says, and what Prometheus can read."""
import collections
import json
import math
import pathlib
import re
import shutil
import subprocess
import threading
import time
import urllib.request

import pytest

import harness
from test_admin import ask, certificates
from test_hints import CODES

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAIR = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"'
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(" + f"{PAIR}(?:,{PAIR})*" + r")\})? (\S+)")


class Metrics:
    """The text format of version 0.0.4, read strictly: .samples, and .types of the families."""

    def __init__(self, text):
        assert text.endswith("\n") and "\r" not in text
        self.types, self.samples, family, helped = {}, {}, None, None
        for line in text.split("\n")[:-1]:
            if line.startswith("# HELP "):
                helped, words = line[7:].split(" ", 1)
                assert words and helped not in self.types, line  # each family once, in one piece
            elif line.startswith("# TYPE "):
                family, kind = line[7:].split(" ")
                assert family == helped and kind in ("counter", "gauge", "histogram"), line
                assert family.endswith("_total") == (kind == "counter"), line
                self.types[family] = kind
            else:
                self.add(line, family)
        for family, kind in self.types.items():
            if kind == "histogram":
                self.check_histogram(family)

    def add(self, line, family):
        found = SAMPLE.fullmatch(line)
        assert found, line
        name, labels, value = found.groups()
        ends = ("_bucket", "_sum", "_count") if self.types[family] == "histogram" else ("",)
        assert name in [family + end for end in ends], line
        words = [pair.partition("=") for pair in re.findall(PAIR, labels or "")]
        pairs = [(label, value[1:-1]) for label, _, value in words]
        assert len(dict(pairs)) == len(pairs)
        key = (name, frozenset(pairs))
        assert key not in self.samples, line
        self.samples[key] = float(value)

    def check_histogram(self, family):
        rows = collections.defaultdict(list)
        for labels, value in self.all(family + "_bucket"):
            bound = labels.pop("le")
            rows[frozenset(labels.items())].append((math.inf if bound == "+Inf" else float(bound), value))
        for labels, buckets in rows.items():
            assert buckets == sorted(buckets) and [v for _, v in buckets] == sorted(v for _, v in buckets)
            assert buckets[-1] == (math.inf, self.samples[f"{family}_count", labels])
            assert (f"{family}_sum", labels) in self.samples

    def all(self, name):
        return [(dict(labels), value) for (n, labels), value in self.samples.items() if n == name]

    def get(self, name, **labels):
        return self.samples.get((name, frozenset(labels.items())), 0)


def text_of(p):
    answer = ask(p, "/metrics")
    assert (answer.status, answer.get("Content-Type")) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return answer.body.decode()


def metrics(p):
    return Metrics(text_of(p))


@pytest.fixture
def server(pki, started):
    """It answers by the path: /STATUS, or the code of a cause."""

    def reply(c, seen):
        name = seen.target.strip("/")
        status, fields, body = CODES.get(name, (f"{name} Reason", "", b"ok"))
        c.reply(body, status, fields)

    recorder = harness.Recorder(pki, reply)
    started.append(recorder)
    return recorder


def fields_of(line):
    found = dict(re.findall(r'([a-z-]+)=("(?:[^"\\]|\\.)*"|\S+)', line))
    return {**found, "tenant": found["tenant"].strip("-"), "seconds": float(found["total-ms"]) / 1000}


def test_counts_are_those_of_the_log(proxy, server, tenant):
    """1,000 requests of mixed results, in several workers; the log's lines, added up, are the same."""
    p = proxy(tenant(server.port) + tenant(harness.closed_port(), "globex", "GLOBEX"), admin="127.0.0.1:0",
              workers="4")
    paths = ["/200"] * 12 + ["/201", "/404", "/500", "/599", "/lgn0002", "/lgn0003"]
    for start in range(8):
        with p.caller() as c:
            for i in range(122):
                company = ("ACME", "ACME", "ACME", "GLOBEX", "INITECH")[(start + i) % 5]
                c.request(target=paths[i % len(paths)], fields=[("successfactors-companyid", company)])
        for junk in ("GET / HTTP/9.9\r\n\r\n", "BREW /\r\nHost: x\r\n\r\n", "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n"):
            p.raw(junk.encode())
    lines = [fields_of(line) for line in p.wait_for_log(1000)]
    told = metrics(p)
    assert len(lines) == 1000
    for metric, label, field in (("requests", "code", "status"), ("failures", "token", "error"),
                                 ("hints", "hint", "hint")):
        assert {(m["tenant"], m[label]): n for m, n in told.all(f"sfmtls_{metric}_total")} == collections.Counter(
            (line["tenant"], line[field]) for line in lines if field in line), metric
    for name in ("", "acme", "globex"):
        own = [line["seconds"] for line in lines if line["tenant"] == name]
        assert told.get("sfmtls_request_duration_seconds_count", tenant=name) == len(own) > 100
        assert told.get("sfmtls_request_duration_seconds_sum", tenant=name) == pytest.approx(sum(own), abs=1e-3)
        for bound in (0.005, 0.1, 2.5):
            assert told.get("sfmtls_request_duration_seconds_bucket", tenant=name, le=f"{bound:g}") == sum(
                seconds <= bound for seconds in own)
    assert sum(told.get("sfmtls_upstream_handshake_seconds_count", tenant="acme", resumed=r)
               for r in ("yes", "no")) == sum("tls-ms" in line and line["tenant"] == "acme" for line in lines)


def test_what_is_the_case_now(proxy, pki, script, tenant):
    go_on, held = threading.Event(), threading.Semaphore(0)

    def serve(c):
        while request := c.request():
            if b"/hold" in request[0]:
                held.release()
                harness.happened(go_on)
            c.reply(b"ok")

    server = script(serve)
    p = proxy(tenant(server.port, certificate_next=f"{pki}/globex-all.pem", max_upstream="2"), admin="127.0.0.1:0",
              workers="1")
    connections = lambda told: [told.get("sfmtls_upstream_connections", tenant="acme", state=state)
                                for state in ("busy", "idle")]
    assert connections(metrics(p)) == [0, 0]
    with p.caller() as a, p.caller() as b, p.caller() as c:
        a.request()
        harness.eventually(lambda: connections(metrics(p)) == [0, 1])
        for caller in (a, b, c):
            caller.send(harness.head_lines(target="/hold"))
        assert held.acquire(timeout=harness.LIMIT)
        harness.eventually(lambda: metrics(p).get("sfmtls_queue_length") == 1)
        told = metrics(p)
        assert connections(told) == [2, 0] and told.get("sfmtls_callers") == 3
        go_on.set()
        assert [caller.answer().status for caller in (a, b, c)] == [200] * 3
    told = metrics(p)
    assert connections(told) == [0, 2]
    for slot, certificate in zip(("current", "next"), certificates(p)):
        end = told.get("sfmtls_certificate_not_after_timestamp_seconds", tenant="acme", slot=slot)
        assert certificate["not_after"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(end)))
        assert told.get("sfmtls_certificate_in_use", tenant="acme", slot=slot) == (slot == "current")
    version = harness.run_cli("version").stdout.split()[1]
    assert told.get("sfmtls_build_info", version=version) == 1


def test_process_metrics_are_what_the_kernel_says(proxy, tenant):
    """What the sandbox lets be read, compared with what the kernel says from outside."""
    p = proxy(tenant(harness.closed_port()), admin="127.0.0.1:0")
    told = metrics(p)
    assert 0 < told.get("process_cpu_seconds_total") < 60
    assert abs(told.get("process_resident_memory_bytes") / 1024 - p.rss_kib()) < 64 * 1024
    assert told.get("process_virtual_memory_bytes") > told.get("process_resident_memory_bytes")
    assert abs(told.get("process_open_fds") - p.descriptors()) <= 4 and told.get("process_max_fds") > 100
    assert abs(told.get("process_start_time_seconds") - pathlib.Path(f"/proc/{p.process.pid}").stat().st_mtime) < 60


def test_reloads_keep_what_was_counted(proxy, tenant):
    """What was counted stays, also of a tenant that is gone."""
    p = proxy(tenant(harness.closed_port()), admin="127.0.0.1:0")
    p.request()
    before = metrics(p)
    assert before.get("sfmtls_config_last_reload_successful") == 1
    good = p.config.read_text()
    p.rewrite(good + "colour = red\n")
    p.said("not reloaded")
    told = metrics(p)
    assert told.get("sfmtls_config_last_reload_successful") == 0
    assert told.get("sfmtls_config_last_reload_timestamp_seconds") > before.get(
        "sfmtls_config_last_reload_timestamp_seconds")
    p.rewrite(good.replace("[tenant acme]", "[tenant other]"))
    p.said("notice: reloaded")
    harness.eventually(lambda: metrics(p).get("sfmtls_upstream_connections", tenant="other", state="idle") == 0 and
                       'tenant="other"' in text_of(p))
    told = metrics(p)
    assert told.get("sfmtls_config_last_reload_successful") == 1
    assert told.get("sfmtls_requests_total", tenant="acme", code="502") == 1


NAMES = {"sfmtls_requests_total", "sfmtls_request_duration_seconds", "sfmtls_upstream_connections",
         "sfmtls_upstream_handshake_seconds", "sfmtls_failures_total", "sfmtls_hints_total",
         "sfmtls_certificate_not_after_timestamp_seconds", "sfmtls_certificate_in_use",
         "sfmtls_config_last_reload_successful", "sfmtls_config_last_reload_timestamp_seconds", "sfmtls_callers",
         "sfmtls_queue_length", "sfmtls_build_info", "sfmtls_rate_waits_total", "sfmtls_held_requests_total",
         "sfmtls_server_refusals_total", "sfmtls_waiting_requests", "sfmtls_held_paths",
         "sfmtls_certificate_fetch_timestamp_seconds", "sfmtls_certificate_fetch_failures_total"}


def test_names_of_all_metrics_stay(proxy, tenant):
    told = metrics(proxy(tenant(harness.closed_port()), admin="127.0.0.1:0"))
    assert {name for name in told.types if not name.startswith("process_")} == NAMES


# ---- Prometheus ----

CONF = ROOT / "conf/prometheus"


def test_alerts_and_dashboard_use_names_that_there_are():
    for path in CONF.iterdir():
        names = {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"\bsfmtls_[a-z_]+", path.read_text())}
        assert names <= NAMES, path
    board = json.loads((CONF / "sfmtls-dashboard.json").read_text())
    assert NAMES - {"sfmtls_config_last_reload_timestamp_seconds"} <= set(re.findall(
        r"\bsfmtls_[a-z_]+?(?=_bucket\b|_count\b|[^a-z_])", json.dumps(board)))


full_only = pytest.mark.skipif(not harness.setting("FULL"), reason="only a full run installs Debian's prometheus")


def prometheus(name):
    """A program of Debian's package prometheus."""
    path = shutil.which(name)
    assert path is not None, f"{name} is missing: install the package prometheus"
    return path


@full_only
def test_promtool_finds_nothing(proxy, server):
    tool = prometheus("promtool")
    p = proxy(server.port, admin="127.0.0.1:0")
    for path in ("/200", "/lgn0002"):
        p.request(target=path)
    p.request(fields=[("successfactors-companyid", "INITECH")])
    p.wait_for_log(3)
    done = subprocess.run([tool, "check", "metrics"], input=text_of(p), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@full_only
@pytest.mark.parametrize("words", [("check", "config", "prometheus.yml"), ("test", "rules", "sfmtls-alerts-test.yml")])
def test_alert_rules_pass_their_tests(words):
    done = subprocess.run([prometheus("promtool"), *words], cwd=CONF, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@full_only
def test_prometheus_counts_as_the_log(proxy, server, tmp_path):
    """10,000 requests, as Prometheus sees them with a token."""
    token, port = "a-token-of-an-operator-0123", harness.unused_port()
    (tmp_path / "tokens").write_text(token + "\n")
    p = proxy(server.port, admin="127.0.0.1:0", admin_token_file=f"{tmp_path}/tokens", workers="2")
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs: [{job_name: sfmtls, scrape_interval: 1s, authorization: {credentials: " + token + "}, "
        f"static_configs: [{{targets: ['{p.ready['admin']}']}}]}}]\n")
    scraper = subprocess.Popen([prometheus("prometheus"), f"--config.file={tmp_path}/prometheus.yml",
                                f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{port}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for path in ("/200", "/404", "/lgn0002", "/599"):
            with p.caller() as c:
                for _ in range(2500):
                    c.request(target=path)
        logged = collections.Counter(fields_of(line)["status"] for line in p.wait_for_log(10000))

        def seen():
            url = f"http://127.0.0.1:{port}/api/v1/query?query=sfmtls_requests_total"
            answer = json.loads(urllib.request.urlopen(url, timeout=harness.LIMIT).read())
            return {row["metric"]["code"]: int(row["value"][1]) for row in answer["data"]["result"]}

        harness.eventually(lambda: seen() == logged)
    finally:
        scraper.terminate()
        scraper.wait(harness.LIMIT)
