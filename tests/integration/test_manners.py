"""What a server wants of those that call it: never more than `rate` says in any second as it counts, and nothing for
as long as Retry-After says. Callers take turns meanwhile."""
import collections
import contextlib
import email.utils
import re
import signal
import threading
import time

import pytest

import harness
from harness import Background, eventually, head_lines
from test_admin import ask, status
from test_callers_file import basic, hashed
from test_cookies import reload

FULL = harness.setting("FULL")
SCIM = "/rest/iam/scim/v2/Users"
TRANSIT = 0.25  # RATE_TRANSIT_US
PAUSE = threading.Event()


class Counter:
    """A server that notes when each request came, by its own clock."""

    def __init__(self, pki, started, reply=lambda c, seen: c.reply(b"ok")):
        self.came, self.reply = [], reply
        self.server = harness.Recorder(pki, self._count)
        started.append(self.server)
        self.port = self.server.port

    def _count(self, c, seen):
        self.came.append((time.monotonic(), seen))
        self.reply(c, seen)

    def times(self):
        return sorted(at for at, _ in self.came)


class Stalls:
    """The longest time for which this process did not run: for so long a request may have waited to be counted."""

    def __enter__(self):
        self.longest, self._over = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self):
        before = time.monotonic()
        while not self._over.wait(0.01):
            now = time.monotonic()
            self.longest = max(self.longest, now - before - 0.01)
            before = now

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def assert_never_more(times, limit, stalls):
    """Than limit in any second; a request that waited here before it was counted shortens that second."""
    second = min(1.0, 1.0 + TRANSIT - 2 * stalls.longest)
    for early, late in zip(times, times[limit:]):
        assert late - early > second, (late - early, stalls.longest)


@pytest.fixture
def counter(pki, started):
    return Counter(pki, started)


def refusing(pki, started, status="429 Too Many Requests", **fields):
    """A server that asks to wait, once; fields may change."""
    def reply(c, seen):
        if server.asks:
            server.asks -= 1
            c.reply(b"busy", server.status, fields="".join(f"{k}: {v}\r\n" for k, v in server.fields.items()))
        else:
            c.reply(b"ok")

    server = Counter(pki, started, reply)
    server.asks, server.status, server.fields = 1, status, fields or {"Retry-After": "2"}
    return server


def queue_times(p, count):
    """Of the requests that waited, in seconds."""
    return [float(n) / 1000 for line in p.wait_for_log(count) for n in re.findall(r" queue-ms=([\d.]+)", line)]


# ---- rate ----

@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("rate", [f"{SCIM[:18]}* 5/s", "/a/* 1/s, * 5/s"])
def test_never_more_in_any_second(proxy, tenant, counter, rate, workers):
    p = proxy(tenant(counter.port, rate=rate), workers=workers, queue_timeout="1m")
    with Stalls() as stalls:
        calls = [Background(p.request, target=SCIM) for _ in range(16)]
        assert {call.result().status for call in calls} == {200}
    assert len(counter.came) == 16
    assert_never_more(counter.times(), 5, stalls)  # so the last comes three such seconds after the first
    assert max(queue_times(p, 16)) > 2  # three windows, less what the last came later than the first


def test_what_no_rate_is_about_does_not_wait(proxy, tenant, counter):
    p = proxy(tenant(counter.port, rate=f"{SCIM} 1/s"))
    for target in ("/odata/v2/User", SCIM + "/1", SCIM.lower(), "/"):
        for _ in range(3):
            assert p.request(target=target).status == 200
    assert queue_times(p, 12) == []


def test_default_is_that_of_scim_and_can_be_switched_off(proxy, tenant, counter):
    for rate, limited in ((None, True), ("off", False), ("/x 1/s", False)):
        p = proxy(tenant(counter.port, rate=rate))
        with p.caller() as c:
            c.send(head_lines("GET", SCIM) * 21)
            for _ in range(21):
                assert c.answer().status == 200
        assert (queue_times(p, 21) != []) == limited


def test_bodies_and_pipelining_count_once_each(proxy, tenant, counter):
    """A POST counts when its first byte goes out, not when its body is whole."""
    p = proxy(tenant(counter.port, rate="* 4/s"), queue_timeout="1m")
    with Stalls() as stalls, p.caller() as c:
        for method, body in (("GET", b""), ("POST", b"x" * 100000), ("HEAD", b""), ("PUT", b"y")) * 3:
            c.send(head_lines(method, SCIM, f"Content-Length: {len(body)}").encode() + body)
        for method in ("GET", "POST", "HEAD", "PUT") * 3:
            assert c.answer(method).status == 200
    assert [len(seen.body) for _, seen in counter.came] == [0, 100000, 0, 1] * 3
    assert_never_more(counter.times(), 4, stalls)


def test_repetitions_count(proxy, tenant, pki, started):
    """A part of a content that is rewritten is asked for again as a whole."""
    part = "Content-Type: application/json\r\nContent-Range: bytes 0-1/9\r\n"
    server = Counter(pki, started, lambda c, seen: c.reply(b"{}", "206 Partial Content", part)
                     if seen.all("Range") else c.reply(b"{}", fields="Content-Type: application/json\r\n"))
    p = proxy(tenant(server.port, rate="* 2/s"), queue_timeout="1m")
    with Stalls() as stalls:
        for _ in range(3):
            assert p.request(fields=[("Range", "bytes=0-1")]).status == 200
    assert len(server.came) == 6
    assert_never_more(server.times(), 2, stalls)


def test_who_waits_too_long_is_told_so(proxy, tenant, counter):
    p = proxy(tenant(counter.port, rate="* 1/s"), queue_timeout="1s", workers=1)
    calls = [Background(p.request) for _ in range(6)]
    answers = collections.Counter(call.result().status for call in calls)
    assert answers[503] >= 3 and answers[200] >= 1
    refused = next(call.result() for call in calls if call.result().status == 503)
    assert (refused.token, refused.get("Retry-After")) == ("queue-timeout", "5")
    assert "`rate`" in refused.json()["detail"]


def test_full_queue(proxy, tenant, counter):
    p = proxy(tenant(counter.port, rate="* 1/s"), queue="1", queue_timeout="1m")
    calls = [Background(p.request) for _ in range(4)]
    tokens = collections.Counter(call.result().token if call.result().status == 503 else "" for call in calls)
    assert tokens == {"": 2, "queue-full": 2}


@pytest.mark.parametrize("workers", [1, 4])
def test_caller_that_leaves_gives_its_turn_away(proxy, tenant, counter, workers):
    p = proxy(tenant(counter.port, rate="* 1/s"), queue_timeout="1m", workers=workers, admin="127.0.0.1:0")
    assert p.request().status == 200
    leaving = [p.caller() for _ in range(5)]
    for c in leaving:
        c.send(head_lines())
    eventually(lambda: limits(p)[0]["waiting"] == 5)
    for c in leaving:
        c.reset()
    eventually(lambda: limits(p)[0]["waiting"] == 0)
    assert p.request().status == 200
    assert len(counter.came) == 2
    assert sum(" error=caller-gone " in line for line in p.wait_for_log(7)) == 5


def limits(p):
    return status(p)["tenants"][0]["limits"]


def held(p):
    return status(p)["tenants"][0]["held"]


@pytest.mark.parametrize("workers", [1, 4])
def test_reload_forgets_nothing_and_changes_the_rate(proxy, tenant, counter, workers):
    p = proxy(tenant(counter.port, rate="* 2/s"), queue_timeout="1m", workers=workers)
    with Stalls() as stalls:
        calls = [Background(p.request) for _ in range(6)]
        eventually(lambda: len(counter.came) >= 2)
        reload(p, p.config.read_text() + "max-upstream = 65\n")
        assert {call.result().status for call in calls} == {200}
        assert_never_more(counter.times(), 2, stalls)
        reload(p, p.config.read_text().replace("2/s", "50/s"))
        PAUSE.wait(1.3)  # what was sent before is forgotten
        calls = [Background(p.request) for _ in range(20)]
        assert {call.result().status for call in calls} == {200}
        assert counter.times()[-1] - counter.times()[-20] < 5  # with 2/s it would take 9
        reload(p, p.config.read_text().replace("50/s", "1/s"))
        before = len(counter.came)
        assert p.request().status == p.request().status == 200
        assert_never_more(counter.times()[before - 1:], 1, stalls)


@pytest.mark.parametrize("workers", [1, 4])
def test_reload_without_the_rate_while_some_wait(proxy, tenant, counter, workers):
    """They keep their turns, also when callers leave and the end comes; others need not wait any more."""
    p = proxy(tenant(counter.port, rate="* 1/s"), queue_timeout="1m", workers=workers, admin="127.0.0.1:0")
    assert p.request().status == 200
    callers = [p.caller().send(head_lines()) for _ in range(6)]
    eventually(lambda: limits(p)[0]["waiting"] >= 3)
    reload(p, p.config.read_text().replace("* 1/s", "off"))
    assert p.request().status == 200
    for c in callers[:3]:
        c.reset()
    p.signal(signal.SIGTERM)
    assert [c.answer().status for c in callers[3:]] == [200] * 3
    assert p.wait() == 0


def test_renewed_certificate_forgets_nothing(proxy, tenant, counter, pki):
    p = proxy(tenant(counter.port, rate="* 1/s"), queue_timeout="1m")
    with Stalls() as stalls:
        assert p.request().status == 200
        reload(p, p.config.read_text().replace("acme-all.pem", "globex-all.pem"))
        assert p.request().status == 200
    assert_never_more(counter.times(), 1, stalls)


@pytest.mark.parametrize("workers", [1, 4])
def test_those_that_wait_are_served_while_it_drains(proxy, tenant, counter, workers):
    p = proxy(tenant(counter.port, rate="* 2/s"), queue_timeout="1m", drain_timeout="30s", workers=workers,
              admin="127.0.0.1:0")
    calls = [Background(p.request) for _ in range(5)]
    eventually(lambda: limits(p)[0]["waiting"] >= 2 and len(counter.came) >= 1)
    p.signal(signal.SIGTERM)
    assert {call.result().status for call in calls} == {200}
    assert p.wait() == 0


@pytest.mark.parametrize("workers", [1, 4])
def test_end_while_many_wait(proxy, tenant, counter, workers):
    p = proxy(tenant(counter.port, rate="* 1/s"), queue_timeout="1m", drain_timeout="10ms", workers=workers,
              admin="127.0.0.1:0")
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(p.caller()).send(head_lines())
        eventually(lambda: limits(p)[0]["waiting"] >= 19)
        p.expected_exit = 1
        p.signal(signal.SIGTERM)
        assert p.wait() == 1


def test_inside_a_connect(proxy, tenant, counter, tmp_path, pki):
    """By way of https_proxy it is the same request."""
    harness.make_local_ca(tmp_path, f"[proxy]\nlocal-ca = ca\n{tenant(443)}")
    p = proxy(tenant(counter.port, rate="* 1/s"), queue_timeout="1m", local_ca=tmp_path / "ca")
    with Stalls() as stalls, p.caller() as c:
        c.send(f"CONNECT localhost:{counter.port} HTTP/1.1\r\nHost: localhost:{counter.port}\r\n\r\n")
        assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        for _ in range(2):
            assert c.request(host=f"localhost:{counter.port}").status == 200
    assert_never_more(counter.times(), 1, stalls)


# ---- shares ----

def share_out(proxy, tenant, counter, tmp_path, users, limit, seconds, workers):
    """How many calls each user got through: the first has ten connections, the others have one."""
    path = tmp_path / "acme.callers"
    known = hashed("secret")
    path.write_text("".join(f"user{i}:{known}\n" for i in range(users)))
    p = proxy(tenant(counter.port, rate=f"* {limit}/s", callers_file=path), queue_timeout="1h", workers=workers)
    over, got = threading.Event(), collections.Counter()
    lock = threading.Lock()

    def call(user):
        with p.caller() as c:
            while not over.is_set():
                answer = c.request(fields=[basic(user, "secret")])
                if answer.status == 503 and answer.token == "checks-full":  # so many passwords at the beginning
                    PAUSE.wait(0.2)
                    continue
                assert answer.status == 200
                with lock:
                    got[user] += 1

    with Stalls() as stalls:
        calls = [Background(call, f"user{i}") for i in range(1, users)]
        calls += [Background(call, "user0") for _ in range(10)]
        eventually(lambda: len(got) == users)  # from now on all of them are in the line
        before = collections.Counter(got)
        PAUSE.wait(seconds)
        counted = collections.Counter(got) - before
        over.set()
        for c in calls:
            c.result(harness.LIMIT + users / limit * 2)
    assert_never_more(counter.times(), limit, stalls)
    return counted


def test_callers_take_turns(proxy, tenant, counter, tmp_path):
    """However many connections one of them has."""
    got = share_out(proxy, tenant, counter, tmp_path, 9, 3, 9, 4)
    share = sum(got.values()) / 9
    assert all(share - 2 <= got[f"user{i}"] <= share + 2 for i in range(9)), got


@pytest.mark.skipif(not FULL, reason="a minute")
@pytest.mark.parametrize("workers", [1, 4])
def test_hundred_callers(proxy, tenant, counter, tmp_path, workers):
    got = share_out(proxy, tenant, counter, tmp_path, 100, 20, 75, workers)
    share = sum(got.values()) / 100
    assert len(got) == 100 and share > 10
    assert all(share * 0.8 <= n <= share * 1.2 for n in got.values()), sorted(got.values())


# ---- Retry-After ----

@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("answered", ["429 Too Many Requests", "503 Service Unavailable"])
def test_retry_after_is_kept_to_the_second(proxy, tenant, pki, started, answered, workers):
    server = refusing(pki, started, answered)
    p = proxy(tenant(server.port), workers=workers)
    first = p.request(target="/odata/v2/User")
    assert (first.status, first.body, first.get("Retry-After")) == (int(answered[:3]), b"busy", "2")
    assert p.request(target="/odata/v4/User").status == 200  # another path
    begun = server.came[0][0]
    calls = [Background(p.request, target=f"/odata/v2/{i}") for i in range(8)]
    assert {call.result().status for call in calls} == {200}
    later = [at - begun for at, seen in server.came if seen.target.startswith("/odata/v2/") and seen.target[-1] != "r"]
    assert len(later) == 8 and min(later) >= 2


WAITS = {"0": 0, "7": 7, "99999999": 900, "soon": 0, "-5": 0, "": 0, "past": 0, "future": 600, "far": 900}


@pytest.mark.parametrize("value", WAITS)
def test_forms_of_retry_after(proxy, tenant, pki, started, value):
    dates = {"past": -60, "future": 600, "far": 90000}
    server = refusing(pki, started, Retry_After=value)
    fields = {"Retry-After": value}
    if value in dates:
        fields = {"Date": email.utils.formatdate(1_000_000_000, usegmt=True),
                  "Retry-After": email.utils.formatdate(1_000_000_000 + dates[value], usegmt=True)}
    server.fields = fields
    p = proxy(tenant(server.port), queue_timeout="1s", admin="127.0.0.1:0")
    assert p.request(target="/odata/v2/User").status == 429
    seconds = [entry["seconds"] for entry in held(p)]
    if WAITS[value] == 0:
        assert seconds == [] and p.request(target="/odata/v2/User").status == 200
    else:
        [left] = seconds
        assert WAITS[value] - harness.LIMIT < left <= WAITS[value]
        refused = p.request(target="/odata/v2/Other")
        assert (refused.status, refused.token) == (503, "server-asked-to-wait")
        assert 0 < int(refused.get("Retry-After")) <= left
        assert len(server.came) == 1


def test_hold_is_of_the_rate_path(proxy, tenant, pki, started):
    server = refusing(pki, started)
    server.fields = {"Retry-After": "300"}
    p = proxy(tenant(server.port, rate="/a/b/* 9/s"), queue_timeout="1s")
    assert p.request(target="/a/b/c").status == 429
    assert p.request(target="/a/b/d/e").token == "server-asked-to-wait"
    assert p.request(target="/a/x").status == 200


def test_who_waits_in_vain_leaves_the_queue_to_others(proxy, tenant, pki, started, counter):
    """A tenant whose server asks to be left alone for long does not use up what all tenants share."""
    server = refusing(pki, started)
    server.fields = {"Retry-After": "300"}
    p = proxy(tenant(server.port) + tenant(counter.port, "b", "B", rate="* 1/s"), queue="4", queue_timeout="30s",
              admin="127.0.0.1:0")
    to_a, to_b = ([("successfactors-companyid", company)] for company in ("ACME", "B"))
    assert p.request(target="/a/b/c", fields=to_a).status == 429
    callers = [p.caller().send(head_lines("GET", "/a/b/c", "successfactors-companyid: ACME")) for _ in range(2)]
    eventually(lambda: sum(entry["waiting"] for entry in held(p)) == 2)
    refused = [p.request(target="/a/b/c", fields=to_a) for _ in range(4)]
    assert {answer.token for answer in refused} == {"server-asked-to-wait"}
    assert {200 < int(answer.get("Retry-After")) <= 300 for answer in refused} == {True}
    assert {p.request(fields=to_b).status for _ in range(3)} == {200}
    assert len(server.came) == 1
    for c in callers:
        c.reset()


@pytest.mark.parametrize("workers", [1, 4])
def test_hold_of_a_rate_path_ends(proxy, tenant, pki, started, workers):
    """Also for a request that comes when all earlier ones are forgotten: no slot's end wakes it."""
    server = refusing(pki, started)
    server.fields = {"Retry-After": "3"}
    p = proxy(tenant(server.port, rate="/a/b/* 9/s"), queue_timeout="10m", workers=workers)
    assert p.request(target="/a/b/c").status == 429
    PAUSE.wait(1.5)
    assert p.request(target="/a/b/d").status == 200
    assert server.times()[1] - server.times()[0] >= 3


def test_retry_after_can_be_disregarded(proxy, tenant, pki, started):
    server = refusing(pki, started)
    server.fields = {"Retry-After": "300"}
    p = proxy(tenant(server.port, respect_retry_after="off"))
    assert [p.request().status for _ in range(2)] == [429, 200]


def test_hold_outlives_a_reload_and_ends_when_switched_off(proxy, tenant, pki, started):
    server = refusing(pki, started)
    server.fields = {"Retry-After": "300"}
    p = proxy(tenant(server.port), queue_timeout="1s")
    assert p.request().status == 429
    reload(p, p.config.read_text() + "max-upstream = 65\n")
    assert p.request().token == "server-asked-to-wait"
    reload(p, p.config.read_text() + "respect-retry-after = off\n")
    assert p.request().status == 200


RATES = {"taken out": ["off"], "taken out and put in again": ["off", "/a/b/* 9/s"], "wider": ["/a/* 9/s"],
         "narrower": ["/a/b/d* 9/s"], "another": ["/z/* 9/s", "/a/b/* 9/s", "off"], "everything": ["* 9/s"]}


@pytest.mark.parametrize("later", RATES)
@pytest.mark.parametrize("first", ["/a/b/* 9/s", "off"])
def test_hold_outlives_any_change_of_the_rate(proxy, tenant, pki, started, first, later):
    """The server has asked to be left alone, whatever the configuration says of its paths."""
    server = refusing(pki, started)
    server.fields = {"Retry-After": "300"}
    p = proxy(tenant(server.port, rate=first), queue_timeout="100ms", admin="127.0.0.1:0")
    assert p.request(target="/a/b/c").status == 429
    for rate in RATES[later]:
        reload(p, re.sub("(?m)^rate = .*$", f"rate = {rate}", p.config.read_text()) + "\n")
        assert p.request(target="/a/b/d").token == "server-asked-to-wait", rate
        assert held(p) and len(server.came) == 1
    assert p.request(target="/x/b/d").status == (503 if later == "everything" else 200)
    reload(p, p.config.read_text() + "respect-retry-after = off\n")
    assert p.request(target="/a/b/d").status == 200 and held(p) == []


def test_hold_of_a_rate_that_is_taken_out_ends(proxy, tenant, pki, started):
    """For those that waited already, and for later ones; then nothing is left of it."""
    server = refusing(pki, started)
    p = proxy(tenant(server.port, rate="/a/b/* 9/s"), admin="127.0.0.1:0")
    assert p.request(target="/a/b/c").status == 429
    early = Background(p.request, target="/a/b/d")
    reload(p, p.config.read_text().replace("/a/b/* 9/s", "off"))
    late = Background(p.request, target="/a/b/e")
    assert [early.result().status, late.result().status] == [200, 200]
    assert min(server.times()[1:]) - server.times()[0] >= 2
    assert p.request(target="/a/b/f").status == 200 and held(p) == []


def test_memory_of_held_paths_is_bounded(proxy, tenant, pki, started):
    server = refusing(pki, started)
    server.asks, server.fields = 200, {"Retry-After": "600"}
    p = proxy(tenant(server.port), admin="127.0.0.1:0")
    with p.caller() as c:
        for i in range(200):
            assert c.request(target=f"/odata/v{i}/User('secret')").status == 429
        assert c.request(target="/" + "x" * 1000).status == 200
    entries = held(p)
    assert len(entries) == 64
    assert "secret" not in str(entries)


def test_key_in_a_held_path_is_not_shown(proxy, tenant, pki, started):
    server = refusing(pki, started)
    server.fields = {"Retry-After": "600"}
    p = proxy(tenant(server.port), admin="127.0.0.1:0", queue_timeout="1s")
    assert p.request(target="/odata/User('secret')").status == 429
    assert held(p)[0]["path"] == "/odata/User(...)"
    assert "secret" not in p.request(target="/odata/User('secret')").body.decode()
    assert p.said("answered 429 with Retry-After; requests for /odata/User(...) wait for 600 s")


# ---- what is told ----

def test_metrics_and_status(proxy, tenant, pki, started):
    server = refusing(pki, started)
    server.fields = {"Retry-After": "600"}
    p = proxy(tenant(server.port, rate="/a/* 1/s, /b/* 7/s"), admin="127.0.0.1:0", queue_timeout="1s")
    assert p.request(target="/x/y").status == 429
    assert p.request(target="/x/y").status == 503
    calls = [Background(p.request, target="/a/b") for _ in range(2)]
    for call in calls:
        call.result()
    assert [(e["path"], e["rate"], e["waiting"]) for e in limits(p)] == [("/a/*", 1, 0), ("/b/*", 7, 0)]
    assert [(e["path"], e["waiting"]) for e in held(p)] == [("/x/y", 0)]
    text = ask(p, "/metrics").body.decode()
    for line in ('sfmtls_rate_waits_total{tenant="acme"} 1', 'sfmtls_held_requests_total{tenant="acme"} 1',
                 'sfmtls_server_refusals_total{tenant="acme",code="429"} 1',
                 'sfmtls_server_refusals_total{tenant="acme",code="503"} 0',
                 'sfmtls_held_paths{tenant="acme"} 1', 'sfmtls_waiting_requests{tenant="acme"} 0',
                 'sfmtls_requests_total{tenant="acme",code="429"} 1'):
        assert line + "\n" in text, line


def test_explain_says_which_rate(tmp_path, tenant):
    path = tmp_path / "c.ini"
    path.write_text(tenant(443, rate="/a/* 3/s", connect_to=None))
    for target, said in (("/a/b", "at most 3"), ("/b", None)):
        out = harness.run_cli("explain", "-c", str(path), target).stdout
        assert ("rate = /a/* 3/s" in out) == (said is not None)


def test_check_tells_the_limits(proxy, tenant, counter, tmp_path):
    path = tmp_path / "c.ini"
    path.write_text(tenant(counter.port, rate="/a/* 3/s"))
    assert "/a/* 3/s" in harness.run_cli("check", "-c", str(path)).stdout


BAD = {"/a 0/s": "from 1 to 1000", "/a 1001/s": "from 1 to 1000", "/a 5/m": "from 1 to 1000", "/a": "from 1 to 1000",
       "5/s": "has no path", "a 5/s": "does not begin with '/'", "/a**/b 5/s": "two `*`", "/a?b 5/s": "query",
       "/a/../b 5/s": "read in two ways", "/a 5/s, /a 6/s": "another `rate`", "off, /a 5/s": "from 1 to 1000",
       "/a 5/s, ": "from 1 to 1000"}


@pytest.mark.parametrize("value", BAD)
def test_bad_rates(tmp_path, tenant, value):
    path = tmp_path / "c.ini"
    path.write_text(tenant(443, connect_to=None, rate=value))
    result = harness.run_cli("run", "-t", "-c", str(path))
    assert result.returncode == 2 and f"{path}:6: rate: `" in result.stderr
    assert BAD[value] in result.stderr and "write PATH N/s" in result.stderr


def test_rate_by_the_environment(proxy, tenant, counter):
    p = proxy(tenant(counter.port, rate="* 1/s"), environment={"SFMTLS_TENANT_ACME_RATE": "* 500/s"},
              admin="127.0.0.1:0")
    assert [(e["path"], e["rate"]) for e in limits(p)] == [("*", 500)]
    p = proxy(tenant(counter.port), arguments=["--set", "acme.rate=off"], admin="127.0.0.1:0")
    assert limits(p) == []
