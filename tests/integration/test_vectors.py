"""The request vectors of vectors.py, in origin-form, absolute-form and inside an intercepted CONNECT: what the caller
gets, and what a server that records everything sees, which is nothing, or exactly the canonical request."""
import contextlib
import ssl
import types

import pytest

import harness
import vectors
from conftest import proxy_section
from vectors import FORMS, VECTORS, Passed

LONG = 2000  # bytes; anything longer is not sent byte by byte
STATUS = {"expectation-unknown": 417, "host-not-served": 421, "head-too-large": 431, "target-too-long": 414,
          "method-unknown": 501, "websocket-not-served": 501, "method-not-allowed": 405, "foreign-origin": 403,
          "tenant-unknown": 403, "company-repeated": 403, "connect-not-allowed": 403}  # else 400
ENDS = ("request-ambiguous", "request-body", "request-version", "head-too-large", "target-too-long")
PROBE = b"GET /afterwards HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def paths(pki, tenant, tmp_path_factory):
    """Proxies with a local CA before servers that record: one for uploads that break off, which the server may notice
    late, and one for all others, where it never sees half a request."""
    with contextlib.ExitStack() as stack:

        def start():
            folder = tmp_path_factory.mktemp("vectors")
            server = harness.Recorder(pki)
            stack.callback(server.stop)
            config = proxy_section({"local-ca": "ca"}) + tenant(server.port)
            root = harness.make_local_ca(folder, config)
            proxy = harness.Proxy(folder, config)
            stack.callback(proxy.stop)
            return types.SimpleNamespace(proxy=proxy, server=server, tls=ssl.create_default_context(cafile=str(root)))

        yield {breaks: start() for breaks in (True, False)}


def enter(path, form):
    """A caller where vectors of that form are sent."""
    c = path.proxy.caller()
    if form == "inside":
        target = f"localhost:{path.server.port}"
        c.send(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")
        assert c.read_until(b"\r\n\r\n").split(b"\r\n")[0] == b"HTTP/1.1 200 Connection established"
        c.sock = path.tls.wrap_socket(c.sock, server_hostname="localhost", suppress_ragged_eofs=False)
    return c


def send(c, raw, size):
    """In pieces of that size, as far as the other side takes them."""
    with contextlib.suppress(OSError):
        for i in range(0, len(raw), size):
            c.send(raw[i:i + size])


def method_of(want):
    return want.line.split(" ")[0] if isinstance(want, Passed) else "GET"


def check_answer(c, want, method):
    answer = c.answer(method)
    if isinstance(want, Passed):
        assert (answer.status, answer.body) == (200, b"ok")
    else:
        tokens = (want,) if isinstance(want, str) else want
        if method == "HEAD":
            assert answer.status == STATUS.get(tokens[0], 400) and c.pending == b""
        else:
            assert answer.token in tokens
            assert answer.status == STATUS.get(answer.token, 400)
            assert answer.token not in ENDS or answer.get("Connection") == "close"
    return answer


def check_seen(path, wanted, seen):
    """The canonical requests, and not one more."""
    assert [s.line for s in seen] == [want.line for want in wanted]
    for s, want in zip(seen, wanted):
        assert (s.others(), s.body, s.trailers) == (want.fields, want.body, want.trailers)
        assert s.all("Host") == [f"localhost:{path.server.port}"]
        assert s.all("successfactors-companyid") == ["ACME"]


def bytes_at(server):
    return sum(len(connection.bytes) for connection in list(server.connections))


def check(paths, vector, form, size=None):
    breaks = "request-body" in vector.want
    path = paths[breaks]
    raw, wanted = vectors.in_form(form, vector.raw, path.server.port), vector.wanted(form)
    path.server.take()
    before = bytes_at(path.server)
    with enter(path, form) as c:
        send(c, raw, size or len(raw))
        for want in wanted:
            answer = check_answer(c, want, method_of(want) if isinstance(want, Passed) else
                                  "HEAD" if raw.startswith(b"HEAD ") else "GET")
        if answer.get("Connection") == "close":
            assert c.read_to_end() == b"", "something came behind the last answer"
        else:  # both sides agree where the next request begins
            assert c.send(PROBE).answer().status == 200
    passed = [want for want in wanted if isinstance(want, Passed)]
    if answer.get("Connection") != "close":
        passed.append(Passed("GET /afterwards HTTP/1.1"))
    if not passed and not breaks:
        assert bytes_at(path.server) == before, "not a byte may reach the server"
    assert path.proxy.request(target="/afterwards").status == 200  # nothing is left over on the server's side
    check_seen(path, [*passed, Passed("GET /afterwards HTTP/1.1")], path.server.take())
    assert breaks or path.server.unfinished == []


ALL = [(form, vector) for form in FORMS for vector in VECTORS]


@pytest.mark.parametrize("form, vector", ALL, ids=[f"{form}: {vector.name}" for form, vector in ALL])
def test_vector_is_answered_as_it_says(paths, form, vector):
    check(paths, vector, form)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
def test_vector_in_single_bytes(paths, vector):
    """However it is cut into segments."""
    check(paths, vector, "origin", 1 if len(vector.raw) <= LONG else 500)


def test_there_are_enough_vectors():
    """As many as sfmtls-security(7) says, each with a source."""
    assert len({vector.raw for vector in VECTORS}) >= 250
    assert all(vector.source for vector in VECTORS)
