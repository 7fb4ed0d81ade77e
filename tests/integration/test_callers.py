"""Callers that are slow, late, chatty or gone, at the edges between two requests."""
import contextlib
import socket
import ssl
import threading

import pytest

import harness
from harness import happened, head_lines

REFUSED = "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://x\r\n\r\n"  # the proxy answers it by itself: 403


def let_it_see(p):
    """What was sent before this has been seen when it returns: the loop goes round once."""
    assert p.request(fields=[("Origin", "http://x")]).status == 403


def small_caller(p):
    """A caller whose kernel takes little at once."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
    s.settimeout(harness.LIMIT)
    s.connect(("127.0.0.1", p.port))
    c = harness.Caller.__new__(harness.Caller)
    c.sock, c.pending = s, b""
    return c


def endless(c):
    """Answers before the request is whole, and goes on as long as it is read."""
    c.head()
    c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            c.send(b"10000\r\n" + bytes(65536) + b"\r\n")


def test_half_close_behind_the_head_of_the_answer(proxy, script):
    """The connection was to stay; now it ends with the answer, not with idle-timeout."""
    closed = threading.Event()

    def serve(c):
        c.head()
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        happened(closed)
        c.send("cd")
        c.at_end()

    p = proxy(script(serve).port, idle_timeout="1h")
    with p.caller() as c:
        c.send(head_lines())
        c.read_until(b"ab")
        c.sock.shutdown(socket.SHUT_WR)
        let_it_see(p)
        closed.set()
        assert c.read_to_end() == b"cd"


@pytest.mark.parametrize("first, rest", [("GET /last HTTP/1.1\r\nHost: loc", "alhost\r\n\r\n"),
                                         ("POST /last HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n01234",
                                          "56789")], ids=["head", "body"])
def test_request_behind_answers_that_fill_the_socket(proxy, script, tmp_path, first, rest):
    """It is begun only when there is room again, and then goes on."""
    p = proxy(script(harness.answering()).port, listen=f"unix:{tmp_path}/s")
    assert p.request().status == 200, "a pooled connection"
    for n in (560, 2000):
        with p.caller() as c:
            c.send(REFUSED * n + first)
            let_it_see(p)
            assert [c.answer().status for _ in range(n)] == [403] * n
            c.send(rest)
            assert c.answer().status == 200


def test_caller_that_stops_reading_behind_its_upload(proxy, script):
    """Its fault, not the server's, and after its own time."""
    p = proxy(script(endless).port, body_timeout="2s", answer_timeout="1h")  # within which the answer has to begin
    with p.caller() as c:
        c.send(head_lines("POST", "/", "Content-Length: 2") + "a")
        c.read_until(b"\r\n\r\n")
        c.send("b")
        assert p.last_log()["error"] == "caller-stalled"


def test_caller_that_reads_steadily_behind_its_upload(proxy, script):
    p = proxy(script(endless).port, body_timeout="1500ms", answer_timeout="1200ms", drain_timeout="100ms")
    p.expected_exit = None
    pace = threading.Event()
    with small_caller(p) as c:
        c.send(head_lines("POST", "/", "Content-Length: 2") + "a")
        c.read_until(b"\r\n\r\n")
        c.send("b")
        for _ in range(40):
            assert c.sock.recv(65536)
            pace.wait(0.05)
        assert not p.log_lines(), p.log_lines()


def read_slowly(c, size, then=None, at=None):
    """So many bytes behind a head, at a steady pace; calls then() once, in the middle."""
    pace, got = threading.Event(), len(c.pending)
    while got < size:
        data = c.sock.recv(min(16384, size - got))
        assert data, f"cut off after {got}"
        got += len(data)
        pace.wait(0.04)
        if then is not None and got > at:
            then()
            then = None
    c.pending = b""


def test_next_request_while_the_answer_is_still_read(proxy, script):
    """What the kernel has not handed over yet counts as being served: no idle-timeout."""
    size = 1_000_000
    p = proxy(script(harness.answering(lambda c, *_: c.reply(bytes(size)))).port, idle_timeout="1500ms")
    with small_caller(p) as c:
        c.send(head_lines())
        c.read_until(b"\r\n\r\n")
        read_slowly(c, size, lambda: c.send(head_lines()), size * 3 // 4)
        assert c.answer().status == 200


def test_late_bytes_behind_a_last_request(proxy, script):
    """They do not destroy the answer that is on its way."""
    size = 1_000_000
    p = proxy(script(harness.answering(lambda c, *_: c.reply(bytes(size)))).port)
    with small_caller(p) as c:
        c.send(head_lines("POST", "/", "Connection: close", "Content-Length: 2") + "ab")
        c.read_until(b"\r\n\r\n")
        let_it_see(p)
        c.send("\r\n")
        read_slowly(c, size)
        assert c.read_to_end() == b""


@pytest.mark.parametrize("way", ["half-close, then reset", "close of a Unix socket"])
def test_caller_that_is_gone_behind_its_end(proxy, script, tmp_path, way):
    """Its request does not go on, nor keep a place."""
    begun, ended = threading.Event(), threading.Event()

    def serve(c):
        c.head()
        begun.set()
        c.sock.settimeout(harness.LIMIT)
        with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
            c.fill()
            ended.set()
        ended.set()

    p = proxy(script(serve).port, **({"listen": f"unix:{tmp_path}/s"} if "Unix" in way else {}))
    c = p.caller()
    c.send(head_lines())
    happened(begun)
    if "Unix" in way:
        c.close()
    else:
        c.sock.shutdown(socket.SHUT_WR)
        let_it_see(p)
        c.reset()
    happened(ended)
    p.said("error=caller-gone")


@pytest.mark.parametrize("more", ["\r\n", "\r\n\r\n", "\r"])
def test_empty_line_behind_a_body(proxy, script, more):
    """It begins no request: nothing is answered, and nothing is waited for at the end."""
    server = script(harness.answering())
    with proxy(server.port, head_timeout="100ms", idle_timeout="1s", drain_timeout="1h").caller() as c:
        c.send(head_lines("POST", "/", "Content-Length: 2") + "ab" + more)
        assert c.answer().status == 200
        assert c.read_to_end() == b"", "no 408"
    with proxy(server.port).caller() as c:
        c.send(head_lines("POST", "/", "Content-Length: 2") + "ab" + more)
        assert c.answer().status == 200
        c.send(("\n" if more == "\r" else "") + head_lines())
        assert c.answer().status == 200
