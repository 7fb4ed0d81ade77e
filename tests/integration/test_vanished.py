"""Servers that are gone without a word (the laptop is in another network, a cable is out): noticed by what is not
acknowledged, and never confused with a server that is slow."""
import re
import socket
import threading
import time

import pytest

import harness

pytestmark = harness.one_worker  # the connections of which it speaks are one worker's

LIMIT_S = 2  # dead-peer-timeout
WAYS = ["swallow", "unplug", "lose", "move"]  # see harness.Cable
SOME = WAYS[:harness.count(2, 4)]
TUNNEL = "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}\r\n\r\n"


@pytest.fixture
def cable(started):
    started.append(made := harness.Cable())
    # TCP repeats as often as the proxy says since Linux 6.15, and after 15 times it would notice by itself.
    made.run(["sysctl", "-qw", "net.ipv4.tcp_retries2=255"], "near")
    return made


@pytest.fixture
def served(cable, pki, proxy, tenant, started, tmp_path):
    """served(script, ...): a proxy at this end of a cable, called over a Unix socket, before a scripted server at the
    other end."""

    def start(script, tls=True, **keys):
        server = harness.Script(pki, script, tls=tls, listener=cable.listener())
        started.append(server)
        section = tenant(server.port, connect_to=f"{cable.far}:{server.port}")
        keys = {"dead_peer_timeout": f"{LIMIT_S}s", "connect_timeout": "5s", **keys}
        p = proxy(section, listen=f"unix:{tmp_path}/s", process={"prefix": cable.prefix()}, **keys)
        p.server = server
        return p

    return start


def timed(call):
    """What it returns, once as much time has passed as has to pass at least."""
    begun = time.monotonic()
    result = call()
    assert time.monotonic() - begun > LIMIT_S * 0.9, "too early"
    return result


def assert_vanished(p, answer, count=1):
    assert (answer.status, answer.token) == (504, "server-vanished")
    line = p.last_log(count)
    assert (line["status"], line["error"]) == ("504", "server-vanished")
    assert re.search(r"has acknowledged nothing for \d", answer.json()["detail"])


# ---- they are gone ----

@pytest.mark.parametrize("way", WAYS)
def test_on_a_pooled_connection(way, served, cable):
    """What must not be sent twice is not."""
    p = served(harness.answering())
    assert p.request().status == 200
    getattr(cable, way)()
    assert_vanished(p, timed(lambda: p.request("POST", body=b"x")), 2)
    assert p.last_log(2)["conn"] == "reused"


def test_what_may_be_repeated_is(served, cable):
    """On a connection of its own, once the way is there again."""
    p = served(harness.answering(lambda c, head, body: c.reply(str(c.number).encode())), connect_timeout="60s")
    assert p.request().body == b"0"
    cable.swallow()
    answer = harness.Background(lambda: timed(p.request))
    harness.eventually(lambda: cable.run(["ss", "-Htn", "state", "syn-sent"], "near"))
    cable.restore()
    assert answer.result().body == b"1"
    assert p.last_log(2)["conn"] == "new"


def test_the_way_is_there_again_in_time(served, cable):
    """The connection goes on."""
    p = served(harness.answering(lambda c, head, body: c.reply(str(c.number).encode())), dead_peer_timeout="25s")
    assert p.request().body == b"0"
    seen = len(p.server.connections[0].bytes)
    cable.swallow()
    answer = harness.Background(p.request, "POST", body=b"x")
    harness.eventually(lambda: len(p.server.connections[0].bytes) > seen)
    cable.restore()
    assert answer.result().body == b"0"


@pytest.mark.parametrize("way", WAYS)
def test_while_the_answer_is_waited_for(way, served, cable):
    """The request was acknowledged."""
    inside = threading.Event()

    def serve(c):
        c.request()
        inside.set()
        c.at_end()

    p = served(serve)
    answer = harness.Background(p.request, "POST", body=b"x")
    harness.happened(inside)
    harness.eventually(lambda: is_acknowledged(cable, p.server.port))
    getattr(cable, way)()
    assert_vanished(p, answer.result())


@pytest.mark.parametrize("way", SOME)
def test_in_the_middle_of_an_answer(way, served, cable):
    """The caller has its head already: it sees that the rest is missing."""
    def serve(c):
        c.request()
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
        c.at_end()

    p = served(serve)
    with p.caller() as c:
        c.send(harness.head_lines())
        c.read_until(b"0123456789")
        getattr(cable, way)()
        assert timed(c.read_to_end) == b""
    line = p.last_log()
    assert (line["status"], line["out"], line["error"]) == ("200", "10", "server-vanished")


@pytest.mark.parametrize("way", SOME)
@pytest.mark.parametrize("reads", [True, False], ids=["reads", "closed window"])
def test_in_the_middle_of_an_upload(reads, way, served, cable):
    """One that goes on, and one that waits since the server reads nothing."""
    some, gone = threading.Event(), threading.Event()

    def serve(c):
        c.head()
        c.body(20000)
        some.set()
        while reads and c.fill():
            c.pending = c.bytes = b""
        gone.wait(harness.LIMIT)

    p = served(serve)
    p.server.stopping = True  # the test breaks its connection off
    with p.caller() as c:
        c.send(harness.head_lines("POST", "/", "Content-Length: 5000000000"))
        sending = harness.Background(lambda: [c.send(b"x" * 1000000) for _ in range(5000)])
        harness.happened(some)
        if not reads:
            harness.eventually(lambda: is_window_closed(cable, p.server.port))
        getattr(cable, way)()
        assert_vanished(p, c.answer())
        gone.set()
        c.sock.shutdown(socket.SHUT_RDWR)
        with pytest.raises(OSError):
            sending.result()


def connection(cable, port):
    """This end of the one to the server, as ss shows it."""
    return cable.run(["ss", "-Htnoi", "state", "established", "dst", f"{cable.far}:{port}"], "near").decode()


def is_window_closed(cable, port):
    """Does this end probe whether the other one reads again?"""
    return "timer:(persist" in connection(cable, port)


def is_acknowledged(cable, port):
    """All that was sent."""
    shown = connection(cable, port)
    return shown and not re.search(r"\bunacked:|timer:\(on", shown)


@pytest.mark.parametrize("way", SOME)
def test_connection_that_nobody_uses(way, served, cable):
    """It is not kept for the next request."""
    p = served(harness.answering(), pool_idle="1h")
    assert p.request().status == 200
    before = p.descriptors()
    getattr(cable, way)()
    harness.eventually(lambda: p.descriptors() < before)


@pytest.mark.parametrize("way", SOME)
def test_in_the_tls_handshake(way, served, cable):
    """Of a server that took the connection and said nothing."""
    connected, done = threading.Event(), threading.Event()

    def serve(c):
        connected.set()
        c.sock.recv(1)
        done.wait(harness.LIMIT)

    p = served(serve, tls=False, handshake_timeout="1h")
    answer = harness.Background(lambda: timed(p.request))
    harness.happened(connected)
    getattr(cable, way)()
    assert_vanished(p, answer.result())
    done.set()


@pytest.mark.parametrize("way", SOME)
@pytest.mark.parametrize("speaks", [True, False], ids=["speaks", "listens"])
def test_tunnel_to_a_peer_that_vanished_ends(speaks, way, served, cable, pki, started):
    """To a place that is no configured server."""
    far = harness.Script(pki, lambda c: (c.send(b"hello"), c.at_end()), tls=False, listener=cable.listener())
    started.append(far)
    p = served(harness.answering(), connect_other="tunnel", connect_allow=f"{cable.far}:{far.port}")
    with p.caller() as c:
        c.send(TUNNEL.format(host=cable.far, port=far.port))
        assert b" 200 " in c.read_until(b"\r\n\r\n")
        c.read_until(b"hello")
        getattr(cable, way)()
        if speaks:
            c.send(b"question")
        assert timed(c.is_closed)
    line = p.last_log()
    assert (line["method"], line["status"], line["error"]) == ("CONNECT", "200", "server-vanished")
    far.stopping = True  # the test broke it off


# ---- they are slow ----

def test_server_that_thinks_long(served):
    """It acknowledges, and that is all for five times as long."""
    def serve(c):
        c.request()
        threading.Event().wait(5 * 1)
        c.reply(b"at last")

    p = served(serve, dead_peer_timeout="1s")
    assert p.request("POST", body=b"x").body == b"at last"


def test_server_that_pauses_in_its_answer(served):
    def serve(c):
        c.request()
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
        threading.Event().wait(5 * 1)
        c.send("56789")

    p = served(serve, dead_peer_timeout="1s")
    assert p.request("POST", body=b"x").body == b"0123456789"


@pytest.mark.parametrize("size", [8 << 20, 20000])
def test_server_that_does_not_read(size, served, cable):
    """Its window is closed, but it answers the probes, which come more and more seldom."""
    closed = []

    def serve(c):
        c.head()
        threading.Event().wait(8 * 1)
        closed.append(is_window_closed(cable, p.server.port))
        body = c.body(size)
        c.reply(str(len(body)).encode())

    p = served(serve, dead_peer_timeout="1s")
    assert p.request("POST", body=b"x" * size).body == str(size).encode()
    assert closed == [size > 1 << 20]


def test_caller_that_does_not_read(served):
    """The server has sent all of its answer and waits: it is the caller that is slow."""
    def serve(c):
        c.request()
        c.reply(b"x" * (8 << 20))
        c.at_end()

    p = served(serve, dead_peer_timeout="1s")
    with p.caller() as c:
        c.send(harness.head_lines())
        c.read_until(b"\r\n\r\n")
        threading.Event().wait(5 * 1)
        assert len(c.read_exactly(8 << 20)) == 8 << 20


def test_idle_connection_stays(served):
    """For as long as the server is there."""
    p = served(harness.answering(lambda c, head, body: c.reply(str(c.number).encode())), dead_peer_timeout="1s")
    assert p.request().body == b"0"
    threading.Event().wait(5 * 1)
    assert p.request().body == b"0"


def test_switched_off(served, cable):
    p = served(harness.answering(), dead_peer_timeout="0", answer_timeout=f"{2 * LIMIT_S}s")
    assert p.request().status == 200
    cable.swallow()
    assert timed(lambda: p.request("POST", body=b"x")).token == "answer-timeout"
