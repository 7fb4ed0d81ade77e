"""Servers that answer before they were asked: what they say is an answer to nothing, and never to a request."""
import contextlib
import socket
import ssl

import pytest

import harness
from harness import Background

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nunasked"
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Eager:
    """A TLS server that hands over the end of its handshake together with what it says unasked, or with a part of the
    record that holds it. The rest follows once a request has come; its later connections behave."""

    def __init__(self, pki, said, cut=None, closes=False, version=V12, eager=1):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = self.context.maximum_version = version
        self.context.load_cert_chain(pki / "server.pem", pki / "server.key")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(pki / "client-ca.pem")
        self.said, self.cut, self.closes, self.eager = said, cut, closes, eager
        self.listener, self.requests = socket.create_server(("127.0.0.1", 0)), []
        self.port = self.listener.getsockname()[1]
        self.thread = Background(self._accept)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self.listener.accept()
                raw.settimeout(harness.LIMIT)
                self.eager -= 1
                with raw, contextlib.suppress(OSError, ssl.SSLError):
                    self._serve(raw, self.said if self.eager >= 0 else None)

    def _serve(self, raw, said):
        taken, given = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(taken, given, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(given.read())
                taken.write(raw.recv(65536))
        rest = b""
        if said is not None:
            last = given.read()
            tls.write(said)
            record = given.read()
            at = len(record) if self.cut is None else self.cut
            raw.sendall(last + record[:at])
            rest = record[at:]
            if self.closes:
                return
        raw.sendall(given.read())
        while True:
            if self._read(tls):
                if not rest:
                    tls.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nasked")
                raw.sendall(rest + given.read())
                rest = b""
            data = raw.recv(65536)
            if not data:
                return
            taken.write(data)

    def _read(self, tls):
        """Has a request come?"""
        text = b""
        with contextlib.suppress(ssl.SSLWantReadError):
            while data := tls.read(65536):
                text += data
        self.requests += [line for line in text.split(b"\r\n") if line.endswith(b" HTTP/1.1")]
        return b" HTTP/1.1\r\n" in text

    def stop(self):
        self.listener.close()


@pytest.fixture
def eager(pki, started):
    def start(*args, **keys):
        started.append(Eager(pki, *args, **keys))
        return started[-1]
    return start


SAYINGS = {
    "an answer": ANSWER, "a 100": b"HTTP/1.1 100 Continue\r\n\r\n", "a 408": b"HTTP/1.1 408 Request Timeout\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n", "half a head": b"HTTP/1.1 200 O", "one byte": b"H",
    "an empty line": b"\r\n", "no HTTP": b"220 ready\r\n", "much": b"HTTP/1.1 200 OK\r\n\r\n" + bytes(15000)}


def check_refused(p, server, method, body):
    answer = p.request(method, body=body)
    assert (answer.status, answer.token) == (502, "bad-answer")
    assert "before it was asked" in answer.json()["detail"]
    assert server.requests == [], "it was not sent"
    assert p.last_log()["error"] == "bad-answer"
    assert p.request(method, body=body).body == b"asked"


@pytest.mark.parametrize("method, body", [("GET", b""), ("POST", b"x")])
@pytest.mark.parametrize("saying", SAYINGS)
def test_answer_before_the_request(proxy, eager, saying, method, body):
    """It comes with the last message of the handshake, which is the server's."""
    server = eager(SAYINGS[saying])
    check_refused(proxy(server.port), server, method, body)


@pytest.mark.parametrize("cut", [1, 4, 5, 20, 60])
def test_half_an_answer_before_the_request(proxy, eager, cut):
    """Its record has begun, so it is no answer when it is whole."""
    server = eager(ANSWER, cut=cut)
    check_refused(proxy(server.port), server, "GET", b"")


def test_answer_before_the_request_and_the_end(proxy, eager):
    server = eager(ANSWER, closes=True)
    check_refused(proxy(server.port), server, "GET", b"")


def test_nobody_gets_the_answer_of_a_server_that_always_speaks_first(proxy, eager):
    """Each request fails by itself; none is sent."""
    server = eager(ANSWER, eager=1000)
    p = proxy(server.port)
    assert [p.request().token for _ in range(5)] == ["bad-answer"] * 5
    assert server.requests == []


@pytest.mark.parametrize("version", [V12, V13])
def test_server_that_waits_is_asked(proxy, eager, version):
    """Tickets of its sessions are no answers."""
    p = proxy(eager(None, version=version).port, pool_idle="0")
    assert [p.request("POST", body=b"x").body for _ in range(3)] == [b"asked"] * 3


def test_body_that_is_collected_is_no_time_for_answers(proxy, eager):
    """There is no connection before it is whole."""
    server = eager(ANSWER)
    p = proxy(server.port)
    with p.caller() as c:
        c.send(harness.head_lines("POST", "/", "Content-Type: application/json", "Content-Length: 4") + "{")
        assert p.request(host="evil.example").status == 421, "the loop has gone round"
        assert server.eager == 1, "nobody has connected"
        c.send("} \n")
        assert c.answer().token == "bad-answer"
    assert server.requests == []
