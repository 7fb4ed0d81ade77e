"""JSON and XML that callers send may change, but keeps an exact length: up to 256 KiB of it are collected, once all is
judged that is judged here. Some servers take nothing else (411)."""
import contextlib
import ssl
import subprocess
import threading

import pytest

import harness
from test_pool import Desk, asking

KIB, MIB = 1 << 10, 1 << 20
MOST = 256 * KIB  # what is collected of one body
ALL = 32 * MIB  # and of all together
EXPECT = "Expect: 100-continue"
CREDENTIALS = "Authorization: Basic dUBBQ01FOmh1bnRlcjI="  # u@ACME, hunter2
HASH = "$2y$04$txOjbA3LdSZGvYk7LmqlI.UQXXYVZm.pT2B76k77UfRfMSyLDaXLa"


class Picky(harness.Recorder):
    """A server that insists on a length, and says 100 to whoever waits for it."""

    def __init__(self, pki, **keys):
        self.continued = 0
        super().__init__(pki, self._answer, **keys)

    def _read(self, c):
        c.bytes = c.pending  # without all that came before
        while b"\r\n\r\n" not in c.pending:
            if not c.fill():
                return None
        if b"\r\nexpect: 100-continue" in c.pending.split(b"\r\n\r\n")[0].lower():
            self.continued += 1
            c.send("HTTP/1.1 100 Continue\r\n\r\n")
        return super()._read(c)

    def _answer(self, c, seen):
        if seen.all("Transfer-Encoding"):
            c.reply(b"length wanted", "411 Length Required")
        else:
            c.reply(b"taken")


@pytest.fixture
def server(pki, started):
    started.append(Picky(pki))
    return started[-1]


@pytest.fixture
def front(server, proxy, tenant):
    def start(tenant_keys=None, **keys):
        return proxy(tenant(server.port, **(tenant_keys or {})), **keys)
    return start


def head(p, length, *fields, method="POST", content_type="application/json", version="HTTP/1.1", target="/upsert"):
    return "\r\n".join([f"{method} {target} {version}", f"Host: localhost:{p.port}", f"Content-Type: {content_type}",
                        f"Content-Length: {length}", *fields, "", ""])


def body_of(size, link):
    """JSON of that size, with a link in it."""
    start = f'[{{"__metadata":{{"uri":"{link}/User"}}}},"'.encode()
    return start + b"x" * (size - len(start) - 2) + b'"]'


def link(p):
    return f"http://localhost:{p.port}"


def own(server):
    return f"https://localhost:{server.port}"


# ---- the length ----

@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("size", [100, 64 * KIB, 64 * KIB + 1, MOST - 1, MOST])
@pytest.mark.parametrize("content_type", ["application/json", "application/atom+xml"])
def test_server_that_wants_a_length_gets_it(front, server, size, waits, content_type):
    p = front()
    body = body_of(size, link(p))
    with p.caller() as c:
        for _ in range(2):
            c.send(head(p, size, *[EXPECT] * waits, content_type=content_type))
            if waits:
                assert c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
            assert c.send(body).answer().body == b"taken"
    want = body_of(size, link(p)) if "xml" in content_type else body.replace(link(p).encode(), own(server).encode(), 1)
    for seen in server.take():
        assert seen.body == want and seen.all("Content-Length") == [str(len(want))] and seen.all("Expect") == []
    assert server.continued == 0


@pytest.mark.parametrize("waits", [True, False])
def test_larger_ones_go_out_in_chunks(front, server, waits):
    """As a stream; then it is the server that asks for them."""
    p = front()
    body = body_of(MOST + 1, link(p))
    with p.caller() as c:
        c.send(head(p, len(body), *[EXPECT] * waits))
        if waits:
            assert c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        assert c.send(body).answer().status == 411
    assert server.continued == waits
    [seen] = server.take()
    assert seen.body == body.replace(link(p).encode(), own(server).encode(), 1)


def test_those_of_unknown_length_stay_a_stream(front, server):
    """A caller that sends chunks may want its first one to arrive before it has the last."""
    p = front()
    with p.caller() as c:
        c.send(f"POST / HTTP/1.1\r\nHost: localhost:{p.port}\r\nContent-Type: application/json\r\n"
               "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
        harness.eventually(lambda: server.connections and b"{}" in server.connections[0].bytes)
        assert c.send("0\r\n\r\n").answer().status == 411


@pytest.mark.parametrize("content_type, coding", [("text/plain", []), ("application/json", ["Content-Encoding: gzip"])])
def test_others_are_left_alone(front, server, content_type, coding):
    """Whoever waits hears from the server."""
    p = front()
    with p.caller() as c:
        c.send(head(p, 2, EXPECT, *coding, content_type=content_type))
        assert c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        assert server.continued == 1
        assert c.send("{}").answer().body == b"taken"
    assert server.take()[0].all("Expect") == ["100-continue"]


def test_without_rewriting_whoever_waits_hears_from_the_server(front, server):
    p = front({"rewrite_links": "off"})
    with p.caller() as c:
        c.send(head(p, 2, EXPECT))
        assert c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        assert c.send("{}").answer().body == b"taken"
    assert server.continued == 1


def test_body_that_grows_beyond_what_is_collected(front, server):
    """It is what the caller sends that counts."""
    p = front(host_names="x")
    rows = lambda link: b"[" + b",".join([b'{"uri":"%s"}' % link] * 13_000) + b"]"
    body = rows(b"http://x")
    assert len(body) <= MOST
    with p.caller() as c:
        c.send(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        assert c.send(body).answer().body == b"taken"
    assert server.take()[0].body == rows(own(server).encode())


def test_curl_that_waits_for_100_gets_it(front, server, tmp_path):
    """It waits for 100 for longer than the test would."""
    p = front()
    (tmp_path / "body").write_bytes(body_of(200 * KIB, link(p)))
    ran = subprocess.run(["curl", "-sS", "-m", "50", "--expect100-timeout", "100", "-H", EXPECT, "-H",
                          "Content-Type: application/json", "--data-binary", f"@{tmp_path}/body", p.url("/upsert")],
                         capture_output=True, check=True)
    assert ran.stdout == b"taken"


# ---- when the caller is asked for it ----

def test_nothing_is_connected_before_it_is_whole(front, server):
    p = front()
    with p.caller() as c:
        c.send(head(p, 2, EXPECT))
        assert c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        c.send("{")
        assert p.request(host="foreign.example").status == 421  # it had its turn
        assert server.connections == []
        assert c.send("}").answer().body == b"taken"


def test_caller_that_does_not_wait(front, server):
    """Whose body is here is not asked for it."""
    p = front()
    with p.caller() as c:
        assert c.send(head(p, 2, EXPECT) + "{}").answer().body == b"taken"
        assert c.interim == []


def test_http_1_0_is_not_asked(front, server):
    p = front()
    with p.caller() as c:
        c.send(head(p, 2, EXPECT, version="HTTP/1.0")).send("{}")
        assert c.answer().body == b"taken" and c.interim == []
    assert server.take()[0].all("Content-Length") == ["2"]


@pytest.fixture
def callers(tmp_path):
    path = tmp_path / "callers"
    path.write_text(f"u@ACME:{HASH}\n")
    path.chmod(0o600)
    return path


REFUSED = {
    "caller-unknown": ([CREDENTIALS + "x"], {}), "not-allowed-by-rule": ([], {"allow": "GET /*"}),
    "tenant-unknown": (["successfactors-companyid: OTHER"], {}),
    "foreign-origin": (["Origin: http://evil.example"], {}),
    "expectation-unknown": (["Expect: magic"], {}), "path-ambiguous": ([], {"allow": "POST /*"}),
}


@pytest.mark.parametrize("token", REFUSED)
def test_nobody_is_asked_whose_request_is_refused(front, server, callers, token):
    fields, keys = REFUSED[token]
    if token == "caller-unknown":
        keys = {"callers_file": callers}
    p = front(keys)
    with p.caller() as c:
        c.send(head(p, 10, *[EXPECT] * (token != "expectation-unknown"), *fields,
                    target="/a/../b" if token == "path-ambiguous" else "/upsert"))
        assert c.answer().token == token and c.interim == []
    assert server.connections == []


def test_caller_is_asked_once_it_is_known(front, server, callers):
    p = front({"callers_file": callers})
    with p.caller() as c:
        for at_once in (False, True):
            c.send(head(p, 2, EXPECT, CREDENTIALS) + "{}" * at_once)
            if not at_once:
                assert c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
                c.send("{}")
            assert c.answer().body == b"taken"


# ---- what else may happen meanwhile ----

def test_caller_that_is_asked_and_never_sends(front, server):
    p = front(body_timeout="300ms")
    with p.caller() as c:
        c.send(head(p, 10, EXPECT))
        assert c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        assert c.answer().token == "request-timeout"
    assert server.connections == []


def test_drain_while_it_is_collected(front, server):
    p = front()
    with p.caller() as c:
        c.send(head(p, 2, EXPECT))
        assert c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        p.signal(harness.signal.SIGTERM)
        harness.eventually(lambda: "shutting down" in p.stderr)
        assert c.send("{}").answer().body == b"taken"
    p.wait()


def test_time_in_the_queue_is_not_the_callers(proxy, script, tenant):
    """body-timeout is over for a body that is whole, whatever it waits for then."""
    desk = Desk()
    p = proxy(tenant(script(desk).port, max_upstream="1"), body_timeout="2s", queue_timeout="1h")
    first = asking(p, "/first")
    served = desk.next()
    with p.caller() as c:
        with harness.frozen(p):  # it has the whole at once, and takes it in two reads
            c.send(head(p, 48 * KIB)).send(body_of(48 * KIB, link(p)))
            harness.arrived(c.sock)
        threading.Event().wait(3)
        served.answer()
        desk.next().answer()
        assert first.result().body == b"/first" and c.answer().body == b"/upsert"


def test_server_that_cannot_be_reached(proxy, tenant):
    """It is found out with the body in hand."""
    port = harness.closed_port()
    p = proxy(tenant(port))
    with p.caller() as c:
        c.send(head(p, 2, EXPECT))
        assert c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        assert c.send("{}").answer().token == "connection-refused"
        assert c.request(host=f"localhost:{p.port}").token == "connection-refused", "the connection goes on"


@harness.one_worker
@pytest.mark.parametrize("method, size, repeated", [("PUT", 60 * KIB, True), ("PUT", 100 * KIB, False),
                                                    ("POST", 1000, False)])
def test_what_is_repeated(script, proxy, method, size, repeated):
    """On a connection that the server gives up under the request: what is idempotent, and small."""
    def run(c):
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            while request := c.request():
                if request[1] and c.number == 0:
                    c.reset()
                    return
                c.reply(b"%d" % len(request[1]))

    p = proxy(script(run).port)
    with p.caller() as c:
        assert c.request(host=f"localhost:{p.port}").body == b"0"
        answer = c.send(head(p, size, method=method)).send(body_of(size, "x")).answer()
        if repeated:
            assert answer.body == b"%d" % size
        else:
            assert answer.token == "upstream-closed"


# ---- all together ----

class Half:
    """A caller that has sent all of its body but the last byte."""

    def __init__(self, p, size=MOST):
        self.c, self.body = p.caller(), body_of(size, link(p))
        self.c.send(head(p, size)).send(self.body[:-1])

    def end(self):
        return self.c.send(self.body[-1:]).answer()


def is_exact(p):
    """Does a body of full size get an exact length?"""
    half = Half(p)
    status = half.end().status
    half.c.close()
    assert status in (200, 411)
    return status == 200


@pytest.fixture
def full(front, server):
    """A proxy that collects as much as it may, and callers that have sent all but the last byte."""
    p = front({"max_upstream": 1000})
    halves = [Half(p) for _ in range(ALL // MOST + 8)]

    def is_full():
        """Those that find no room give back what they had, and several may do so at once: others come."""
        if is_exact(p):
            halves.append(Half(p))
            return False
        return True

    harness.eventually(is_full)
    yield p, halves
    for half in halves:
        half.c.close()


def test_beyond_what_all_may_hold_bodies_go_out_in_chunks(full, server):
    """Each arrives whole; at the latest when the others are through, lengths are exact again."""
    p, halves = full
    statuses = [half.end().status for half in halves]
    assert statuses.count(200) >= ALL // MOST / 2 and statuses.count(411) > 0
    want = halves[0].body.replace(link(p).encode(), own(server).encode(), 1)
    assert {seen.body for seen in server.take()} == {want}
    assert is_exact(p)


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_callers_that_go_away_give_back_what_they_held(full, leave):
    p, halves = full
    for half in halves:
        getattr(half.c, leave)()
    harness.eventually(lambda: is_exact(p))


def test_callers_that_are_cut_off_give_back_what_they_held(front):
    p = front({"max_upstream": 1000}, body_timeout="1s")
    halves = [Half(p) for _ in range(ALL // MOST + 8)]
    harness.eventually(lambda: is_exact(p))
    for half in halves:
        half.c.close()
