"""Framing and syntax, as adversaries write them: a message that two readers could understand differently is
refused. What is refused never reaches the server; what passes reaches it in the one canonical form."""
import contextlib
import socket
import threading

import pytest

import harness
from vectors import chunked, each, get, post

LONG = 2000  # bytes; anything longer is not sent byte by byte

# The tables of requests are in vectors.py, and test_vectors.py runs them.


def ids(table):
    return [row[0] for row in table]


def send_in(caller, raw, size):
    """In pieces of that size, as far as the other side takes them."""
    with contextlib.suppress(OSError):
        for i in range(0, len(raw), size):
            caller.send(raw[i:i + size])


def refused(proxy, raw, size):
    """The one answer to raw; if it says so, the proxy has ended the connection behind it, else the caller."""
    with proxy.caller() as c:
        send_in(c, raw, size)
        answer = c.answer()
        if answer.get("Connection") != "close":
            c.sock.shutdown(socket.SHUT_WR)
        assert c.read_to_end() == b"", "something came behind the answer"
        return answer


def check_untouched(recorded):
    """The server has seen no request; and what is sent now is served, as the first that it sees."""
    assert recorded.proxy.request(target="/afterwards").status == 200
    assert [seen.target for seen in recorded.server.take()] == ["/afterwards"]


def test_tls_on_the_plain_port_is_told_so(recorded):
    """The hint must reach people who wrote https:// for http://."""
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(32) + b"\r\n\r\n"
    answer = refused(recorded.proxy, hello, len(hello))
    assert (answer.status, answer.token) == (400, "request-malformed")
    assert "TLS" in answer.json()["detail"] and "http://" in answer.json()["detail"]
    check_untouched(recorded)


@pytest.mark.parametrize("raw", [b"\x16\x03\x01\x00", b"\0", b"\x80", b"{", b"\n"])
def test_garbage_without_a_line_end_is_refused_at_once(recorded, raw):
    """Whoever sends it would wait for an answer and never end the line."""
    with recorded.proxy.caller() as c:
        assert c.send(raw).answer().token == "request-malformed"
        assert c.read_to_end() == b""
    check_untouched(recorded)


SMUGGLING_REFUSALS = [  # requests whose head is sound but not served, with a body that looks like a request
    ("of a foreign Host", b"Host: evil.example\r\n", 421),
    ("of a foreign Origin", b"Host: localhost\r\nOrigin: http://evil.example\r\n", 403),
    ("of another company", b"Host: localhost\r\nsuccessfactors-companyid: OTHER\r\n", 403),
    ("with Connection: Host", b"Host: localhost\r\nConnection: Host\r\n", 400),
    ("for a WebSocket", b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", 501),
    ("with an unknown expectation", b"Host: localhost\r\nExpect: x\r\n", 417),
]


@pytest.mark.parametrize("name, fields, status", SMUGGLING_REFUSALS, ids=ids(SMUGGLING_REFUSALS))
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_body_of_a_refused_request_is_never_read_as_a_request(recorded, name, fields, status, framing):
    inner = get(line=b"GET /smuggled HTTP/1.1")
    if framing == "length":
        raw = b"POST / HTTP/1.1\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(inner) + inner
    else:
        raw = (b"POST / HTTP/1.1\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n"
               b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner))
    for size in (len(raw), 1):
        assert refused(recorded.proxy, raw, size).status == status
    check_untouched(recorded)


def test_connect_with_a_body_opens_nothing(recorded):
    """Neither a tunnel nor a second request comes of it."""
    inner = get(line=b"GET /smuggled HTTP/1.1")
    raw = b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\nContent-Length: %d\r\n\r\n" % len(inner) + inner
    answer = refused(recorded.proxy, raw, len(raw))
    assert answer.status in (400, 501)
    check_untouched(recorded)


def test_what_follows_connection_close_is_not_read(recorded):
    with recorded.proxy.caller() as c:
        c.send(get(b"Connection: close\r\n") + get(line=b"GET /smuggled HTTP/1.1"))
        answer = c.answer()
        assert answer.status == 200 and answer.get("Connection") == "close"
        assert c.read_to_end() == b""
    assert [seen.target for seen in recorded.server.take()] == ["/"]
    check_untouched(recorded)


def test_what_follows_a_refused_head_is_not_read(recorded):
    raw = get(b"X : y\r\n") + get(line=b"GET /smuggled HTTP/1.1")
    assert refused(recorded.proxy, raw, len(raw)).status == 400
    check_untouched(recorded)


# ---- trailers and pipelines ----

FORBIDDEN_TRAILERS = [
    "Content-Length: 5", "Transfer-Encoding: chunked", "transfer-encoding: gzip", "Content_Length: 5",
    "Transfer_Encoding: x", "Host: evil.example", "Authorization: Basic eA==", "successfactors-companyid: OTHER",
    "SuccessFactors_CompanyID: OTHER", "Connection: close", "Keep-Alive: x", "TE: trailers", "Upgrade: h2c",
    "HTTP2-Settings: AA", "Proxy-Authorization: Basic eA==", "Proxy_Foo: x", "Proxy-Connection: x", "Trailer: X",
    "X-CLIENT-CERT: x", "X_Client_Cert: x", "Cookie: a=b", "Expect: 100-continue", "X-HTTP-Method-Override: DELETE",
    "X-HTTP-Method: DELETE", "Proxy-Status: sfmtls",
]


@pytest.mark.parametrize("trailer", FORBIDDEN_TRAILERS)
def test_trailers_pass_the_strip_list(recorded, trailer):
    """RFC 9110 section 6.5.1: none that frames, routes or identifies; its neighbours travel on."""
    raw = chunked(b"5\r\nhello\r\n0\r\nX-Before: 1\r\n" + trailer.encode() + b"\r\nX-After: 2\r\n\r\n")
    with recorded.proxy.caller() as c:
        assert c.send(raw).answer().status == 200
    [seen] = recorded.server.take()
    assert (seen.body, seen.trailers) == (b"hello", b"X-Before: 1\r\nX-After: 2\r\n")


def test_trailers_named_by_connection_are_removed(recorded):
    """RFC 9110 section 7.6.1: header or trailer fields of that name."""
    raw = post(b"Connection: X-Hop\r\nX-Hop: a\r\nTransfer-Encoding: chunked\r\n", b"0\r\nX-Hop: b\r\nX-End: c\r\n\r\n")
    with recorded.proxy.caller() as c:
        assert c.send(raw).answer().status == 200
    [seen] = recorded.server.take()
    assert seen.all("X-Hop") == []
    assert seen.trailers == b"X-End: c\r\n"


def test_trailers_cannot_bring_back_what_the_tenant_sets(proxy, pki, tenant, started):
    """header.NAME replaces the caller's field, wherever in the message it stands."""
    server = harness.Recorder(pki)
    started.append(server)
    p = proxy(tenant(server.port) + "header.X-Thing = ours\n")
    with p.caller() as c:
        c.send(chunked(b"0\r\nX-Thing: theirs\r\nX-End: c\r\n\r\n"))
        assert c.answer().status == 200
    [seen] = server.take()
    assert seen.all("X-Thing") == ["ours"]
    assert seen.trailers == b"X-End: c\r\n"


@pytest.mark.parametrize("size", [1, 7, 100000])
def test_pipelined_requests_keep_their_bounds(recorded, size):
    """Bodies of both framings in between; nothing of one is read as part of another."""
    requests = [
        (get(line=b"GET /1 HTTP/1.1"), b""),
        (post(b"Content-Length: 5\r\n", b"GET /").replace(b"POST /", b"POST /2"), b"GET /"),
        (chunked(b"4;x=y\r\n\r\n\r\n\r\n0\r\nT: 1\r\n\r\n").replace(b"POST /", b"PUT /3"), b"\r\n\r\n"),
        (post(b"Content-Length: 0\r\n").replace(b"POST /", b"POST /4"), b""),
        (b"\r\n" + get(line=b"GET /5 HTTP/1.1"), b""),
    ]
    with recorded.proxy.caller() as c:
        send_in(c, b"".join(raw for raw, body in requests), size)
        assert [c.answer().status for _ in requests] == [200] * len(requests)
    seen = recorded.server.take()
    assert [s.target for s in seen] == ["/1", "/2", "/3", "/4", "/5"]
    assert [s.body for s in seen] == [body for raw, body in requests]


# ---- answers ----

def answer(fields=b"", body=b"", line=b"HTTP/1.1 200 OK"):
    return line + b"\r\n" + fields + b"\r\n" + body


def chunked_answer(body):
    return answer(b"Transfer-Encoding: chunked\r\n", body)


BAD_ANSWERS = [  # (name, bytes): 502 bad-answer
    # status lines
    *((line.decode("latin-1"), answer(b"Content-Length: 0\r\n", line=line)) for line in (
        b"HTTP/2.0 200 OK", b"HTTP/1.2 200 OK", b"HTTP/0.9 200 OK", b"HTTP/1.11 200 OK", b"HTTP/1 200 OK",
        b"http/1.1 200 OK", b"HttP/1.1 200 OK", b"ICY 200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 abc OK", b"HTTP/1.1 2x0 OK", b"HTTP/1.1 -20 OK", b"HTTP/1.1 +20 OK", b"HTTP/1.1 0x2 OK",
        b"HTTP/1.1 099 OK", b"HTTP/1.1 000 OK", b"HTTP/1.1 600 OK", b"HTTP/1.1 999 OK", b"HTTP/1.1  200 OK",
        b"HTTP/1.1 200OK", b"HTTP/1.1\t200 OK", b"HTTP/1.1 200\tOK", b"HTTP/1.1200 OK", b" HTTP/1.1 200 OK",
        b"HTTP/1.1", b"HTTP/1.1 ", b"200 OK", b"GET / HTTP/1.1", b"<html>", b"220 mail ESMTP", b"SSH-2.0-OpenSSH")),
    ("empty line first", b"\r\n" + answer(b"Content-Length: 0\r\n")),
    ("LF first", b"\n" + answer(b"Content-Length: 0\r\n")),
    ("NUL in the reason", answer(b"Content-Length: 0\r\n", line=b"HTTP/1.1 200 O\0K")),
    ("CR in the reason", answer(b"Content-Length: 0\r\n", line=b"HTTP/1.1 200 O\rK")),
    ("TLS inside", b"\x16\x03\x01\x02\0"),
    # framing
    ("CL and TE", answer(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    ("TE and CL", answer(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n")),
    ("two CL that differ", answer(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!")),
    ("two CL that agree", answer(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello")),
    *((f"CL {v.decode()}", answer(b"Content-Length: " + v + b"\r\n", b"hello")) for v in (
        b"5, 5", b"5, 6", b"+5", b"-5", b"0x5", b"5a", b"5 5", b"", b"9223372036854775808", b"18446744073709551621")),
    *((f"TE {v.decode()}", answer(b"Transfer-Encoding: " + v + b"\r\n", b"5\r\nhello\r\n0\r\n\r\n")) for v in (
        b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, identity", b"identity", b"xchunked", b"", b"chunked,")),
    ("two TE", answer(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    ("TE of HTTP/1.0", answer(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"HTTP/1.0 200 OK")),
    # fields
    ("blank before the colon of CL", answer(b"Content-Length : 5\r\n", b"hello")),
    ("blank before the colon of TE", answer(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n")),
    *((f"blank before the colon of {n}", answer(b"%s\t : x\r\nContent-Length: 0\r\n" % n.encode())) for n in (
        "Content_Length", "transfer_encoding", "Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "TE",
        "Trailer")),
    ("blank before the colon of an interim answer's CL",
     answer(b"Content-Length : 5\r\n", line=b"HTTP/1.1 103 Early Hints") + answer(b"Content-Length: 0\r\n")),
    ("blank in a name", answer(b"X Y: z\r\nContent-Length: 0\r\n")),
    ("quote in a name", answer(b"\"y: z\r\nContent-Length: 0\r\n")),
    ("no colon", answer(b"X\r\nContent-Length: 0\r\n")),
    ("empty name", answer(b": x\r\nContent-Length: 0\r\n")),
    ("folded field", answer(b"X: a\r\n b\r\nContent-Length: 0\r\n")),
    ("folded TE", answer(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n")),
    ("first field line begins with a blank", answer(b" X: a\r\nContent-Length: 0\r\n")),
    *((f"{c!r} in a value", answer(b"X: a%cb\r\nContent-Length: 0\r\n" % c)) for c in each(b"\0\1\x0b\x7f")),
    ("CR in a value", answer(b"X: a\rSet-Cookie: b\r\nContent-Length: 0\r\n")),
    ("LF everywhere", answer(b"Content-Length: 0\r\n").replace(b"\r\n", b"\n")),
    ("LF ends the status line", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
    ("LF ends a field", answer(b"X: a\nSet-Cookie: b\r\nContent-Length: 0\r\n")),
    ("LF ends the head", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n"),
    # behind interim answers
    ("bad behind a 103", answer(line=b"HTTP/1.1 103 Early Hints") + b"HTTP/1.1 abc\r\n\r\n"),
    ("a 103 with a body", answer(b"Content-Length: 5\r\n", b"hello", b"HTTP/1.1 103 Early Hints")),
    ("endless 103", answer(line=b"HTTP/1.1 103 Early Hints") * 1000),
    ("endless 100", answer(line=b"HTTP/1.1 100 Continue") * 1000),
]

SWITCHING = b"HTTP/1.1 101 Switching Protocols"
UPGRADES = [  # (name, bytes): 502 unexpected-upgrade
    ("101", answer(b"Connection: upgrade\r\nUpgrade: h2c\r\n", line=SWITCHING)),
    ("101 without a field", answer(line=SWITCHING)),
    ("101 behind a 103", answer(line=b"HTTP/1.1 103 Early Hints") + answer(line=SWITCHING)),
    ("101 with an answer behind it", answer(line=SWITCHING) + answer(b"Content-Length: 0\r\n")),
]

LARGE_ANSWERS = [  # (name, bytes): 502 answer-head-too-large
    ("one field of 70 KiB", answer(b"X: " + b"a" * 70 * 1024 + b"\r\nContent-Length: 0\r\n")),
    ("70 KiB of fields", answer((b"X: " + b"a" * 1019 + b"\r\n") * 70)),
    ("201 fields", answer(b"X: a\r\n" * 201)),
    ("a status line without an end", b"HTTP/1.1 200 " + b"a" * 70 * 1024),
    ("a field without an end", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70 * 1024),
]

REFUSED_ANSWERS = [(name, raw, token) for token, table in (
    ("bad-answer", BAD_ANSWERS), ("unexpected-upgrade", UPGRADES), ("answer-head-too-large", LARGE_ANSWERS))
    for name, raw in table]


@pytest.fixture(scope="module")
def answering_path(recorded_by):
    def reply(c, seen):
        if seen.target == "/afterwards":
            c.reply(b"good")
        else:
            path.reply(c, seen)

    path = recorded_by(reply)
    return path


@pytest.fixture
def answering(answering_path):
    """Its .reply is called for each request but those to /afterwards; .proxy, .server as in `recorded`."""
    answering_path.server.take()
    return answering_path


def test_blank_before_the_colon_of_an_answers_field_goes(answering):
    """RFC 9112, 5.1; of final and interim answers and in trailers, whatever the blanks are."""
    def reply(c, seen):
        c.send(b"HTTP/1.1 103 Early Hints\r\nLink : </a>\r\n\r\n"
               b"HTTP/1.1 200 OK\r\nX-A : 1\r\nset-cookie\t \t:a=b\r\nX-B:2\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"2\r\nok\r\n0\r\nX-End : 3\r\nConnection: x\r\n\r\n")

    answering.reply = reply
    with answering.proxy.caller() as c:
        for _ in range(2):  # nothing speaks against using both connections again
            got = c.request()
            assert got.raw_head.split(b"\r\n")[1:4] == [b"X-A: 1", b"set-cookie: a=b", b"X-B: 2"]
            assert c.interim[0].raw_head.endswith(b"\r\nLink: </a>")
            assert (got.body, got.trailers) == (b"ok", b"X-End: 3\r\n")
    first, second = answering.server.take()
    assert first.connection is second.connection


def check_not_reused(answering):
    """The connection of the only request so far is not used for the next one, but closed."""
    [first] = answering.server.take()
    assert answering.proxy.request(target="/afterwards").body == b"good"
    [second] = answering.server.take()
    assert second.target == "/afterwards" and second.connection is not first.connection
    harness.eventually(lambda: first.connection.sock.fileno() == -1)


@pytest.mark.parametrize("size", [None, 1], ids=["whole", "bytewise"])
@pytest.mark.parametrize("name, raw, token", REFUSED_ANSWERS, ids=ids(REFUSED_ANSWERS))
def test_a_bad_answer_is_a_502(answering, name, raw, token, size):
    """Told apart from anything the server says; never repeated, for bytes of an answer were seen."""
    step = size if size and len(raw) <= LONG else len(raw)

    def reply(c, seen):
        for i in range(0, len(raw), step):
            c.send(raw[i:i + step])

    answering.reply = reply
    with answering.proxy.caller() as c:
        got = c.request()
        assert (got.status, got.token) == (502, token)
        assert c.request(target="/afterwards").body == b"good", "the caller's connection goes on"
    [first, second] = answering.server.take()
    assert second.connection is not first.connection
    harness.eventually(lambda: first.connection.sock.fileno() == -1)


@pytest.mark.parametrize("how", ["ends", "is cut", "is reset"])
@pytest.mark.parametrize("raw", [b"", b"H", b"HTTP/1.1 200 OK\r\nContent-Le", answer(line=b"HTTP/1.1 103 Early Hints")],
                         ids=["nothing", "a byte", "half a head", "an interim answer"])
def test_a_head_that_never_ends_is_a_502(answering, raw, how):
    """The server closed early, in whatever way; a POST is not repeated for it."""

    def reply(c, seen):
        c.send(raw)
        goes_on(c, how)

    answering.reply = reply
    with answering.proxy.caller() as c:
        got = c.request("POST", body=b"x")
        assert (got.status, got.token) == (502, "upstream-closed")
        assert c.request(target="/afterwards").body == b"good"
    assert [seen.target for seen in answering.server.take()] == ["/", "/afterwards"]


def goes_on(c, how):
    {"stays": lambda: None, "ends": c.end, "is cut": c.cut, "is reset": c.reset}[how]()


TRUNCATED = [  # (name, bytes, how the connection goes on, the most of the body that may be passed on)
    ("no size", chunked_answer(b"5\r\nhello\r\n\r\n0\r\n\r\n"), "stays", b"hello"),
    ("size that is none", chunked_answer(b"5\r\nhello\r\ng\r\nx\r\n0\r\n\r\n"), "stays", b"hello"),
    ("bad from the first size", chunked_answer(b"x\r\n"), "stays", b""),
    ("junk behind a chunk", chunked_answer(b"5\r\nhelloXX0\r\n\r\n"), "stays", b"hello"),
    ("a byte for CR behind a chunk", chunked_answer(b"5\r\nhelloX\n0\r\n\r\n"), "stays", b"hello"),
    ("a byte for LF behind a chunk", chunked_answer(b"5\r\nhello\rX0\r\n\r\n"), "stays", b"hello"),
    ("LF behind a chunk", chunked_answer(b"5\r\nhello\n0\r\n\r\n"), "stays", b"hello"),
    ("LF behind a size", chunked_answer(b"5\nhello\r\n0\r\n\r\n"), "stays", b""),
    ("size in two words", chunked_answer(b"5 5\r\nhello\r\n0\r\n\r\n"), "stays", b""),
    ("size below zero", chunked_answer(b"-5\r\nhello\r\n0\r\n\r\n"), "stays", b""),
    ("size of 2^64 + 5", chunked_answer(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), "stays", b""),
    ("extension with LF", chunked_answer(b"5;a\nb\r\nhello\r\n0\r\n\r\n"), "stays", b""),
    ("extension without an end", chunked_answer(b"5;" + b"a" * 70000), "stays", b""),
    ("folded trailer", chunked_answer(b"5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n"), "stays", b"hello"),
    ("trailer without a colon", chunked_answer(b"5\r\nhello\r\n0\r\nX\r\n\r\n"), "stays", b"hello"),
    ("trailer section without an end", chunked_answer(b"5\r\nhello\r\n0\r\n" + b"X: a\r\n" * 12000), "stays", b"hello"),
    ("LF ends the body", chunked_answer(b"5\r\nhello\r\n0\r\n\n"), "stays", b"hello"),
    ("no last chunk", chunked_answer(b"5\r\nhello\r\n"), "ends", b"hello"),
    ("no end of the trailers", chunked_answer(b"5\r\nhello\r\n0\r\n"), "ends", b"hello"),
    ("half a chunk", chunked_answer(b"5\r\nhel"), "ends", b"hel"),
    ("no last chunk, cut", chunked_answer(b"5\r\nhello\r\n"), "is cut", b"hello"),
    ("short of CL", answer(b"Content-Length: 9\r\n", b"hello"), "ends", b"hello"),
    ("short of CL, cut", answer(b"Content-Length: 9\r\n", b"hello"), "is cut", b"hello"),
    ("short of CL by all", answer(b"Content-Length: 9\r\n"), "ends", b""),
    ("to the end, cut", answer(b"", b"hello"), "is cut", b"hello"),
    ("to the end of HTTP/1.0, cut", answer(b"", b"hello", b"HTTP/1.0 200 OK"), "is cut", b"hello"),
]


@pytest.mark.parametrize("name, raw, how, most", TRUNCATED, ids=ids(TRUNCATED))
def test_a_broken_body_is_seen_as_broken(answering, name, raw, how, most):
    """In HTTP/1.1: chunks without the last one, or short of its length; then the connection ends."""

    def reply(c, seen):
        c.send(raw)
        goes_on(c, how)

    answering.reply = reply
    with answering.proxy.caller() as c:
        got = c.request()
        assert got.status == 200 and not got.complete
        assert most.startswith(got.body)
        assert c.read_to_end() == b""
    check_not_reused(answering)


@pytest.mark.parametrize("name, raw, how, most", TRUNCATED, ids=ids(TRUNCATED))
def test_a_broken_body_resets_a_caller_of_http_1_0(answering, name, raw, how, most):
    """There a close would mean that the body is complete; unless its length tells otherwise."""

    def reply(c, seen):
        c.send(raw)
        goes_on(c, how)

    answering.reply = reply
    with answering.proxy.caller() as c:
        c.send(b"GET / HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            c.read_to_end()
    check_not_reused(answering)


NO_CONTENT, NOT_MODIFIED = b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified"
EVIL = answer(b"Content-Length: 4\r\n", b"evil")

BODILESS = [  # (name, method, bytes, status): the caller gets a head, whatever follows it
    ("204 with CL and a body", "GET", answer(b"Content-Length: 5\r\n", b"hello", NO_CONTENT), 204),
    ("204 with CL only", "GET", answer(b"Content-Length: 5\r\n", b"", NO_CONTENT), 204),
    ("204 with a body", "GET", answer(b"", b"hello", NO_CONTENT), 204),
    ("204 with chunks", "GET", answer(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", NO_CONTENT), 204),
    ("204 with TE only", "GET", answer(b"Transfer-Encoding: chunked\r\n", b"", NO_CONTENT), 204),
    ("204 with an answer", "GET", answer(b"", EVIL, NO_CONTENT), 204),
    ("304 with CL and a body", "GET", answer(b"Content-Length: 3\r\n", b"abc", NOT_MODIFIED), 304),
    ("304 with chunks", "GET", answer(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", NOT_MODIFIED), 304),
    ("304 with an answer", "GET", answer(b"", EVIL, NOT_MODIFIED), 304),
    ("HEAD with CL and a body", "HEAD", answer(b"Content-Length: 5\r\n", b"hello"), 200),
    ("HEAD with chunks", "HEAD", chunked_answer(b"5\r\nhello\r\n0\r\n\r\n"), 200),
    ("HEAD with an answer", "HEAD", answer(b"Content-Length: 0\r\n", EVIL), 200),
]


@pytest.mark.parametrize("name, method, raw, status", BODILESS, ids=ids(BODILESS))
def test_no_body_comes_where_none_can_be(answering, name, method, raw, status):
    """The caller stays in step, and the connection that may be out of step is given up."""
    answering.reply = lambda c, seen: c.send(raw)
    with answering.proxy.caller() as c:
        got = c.request(method)
        assert got.status == status and got.all("Transfer-Encoding") == []
        assert status != 204 or got.all("Content-Length") == []
        assert c.request(target="/afterwards").body == b"good"
    [first, second] = answering.server.take()
    assert second.connection is not first.connection


SOUND_BODILESS = [
    ("HEAD", b"HTTP/1.1 200 OK", b"Content-Length: 5\r\n"),
    ("GET", NOT_MODIFIED, b"Content-Length: 5\r\n"),
    ("GET", NOT_MODIFIED, b""),
    ("GET", NO_CONTENT, b""),
]


@pytest.mark.parametrize("method, line, fields", SOUND_BODILESS)
def test_sound_answers_without_a_body_leave_the_connection_usable(answering, method, line, fields):
    answering.reply = lambda c, seen: c.send(answer(fields, line=line))
    with answering.proxy.caller() as c:
        got = c.request(method)
        assert got.all("Content-Length") == (["5"] if fields else [])
        assert c.request(target="/afterwards").body == b"good"
    [first, second] = answering.server.take()
    assert second.connection is first.connection


SPLIT = [  # (name, bytes, the body): a second answer behind the first
    ("behind CL", answer(b"Content-Length: 5\r\n", b"hello"), b"hello"),
    ("behind CL 0", answer(b"Content-Length: 0\r\n"), b""),
    ("behind chunks", chunked_answer(b"5\r\nhello\r\n0\r\n\r\n"), b"hello"),
]


@pytest.mark.parametrize("name, raw, body", SPLIT, ids=ids(SPLIT))
@pytest.mark.parametrize("junk", [EVIL, b"\r\n", b"\0"], ids=["an answer", "an empty line", "NUL"])
def test_nobody_gets_what_stands_behind_an_answer(answering, name, raw, body, junk):
    answering.reply = lambda c, seen: c.send(raw + junk)
    with answering.proxy.caller() as c:
        got = c.request()
        assert (got.status, got.body, got.complete) == (200, body, True)
        assert c.request(target="/afterwards").body == b"good"
    [first, second] = answering.server.take()
    assert second.connection is not first.connection


def test_nobody_gets_an_answer_that_nobody_asked_for(answering):
    """It comes while the connection rests in the pool: that ends it."""
    go = threading.Event()

    def reply(c, seen):
        c.reply(b"hello")
        assert go.wait(harness.LIMIT)
        c.send(EVIL)

    answering.reply = reply
    assert answering.proxy.request().body == b"hello"
    [first] = answering.server.take()
    go.set()
    harness.eventually(lambda: first.connection.sock.fileno() == -1)
    assert answering.proxy.request(target="/afterwards").body == b"good"
    assert answering.server.take()[0].connection is not first.connection


LAST_REQUESTS = [  # (name, head, answer): the connection ends with it
    ("close, CL", get(b"Connection: close\r\n"), answer(b"Content-Length: 5\r\n", b"hello")),
    ("close, chunks", get(b"Connection: close\r\n"), chunked_answer(b"5\r\nhello\r\n0\r\n\r\n")),
    ("HTTP/1.0, CL", get(line=b"GET / HTTP/1.0"), answer(b"Content-Length: 5\r\n", b"hello")),
    ("HTTP/1.0, chunks", get(line=b"GET / HTTP/1.0"), chunked_answer(b"5\r\nhello\r\n0\r\n\r\n")),
]


@pytest.mark.parametrize("name, head, raw", LAST_REQUESTS, ids=ids(LAST_REQUESTS))
def test_what_still_comes_does_not_reset_the_last_answer(answering, name, head, raw):
    """RFC 9112 section 9.6: bytes that nobody read would make a close a reset, and a reset destroys the answer or
    makes it look truncated."""
    arrived, go = threading.Event(), threading.Event()

    def reply(c, seen):
        arrived.set()
        assert go.wait(harness.LIMIT)
        c.send(raw)

    answering.reply = reply
    with answering.proxy.caller() as c:
        c.send(head)
        assert arrived.wait(harness.LIMIT)
        c.send(b"\r\n" + get(line=b"GET /smuggled HTTP/1.1") * 1000)
        go.set()
        got = c.answer()
        assert (got.status, got.body, got.complete) == (200, b"hello", True)
        assert c.read_to_end() == b""
    assert [seen.target for seen in answering.server.take()] == ["/"]


SOUND = [  # (name, bytes, body)
    ("no reason", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 200"), b"ok"),
    ("empty reason", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 200 "), b"ok"),
    ("CL with zeros", answer(b"Content-Length: 002\r\n", b"ok"), b"ok"),
    ("TE in capitals", answer(b"TRANSFER-ENCODING: CHUNKED\r\n", b"2\r\nok\r\n0\r\n\r\n"), b"ok"),
    ("extensions", chunked_answer(b"1;a=\"b\"\r\no\r\n001 ;c\r\nk\r\n0;d\r\n\r\n"), b"ok"),
    ("interim answers", answer(line=b"HTTP/1.1 102 Processing") * 5 + answer(b"Content-Length: 2\r\n", b"ok"), b"ok"),
]


@pytest.mark.parametrize("name, raw, body", SOUND, ids=ids(SOUND))
@pytest.mark.parametrize("step", [1, 100000])
def test_odd_but_sound_answers_pass(answering, name, raw, body, step):
    def reply(c, seen):
        for i in range(0, len(raw), step):
            c.send(raw[i:i + step])

    answering.reply = reply
    with answering.proxy.caller() as c:
        got = c.request()
        assert (got.status, got.body, got.complete) == (200, body, True)
        assert c.request(target="/afterwards").body == b"good"
    [first, second] = answering.server.take()
    assert second.connection is first.connection


@pytest.mark.parametrize("trailer", [
    "Content-Length: 7", "Transfer-Encoding: chunked", "Connection: close", "Keep-Alive: timeout=1", "Upgrade: h2c",
    "Proxy-Status: sfmtls; error=dns_error", "Proxy-Authenticate: Basic", "Proxy_Foo: x", "Trailer: X"])
def test_trailers_of_answers_pass_the_strip_list(answering, trailer):
    """None that frames or speaks for the proxy; its neighbours travel on."""
    answering.reply = lambda c, seen: c.send(chunked_answer(
        b"5\r\nhello\r\n0\r\nX-Before: 1\r\n" + trailer.encode() + b"\r\nX-After: 2\r\n\r\n"))
    got = answering.proxy.request()
    assert (got.body, got.trailers) == (b"hello", b"X-Before: 1\r\nX-After: 2\r\n")
