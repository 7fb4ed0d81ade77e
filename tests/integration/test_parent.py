"""The parent proxy, by script: what becomes of each answer to CONNECT, and how sfmtls says who it is."""
import base64
import contextlib
import ctypes
import glob
import hashlib
import re
import socket
import struct
import threading
import types

import pytest

import harness
from conftest import proxy_section
from harness import closed_port, head_lines
from test_failures import check_answer, check_failure

PAUSE = threading.Event()


def tunnel(c, target):
    """What comes after a 200: both ways, until both are over."""
    host, port = target.rsplit(":", 1)
    with socket.create_connection((host.strip("[]"), int(port))) as server:
        server.sendall(c.pending)
        c.sock.settimeout(None)
        up = threading.Thread(target=harness.pump, args=(c.sock, server), daemon=True)
        up.start()
        harness.pump(server, c.sock)
        up.join(harness.LIMIT)


def target_of(head):
    method, target, version = head.decode().split("\r\n")[0].split(" ")
    assert (method, version) == ("CONNECT", "HTTP/1.1")
    return target


def fields_of(head):
    return harness.read_head(head)[1]


class Parent:
    """A parent proxy by script: its n-th CONNECT, over all connections, gets answers[n], the last one any further.

    An answer is bytes (or several, sent one by one), after which the tunnel begins if it is a 2xx; a function of the
    connection; or "close", "reset", "silence"."""

    def __init__(self, started, answers, listener=None):
        self.answers, self.heads, self.count, self.lock = answers, [], 0, threading.Lock()
        self.server = harness.Script(None, self._serve, tls=False, listener=listener)
        started.append(self.server)
        self.port = self.server.port
        self.url = f"http://127.0.0.1:{self.port}"

    def _serve(self, c):
        with contextlib.suppress(ConnectionError):
            while (head := c.head()) is not None:
                with self.lock:
                    self.heads.append((c.number, head))
                    answer = self.answers[min(self.count, len(self.answers) - 1)]
                    self.count += 1
                if self._answer(c, head, answer):
                    return

    def _answer(self, c, head, answer):
        """True: nothing more is read."""
        if answer == "close":
            c.raw_close()
        elif answer == "reset":
            c.reset()
        elif answer == "silence":
            c.at_end()
        elif callable(answer):
            return answer(c, head)
        else:
            parts = [answer] if isinstance(answer, bytes) else answer
            for part in parts:
                c.send(part)
            if re.search(rb"(?m)^HTTP/1\.. 2.*\r\n(.+\r\n)*\r\n", b"".join(parts)):
                tunnel(c, target_of(head))
                return True
            return b"Connection: close" in b"".join(parts)
        return True

    def fields(self, n=-1):
        return fields_of(self.heads[n][1])

    def all(self, name):
        """That field of each CONNECT, None where there is none."""
        return [dict((n.lower(), v) for n, v in fields_of(head)).get(name.lower()) for _, head in self.heads]


OK = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.fixture
def parent(started):
    return lambda *answers: Parent(started, answers)


# ---- tunnels ----

@harness.one_worker
@pytest.mark.parametrize("answer", [
    OK, b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 299\r\n\r\n", [bytes([b]) for b in OK],
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\n" + OK,
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: identity\r\nConnection: close\r\n\r\n".replace(
        b"Transfer-Encoding: identity\r\n", b""),
    b"HTTP/1.1 200 OK\nProxy-Agent: x\n\n".replace(b"\n", b"\r\n"),
], ids=range(7))
def test_tunnel_begins_with_every_2xx(parent, nginx, proxy, tenant, answer):
    """Every 2xx, in whatever pieces, begins one; what it says of a body means nothing (RFC 9110, 9.3.6)."""
    up = parent(answer)
    p = proxy(tenant(nginx.port), parent_proxy=up.url)
    for _ in range(3):
        assert p.request(target="/who").json()["verify"] == "SUCCESS"
    (_, head), = up.heads  # one connection, which is kept
    assert target_of(head) == f"127.0.0.1:{nginx.port}"
    assert dict(up.fields())["Host"] == f"127.0.0.1:{nginx.port}"
    assert "Proxy-Authorization" not in dict(up.fields()) and b"ACME" not in head


def test_name_is_the_parents_business(parent, nginx, proxy, tenant):
    """The server's name is not looked up here; SNI, Host and verification use it all the same."""
    def answer(c, head):
        assert target_of(head) == f"server.invalid:{nginx.port}"
        c.send(OK)
        tunnel(c, f"127.0.0.1:{nginx.port}")
        return True

    up = parent(answer)
    p = proxy(tenant(nginx.port, server=f"localhost:{nginx.port}", connect_to=f"server.invalid:{nginx.port}"),
              parent_proxy=up.url)
    assert p.request(target="/who").json()["host"] == f"localhost:{nginx.port}"


def test_certificate_is_checked_as_ever(parent, nginx, proxy, tenant):
    p = proxy(tenant(nginx.port, server="wrong.example.com", ), parent_proxy=parent(OK).url)
    assert p.request().token == "server-certificate-wrong-host"


def test_bytes_after_the_answer_belong_to_tls(parent, nginx, proxy, tenant):
    """A server that speaks TLS waits for the client; one that does not is found out."""
    p = proxy(tenant(nginx.port), parent_proxy=parent(lambda c, head: c.send(OK + b"220 smtp\r\n") or c.at_end()).url)
    check_failure(p, 502, "tls-failed", "tls_protocol_error")


def test_server_that_ends_in_the_tunnel(parent, nginx, proxy, tenant):
    p = proxy(tenant(nginx.port), parent_proxy=parent(lambda c, head: c.send(OK) or c.raw_close() or True).url)
    check_failure(p, 502, "tls-failed", "tls_protocol_error", "localhost")


def test_other_tenants_go_their_own_way(parent, nginx, proxy, tenant):
    one, other = parent(OK), parent(OK)
    p = proxy("".join([tenant(nginx.port, "a", "A"), tenant(nginx.port, "b", "B", parent_proxy=other.url),
                       tenant(nginx.port, "c", "C", parent_proxy="none")]), parent_proxy=one.url)
    for company in "ABC":
        assert p.request(target="/who", fields=[("successfactors-companyid", company)]).status == 200
    assert (one.count, other.count) == (1, 1)


def test_reload_leads_through_another_parent(parent, nginx, proxy, tenant):
    one, other = parent(OK), parent(OK)
    p = proxy(tenant(nginx.port, parent_proxy=one.url))
    assert p.request(target="/who").status == 200
    before = p.config.read_text()
    p.rewrite(before.replace(one.url, other.url))
    p.signal(1)
    p.said("reloaded")
    assert p.request(target="/who").status == 200
    p.rewrite(before.replace(one.url, "none"))
    p.signal(1)
    harness.eventually(lambda: p.stderr.count("reloaded") == 2)
    assert p.request(target="/who").status == 200
    assert (one.count, other.count) == (1, 1)


# ---- other answers ----

def answer_of(status, body=b"no", fields=b""):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), fields, body)


FAILURES = {
    "403": (answer_of(b"403 Forbidden"), 502, "parent-proxy-forbade", "http_request_denied", "answered 403 Forbidden"),
    "502": (answer_of(b"502 Bad Gateway"), 502, "parent-proxy-cannot-connect", "destination_unavailable", "502 Bad"),
    "503": (answer_of(b"503 Busy"), 502, "parent-proxy-cannot-connect", "destination_unavailable", "503 Busy"),
    "504": (answer_of(b"504 Late"), 504, "parent-proxy-connect-timeout", "connection_timeout", "504 Late"),
    **{str(status): (answer_of(b"%d Odd" % status), 502, "parent-proxy-status", "http_protocol_error", f"{status} Odd")
       for status in (300, 302, 400, 401, 404, 405, 429, 500, 501, 511, 599)},
    "no reason": (b"HTTP/1.1 403\r\n\r\n", 502, "parent-proxy-forbade", "http_request_denied", "403"),
    "407 without a challenge": (answer_of(b"407 Who"), 502, "parent-proxy-auth-required", "proxy_configuration_error",
                                "no user is configured"),
    "407 Basic": (answer_of(b"407 Who", fields=b'Proxy-Authenticate: Basic realm="x"\r\n'), 502,
                  "parent-proxy-auth-required", "proxy_configuration_error", r"it offers Basic\), and no user"),
    "garbage": (b"\x16\x03\x01\x02\x00", 502, "parent-proxy-bad-answer", "http_protocol_error", "not well-formed"),
    "SSH": (b"SSH-2.0-x\r\n", 502, "parent-proxy-bad-answer", "http_protocol_error", "not well-formed"),
    "status 99": (b"HTTP/1.1 099 x\r\n\r\n", 502, "parent-proxy-bad-answer", "http_protocol_error", "not well-formed"),
    "HTTP/2": (b"HTTP/2 200\r\n\r\n", 502, "parent-proxy-bad-answer", "http_protocol_error", "not well-formed"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 502,
                    "parent-proxy-bad-answer", "http_protocol_error", "not well-formed"),
    "large head": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000, 502, "parent-proxy-head-too-large",
                   "http_response_header_section_size", "larger than max-head"),
    "many fields": (b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 201 + b"\r\n", 502, "parent-proxy-head-too-large",
                    "http_response_header_section_size", "max-fields"),
    "closed": ("close", 502, "parent-proxy-closed", "connection_terminated", "without an answer"),
    "reset": ("reset", 502, "parent-proxy-closed", "connection_terminated", "without an answer"),
    "half a head": (lambda c, head: c.send(b"HTTP/1.1 200 OK\r\nX:") or c.raw_close() or True, 502,
                    "parent-proxy-closed", "connection_terminated", "in the middle of its answer"),
    "half a status": (lambda c, head: c.send(b"HTT") or c.raw_close() or True, 502, "parent-proxy-closed",
                      "connection_terminated", "in the middle of its answer"),
    "only interim answers": (lambda c, head: c.send(b"HTTP/1.1 102 x\r\n\r\n" * 9) or c.raw_close() or True, 502,
                             "parent-proxy-closed", "connection_terminated", "in the middle"),
}


@pytest.fixture(scope="module")
def path(nginx, tenant, tmp_path_factory):
    """A proxy before a parent proxy, for the table: .up.answers is what that one answers."""
    started = []
    up = Parent(started, [OK])
    p = harness.Proxy(tmp_path_factory.mktemp("parent"), proxy_section({"parent_proxy": up.url}) + tenant(nginx.port))
    yield types.SimpleNamespace(up=up, proxy=p)
    p.stop()
    up.server.stop()


@pytest.mark.parametrize("name", FAILURES)
def test_answer_that_refuses_the_tunnel_is_explained(name, path):
    answer, status, token, error, says = FAILURES[name]
    path.up.answers, path.up.count = [answer], 0
    for method in ("GET", "POST"):
        got = path.proxy.request(method)
        check_answer(got, status, token, error)
        assert re.search(f"127.0.0.1:{path.up.port} \\(.*sfmtls.ini:\\d+\\).*{says}", got.json()["detail"])
    assert path.up.count == 2  # one for each request: nothing is tried again


@pytest.mark.parametrize("slow", ["silence", lambda c, head: c.send(b"HTTP/1.1 200 OK\r\n") or c.at_end(),
                                  lambda c, head: c.send(answer_of(b"407 Who", b"", b"Proxy-Authenticate: Basic\r\n")
                                                         .replace(b"Length: 0", b"Length: 9")) or c.at_end()],
                         ids=["no answer", "half of one", "a 407 without its body"])
def test_parent_that_does_not_answer(slow, parent, nginx, proxy, tenant, tmp_path):
    p = proxy(tenant(nginx.port), parent_proxy=parent(slow).url, connect_timeout="200ms", **secrets(tmp_path, "digest"))
    answer = p.request()
    if answer.token != "parent-proxy-auth-required":
        check_answer(answer, 504, "parent-proxy-timeout", "connection_timeout")


def test_parent_that_takes_no_connection(proxy, nginx, tenant, deaf):
    p = proxy(tenant(nginx.port), parent_proxy=f"http://127.0.0.1:{deaf('127.0.0.1')}", connect_timeout="200ms")
    check_failure(p, 504, "parent-proxy-timeout", "connection_timeout")


def test_parent_that_is_not_there(proxy, nginx, tenant):
    p = proxy(tenant(nginx.port), parent_proxy=f"http://127.0.0.1:{closed_port()}")
    check_failure(p, 502, "parent-proxy-refused", "connection_refused", "Connection refused")


def test_parent_without_a_route(proxy, nginx, tenant):
    p = proxy(tenant(nginx.port), parent_proxy="http://255.255.255.255:3128")
    check_failure(p, 502, "parent-proxy-unreachable", "destination_ip_unroutable")


def test_parent_without_an_address(proxy, nginx, tenant, names):
    p = proxy(tenant(nginx.port), names.environment, parent_proxy="http://proxy.test:3128")
    check_failure(p, 502, "parent-proxy-name-failed", "dns_error", "proxy.test")


# ---- who sfmtls is ----

def secrets(folder, auth="basic", user="anna", password="s3cret:pass"):
    path = folder / "proxy.pass"
    path.write_text(password + "\n")
    return {"parent_proxy_auth": auth, "parent_proxy_user": user, "parent_proxy_password_file": path}


def basic(user="anna", password="s3cret:pass"):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_basic_is_sent_at_once(parent, nginx, proxy, tenant, tmp_path):
    up = parent(OK)
    p = proxy(tenant(nginx.port), parent_proxy=up.url, log_level="debug", **secrets(tmp_path))
    assert p.request(target="/who").status == 200
    assert up.all("Proxy-Authorization") == [basic()]
    assert "s3cret" not in p.stderr and basic()[6:] not in p.stderr


def test_basic_that_is_refused(parent, nginx, proxy, tenant, tmp_path):
    up = parent(answer_of(b"407 Who", fields=b'Proxy-Authenticate: Basic realm="x"\r\n'))
    p = proxy(tenant(nginx.port), parent_proxy=up.url, **secrets(tmp_path))
    check_failure(p, 502, "parent-proxy-auth-failed", "proxy_configuration_error", r"refused the user anna \(Basic\)")
    assert up.count == 3


def test_basic_only_if_it_is_named(parent, nginx, proxy, tenant, tmp_path):
    up = parent(answer_of(b"407 Who", fields=b'Proxy-Authenticate: Basic realm="x"\r\n'))
    p = proxy(tenant(nginx.port), parent_proxy=up.url, **secrets(tmp_path, "auto"))
    check_failure(p, 502, "parent-proxy-auth-required", "proxy_configuration_error", "none among it")
    assert up.all("Proxy-Authorization") == [None] * 3


# ---- Digest, recomputed here ----

def challenge(text, **more):
    return answer_of(b"407 Who", b"no", b"Proxy-Authenticate: " + text.encode() + b"\r\n", **more)


def digest_words(field):
    kind, rest = field.split(" ", 1)
    assert kind == "Digest"
    found = re.findall(r'([\w]+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', rest)
    return {name: quoted or bare for name, quoted, bare in found}


def is_right(field, target, algorithm="MD5", user="anna", password="s3cret:pass"):
    """RFC 7616, 3.4."""
    w = digest_words(field)
    h = lambda text: hashlib.new("sha256" if "256" in algorithm else "md5", text.encode()).hexdigest()
    a1 = h(f"{user}:{w['realm']}:{password}")
    if algorithm.endswith("sess"):
        a1 = h(f"{a1}:{w['nonce']}:{w['cnonce']}")
    middle = f"{w['nc']}:{w['cnonce']}:{w['qop']}:" if "qop" in w else ""
    name = w["username"] if "userhash" not in w else w["username"] == h(f"{user}:{w['realm']}") and user
    return (name, w["uri"]) == (user, target) and w["response"] == h(
        f"{a1}:{w['nonce']}:{middle}" + h(f"CONNECT:{target}"))


DIGESTS = [
    ('Digest realm="r", nonce="n", qop="auth"', "MD5"), ('Digest realm="r", nonce="n"', "MD5"),
    ('Digest realm="r", nonce="n", qop="auth-int, auth", algorithm=MD5-sess, opaque="o"', "MD5-sess"),
    ('Digest realm="r x", nonce="n,=", qop=auth, algorithm=SHA-256, userhash=true', "SHA-256"),
    ('Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256-sess', "SHA-256-sess"),
    ('Digest realm="1", nonce="1", qop="auth", algorithm=MD5, Digest realm="2", nonce="2", qop="auth", '
     'algorithm=SHA-256, Basic realm="3", Digest realm="4", nonce="4", algorithm=SHA-512-256', "SHA-256"),
]


@pytest.mark.parametrize("asked, algorithm, end", [
    *((*row, b"") for row in DIGESTS), (*DIGESTS[0], b"Connection: close\r\n"),
    (*DIGESTS[1], b"Proxy-Connection: close\r\n")])
def test_digest_is_answered_with_the_algorithm_asked_for(asked, algorithm, end, parent, nginx, proxy, tenant, tmp_path):
    up = parent(challenge(asked).replace(b"\r\n\r\n", b"\r\n" + end + b"\r\n"), OK)
    p = proxy(tenant(nginx.port), parent_proxy=up.url, **secrets(tmp_path, "auto"))
    assert p.request(target="/who").status == 200
    first, second = up.all("Proxy-Authorization")
    assert first is None and is_right(second, f"127.0.0.1:{nginx.port}", algorithm), second
    assert ("userhash" in digest_words(second)) == ("userhash=true" in asked)
    log = p.last_log()
    assert 0 <= float(log["connect-ms"]) <= float(log["total-ms"])
    assert (up.heads[0][0] == up.heads[1][0]) == (end == b""), "a connection that goes on is used"
    assert "s3cret" not in p.stderr


MD5 = 'Digest realm="r", nonce="%s", qop="auth"'


def test_stale_nonce(parent, nginx, proxy, tenant, tmp_path):
    up = parent(challenge(MD5 % "a"), challenge(MD5 % "b" + ", stale=true"), challenge(MD5 % "b" + ", stale=TRUE"), OK)
    p = proxy(tenant(nginx.port), parent_proxy=up.url, **secrets(tmp_path, "digest"))
    assert p.request(target="/who").status == 200
    words = [digest_words(field) for field in up.all("Proxy-Authorization")[1:]]
    assert [(w["nonce"], w["nc"]) for w in words] == [("a", "00000001"), ("b", "00000001"), ("b", "00000002")]
    assert len({w["cnonce"] for w in words}) == 3


@pytest.mark.parametrize("again, asked", [(MD5 % "b", 2), (MD5 % "b" + ", stale=true", 4), ('Basic realm="x"', 2)])
def test_digest_that_is_refused(again, asked, parent, nginx, proxy, tenant, tmp_path):
    """There is no end to what is stale."""
    up = parent(challenge(MD5 % "a"), challenge(again))
    p = proxy(tenant(nginx.port), parent_proxy=up.url, **secrets(tmp_path, "digest"))
    check_answer(p.request(), 502, "parent-proxy-auth-failed", "proxy_configuration_error")
    assert up.count == asked


@pytest.mark.parametrize("asked", ['Digest realm="r", nonce="n", qop="auth-int"', "Basic realm=r", "NTLM", "Bearer",
                                   'Digest realm="r", nonce="n", algorithm=SHA-512-256', "Digest realm=\"", ","])
def test_nothing_that_can_be_answered(asked, parent, nginx, proxy, tenant, tmp_path):
    p = proxy(tenant(nginx.port), parent_proxy=parent(challenge(asked)).url, **secrets(tmp_path, "digest"))
    check_failure(p, 502, "parent-proxy-auth-required", "proxy_configuration_error", "parent-proxy-auth allows")


BODY = b"HTTP/1.1 407 Who\r\nProxy-Authenticate: " + (MD5 % "a").encode() + b"\r\n"


@pytest.mark.parametrize("refusal, goes_on", [
    (BODY + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", True),
    (BODY + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", True),
    (BODY + b"Content-Length: 100000\r\n\r\n" + b"x" * 100000, True),
    ([BODY + b"Content-Length: 3\r\n\r\n", b"a", b"b", b"c"], True),
    (BODY + b"Content-Length: 0\r\n\r\n", True),
    ((BODY + b"Content-Length: 0\r\n\r\n").replace(b"/1.1", b"/1.0"), False),
    ((BODY + b"Proxy-Connection: Keep-Alive\r\nContent-Length: 0\r\n\r\n").replace(b"/1.1", b"/1.0"), True),
    ((BODY + b"Connection: Keep-Alive\r\nContent-Length: 0\r\n\r\n").replace(b"/1.1", b"/1.0"), True),
    (BODY + b"\r\nuntil the end", False),
    (BODY + b"Content-Length: 999999999\r\n\r\nlong", False),
    (BODY + b"Content-Length: 2\r\n\r\nnoHTTP/1.1 200 OK\r\n\r\n", False),
    (BODY + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", False),
], ids=range(12))
def test_content_of_a_407(refusal, goes_on, parent, nginx, proxy, tenant, tmp_path):
    """It is read off, or the connection is given up: never does it become an answer."""
    up = parent(refusal, OK)
    p = proxy(tenant(nginx.port), parent_proxy=up.url, **secrets(tmp_path, "digest"))
    assert p.request(target="/who").status == 200
    assert up.count == 2 and (up.heads[0][0] == up.heads[1][0]) == goes_on


@pytest.mark.parametrize("how", ["close", "reset", "close after a 407"])
def test_connection_that_ends_after_a_407(how, parent, nginx, proxy, tenant, tmp_path):
    """Without having said so: the next one is as good. But not for ever."""
    gone = lambda c, head: c.send(challenge(MD5 % "a")) or c.raw_close() or True
    up = parent(challenge(MD5 % "a"), how, OK) if how != "close after a 407" else parent(gone, OK)
    p = proxy(tenant(nginx.port), parent_proxy=up.url, **secrets(tmp_path, "digest"))
    assert p.request(target="/who").status == 200


def test_connections_that_end_and_end(parent, nginx, proxy, tenant, tmp_path):
    up = parent(challenge(MD5 % "a"), "close")
    p = proxy(tenant(nginx.port), parent_proxy=up.url, **secrets(tmp_path, "digest"))
    assert p.request().token == "parent-proxy-closed"
    assert up.count == 3  # the second connection had no 407 before it


def test_tunnels_of_callers(parent, started, proxy, nginx, tenant):
    """connect-other leads through the parent proxy of [proxy], and the name is not looked up here."""
    to = []
    up = parent(lambda c, head: to.append(target_of(head)) or c.send(OK + b"hello") or c.at_end())
    p = proxy(tenant(nginx.port), parent_proxy=up.url, connect_other="tunnel", connect_allow="login.invalid:443")
    with p.caller() as c:
        c.send("CONNECT login.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200") and c.read_exactly(5) == b"hello"
    assert to == ["login.invalid:443"]


def test_tunnel_that_the_parent_forbids(parent, proxy, nginx, tenant):
    up = parent(answer_of(b"403 No"))
    p = proxy(tenant(nginx.port), parent_proxy=up.url, connect_other="tunnel", connect_allow="login.invalid:443")
    with p.caller() as c:
        c.send("CONNECT login.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert c.answer().token == "parent-proxy-forbade"


def test_caller_that_does_not_wait(parent, nginx, proxy, tenant):
    """Its connection to the parent proxy is closed with it."""
    ended = threading.Event()
    up = parent(lambda c, head: c.at_end() and ended.set() or True)
    p = proxy(tenant(nginx.port), parent_proxy=up.url)
    c = p.caller().send(head_lines())
    harness.eventually(lambda: up.count == 1)
    c.reset()
    harness.happened(ended)
    assert p.last_log()["error"] == "caller-gone"


def answer_before_it_is_asked(c, head):
    """Takes no more than the beginning of the next CONNECT, and answers that."""
    c.send(challenge(MD5 % (r'\"\\' * 240000)))
    c.sock.recv(1, socket.MSG_PEEK)  # the rest finds no room
    c.send(OK)
    return c.at_end() and True


def test_parent_that_answers_what_it_has_not_read(started, nginx, proxy, tenant, tmp_path):
    """Nothing of the CONNECT may end up in the tunnel."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 200)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    up = Parent(started, [answer_before_it_is_asked], listener)
    p = proxy(tenant(nginx.port), parent_proxy=up.url, max_head="1048576", **secrets(tmp_path, "digest"))
    check_answer(p.request(), 502, "parent-proxy-bad-answer", "http_protocol_error")


# ---- NTLM, as far as a script can go ----

def has_gss():
    try:
        ctypes.CDLL("libgssapi_krb5.so.2")
    except OSError:
        return False
    return bool(glob.glob("/etc/gss/mech.d/*ntlmssp*"))


needs_ntlm = pytest.mark.skipif(not has_gss(), reason="libgssapi-krb5-2 or gss-ntlmssp is missing")
NO_LEAKS = {"ASAN_OPTIONS": "detect_leaks=0"}  # gss-ntlmssp has some


def type_2(kind=2, info=4):
    """MS-NLMP, 2.2.1.2."""
    return base64.b64encode(b"NTLMSSP\0" + struct.pack("<IHHII", kind, 0, 0, 56, 0x00828201) + b"12345678" + bytes(8) +
                            struct.pack("<HHI", info, info, 56) + bytes(8) + bytes(4)).decode()


@needs_ntlm
@pytest.mark.parametrize("second, token", [
    (challenge("NTLM"), "parent-proxy-auth-failed"), ("close", "parent-proxy-closed"),
    (challenge("NTLM garbage="), "parent-proxy-auth-failed"),
    (challenge("NTLM " + type_2(info=0)), "parent-proxy-auth-failed"),
    (challenge("NTLM " + type_2(info=99)), "parent-proxy-auth-failed"),
    (challenge("NTLM " + type_2(kind=3)), "parent-proxy-auth-failed"),
    (challenge("NTLM " + type_2()).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), "parent-proxy-closed"),
    (answer_of(b"403 No"), "parent-proxy-forbade"), (b"SSH", "parent-proxy-bad-answer"),
])
def test_ntlm_that_ends_early(second, token, parent, nginx, proxy, tenant, tmp_path):
    up = parent(challenge("NTLM"), second)
    p = proxy(tenant(nginx.port), NO_LEAKS, parent_proxy=up.url, **secrets(tmp_path, "ntlm"))
    answer = p.request()
    assert answer.token == token, answer.body
    assert base64.b64decode(up.all("Proxy-Authorization")[1].split(" ")[1]).startswith(b"NTLMSSP\0\1")


def keytab(path):
    """Of anna@A.TEST (MIT's format, version 2)."""
    text = lambda s: struct.pack(">H", len(s)) + s
    entry = struct.pack(">H", 1) + text(b"A.TEST") + text(b"anna") + struct.pack(">IIBH", 1, 0, 1, 18) + text(bytes(32))
    path.write_bytes(b"\5\2" + struct.pack(">i", len(entry)) + entry)
    return path


@contextlib.contextmanager
def silent_kdc(folder):
    """Kerberos takes its time: nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as kdc, socket.create_server(("127.0.0.1", 0)) as listener:
        kdc.bind(("127.0.0.1", listener.getsockname()[1]))
        port = kdc.getsockname()[1]
        (folder / "krb5.conf").write_text("[libdefaults]\ndefault_realm = A.TEST\ndns_lookup_kdc = false\n[realms]\n"
                                          f"A.TEST = {{\nkdc = 127.0.0.1:{port}\n}}\n")
        yield {"KRB5_CONFIG": f"{folder}/krb5.conf"}


@needs_ntlm
@pytest.mark.parametrize("unasked", [OK, challenge("Negotiate"), challenge("Negotiate AAAA"), b"SSH"])
def test_parent_that_speaks_unasked(unasked, parent, nginx, proxy, tenant, tmp_path):
    """While Kerberos looks for what to say: nothing of that is an answer."""
    def speak(c, head):
        c.send(challenge("Negotiate"))
        PAUSE.wait(0.3)  # they are read one by one
        c.send(unasked)
        return c.at_end() and True

    up = parent(speak)
    with silent_kdc(tmp_path) as environment:
        p = proxy(tenant(nginx.port), environment, parent_proxy=up.url, parent_proxy_auth="negotiate",
                  parent_proxy_keytab=keytab(tmp_path / "anna.keytab"), connect_timeout="2s")
        check_answer(p.request(), 502, "parent-proxy-no-ticket", "proxy_configuration_error")
    assert up.count == 1


@needs_ntlm
@pytest.mark.parametrize("ticket", [True, False])
def test_auto_without_a_ticket(ticket, parent, nginx, proxy, tenant, tmp_path):
    """Negotiate is impossible, so the next strongest is taken."""
    up = parent(challenge("Negotiate, " + MD5 % "a"), OK)
    p = proxy(tenant(nginx.port), parent_proxy=up.url.replace("127.0.0.1", "localhost"),
              parent_proxy_ccache=f"FILE:{tmp_path}/none", **secrets(tmp_path, "auto"))
    assert p.request(target="/who").status == 200
    assert is_right(up.all("Proxy-Authorization")[1], f"127.0.0.1:{nginx.port}")


@needs_ntlm
def test_tickets_in_the_keyring(parent, nginx, pki, proxy, tenant, tmp_path, release):
    """Their system calls would end the program, which takes whoever makes them for an intruder."""
    up = parent(challenge("Negotiate, " + MD5 % "a"), OK)
    p = proxy(tenant(nginx.port), {"KRB5CCNAME": "KEYRING:persistent:0"},
              parent_proxy=up.url.replace("127.0.0.1", "localhost"),
              process={"binary": release}, **secrets(tmp_path, "auto"))
    assert p.request(target="/who").status == 200
    assert is_right(up.all("Proxy-Authorization")[1], f"127.0.0.1:{nginx.port}")


@needs_ntlm
@pytest.mark.skipif(not harness.setting("FULL"), reason="--full")
def test_callers_that_leave_while_it_is_found_out(parent, nginx, proxy, tenant, tmp_path):
    """What a helper has found may come in the turn in which they left."""
    up = parent(challenge("Negotiate, " + MD5 % "a"))
    p = proxy(tenant(nginx.port, max_upstream=1000), parent_proxy=up.url, parent_proxy_ccache=f"FILE:{tmp_path}/none",
              **secrets(tmp_path, "auto"))
    for i in range(200):
        callers = [p.caller().send(head_lines()) for _ in range(40)]
        PAUSE.wait(i % 20 / 1000)
        for c in callers:
            c.reset()
    assert p.request().token == "parent-proxy-auth-failed"


@needs_ntlm
def test_negotiate_without_a_ticket(parent, nginx, proxy, tenant, tmp_path):
    up = parent(challenge("Negotiate"))
    p = proxy(tenant(nginx.port), parent_proxy=up.url, parent_proxy_ccache=f"FILE:{tmp_path}/none",
              parent_proxy_auth="negotiate")
    check_failure(p, 502, "parent-proxy-no-ticket", "proxy_configuration_error", "offers Negotiate.*Kerberos gave")
