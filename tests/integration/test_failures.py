"""Each way to fail: what the caller is told, what the log says, and what the server never sees."""
import contextlib
import errno
import re
import select
import socket
import ssl
import subprocess
import threading

import pytest

import harness
from harness import Background, head_lines

RFC_9209_TYPES = set("""
    dns_timeout dns_error destination_not_found destination_unavailable destination_ip_prohibited
    destination_ip_unroutable connection_refused connection_terminated connection_timeout connection_read_timeout
    connection_write_timeout connection_limit_reached tls_protocol_error tls_certificate_error tls_alert_received
    http_request_error http_request_denied http_response_incomplete http_response_header_section_size
    http_response_header_size http_response_body_size http_response_trailer_section_size http_response_trailer_size
    http_response_transfer_coding http_response_content_coding http_response_timeout http_upgrade_failed
    http_protocol_error proxy_internal_response proxy_internal_error proxy_configuration_error proxy_loop_detected
    """.split())


def check_answer(answer, status, token, error):
    """It is the proxy's, in every respect."""
    assert error in RFC_9209_TYPES
    assert (answer.status, answer.token) == (status, token), answer.body
    assert answer.get("Proxy-Status") == f'sfmtls; error={error}; details="{token}"'
    assert answer.get("Cache-Control") == "no-store"
    assert len(answer.body) == int(answer.get("Content-Length"))


def check_failure(p, status, token, error, says="", **request):
    """GET, HEAD and POST get it, on a connection that goes on; the log has it."""
    with p.caller() as c:
        answer = c.request(**request)
        check_answer(answer, status, token, error)
        assert re.search(says, answer.json()["detail"]), answer.json()["detail"]
        head = c.request("HEAD", **request)
        assert head.status == status and head.get("Proxy-Status") == answer.get("Proxy-Status")
        post = c.request("POST", body=b"body", **request)  # what would stand behind the HEAD is its head
        check_answer(post, status, token, error)
    for n, (method, made) in enumerate((("GET", answer), ("HEAD", None), ("POST", post)), 1):
        log = p.last_log(n)
        assert (log["method"], log["status"], log["error"]) == (method, str(status), token)
        assert re.search(says, log["detail"]) and len(log["cure"]) > 10
        assert made is None or made.json()["request_id"] == log["id"]


# ---- no connection ----

def test_name_that_does_not_exist(proxy, tenant, names):
    p = proxy(tenant(443, connect_to="nowhere.test:443"), names.environment)
    check_failure(p, 502, "name-not-found", "dns_error", "nowhere.test")


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "sf.localhost"])
def test_localhost_needs_no_name_service(proxy, nginx, tenant, names, name):
    """RFC 6761, 6.3: a fresh root without /etc/hosts has one, too."""
    names.hosts.write_text("")
    p = proxy(tenant(nginx.port, connect_to=f"{name}:{nginx.port}"), names.environment)
    assert p.request(target="/who").status == 200


def test_name_service_that_fails(proxy, tenant, names):
    p = proxy(tenant(443, connect_to="server.test:443"), names.environment)
    names.hosts.unlink()
    check_failure(p, 502, "name-lookup-failed", "dns_error", "server.test")


def test_name_service_that_does_not_answer(proxy, tenant, names):
    names.set(server_test=["127.0.0.1"])
    p = proxy(tenant(443, connect_to="server.test:443"), names.environment, connect_timeout="100ms")
    release = names.block()
    check_failure(p, 504, "name-timeout", "dns_timeout", "server.test")
    release()
    harness.eventually(lambda: p.request().token != "name-timeout")  # and so no thread is inside the library any more


def test_port_that_nobody_listens_on(proxy):
    check_failure(proxy(harness.closed_port()), 502, "connection-refused", "connection_refused", r"127\.0\.0\.1")


def test_all_addresses_refuse(proxy, tenant, names):
    port = harness.closed_port()
    names.set(server_test=["127.0.0.2", "127.0.0.3"])
    p = proxy(tenant(port, connect_to=f"server.test:{port}"), names.environment)
    check_failure(p, 502, "connection-refused", "connection_refused", "server.test")


def test_more_addresses_than_are_tried(proxy, nginx, tenant, names):
    """Of both families, and more of each than there is room for: those at the beginning are tried."""
    names.set(server_test=[f"127.0.0.{n}" for n in range(1, 40)] + [f"2001:db8::{n}" for n in range(1, 40)])
    p = proxy(tenant(nginx.port, connect_to=f"server.test:{nginx.port}"), names.environment)
    assert p.request(target="/who").status == 200


@pytest.mark.parametrize("family, address", harness.LOOPBACK)
def test_server_of_one_family(proxy, pki, started, tenant, names, family, address):
    """Its name leads to an address of each: the one that refuses is not the last."""
    server = harness.Recorder(pki, listener=socket.create_server((address, 0), family=family))
    started.append(server)
    names.set(server_test=[address for _, address in harness.LOOPBACK])
    p = proxy(tenant(server.port, connect_to=f"server.test:{server.port}"), names.environment)
    assert p.request().status == 200


def test_address_without_a_route(proxy, tenant):
    p = proxy(tenant(443, connect_to="255.255.255.255:443"))
    check_failure(p, 502, "host-unreachable", "destination_ip_unroutable", "255.255.255.255")


def test_server_that_takes_no_connection(proxy, deaf):
    p = proxy(deaf("127.0.0.1"), connect_timeout="200ms")
    check_failure(p, 504, "connect-timeout", "connection_timeout")


def test_refusing_address_beside_a_deaf_one(proxy, tenant, names, deaf):
    """Several addresses fail in several ways: one of them is told."""
    port = deaf("127.0.0.2")
    names.set(server_test=["127.0.0.2", "127.0.0.3"])
    p = proxy(tenant(port, connect_to=f"server.test:{port}"), names.environment, connect_timeout="700ms")
    assert p.request().token in ("connect-timeout", "connection-refused")


SHORTAGE = {"prefix": harness.refusing("socket", errno.ENOBUFS, socket.AF_INET6)}


@pytest.mark.parametrize("addresses, process, token, address", [
    (["127.0.0.2", "255.255.255.255"], {}, "connection-refused", "127.0.0.2"),
    (["127.0.0.2", "127.0.0.3", "255.255.255.255"], {}, "connection-refused", "127.0.0.2"),
    (["::1", "127.0.0.2"], SHORTAGE, "out-of-resources", "::1"),
    (["::1", "127.0.0.2", "255.255.255.255"], SHORTAGE, "out-of-resources", "::1"),
    (["::1", "255.255.255.255"], SHORTAGE, "out-of-resources", "::1"),
])
def test_most_telling_of_several_failures(proxy, tenant, names, addresses, process, token, address):
    """What the machine itself lacks, a refusal, no way: in whatever order they come."""
    port = harness.closed_port()
    names.set(server_test=addresses)
    p = proxy(tenant(port, connect_to=f"server.test:{port}"), names.environment, process=process)
    answer = p.request()
    assert answer.token == token and f"({address}:{port})" in answer.json()["detail"].replace("[", "").replace("]", "")


# ---- TLS ----

def silent(c):
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        while c.fill():
            pass


def test_server_that_never_shakes_hands(proxy, script):
    p = proxy(script(silent, tls=False).port, handshake_timeout="200ms")
    check_failure(p, 504, "handshake-timeout", "connection_timeout", "handshake")


def says(words):
    def run(c):
        c.fill()
        c.send(words)
        silent(c)
    return run


NO_TLS = {
    "HTTP": (says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), "does not speak TLS"),
    "SSH": (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "does not speak TLS"),
    "handshake_failure": (says(b"\x15\x03\x03\x00\x02\x02\x28"), "handshake failure"),
    "internal_error": (says(b"\x15\x03\x03\x00\x02\x02\x50"), "internal error"),
    "close_notify": (says(b"\x15\x03\x03\x00\x02\x01\x00"), "handshake"),
    "end": (lambda c: c.fill(), "closed the connection during the TLS handshake"),
    "reset": (lambda c: c.fill() and c.reset(), "handshake"),
}


@pytest.mark.parametrize("name", NO_TLS)
def test_server_that_does_not_speak_tls(proxy, script, name):
    run, detail = NO_TLS[name]
    check_failure(proxy(script(run, tls=False).port), 502, "tls-failed", "tls_protocol_error", detail)


def test_server_that_resets_each_connection(proxy, script):
    """Whenever it is noticed: this server can be reached."""
    p = proxy(script(lambda c: c.reset(), tls=False).port)
    for _ in range(20):
        assert p.request().token in ("connection-refused", "tls-failed", "upstream-closed")


class Program:
    """A server program that chooses its port, or inherits a socket that listens."""

    def __init__(self, folder, command, listener=None):
        self.output = folder / f"{command[0]}.{len(list(folder.iterdir()))}"
        with open(self.output, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out,
                                            pass_fds=[listener.fileno()] if listener else [])
        self.port = listener.getsockname()[1] if listener else harness.eventually(self._told)

    def _told(self):
        assert self.process.poll() is None, self.output.read_text()
        found = re.search(r"(?m)^ACCEPT 127\.0\.0\.1:(\d+)$", harness.whole_lines(self.output))
        return int(found[1]) if found else False

    def stop(self):
        self.process.kill()
        self.process.wait(harness.LIMIT)


@pytest.fixture
def s_server(pki, tmp_path, started):
    def start(*options):
        started.append(Program(tmp_path, ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert",
                                          f"{pki}/server.pem", "-key", f"{pki}/server.key", *options]))
        return started[-1]
    return start


@pytest.fixture
def haproxy(pki, tmp_path, started):
    def start(version):
        (tmp_path / "haproxy.pem").write_text((pki / "server.pem").read_text() + (pki / "server.key").read_text())
        with socket.create_server(("127.0.0.1", 0)) as listener:
            (tmp_path / "haproxy.cfg").write_text(f"""
                defaults
                    mode http
                    timeout client 30s
                    timeout connect 5s
                    timeout server 30s
                frontend test
                    bind fd@{listener.fileno()} ssl crt {tmp_path}/haproxy.pem verify required \
ca-file {pki}/client-ca.pem ssl-min-ver {version} ssl-max-ver {version}
                    http-request return status 200 content-type text/plain string "served"\n""")
            started.append(Program(tmp_path, ["haproxy", "-db", "-f", str(tmp_path / "haproxy.cfg")], listener))
        return started[-1]
    return start


def test_server_of_the_past(proxy, s_server):
    """Nothing below TLS 1.2."""
    server = s_server("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    check_failure(proxy(server.port), 502, "tls-failed", "tls_protocol_error")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("certificate, token", [
    ("server-untrusted", "server-certificate-untrusted"), ("server-expired", "server-certificate-expired"),
    ("server-wrong-host", "server-certificate-wrong-host")])
def test_certificate_of_the_server(proxy, script, certificate, token, version):
    """Not trusted, expired, for another host: it gets neither our certificate nor a byte of the request."""
    server = script(silent, certificate=certificate, versions=(version, version))
    check_failure(proxy(server.port), 502, token, "tls_certificate_error", "localhost")
    assert server.connections == []
    harness.eventually(lambda: len(server.handshake_failures) == 3)


def test_certificate_for_another_address(proxy, script, tenant):
    port = script(silent, address=("127.0.0.2", 0)).port
    p = proxy(tenant(port, server=f"127.0.0.2:{port}", connect_to=None))
    check_failure(p, 502, "server-certificate-wrong-host", "tls_certificate_error", r"127\.0\.0\.2")


def test_system_s_roots_do_not_know_a_private_ca(proxy, script, tenant):
    p = proxy(tenant(script(silent).port, ca_file=None))
    check_failure(p, 502, "server-certificate-untrusted", "tls_certificate_error")


# ---- our certificate ----

REFUSED = (502, "client-certificate-refused", "tls_alert_received")


@pytest.fixture
def stranger(pki):
    """A certificate that no server accepts."""
    return {"certificate": "stranger.pem", "private_key": f"{pki}/stranger.key"}


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_refuses_our_certificate(proxy, s_server, tenant, pki, stranger, version):
    """In the handshake, or with TLS 1.3 behind it, when the request has been sent."""
    server = s_server(version, "-Verify", "2", "-verify_return_error", "-CAfile", f"{pki}/client-ca.pem")
    check_failure(proxy(tenant(server.port, **stranger)), *REFUSED, "localhost.*refused")
    assert proxy(tenant(server.port)).request().status == 200


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_haproxy_refuses_our_certificate(proxy, haproxy, tenant, stranger, version):
    server = haproxy(version)
    check_failure(proxy(tenant(server.port, **stranger)), *REFUSED, "localhost.*refused")
    assert proxy(tenant(server.port)).request().body == b"served"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("method, size", [("GET", 0), ("PUT", 10), ("POST", 8 << 20)])
def test_refused_certificate_is_no_reason_to_repeat(proxy, script, tenant, stranger, version, method, size):
    """However far the upload had come; each request means one connection."""
    server = script(silent, versions=(version, version))
    p = proxy(tenant(server.port, **stranger))
    for n in range(1, 4):
        with p.caller() as c:
            c.send(head_lines(method, "/", f"Content-Length: {size}"))
            uploading = Background(c.send, bytes(size))
            check_answer(c.answer(), *REFUSED)
            uploading.result()
        harness.eventually(lambda: len(server.handshake_failures) == n)
    assert server.connections == []


@pytest.fixture(scope="module")
def strict_nginx(pki, tmp_path_factory):
    folder = tmp_path_factory.mktemp("strict")
    server = harness.Nginx(folder, f"""ssl;
        ssl_certificate {pki}/server.pem; ssl_certificate_key {pki}/server.key;
        ssl_client_certificate {pki}/client-ca.pem; ssl_verify_client on; ssl_verify_depth 3;
        location / {{ return 200 served; }}""")
    yield server
    server.stop()


def test_page_of_nginx_that_refuses_our_certificate(proxy, strict_nginx, tenant, pki, stranger):
    """It reaches the caller as it is; only the log tells what it means."""
    context = ssl.create_default_context(cafile=pki / "ca.pem")
    context.load_cert_chain(pki / "stranger.pem", pki / "stranger.key")
    with socket.create_connection(("127.0.0.1", strict_nginx.port)) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as direct:
            direct.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            page = b"".join(iter(lambda: direct.recv(65536), b"")).split(b"\r\n\r\n", 1)[1]
    assert b"SSL certificate error" in page
    p = proxy(tenant(strict_nginx.port, **stranger))
    answer = p.request()
    assert (answer.status, answer.body) == (400, page)
    assert answer.get("Proxy-Status") is None and answer.get("Server").startswith("nginx")
    log = p.last_log()
    assert (log["status"], log["error"]) == ("400", "client-certificate-refused") and len(log["cure"]) > 10


PHRASE, OTHER = b"SSL certificate error", b"No required SSL certificate was sent"
TITLE, REST = b"<html><head><title>400 ", b"</title></head><body><h1>400 Bad Request</h1></body></html>"
CODE = b'{"error":{"code":"AuthenticationFailed","details":"[%s]Invalid client certificate"}}'
HTML, JSON = "text/html; charset=utf-8", "application/json"
PAGES = {
    "the phrase": (HTML, "400", "length", [TITLE + b"The " + PHRASE + REST], True),
    "the other phrase": (HTML, "400", "length", [TITLE + OTHER + REST], True),
    "in two parts": (HTML, "400", "length", [TITLE + b"SSL certif", b"icate error" + REST], True),
    "in many chunks": (HTML, "400", "chunked", [b"<ti", b"tle>SSL c", b"ertif", b"icate ", b"error</ti", b"tle>"],
                       True),
    "until the end": (HTML, "400", None, [TITLE + b"No required SSL cert", b"ificate was sent" + REST], True),
    "within 4 KiB": (HTML, "400", "length", [b" " * (4081 - len(PHRASE)) + b"<title>" + PHRASE + b"</title>"], True),
    "behind 4 KiB": (HTML, "400", "length", [b" " * (4082 - len(PHRASE)) + b"<title>" + PHRASE + b"</title>"], False),
    "in the body": (HTML, "400", "length", [TITLE + REST + PHRASE], False),
    "as text": ("text/plain", "400", "length", [TITLE + PHRASE + REST], False),
    "of no type": (None, "400", "length", [TITLE + PHRASE + REST], False),
    "of two types": (HTML + "\r\nContent-Type: text/html", "400", "length", [TITLE + PHRASE + REST], False),
    "other words": (HTML, "400", "length", [TITLE + b"certificate error" + REST], False),
    "another status": (HTML, "403", "length", [TITLE + PHRASE + REST], False),
    "success": (HTML, "200", "length", [TITLE + PHRASE + REST], False),
    "the code of SF": (JSON, "401", "length", [CODE[:60] % b"AUTH0032", CODE[60:]], True),
    "another code of SF": (JSON, "401", "length", [CODE % b"LGN0003"], False),
    "the code of SF in a 400": (JSON, "400", "length", [CODE % b"AUTH0032"], False),
    "the code of SF as a page": (HTML, "401", "length", [CODE % b"AUTH0032"], False),
}


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("name", PAGES)
def test_pages_that_speak_of_our_certificate(proxy, script, name, version):
    """A page of 400 whose title, in the first 4 KiB, holds one of two phrases, or SF's own error, however they arrive
    and go on."""
    media_type, status, framing, parts, means_it = PAGES[name]
    pace = threading.Event()

    def reply(c):
        assert c.head()
        length = sum(map(len, parts))
        c.send(f"HTTP/1.1 {status} Some reason\r\n" + (f"Content-Type: {media_type}\r\n" if media_type else "") + {
            "length": f"Content-Length: {length}\r\n\r\n", "chunked": "Transfer-Encoding: chunked\r\n\r\n",
            None: "\r\n"}[framing])
        for part in parts:
            pace.wait(0.01)
            c.send(b"%x\r\n%s\r\n" % (len(part), part) if framing == "chunked" else part)
        c.send(b"0\r\n\r\n" if framing == "chunked" else b"")

    p = proxy(script(reply).port)
    with p.caller() as c:
        c.send(head_lines("GET", "/", "Connection: close", version=version))
        assert c.answer().body == b"".join(parts)
    log = p.last_log()
    assert log["status"] == status and log.get("error") == ("client-certificate-refused" if means_it else None)


def test_answer_to_head_has_no_page(proxy, script):
    p = proxy(script(harness.answering(lambda c, *_: c.send(
        "HTTP/1.1 400 Bad\r\nContent-Length: 21\r\n\r\n"))).port)
    answer = p.request("HEAD")
    assert answer.status == 400 and "error" not in p.last_log()


NOT_REQUESTED = (502, "client-certificate-not-requested", "tls_protocol_error")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_server_that_never_asks_for_our_certificate(proxy, script, tenant, version):
    """It gets no request, however often it is tried (with a resumed session or not)."""
    server = script(silent, require=False, versions=(version, version))
    p = proxy(tenant(server.port, require_client_certificate_request="yes"))
    check_failure(p, *NOT_REQUESTED, "never asked")
    assert [p.request().token for _ in range(3)] == [NOT_REQUESTED[1]] * 3
    assert all(c.bytes == b"" for c in server.connections)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("mode", [ssl.CERT_REQUIRED, ssl.CERT_OPTIONAL])
@harness.one_worker
def test_server_that_asks_once_and_resumes(proxy, script, tenant, version, mode):
    """A resumed session carries no request; what the full handshake showed holds."""
    server = script(harness.answering(lambda c, *_: c.reply(str(c.sock.session_reused).encode())),
                    versions=(version, version))
    server.context.verify_mode = mode
    p = proxy(tenant(server.port, require_client_certificate_request="yes"), pool_idle="0")
    assert [p.request().body for _ in range(3)] == [b"False", b"True", b"True"]


@pytest.mark.parametrize("host, key, served", [
    ("api4.successfactors.com", None, False), ("api4.successfactors.com", "no", True),
    ("api8.cert.successfactors.com", None, False), ("localhost", None, True), ("localhost", "no", True)])
def test_who_has_to_ask_by_default(proxy, script, tenant, host, key, served):
    """The known certificate hosts of SuccessFactors; others may do as they like."""
    port = script(harness.answering(lambda c, *_: c.reply(b"ok")), require=False).port
    p = proxy(tenant(port, server=host, require_client_certificate_request=key))
    answer = p.request()
    if served:
        assert (answer.status, answer.body) == (200, b"ok")
    else:
        check_answer(answer, *NOT_REQUESTED)
        assert host.split(".")[0] + ".cert." in answer.json()["detail"]


@pytest.mark.parametrize("name, token", [("expired", "client-certificate-expired"),
                                         ("future", "client-certificate-not-yet-valid")])
def test_certificate_of_ours_that_is_not_valid(proxy, script, tenant, pki, name, token):
    """run serves, the log says it at once, the server is not called; other tenants go on."""
    server = script(silent)
    other = script(harness.answering(lambda c, *_: c.reply(c.peer_cn().encode())))
    p = proxy(tenant(server.port, certificate=f"{name}-chain.pem", private_key=f"{pki}/{name}.key") +
              tenant(other.port, "globex", "GLOBEX", "globex-all.pem"))
    harness.eventually_logged(p, f"error: .*{name}_user")
    check_failure(p, 502, token, "proxy_configuration_error", f"{name}_user",
                  fields=[("successfactors-companyid", "ACME")])
    assert p.request(fields=[("successfactors-companyid", "GLOBEX")]).body == b"globex_user"
    assert server.connections == [] and server.handshake_failures == []


# ---- answers ----

def way_end(c):
    c.end()


def way_cut(c):
    c.cut()


def way_reset(c):
    c.reset()


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
                                   b"HTTP/1.1 100 Continue\r\n\r\n"])
@pytest.mark.parametrize("way", [way_end, way_cut, way_reset])
def test_server_that_closes_before_it_has_answered(proxy, script, way, words):
    def reply(c):
        assert c.request()
        c.send(words)
        way(c)

    p = proxy(script(reply).port)
    for n, method in enumerate(("GET", "HEAD", "POST"), 1):
        answer = p.request(method)
        assert answer.status == 502
        assert answer.get("Proxy-Status") == 'sfmtls; error=connection_terminated; details="upstream-closed"'
        assert method == "HEAD" or answer.token == "upstream-closed"
        assert (p.last_log(n)["error"], p.last_log(n)["status"]) == ("upstream-closed", "502")


BAD_ANSWERS = {
    "garbage": b"\x00\x01\x02\x03", "HTTP/0.9": b"<html>hello</html>", "SMTP": b"220 mail ready\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n", "HTTP/1.2": b"HTTP/1.2 200 OK\r\n\r\n", "http": b"http/1.1 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n", "status 099": b"HTTP/1.1 099 Low\r\n\r\n",
    "status 600": b"HTTP/1.1 600 High\r\n\r\n", "status 2000": b"HTTP/1.1 2000 OK\r\n\r\n",
    "two blanks": b"HTTP/1.1  200 OK\r\n\r\n", "control in the reason": b"HTTP/1.1 200 O\x00K\r\n\r\n",
    "leading line": b"\r\nHTTP/1.1 200 OK\r\n\r\n", "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "LF in the head": b"HTTP/1.1 200 OK\r\nX: y\nContent-Length: 0\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "no name": b"HTTP/1.1 200 OK\r\n: x\r\n\r\n",
    "blank in a name": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "folded at once": b"HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 0\r\n\r\n",
    "NUL": b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n", "bare CR": b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "signed length": b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
    "hexadecimal length": b"HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\na",
    "huge length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "empty length": b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "chunked not last": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}
BIG = b"X: %s\r\n" % (b"x" * 4000)
OTHER_ANSWERS = {
    "large head": (b"HTTP/1.1 200 OK\r\n" + BIG * 20 + b"\r\n", "answer-head-too-large",
                   "http_response_header_section_size"),
    "large field": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", "answer-head-too-large",
                    "http_response_header_section_size"),
    "head without end": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "answer-head-too-large",
                         "http_response_header_section_size"),
    "many fields": (b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 201 + b"\r\n", "answer-head-too-large",
                    "http_response_header_section_size"),
    "upgrade": (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
                "unexpected-upgrade", "http_upgrade_failed"),
    "upgrade behind an interim answer": (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n",
                                         "unexpected-upgrade", "http_upgrade_failed"),
}
OTHER_ANSWERS.update({name: (raw, "bad-answer", "http_protocol_error") for name, raw in BAD_ANSWERS.items()})


@pytest.mark.parametrize("name", OTHER_ANSWERS)
def test_answer_that_is_none(proxy, script, name):
    """502, and nothing of it reaches the caller; the connection to the server is not used again."""
    raw, token, error = OTHER_ANSWERS[name]

    def reply(c):
        assert c.request()
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            c.send(raw)
            c.at_end()

    server = script(reply)
    p = proxy(server.port)
    with p.caller() as c:
        for n, method in enumerate(("GET", "HEAD"), 1):
            answer = c.request(method)
            assert answer.status == 502
            assert answer.get("Proxy-Status") == f'sfmtls; error={error}; details="{token}"'
            assert p.last_log(n)["error"] == token
            if method == "GET":
                check_answer(answer, 502, token, error)
    assert len(server.connections) == 2


# ---- an error is never taken for the server's ----

@pytest.mark.parametrize("sent, passed", [
    (['sfmtls; error=dns_error; details="name-not-found"'], []),
    (['cdn; error=dns_error, sfmtls; error=connection_refused'], ["cdn; error=dns_error"]),
    (['sfmtls;error=x', 'edge; details="a, sfmtls; b"'], ['edge; details="a, sfmtls; b"']),
    (['"sfmtls"; error=dns_error'], []), (["SFMTLS; error=dns_error"], []), (["sfmtls"], []),
    (["edge"], ["edge"]), (["sfmtls-2; error=dns_error"], ["sfmtls-2; error=dns_error"]),
    ([' , sfmtls; x="\\", edge; a", other'], ["other"]),
    (['x; details="a', 'b", sfmtls; error=dns_error'], []),
])
def test_server_cannot_speak_for_the_proxy(proxy, script, sent, passed):
    """Members of Proxy-Status under this proxy's name are dropped; others, and the rest, pass."""
    body = b'{"type":"urn:sfmtls:error:name-not-found"}'
    fields = "".join(f"Proxy-Status: {value}\r\n" for value in sent) + "Content-Type: application/problem+json\r\n"
    p = proxy(script(harness.answering(lambda c, *_: c.reply(body, "502 Bad Gateway", fields))).port)
    answer = p.request()
    assert (answer.status, answer.body) == (502, body)
    assert answer.all("Proxy-Status") == passed
    assert "error" not in p.last_log()


# ---- time: the server ----

def test_server_that_never_answers(proxy, script):
    """504 after answer-timeout; it sees the connection cut."""
    ends = []

    def reply(c):
        assert c.request()
        ends.append(c.at_end())

    p = proxy(script(reply, tickets=0).port, answer_timeout="200ms")
    check_failure(p, 504, "answer-timeout", "http_response_timeout", "localhost")
    harness.eventually(lambda: len(ends) == 3)
    assert set(ends) <= {"cut", "reset"}


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\nX: y\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n", b"H"])
def test_server_that_stops_within_the_head(proxy, script, begin):
    def reply(c):
        assert c.request()
        with contextlib.suppress(ssl.SSLError, ConnectionError):  # it may be over before this begins
            c.send(begin)
            c.at_end()

    p = proxy(script(reply, tickets=0).port, answer_timeout="200ms")
    answer = p.request()
    check_answer(answer, 504, "answer-timeout", "http_response_timeout")


@pytest.mark.parametrize("field", ["Content-Length: 100", "Transfer-Encoding: chunked", "X: y"])
def test_server_that_stops_within_the_body(proxy, script, field):
    """The caller sees that it is not whole; the log says why."""
    def reply(c):
        assert c.request()
        c.send(f"HTTP/1.1 200 OK\r\n{field}\r\n\r\n4\r\npart\r\n")
        c.at_end()

    p = proxy(script(reply).port, answer_timeout="1s")  # within which the head has to come
    with p.caller() as c:
        answer = c.request()
        assert answer.status == 200 and not answer.complete and b"part" in answer.body
    with p.caller() as c, pytest.raises(ConnectionResetError):
        c.send(head_lines(version="HTTP/1.0")).read_to_end()
    assert [p.last_log(n)["error"] for n in (1, 2)] == ["answer-timeout"] * 2


def drip(send, pieces, seconds=1.5):
    """Sends the pieces one after the other, over so many seconds."""
    pieces, pause = list(pieces), threading.Event()
    for piece in pieces:
        send(piece)
        pause.wait(seconds / len(pieces))


HINT = b"HTTP/1.1 102 Processing\r\n\r\n"
SLOW_ANSWERS = {
    "interim answers": [HINT] * 40 + [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"],
    "head": [bytes([b]) for b in b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"],
    "length": [b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"] + [b"x"] * 40,
    "chunked": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] + [b"1\r\nx\r\n"] * 40 + [b"0\r\n\r\n"],
    "one chunk size": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] + [b"0"] * 12
                      + [b"1\r\nx\r\n0\r\n\r\n"],
}


@pytest.mark.parametrize("name", SLOW_ANSWERS)
def test_slow_answer_is_waited_for(proxy, script, name):
    """answer-timeout is for the first byte and then between two, not for the whole."""

    def reply(c):
        assert c.request()
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            drip(c.send, SLOW_ANSWERS[name])
            c.at_end()

    p = proxy(script(reply).port, answer_timeout="1s")
    answer = p.request()
    assert answer.status == 200 and answer.complete
    assert "error" not in p.last_log()


# ---- time: the caller ----

STALLED = (408, "request-timeout", "http_request_error")


@pytest.mark.parametrize("begin", ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\n", "\r\nP"])
def test_head_that_does_not_come_in_time(proxy, script, begin):
    server = script(silent)
    p = proxy(server.port, head_timeout="200ms")
    with p.caller() as c:
        answer = c.send(begin).answer()
        check_answer(answer, *STALLED)
        assert answer.get("Connection") == "close" and c.read_to_end() == b""
    assert (p.last_log()["error"], p.last_log()["status"]) == ("request-timeout", "408")
    assert server.connections == []


def test_head_that_comes_too_slowly(proxy, script):
    """head-timeout is for the whole head, however many bytes come."""
    p = proxy(script(silent).port, head_timeout="500ms")
    with p.caller() as c:
        def send(piece):
            with contextlib.suppress(ConnectionError):
                c.send(piece)

        sending = Background(drip, send, ["GET / HTTP/1.1\r\n"] + ["X: y\r\n"] * 100, 2)
        check_answer(c.answer(), *STALLED)
        sending.result()


def test_head_timeout_holds_for_each_request(proxy, script):
    """It begins with the first byte of a head, not with the connection."""
    p = proxy(script(harness.answering(lambda c, *_: c.reply())).port, head_timeout="300ms", idle_timeout="30s")
    with p.caller() as c:
        assert c.request().status == 200
        assert not select.select([c.sock], [], [], 0.6)[0]
        assert c.request().status == 200
        check_answer(c.send("GET /").answer(), *STALLED)


def test_caller_that_says_nothing(proxy, script):
    """Before the first request or between two: closed without a word, and without a line in the log."""
    p = proxy(script(harness.answering(lambda c, *_: c.reply())).port, idle_timeout="1s")
    with p.caller() as c, p.caller() as silent:
        assert c.request().status == 200  # within idle-timeout
        assert silent.read_to_end() == b""
        assert c.read_to_end() == b""
    p.stop()
    assert len(p.log_lines()) == 1


@pytest.mark.parametrize("framing, begin", [("Content-Length: 10", b""), ("Content-Length: 10", b"hello"),
                                            ("Transfer-Encoding: chunked", b"5\r\nhello\r\n"),
                                            ("Transfer-Encoding: chunked", b"0\r\nX: y\r\n")])
def test_body_that_does_not_come_in_time(proxy, script, framing, begin):
    """408 after body-timeout; the server sees an abort, not a whole request."""
    ends = []

    def reply(c):
        assert c.head()
        c.reply()
        assert c.head()
        ends.append((c.at_end(), c.pending))

    p = proxy(script(reply).port, body_timeout="300ms")
    with p.caller() as c:
        assert c.request().status == 200  # there is a connection now: the next head reaches the server at once
        answer = c.send(head_lines("POST", "/", framing).encode() + begin).answer()
        check_answer(answer, *STALLED)
        assert answer.get("Connection") == "close" and c.read_to_end() == b""
    assert p.last_log(2)["error"] == "request-timeout"
    harness.eventually(lambda: len(ends) == 1)
    assert ends[0][0] in ("cut", "reset") and not ends[0][1].endswith(b"\r\n\r\n")


@pytest.mark.parametrize("framing, pieces", [("Content-Length: 40", [b"x"] * 40),
                                             ("Transfer-Encoding: chunked", [b"1\r\nx\r\n"] * 40 + [b"0\r\n\r\n"])])
def test_slow_body_is_waited_for(proxy, script, framing, pieces):
    """body-timeout is for a pause, not for the whole; answer-timeout has not begun."""
    p = proxy(script(harness.answering(lambda c, head, body: c.reply(b"%d" % body.count(b"x")))).port,
              body_timeout="1s", answer_timeout="1s")
    with p.caller() as c:
        c.send(head_lines("POST", "/", framing))
        drip(c.send, pieces)
        assert c.answer().body == b"40"


def test_caller_that_takes_nothing(proxy, script):
    """It is cut off after body-timeout, and the server with it."""
    ends = []

    def reply(c):
        assert c.head()
        c.send("HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                c.send(bytes(1 << 16))
        except (ssl.SSLError, ConnectionError) as e:
            ends.append(e)

    p = proxy(script(reply).port, body_timeout="300ms")
    with p.caller() as c:
        c.send(head_lines())
        log = p.last_log()
        assert (log["error"], log["status"]) == ("caller-stalled", "200")
        harness.eventually(lambda: len(ends) == 1)
        with pytest.raises(ConnectionResetError):
            c.read_to_end()


# ---- too many ----

@harness.one_worker
def test_too_many_callers(proxy, script):
    """503 with Retry-After, without waiting for a request; a place that is free again is used."""
    p = proxy(script(harness.answering(lambda c, *_: c.reply())).port, max_connections="2")
    with p.caller() as one, p.caller() as two:
        assert one.request().status == two.request().status == 200
        for n in range(3, 6):
            with p.caller() as third:
                answer = third.answer()
                check_answer(answer, 503, "too-many-connections", "connection_limit_reached")
                assert int(answer.get("Retry-After")) > 0 and answer.get("Connection") == "close"
                third.sock.shutdown(socket.SHUT_WR)
                assert third.read_to_end() == b""
            assert (p.last_log(n)["error"], p.last_log(n)["status"]) == ("too-many-connections", "503")
        assert one.request().status == 200
        two.close()

        def served():
            with p.caller() as c:
                return c.request().status == 200

        harness.eventually(served)
        assert one.request().status == 200


def test_caller_beyond_the_limit_may_send_its_request(proxy, script):
    """Even a large one: it gets the answer, not a reset."""
    p = proxy(script(silent).port, max_connections="1")
    with p.caller() as one:
        one.send("G")
        with p.caller() as c:
            sending = Background(c.send, head_lines("POST", "/", "Content-Length: 4000000").encode() + bytes(4_000_000))
            check_answer(c.answer(), 503, "too-many-connections", "connection_limit_reached")
            sending.result()
            c.sock.shutdown(socket.SHUT_WR)
            assert c.read_to_end() == b""


def test_limit_of_callers_is_the_process_s(proxy, script):
    """Not each worker's."""
    p = proxy(script(harness.answering(lambda c, *_: c.reply())).port, max_connections="3", workers="2")
    with contextlib.ExitStack() as stack:
        callers = [stack.enter_context(p.caller()) for _ in range(3)]
        assert [c.request().status for c in callers] == [200] * 3
        refused = [stack.enter_context(p.caller()) for _ in range(4)]
        assert [c.answer().token for c in refused] == ["too-many-connections"] * 4
