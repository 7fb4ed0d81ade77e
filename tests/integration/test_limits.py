"""What callers cannot use up: places for connections, requests on one of them, descriptors."""
import contextlib
import errno
import pathlib
import re
import signal
import time

import pytest

import harness
from test_peer import IS_ROOT, OWN, STRANGER, As
from test_process import cpu_seconds, limited

# ---- connections of one caller ----


@pytest.fixture
def crowd():
    """crowd(p, n): n callers that have made a call each."""
    with contextlib.ExitStack() as stack:

        def come(p, n):
            callers = [stack.enter_context(p.caller()) for _ in range(n)]
            assert [c.request(target="/who").status for c in callers] == [200] * n
            return callers

        yield come


def check_share(answer):
    assert (answer.status, answer.token) == (503, "too-many-connections-of-caller")
    assert int(answer.get("Retry-After")) > 0 and answer.get("Connection") == "close"


def test_connections_of_one_caller(proxy, nginx, crowd):
    """Over all workers and listeners; a place that is free again is used."""
    p = proxy(nginx.port, listen="127.0.0.1:0, [::1]:0", workers=2, max_connections_per_caller=3)
    callers = crowd(p, 3)
    for listener in (0, 1, 0):
        with p.caller(listener) as c:
            check_share(c.answer())
    assert sum("error=too-many-connections-of-caller " in line for line in p.wait_for_log(6)) == 3
    assert callers[0].request(target="/who").status == 200
    callers[1].close()
    harness.eventually(lambda: p.request(target="/who").status == 200)


def test_share_of_each_user(proxy, nginx, crowd):
    """One user's connections take nothing from another's."""
    if not IS_ROOT:
        return  # nobody else can call
    p = proxy(nginx.port, allow_uid=f"{OWN}, {STRANGER}", max_connections=8)  # auto: three quarters
    callers = crowd(p, 6)
    with p.caller() as c:
        check_share(c.answer())
    for how in ("whole", "half"):
        assert As(STRANGER, p.addresses[0], how=how).answer().status == 200
    assert callers[0].request(target="/who").status == 200


@pytest.mark.parametrize("keys", [{}, {"allow_uid": "any"}, {"allow_uid": OWN}, {"max_connections_per_caller": "none"}])
def test_no_share_where_callers_are_not_told_apart(keys, proxy, nginx, crowd):
    """On a desk all callers are one user, who may have all."""
    p = proxy(nginx.port, max_connections=4, **keys)
    crowd(p, 4)
    with p.caller() as c:
        assert c.answer().token == "too-many-connections"


def test_share_changes_with_a_reload(proxy, nginx, crowd):
    p = proxy(nginx.port)
    crowd(p, 3)
    p.rewrite(p.config.read_text().replace("[proxy]\n", "[proxy]\nmax-connections-per-caller = 1\n"))
    p.signal(signal.SIGHUP)
    harness.eventually(lambda: "reloaded" in p.stderr)
    crowd(p, 1)  # those that were there before are not counted
    with p.caller() as c:
        check_share(c.answer())


# ---- requests on one connection ----

def test_requests_on_one_connection(proxy, nginx):
    p = proxy(nginx.port, max_requests=3)
    for _ in range(2):
        with p.caller() as c:
            answers = [c.request(target="/who") for _ in range(3)]
            assert [a.status for a in answers] == [200] * 3
            assert [a.get("Connection") for a in answers] == [None, None, "close"]
            assert c.is_closed()


def test_what_is_pipelined_behind_the_last_request_is_not_served(recorded_by):
    r = recorded_by(max_requests=2)
    text = "".join(harness.head_lines("GET", f"/{n}") for n in range(4))
    with r.proxy.caller() as c:
        c.send(text)
        assert [c.answer().get("Connection") for _ in range(2)] == [None, "close"]
        assert c.read_to_end() == b""
    assert [seen.target for seen in r.server.take()] == ["/0", "/1"]


def test_old_client_that_keeps_alive(recorded_by):
    """HTTP/1.0 is told keep-alive as long as it is."""
    r = recorded_by(max_requests=2)
    with r.proxy.caller() as c:
        fields = [("Connection", "keep-alive")]
        answers = [c.request(version="HTTP/1.0", fields=fields) for _ in range(2)]
        assert [a.get("Connection") for a in answers] == ["keep-alive", "close"]
        assert c.is_closed()


def test_connection_may_go_on_by_default(proxy, nginx):
    p = proxy(nginx.port)
    with p.caller() as c:
        for _ in range(harness.count(2000, 20000)):
            assert c.request(target="/who").status == 200


# ---- descriptors ----

def open_files(p):
    found = re.search(r"Max open files +(\d+) +(\d+)", pathlib.Path(f"/proc/{p.process.pid}/limits").read_text())
    return int(found[1]), int(found[2])


def test_limit_of_descriptors_is_raised(proxy, nginx):
    p = proxy(nginx.port, process={"prefix": ["prlimit", "--nofile=64:1000"]}, max_connections=900)
    assert open_files(p) == (1000, 1000)
    harness.eventually(lambda: "max-connections" in p.stderr)  # 900 callers, 64 connections to the server, and its own


@pytest.mark.parametrize("keys, descriptors, says", [
    ({"max_connections": 900}, 1356, None),
    ({"max_connections": 900}, 1355, ["1355 files"]),
    ({"max_connections": 900}, 1000, ["1000 files", "(900)", "(64)", "1356", "LimitNOFILE=", "ulimit"]),
    ({"max_connections": 500, "connect_other": "tunnel", "connect_allow": "example.com:443"}, 1100, ["(564)"]),
])
def test_limit_that_is_too_low_is_said(keys, descriptors, says, proxy, nginx):
    p = proxy(nginx.port, process=limited(descriptors), workers=1, **keys)
    assert p.request(target="/who").status == 200
    p.stop()
    lines = [line for line in p.stderr.splitlines() if "files can be open" in line]
    assert len(lines) == (1 if says else 0)
    assert all(word in lines[0] for word in says or [])


@pytest.mark.parametrize("error", [errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EMFILE], ids=errno.errorcode.get)
def test_accepting_pauses_without_a_spin(error, proxy, nginx):
    """A system call that always fails: there is no end to it but that of the process."""
    p = proxy(nginx.port, process={"prefix": harness.refusing("accept4", error)})
    with p.caller():
        p.said("new connections wait")
        begun, cpu = time.monotonic(), cpu_seconds(p)
        harness.eventually(lambda: time.monotonic() - begun > 1)
        assert cpu_seconds(p) - cpu < 0.2, "it spins"
    p.stop()
    assert p.stderr.count("new connections wait") == 1


def test_shortage_of_descriptors_harms_nothing_else(proxy, nginx, tenant):
    """Names are looked up in files, which cannot be opened then; afterwards names, connections and the question whose a
    connection is work as before."""
    sections = tenant(nginx.port).replace(f"connect-to = 127.0.0.1:{nginx.port}\n", "")
    p = proxy(sections, process=limited(48), allow_uid=OWN, resolve_cache=0, pool_idle=0, idle_timeout="1h")
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(p.caller())
        assert first.request(target="/who").status == 200
        for _ in range(100):
            stack.enter_context(p.caller())
        harness.eventually(lambda: "Too many open files" in p.stderr)
        for _ in range(3):
            answer = first.request(target="/who")
            assert (answer.status, answer.token) == (503, "out-of-resources"), answer.body
    harness.eventually(lambda: p.request(target="/who").status == 200)
    for _ in range(5):
        assert p.request(target="/who").status == 200
    if IS_ROOT:
        assert As(STRANGER, p.addresses[0]).answer().token == "caller-uid"
