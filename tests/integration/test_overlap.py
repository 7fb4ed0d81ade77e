"""certificate-next: a second certificate stands ready while the server has yet to learn of it."""
import collections
import gzip
import html
import json
import os
import re
import signal
import ssl
import threading
import time
import zlib

import pytest

import harness
from harness import Background
from test_reload import openssl

JSON = "Content-Type: application/json\r\n"
SF_SAYS = (b'{"error":{"code":"AuthenticationFailed","message":"Authentication service failed to return token.",'
           b'"details":"[AUTH0032]Invalid client certificate"}}')


class Server(harness.Recorder):
    """Answers 401 as SF does to those whose certificate it does not know (yet)."""

    def __init__(self, pki, **kwargs):
        self.refused = {"acme_user"}
        self.refuse = lambda c: c.reply(SF_SAYS, "401 Unauthorized", JSON)
        self.accept = lambda c: c.reply(c.peer_cn().encode())
        super().__init__(pki, self._answer, **kwargs)

    def _answer(self, c, seen):
        seen.user = c.peer_cn()
        (self.refuse if seen.user in self.refused else self.accept)(c)

    def users(self):
        """Who asked, since the last time."""
        return [seen.user for seen in self.take()]


@pytest.fixture
def server(pki, started):
    started.append(Server(pki))
    return started[-1]


@pytest.fixture
def overlap(server, proxy, tenant, pki):
    """A proxy with both certificates: acme_user's and, as the next one, globex_user's."""
    def start(tenant_keys=None, **keys):
        both = {"certificate_next": f"{pki}/globex-all.pem", **(tenant_keys or {})}
        return proxy(tenant(server.port, **both), **keys)
    return start


def warnings(p, words):
    return len(re.findall(words, p.stderr))


def warned(p, words, count=1):
    """The log says so that often; all before the last exchange's end is in it."""
    p.wait_for_log()
    harness.eventually(lambda: warnings(p, words) == count)
    return True


SWITCHED = "certificate .*acme_user.* was refused; certificate-next .*globex_user.* serves from now on"
BOTH = "refuses certificate-next as well as certificate"


# ---- the other one is accepted ----

@pytest.mark.parametrize("method, body", [
    ("GET", b""), ("HEAD", b""), ("DELETE", b""), ("OPTIONS", b""), ("PUT", b"a body that is held")])
def test_refused_request_is_repeated(overlap, server, method, body):
    p = overlap()
    answer = p.request(method, body=body)
    refused = method == "HEAD"  # its answer has no body to look into
    assert answer.status == (401 if refused else 200)
    if not refused:
        first, second = server.take()
        assert (first.user, second.user) == ("acme_user", "globex_user")
        assert (first.raw_head, first.body) == (second.raw_head, second.body) and second.body == body
        assert warned(p, SWITCHED)
        log = p.last_log()
        assert log["status"] == "200" and "error" not in log


def test_all_requests_follow(overlap, server):
    p = overlap()
    with p.caller() as c:
        assert [c.request(method, body=b"b").body for method in ("GET", "POST", "PUT", "GET")] == [b"globex_user"] * 4
    assert server.users() == ["acme_user"] + ["globex_user"] * 4
    assert warned(p, SWITCHED)


@harness.one_worker
def test_warm_connections_of_the_refused_one_are_not_used(overlap, server):
    server.refused = set()
    p = overlap()
    callers = [p.caller() for _ in range(5)]
    for c in callers:  # five connections in the pool
        c.send(harness.head_lines())
    assert [c.answer().body for c in callers] == [b"acme_user"] * 5
    server.refused = {"acme_user"}
    assert [c.request().body for c in callers] == [b"globex_user"] * 5
    assert server.users() == ["acme_user"] * 6 + ["globex_user"] * 5


def test_running_exchange_ends_as_it_began(overlap, server):
    go_on = threading.Event()

    def slowly(c):
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
        harness.happened(go_on)
        c.send("after")

    server.refused, server.accept = set(), slowly
    p = overlap()
    with p.caller() as slow:
        slow.send(harness.head_lines())
        slow.read_until(b"first")
        server.accept = lambda c: c.reply(c.peer_cn().encode())
        server.refused = {"acme_user"}
        assert p.request().body == b"globex_user"
        go_on.set()
        assert slow.read_exactly(5) == b"after"
        assert slow.request().body == b"globex_user"


@pytest.mark.parametrize("method, size", [("POST", 10), ("PATCH", 10), ("PUT", 1 << 20)])
def test_what_cannot_be_repeated_leaves_the_try_to_the_next(overlap, server, method, size):
    p = overlap()
    answer = p.request(method, body=bytes(size))
    assert (answer.status, answer.body) == (401, SF_SAYS)
    assert warned(p, "refused the certificate; the next request tries the certificate-next")
    assert p.last_log()["error"] == "client-certificate-refused"
    assert p.request("POST", body=b"b").body == b"globex_user"
    assert server.users() == ["acme_user", "globex_user"] and warned(p, SWITCHED)


def test_method_override_is_no_get(overlap, server):
    p = overlap()
    assert p.request(fields=[("X-HTTP-Method", "DELETE")]).status == 401
    assert server.users() == ["acme_user"]


@pytest.mark.parametrize("status, ends", [
    ("200 OK", True), ("302 There", True), ("400 Bad", False), ("403 No", False), ("404 None", False),
    ("503 Busy", False)])
def test_what_ends_the_suspicion(overlap, server, status, ends):
    """The one in use refuses one request and answers another that was under way. If it served that, nothing is tried;
    an error may be its way to refuse."""
    answered = threading.Semaphore(0)
    arrived = threading.Semaphore(0)

    def late(c):
        arrived.release()
        assert answered.acquire(timeout=harness.LIMIT)
        c.reply(b"late", status)

    server.refused, server.accept = set(), late
    p = overlap()
    with p.caller() as slow:
        slow.send(harness.head_lines())
        assert arrived.acquire(timeout=harness.LIMIT)
        server.refused = {"acme_user"}
        assert p.request("POST", body=b"b").status == 401
        server.refused = set()
        server.accept = lambda c: c.reply(c.peer_cn().encode())
        answered.release()
        assert slow.answer().body == b"late"
        assert p.request().body == (b"acme_user" if ends else b"globex_user")


# ---- it is not ----

def test_both_are_refused(overlap, server):
    """The caller gets the second refusal; nothing more is tried for a minute."""
    server.refused = {"acme_user", "globex_user"}
    p = overlap()
    for _ in range(4):
        answer = p.request()
        assert (answer.status, answer.body) == (401, SF_SAYS)
    assert server.users() == ["acme_user", "globex_user", "acme_user", "acme_user", "acme_user"]
    assert warned(p, BOTH) and warnings(p, "serves from now on") == 0
    assert [p.last_log(n)["error"] for n in range(1, 5)] == ["client-certificate-refused"] * 4
    server.refused = set()
    assert p.request().body == b"acme_user"


def test_back_again_not_within_a_minute(overlap, server):
    p = overlap()
    assert p.request().body == b"globex_user"
    server.refused = {"globex_user"}
    assert p.request().status == 401 and p.request("POST", body=b"b").status == 401
    assert server.users() == ["acme_user"] + ["globex_user"] * 3


@pytest.mark.parametrize("status, switches", [
    ("503 Busy", False), ("500 Oops", False), ("404 None", True), ("403 No", True), ("302 There", True)])
def test_what_proves_that_the_other_one_works(overlap, server, status, switches):
    """Any answer that is no refusal; of a server in trouble nothing is concluded."""
    server.accept = lambda c: c.reply(b"", status)
    p = overlap()
    assert p.request().status == int(status[:3])
    p.request()
    assert server.users() == ["acme_user", "globex_user", "globex_user" if switches else "acme_user"]
    assert warned(p, SWITCHED, switches)


def test_try_that_comes_to_nothing(overlap, server):
    """The server hangs up: this request failed, and the one in use stays."""
    server.accept = lambda c: c.raw_close()
    p = overlap()
    assert p.request().token == "upstream-closed"
    assert p.request().status == 401
    assert server.users() == ["acme_user", "globex_user", "acme_user"]


def test_caller_who_leaves_during_the_try(overlap, server):
    arrived = threading.Event()
    server.accept = lambda c: (arrived.set(), c.at_end())
    p = overlap()
    with p.caller() as c:
        c.send(harness.head_lines())
        harness.happened(arrived)
        c.reset()
    assert p.last_log()["error"] == "caller-gone"
    assert p.request().status == 401


def refusing_both(server, tell):
    """tell(c, seen) says so to whom it can in its own way, and returns True; else it is said as always."""
    server.refused = {"acme_user", "globex_user"}
    usual = server.reply

    def reply(c, seen):
        seen.user = c.peer_cn()
        if not tell(c, seen):
            usual(c, seen)

    server.reply = reply


def without_body(c, seen):
    if seen.method == "HEAD":
        c.send(f"HTTP/1.1 401 No\r\n{JSON}Content-Length: {len(SF_SAYS)}\r\n\r\n")
    return seen.method == "HEAD"


def in_brotli(c, seen):
    if seen.user == "globex_user":
        c.reply(b"\x0b\x02\x80brotli?\x03", "401 No", JSON + "Content-Encoding: br\r\n")
    return seen.user == "globex_user"


def cut_off(c, seen):
    if seen.user == "globex_user":
        c.send(f"HTTP/1.1 401 No\r\n{JSON}Content-Length: {len(SF_SAYS)}\r\n\r\n")
        c.send(SF_SAYS[:20])
        c.raw_close()
    return seen.user == "globex_user"


def as_text(c, seen):
    if seen.user == "globex_user":
        c.reply(SF_SAYS, "401 No", "Content-Type: text/plain\r\n")
    return seen.user == "globex_user"


@pytest.mark.parametrize("tell, method", [
    (without_body, "HEAD"), (in_brotli, "POST"), (cut_off, "POST"), (cut_off, "GET"), (as_text, "POST")])
@pytest.mark.parametrize("suspected", [True, False])
def test_refusal_that_cannot_be_read_proves_nothing(overlap, server, tell, method, suspected):
    refusing_both(server, tell)
    p = overlap()
    if suspected:
        assert p.request("POST", body=b"b").status == 401
    p.request(method)
    server.take()
    assert p.request("POST", body=b"b").status == 401
    assert warnings(p, "serves from now on") == 0
    assert server.users() == ["globex_user" if method == "POST" and not suspected else "acme_user"]


@pytest.mark.parametrize("method, status", [("GET", 200), ("PUT", 200), ("POST", 401)])
def test_try_for_somebody_elses_refusal(overlap, server, method, status):
    """The certificate in use is refused to one request only: another one, which tries the other, is served."""
    server.refused = {"acme_user", "globex_user"}
    p = overlap()
    assert p.request("POST", body=b"b").status == 401
    server.refused = {"globex_user"}
    assert p.request(method, body=b"b").status == status
    assert p.request("POST", body=b"b").body == b"acme_user"


@harness.one_worker
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_repeated_on_a_pooled_connection(proxy, pki, tenant, started, method):
    """While a handshake is slow, another request finds out; the body that waited for it goes on at once."""
    version = ssl.TLSVersion.TLSv1_2
    started.append(harness.Recorder(pki, lambda c, s: c.reply(s.body + b"/" + c.peer_cn().encode()),
                                    versions=(version, version)))
    started.append(harness.Relay(started[-1].port))
    relay = started[-1]
    p = proxy(tenant(relay.port, certificate="stranger.pem", private_key=f"{pki}/stranger.key",
                     certificate_next=f"{pki}/globex-all.pem"))
    with p.caller() as c:
        c.send(harness.head_lines(method, "/", "Content-Length: 5") + "hello")
        harness.eventually(lambda: relay.count == 1)
        assert [p.request().body for _ in range(2)] == [b"/globex_user"] * 2
        relay.go_on.set()
        assert c.answer().body == b"hello/globex_user"


@harness.one_worker
def test_connection_in_the_making_under_the_refused_one(proxy, tenant, pki, server, started):
    """Nothing was sent on it, so it is not used at all, by whatever method."""
    started.append(harness.Relay(server.port))
    relay = started[-1]
    p = proxy(tenant(relay.port, certificate_next=f"{pki}/globex-all.pem"))
    with p.caller() as c:
        c.send(harness.head_lines("POST", "/", "Content-Length: 5") + "hello")
        harness.eventually(lambda: relay.count == 1)
        assert p.request().body == b"globex_user" and warned(p, SWITCHED)
        relay.go_on.set()
        assert c.answer().body == b"globex_user"


def test_try_is_not_starved_by_a_crowd(server, proxy, tenant, pki):
    """One connection, and always somebody who would take it as it is: the try gets its place all the same."""
    pace = threading.Event()
    server.refuse = lambda c: (pace.wait(0.01), c.reply(SF_SAYS, "401 No", JSON))
    p = proxy(tenant(server.port, certificate_next=f"{pki}/globex-all.pem", max_upstream="1"))
    stop = threading.Event()

    def run():
        with p.caller() as c:
            while not stop.is_set():
                assert c.request("POST", body=b"x").status in (200, 401)

    callers = [Background(run) for _ in range(4)]
    try:
        warned(p, SWITCHED)
    finally:
        stop.set()
    for caller in callers:
        caller.result()


def test_large_trailers_cannot_be_held(overlap):
    """The body is empty, but what ends it is not: it is not sent again without."""
    p = overlap(max_head="256k")
    trailers = "".join(f"X-T{i}: {'v' * 7000}\r\n" for i in range(12))
    with p.caller() as c:
        c.send(harness.head_lines("PUT", "/", "Transfer-Encoding: chunked") + "0\r\n" + trailers + "\r\n")
        assert c.answer().status == 401


def issue_for(pki, folder, seconds):
    """short_user's certificate, which ends that soon; its file and when that is."""
    end = time.time() + seconds
    return harness.issue_between(pki, folder, end - 3600, end, "short_user"), int(end) + 1


def in_its_life(pki, folder, use):
    """use(file) while that certificate is valid; what it returned, and when the certificate ends. One that was too
    short on a busy machine is followed by a longer one."""
    for seconds in (3, 9, 27):
        file, end = issue_for(pki, folder / f"short{seconds}", seconds)
        result = use(file)
        if time.time() < end - 1:
            return result, end
    raise AssertionError("half a minute was not enough")


@harness.one_worker
def test_warm_connection_of_one_that_has_expired(overlap, server, pki, tmp_path):
    """Back to the first, the connection under the second is not used any more."""
    def use(file):
        server.refused = {"acme_user"}
        p = overlap({"certificate_next": str(file)})
        return p, p.request().body

    (p, body), end = in_its_life(pki, tmp_path, use)
    assert body == b"short_user"
    server.refused = set()
    harness.eventually(lambda: time.time() > end)
    assert p.request().body == b"acme_user"


def test_certificate_that_expires_in_the_queue(server, proxy, tenant, pki, tmp_path):
    """Whoever waits is told; the places are free for those who come after a new one."""
    arrived, go_on = threading.Event(), threading.Event()

    def late(c):
        arrived.set()
        harness.happened(go_on)
        c.reply(b"late", fields="Connection: close\r\n")

    def use(file):
        server.take()
        arrived.clear()
        p = proxy(tenant(server.port, certificate=os.path.relpath(file, pki), max_upstream="1"), queue_timeout="20s")
        first = Background(p.request)
        harness.eventually(lambda: arrived.is_set() or not first.runs())
        return p, first, [Background(p.request) for _ in range(3)]

    server.accept = late
    (p, first, waiting), end = in_its_life(pki, tmp_path, use)
    harness.eventually(lambda: time.time() > end)
    go_on.set()
    assert first.result().body == b"late"
    assert [w.result().token for w in waiting] == ["client-certificate-expired"] * 3
    assert server.users() == ["short_user"]
    server.refused = set()
    p.rewrite(re.sub("(?m)^certificate = .*$", f"certificate = {pki}/acme-all.pem", p.config.read_text()))
    p.signal(signal.SIGHUP)
    harness.eventually(lambda: p.request().status == 200)


# ---- who may judge ----

def test_callers_own_authorization_judges_nothing(overlap, server):
    p = overlap({"authorization": "keep"})
    fields = [("Authorization", "Bearer t")]
    assert [p.request(fields=fields).status for _ in range(2)] == [401, 401]
    assert server.users() == ["acme_user"] * 2
    assert p.request().body == b"globex_user"


def test_stripped_authorization_does_not_count(overlap):
    assert overlap().request(fields=[("Authorization", "Bearer t")]).body == b"globex_user"


def test_another_tenant_has_its_own_mind(server, proxy, tenant, pki):
    p = proxy(tenant(server.port, certificate_next=f"{pki}/globex-all.pem") +
              tenant(server.port, "other", "OTHER", certificate_next=f"{pki}/rsa-chain.pem",
                     private_key_next=f"{pki}/rsa.key"))
    assert p.request(fields=[("successfactors-companyid", "ACME")]).body == b"globex_user"
    server.refused = set()
    assert p.request(fields=[("successfactors-companyid", "OTHER")]).body == b"acme_user"
    assert [(s.user, s.all("successfactors-companyid")) for s in server.take()] == [
        ("acme_user", ["ACME"]), ("globex_user", ["ACME"]), ("acme_user", ["OTHER"])]


# ---- how a refusal is told ----

def in_chunks(body, size):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (
        body[i:i + size] for i in range(0, len(body), size))) + b"0\r\n\r\n"


def padded(body, end):
    """With so many blanks in its middle that its [AUTH0032] ends there."""
    before, behind = body.split(b'"details"')
    return before + b" " * (end - body.index(b"2]") - 2) + b'"details"' + behind


RAW_DEFLATE = zlib.compressobj(wbits=-15)
FORMS = {  # fields, bytes behind the head, is it a refusal?
    "length": (f"Content-Length: {len(SF_SAYS)}", SF_SAYS, True),
    "chunks of one byte": ("Transfer-Encoding: chunked", in_chunks(SF_SAYS, 1), True),
    "until the end": ("Connection: close", SF_SAYS, True),
    "gzip": (f"Content-Encoding: gzip\r\nContent-Length: {len(gzip.compress(SF_SAYS))}", gzip.compress(SF_SAYS), True),
    "gzip in chunks": ("Content-Encoding: gzip\r\nTransfer-Encoding: chunked", in_chunks(gzip.compress(SF_SAYS), 3),
                       True),
    "zlib": ("Content-Encoding: deflate\r\nConnection: close", zlib.compress(SF_SAYS), True),
    "deflate": ("Content-Encoding: deflate\r\nConnection: close",
                RAW_DEFLATE.compress(SF_SAYS) + RAW_DEFLATE.flush(), True),
    "a bomb": ("Content-Encoding: gzip\r\nConnection: close", gzip.compress(bytes(64 << 20) + SF_SAYS), False),
    "no gzip at all": ("Content-Encoding: gzip\r\nConnection: close", b"[AUTH0032]", False),
    "at the end of 4 KiB": ("Connection: close", padded(SF_SAYS, 4096) + b" " * 9000, True),
    "behind 4 KiB": ("Connection: close", padded(SF_SAYS, 4097), False),
    "another code": ("Connection: close", SF_SAYS.replace(b"AUTH0032", b"LGN0003"), False),
    "nothing": ("Content-Length: 0", b"", False),
}


@pytest.mark.parametrize("pace", ["at once", "bit by bit"])
@pytest.mark.parametrize("name", FORMS)
def test_forms_of_a_refusal(overlap, server, name, pace):
    fields, body, means_it = FORMS[name]
    pause = threading.Event()

    def refuse(c):
        c.send(f"HTTP/1.1 401 Unauthorized\r\n{JSON}{fields}\r\n\r\n")
        step = len(body) + 1 if pace == "at once" else len(body) // 5 + 1
        for i in range(0, len(body), step):
            if step <= len(body):
                pause.wait(0.01)
            c.send(body[i:i + step])
        if "close" in fields:
            c.end()

    server.refuse = refuse
    p = overlap({"rewrite_links": "off"})
    with p.caller() as c:
        answer = c.request()
    if means_it:
        assert answer.body == b"globex_user" and server.users() == ["acme_user", "globex_user"]
    else:
        assert answer.status == 401 and answer.body == body and server.users() == ["acme_user"]


ECHOES = [b"SSL certificate error", b"No required SSL certificate was sent", b"[AUTH0032]", SF_SAYS,
          b'AuthenticationFailed","details":"[AUTH0032]', b"<title>400 The SSL certificate error</title>"]
QUOTING = {  # media type, status, how the server shows a caller's text
    "a value": ("application/json", 400, lambda text: json.dumps({"error": {"code": "BadRequest", "message": text}})),
    "a path": ("application/json", 401, lambda text: json.dumps(
        {"error": {"code": "AuthenticationFailed"}, "path": text})),
    "a detail": ("application/json", 401, lambda text: json.dumps(
        {"error": {"code": "AuthenticationFailed", "details": [{"message": text, "details": text}]}})),
    "a code": ("application/json", 401, lambda text: json.dumps({"error": {"code": text + "!", "details": "none"}})),
    "a name": ("application/json", 401, lambda text: json.dumps(
        {"error": {"code": "AuthenticationFailed", "x": {text: text}}})),
    "XML": ("application/xml", 401, lambda text: f"<error><code>AuthenticationFailed</code><details>{html.escape(text)}"
                                                 "</details></error>"),
    "text": ("text/plain", 400, lambda text: text),
    "no type": (None, 401, lambda text: text),
    "a page": ("text/html", 400, lambda text: f"<html><head><title>400 Bad Request</title></head><body><h1>"
                                              f"{html.escape(text)}</h1>{html.escape(text)}</body></html>"),
    "an attribute": ("text/html", 400, lambda text: f'<html><head><meta content="{html.escape(text)}">'
                                                    '<title>400</title>'),
    "a comment": ("text/html", 400, lambda text: f"<html><!-- {text} --><title>400 Bad Request</title>"),
    "a page's body": ("text/html", 400, lambda text: f"<html><head></head><body>{text}"),
    "a page of 401": ("text/html", 401, lambda text: f"<title>{html.escape(text)}</title>"),
}


@pytest.mark.parametrize("place", QUOTING)
def test_text_that_a_caller_has_quoted_switches_nothing(overlap, server, place):
    """The server accepts the certificate, and shows what it was sent; the answer reaches the caller as it is."""
    media_type, status, show = QUOTING[place]
    fields = f"Content-Type: {media_type}\r\n" if media_type else ""
    server.reply = lambda c, seen: (setattr(seen, "user", c.peer_cn()),
                                    c.reply(show(seen.body.decode()).encode(), f"{status} No", fields))
    p = overlap()
    for text in ECHOES:
        for method in ("PUT", "POST"):
            answer = p.request(method, body=text)
            assert (answer.status, answer.body) == (status, show(text.decode()).encode())
    assert set(server.users()) == {"acme_user"}
    p.wait_for_log(2 * len(ECHOES))
    assert "error=" not in "".join(p.log_lines()) and warnings(p, "refuse|serves from now on") == 0


def test_refusal_that_stalls(overlap, server):
    """It is not held back for ever."""
    server.refuse = lambda c: (c.send("HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nhalf"), c.at_end())
    assert overlap(answer_timeout="300ms").request().token == "answer-timeout"


def test_refusal_that_is_cut_off(overlap, server):
    server.refuse = lambda c: (c.send("HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nhalf"), c.raw_close())
    answer = overlap().request()
    assert (answer.status, answer.body, answer.complete) == (401, b"half", False)


def test_refusal_before_the_body_has_come(overlap, server, script):
    """An early 401 to an upload that is still going on: what was sent is sent again, and the rest behind it."""
    def run(c):
        head = c.head()
        if c.peer_cn() == "acme_user":
            assert c.body(5) == b"first"
            c.reply(SF_SAYS, "401 No", JSON)
            c.at_end()
        else:
            c.reply(c.body(10) + b"/" + c.peer_cn().encode())
            assert head

    early = script(run)
    p = overlap({"connect_to": f"127.0.0.1:{early.port}"})
    with p.caller() as c:
        c.send(harness.head_lines("PUT", "/", "Content-Length: 10") + "first")
        harness.eventually(lambda: warnings(p, "serves from now on") or len(early.connections) == 2)
        c.send("after")
        assert c.answer().body == b"firstafter/globex_user"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_alert_at_the_first_certificate_leads_to_the_next(proxy, script, tenant, pki, version, method):
    """With TLS 1.2 it comes in the handshake, and nothing was sent; with TLS 1.3 the request was on its way."""
    server = script(harness.answering(lambda c, *_: c.reply(c.peer_cn().encode())), versions=(version, version))
    p = proxy(tenant(server.port, certificate="stranger.pem", private_key=f"{pki}/stranger.key",
                     certificate_next=f"{pki}/globex-all.pem"))
    answer = p.request(method, body=b"b")
    if method == "GET" or version == ssl.TLSVersion.TLSv1_2:
        assert answer.body == b"globex_user"
    else:
        assert answer.token == "client-certificate-refused"
    assert p.request("POST", body=b"b").body == b"globex_user"
    assert len(server.handshake_failures) == 1


def test_page_of_nginx(nginx, proxy, tenant, pki):
    p = proxy(tenant(nginx.port, certificate="stranger.pem", private_key=f"{pki}/stranger.key",
                     certificate_next=f"{pki}/globex-all.pem"))
    assert "globex_user" in p.request(target="/who").json()["subject"]


# ---- dates ----

def test_expired_one_is_replaced(proxy, nginx, tenant, pki):
    p = proxy(tenant(nginx.port, certificate="expired-chain.pem", private_key=f"{pki}/expired.key",
                     certificate_next=f"{pki}/globex-all.pem"))
    harness.eventually(lambda: "the other certificate serves in its place" in p.stderr)
    for method in ("POST", "GET"):
        assert "globex_user" in p.request(method, "/who").json()["subject"]
    assert warned(p, "is not valid now; certificate-next .* serves from now on")


@pytest.mark.parametrize("name, says", [("expired", "has expired on"), ("future", "is not valid yet")])
def test_next_one_that_cannot_be_presented(overlap, server, pki, name, says):
    """It is never tried."""
    p = overlap({"certificate_next": f"{pki}/{name}-chain.pem", "private_key_next": f"{pki}/{name}.key"})
    assert [p.request(method, body=b"b").status for method in ("GET", "POST", "GET")] == [401] * 3
    assert server.users() == ["acme_user"] * 3 and warned(p, f"tenant acme: the certificate-next .* {says}")


@pytest.mark.parametrize("current, token, says", [
    ("expired", "client-certificate-expired", "has expired on 2021-01-01"),
    ("future", "client-certificate-not-yet-valid", "is not valid yet")])
def test_neither_can_be_presented(overlap, server, pki, current, token, says):
    p = overlap({"certificate": f"{current}-chain.pem", "private_key": f"{pki}/{current}.key",
                 "certificate_next": f"{pki}/expired-chain.pem", "private_key_next": f"{pki}/expired.key"})
    assert p.request().token == token
    assert server.users() == []
    harness.eventually_logged(p, f"tenant acme: the certificate .* {says}; its requests get 502 until a valid one is")
    harness.eventually_logged(p, r"tenant acme: the certificate-next .* has expired on 2021-01-01\n")


# ---- many at once ----

def test_many_callers_while_it_happens(overlap, server):
    """Some are refused while it is found out; then none, and none of them under the old one."""
    server.refused = set()
    p = overlap()
    stop, bad = threading.Event(), []
    seen = collections.Counter()

    def run():
        with p.caller() as c:
            while not stop.is_set():
                answer = c.request()
                seen[answer.body] += 1
                if answer.status not in (200, 401):
                    bad.append(answer.raw_head)

    threads = [Background(run) for _ in range(8)]
    harness.eventually(lambda: seen[b"acme_user"] > 100)
    server.refused = {"acme_user"}
    harness.eventually(lambda: warnings(p, SWITCHED))
    harness.eventually(lambda: seen[b"globex_user"] > 100)
    server.take()
    before = seen[SF_SAYS]
    harness.eventually(lambda: seen[b"globex_user"] > 500)
    stop.set()
    for t in threads:
        t.result()
    assert bad == [] and seen[SF_SAYS] == before
    assert set(server.users()) == {"globex_user"} and warned(p, SWITCHED)


def test_try_while_all_connections_are_busy(server, proxy, tenant, pki):
    """It waits in the queue like any other, for a place of its own."""
    arrived, go_on = threading.Semaphore(0), threading.Event()

    def late(c):
        arrived.release()
        harness.happened(go_on)
        c.reply(c.peer_cn().encode())

    server.refused = set()
    p = proxy(tenant(server.port, certificate_next=f"{pki}/globex-all.pem", max_upstream="2"))
    server.accept = late
    with p.caller() as a, p.caller() as b:
        for c in (a, b):
            c.send(harness.head_lines())
            assert arrived.acquire(timeout=harness.LIMIT)
        server.refused = {"acme_user"}
        waiting = Background(p.request)
        server.accept = lambda c: c.reply(c.peer_cn().encode())
        go_on.set()
        assert (a.answer().body, b.answer().body) == (b"acme_user", b"acme_user")
        assert waiting.result().body == b"globex_user"


# ---- configuration ----

@pytest.mark.parametrize("keys, says", [
    ({"private_key_next": "x.key"}, "private-key-next` is set without `certificate-next`"),
    ({"passphrase_file_next": "x"}, "passphrase-file-next` is set without `certificate-next`"),
    ({"certificate_next": "nowhere.pem"}, "nowhere.pem: cannot be opened"),
    ({"certificate_next": "{pki}/globex.pem", "private_key_next": "{pki}/acme.key"},
     "acme.key: the private key does not belong to the certificate"),
    ({"certificate_next": "{pki}/globex-all.pem", "passphrase_file_next": "{pki}/acme.pass",
      "passphrase_env_next": "X"}, "passphrase-file-next and passphrase-env-next are both set"),
])
def test_mistake_in_certificate_next_is_refused_at_start(tenant, pki, tmp_path, keys, says):
    file = tmp_path / "sfmtls.ini"
    file.write_text(tenant(443, **{k: v.format(pki=pki) for k, v in keys.items()}))
    result = harness.run_cli("run", "-t", "-c", str(file))
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    assert re.search(rf"sfmtls.ini:\d+: .*{re.escape(says)}", result.stderr), result.stderr


def test_the_same_twice(overlap, pki):
    p = overlap({"certificate_next": f"{pki}/acme-all.pem"})
    harness.eventually(lambda: "certificate-next is the same as certificate" in p.stderr)


def test_passphrase_of_the_next_one(server, proxy, tenant, pki):
    p = proxy(tenant(server.port, certificate="globex-all.pem", certificate_next=f"{pki}/acme-chain.pem",
                     private_key_next=f"{pki}/acme-encrypted.key", passphrase_env_next="NEXT_SECRET"),
              {"NEXT_SECRET": (pki / "acme.pass").read_text().strip()})
    server.refused = {"globex_user"}
    assert p.request().body == b"acme_user"


def test_next_one_is_followed_by_the_reload(overlap, server, pki, tmp_path):
    """Its file is watched like the others."""
    file = tmp_path / "next.pem"
    file.write_bytes((pki / "acme-all.pem").read_bytes())
    p = overlap({"certificate_next": str(file)})
    assert p.request().status == 401
    (tmp_path / "new").write_bytes((pki / "globex-all.pem").read_bytes())
    (tmp_path / "new").rename(file)
    harness.eventually(lambda: "notice: reloaded" in p.stderr)
    assert p.request().body == b"globex_user"
