"""What becomes of a head on its way, a request's and an answer's: target, Host, company, fields, methods, limits."""
import contextlib
import email.utils
import socket
import subprocess
import sys
import time

import pytest

import harness

VIA_LIKE = ("via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "forwarded")


def ids(table):
    return [str(row[0]) for row in table]


@pytest.fixture
def recorder(pki, started):
    """recorder(reply): a recording server."""

    def start(*arguments, **kwargs):
        started.append(harness.Recorder(pki, *arguments, **kwargs))
        return started[-1]

    return start


def send(recorded, **request):
    """What the server saw of one request that was answered 200."""
    assert recorded.proxy.request(**request).status == 200
    [seen] = recorded.server.take()
    return seen


def refuse(recorded, **request):
    """The answer to a request of which the server saw nothing."""
    answer = recorded.proxy.request(**request)
    assert recorded.proxy.request(target="/afterwards").status == 200
    assert [seen.target for seen in recorded.server.take()] == ["/afterwards"]
    return answer


# ---- the target ----

ORIGIN_FORM = [  # passed on as they are
    "/", "/?", "/a", "/a?b=c&d", "/a?b?c", "/a%2Fb%2fc", "/%", "/%zz", "/a//b", "//", "//evil.example/b", "/a/../b",
    "/a/./b", "/..", "/a;b=c", "/odata/v2/User('a%20b')?$filter=x%20eq%20'y'&$format=json", "/a:b@c!$&'()*+,=~-._",
    "/[a]?[b]", "/http://evil.example/", "/" + "a" * 16383,
]


@pytest.mark.parametrize("target", ORIGIN_FORM, ids=lambda t: t[:40])
def test_origin_form_is_passed_on_as_it_is(recorded, target):
    seen = send(recorded, target=target)
    assert seen.line == f"GET {target} HTTP/1.1"


ENCODED = [
    ('/a"b', "/a%22b"), ("/a<b>c", "/a%3Cb%3Ec"), ("/a^b", "/a%5Eb"), ("/a{b|c}", "/a%7Bb%7Cc%7D"), ("/a`b", "/a%60b"),
    ("/\x80\xff", "/%80%FF"), ("/\xc3\xbc?\xe2\x82\xac", "/%C3%BC?%E2%82%AC"), ("/%22\"%", "/%22%22%"),
    ("/?q={\"a\":[1]}", "/?q=%7B%22a%22:[1]%7D"), ("//\"", "//%22"),
]


@pytest.mark.parametrize("target, sent", ENCODED)
@pytest.mark.parametrize("prefix", ["", "http://localhost"])
def test_odd_bytes_are_percent_encoded(recorded, target, sent, prefix):
    """In upper case, and nothing but these: what was encoded before stays as it was."""
    assert send(recorded, target=prefix + target).target == sent


ABSOLUTE_FORM = [  # (target, method, sent); PORT is the server's
    ("http://localhost/a?b", "GET", "/a?b"),
    ("http://localhost:80/a", "GET", "/a"),
    ("http://localhost:PORT/a", "GET", "/a"),
    ("https://localhost/a", "GET", "/a"),
    ("https://localhost:443/a", "GET", "/a"),
    ("https://localhost:PORT/a", "GET", "/a"),
    ("HTTP://LocalHost/A", "GET", "/A"),
    ("hTTps://LOCALHOST:PORT/A", "GET", "/A"),
    ("http://localhost./a", "GET", "/a"),
    ("http://localhost", "GET", "/"),
    ("http://localhost?a", "GET", "/?a"),
    ("http://localhost:PORT?a", "GET", "/?a"),
    ("http://localhost//a", "GET", "//a"),
    ("http://localhost/http://b/", "GET", "/http://b/"),
    ("http://localhost/a@b:c", "GET", "/a@b:c"),
    ("http://localhost", "OPTIONS", "*"),
    ("http://localhost:PORT", "OPTIONS", "*"),
    ("http://localhost/", "OPTIONS", "/"),
    ("http://localhost?a", "OPTIONS", "/?a"),
]


@pytest.mark.parametrize("target, method, sent", ABSOLUTE_FORM)
@pytest.mark.parametrize("host", ["localhost", "evil.example:99"])
def test_absolute_form_becomes_origin_form(recorded, target, method, sent, host):
    """The target wins over Host (RFC 9112, 3.2.2), which only has to be sound."""
    seen = send(recorded, target=target.replace("PORT", str(recorded.server.port)), method=method, host=host)
    assert seen.line == f"{method} {sent} HTTP/1.1"
    assert seen.all("Host") == [f"localhost:{recorded.server.port}"]


@pytest.mark.parametrize("target", [
    "http://localhost:443/", "https://localhost:80/", "http://localhost:1/", "https://localhost:8443/",
    "http://evil.example/", "https://localhost.evil.example/", "http://evil.localhost/",
    "http://127.0.0.1/", "http://127.0.0.1:PORT/", "http://[::1]:PORT/", "http://localhos/", "http://ocalhost/",
    "http://xlocalhost/"])
def test_absolute_form_of_another_server_is_refused(recorded, target):
    """Other ports than the scheme's and the server's, other hosts."""
    answer = refuse(recorded, target=target.replace("PORT", str(recorded.server.port)))
    assert (answer.status, answer.token) == (403, "tenant-unknown")


def test_absolute_form_without_host_in_http_1_0(recorded):
    seen = send(recorded, target="http://localhost/a", host=None, version="HTTP/1.0")
    assert seen.line == "GET /a HTTP/1.1"


def test_asterisk_form(recorded):
    assert send(recorded, method="OPTIONS", target="*").line == "OPTIONS * HTTP/1.1"


HOST_FIELDS = [  # (server, the Host that is sent)
    ("api4.successfactors.com", "api4.cert.successfactors.com"),
    ("https://api4.successfactors.com:443", "api4.cert.successfactors.com"),
    ("API4.cert.SuccessFactors.com:8443", "api4.cert.successfactors.com:8443"),
    ("localhost", "localhost"),
]


@pytest.mark.parametrize("server, host", HOST_FIELDS)
def test_host_is_the_server_s(proxy, tenant, recorder, server, host):
    """With its port only where that is not the default; whatever the caller's Host was."""
    upstream = recorder()
    p = proxy(tenant(upstream.port, server=server))
    for own in ("localhost", "127.0.0.1:1", "[::1]", host.split(":")[0]):
        assert p.request(host=own).status == 200
        [seen] = upstream.take()
        assert seen.all("Host") == [host]


# ---- the company ----

@pytest.mark.parametrize("name", ["successfactors-companyid", "SuccessFactors-CompanyId", "SUCCESSFACTORS_COMPANYID",
                                  "successfactors_companyid", "Successfactors_CompanyID"])
def test_the_company_id_travels_exactly_once(recorded, name):
    """Under its one name, in place of what the caller wrote."""
    seen = send(recorded, fields=[("A", "1"), (name, "ACME"), ("B", "2")])
    assert [(n, v) for n, v in seen.fields if "companyid" in n.lower()] == [("successfactors-companyid", "ACME")]
    assert seen.others() == [("A", "1"), ("B", "2")]


C, U = "successfactors-companyid", "SuccessFactors_CompanyId"
COMPANIES = [
    [(C, "OTHER")], [(C, "acme")], [(C, "ACME2")], [(C, "ACM")], [(C, "")], [(C, "ACME, ACME")], [(C, "ACME;")],
    [(C, '"ACME"')], [(U, "OTHER")], [(U, "")],
    [(C, "ACME"), (C, "ACME")], [(C, "ACME"), (U, "ACME")], [(U, "ACME"), (U, "ACME")], [(C, "ACME"), (C, "OTHER")],
    [(C, "OTHER"), (U, "ACME")], [(C, "ACME"), (C, "")], [(C.upper(), "ACME"), (C, "ACME")],
]


@pytest.mark.parametrize("fields", COMPANIES, ids=lambda f: " ".join("=".join(pair) for pair in f))
def test_another_company_id_or_a_second_one_is_refused(recorded, fields):
    answer = refuse(recorded, fields=fields)
    assert answer.status == 403 and answer.token in ("tenant-unknown", "company-repeated")


# ---- fields ----

def test_configured_headers_are_added_and_replace_the_caller_s(proxy, tenant, recorder):
    """Once, as configured, whatever the case and number of the caller's."""
    upstream = recorder()
    p = proxy(tenant(upstream.port) + "header.X-Thing = value ü; \"x\"\nheader.Accept-Language = de\n")
    assert p.request(fields=[("x-thing", "a"), ("A", "1"), ("X-THING", "b"), ("Accept-Language", "fr")]).status == 200
    [seen] = upstream.take()
    assert seen.all("X-Thing") == ["value ü; \"x\"".encode().decode("latin-1")]
    assert seen.all("Accept-Language") == ["de"]
    assert ("X-Thing" in dict(seen.fields)) and "x-thing" not in dict(seen.fields)
    assert [f for f in seen.others() if f[0].lower() not in ("x-thing", "accept-language")] == [("A", "1")]


def test_connection_does_not_take_out_what_the_proxy_puts_in(proxy, tenant, recorder):
    """First the hop-by-hop fields go, then the proxy's own come in."""
    upstream = recorder()
    p = proxy(tenant(upstream.port) + "header.X-Thing = ours\n")
    assert p.request(fields=[("Connection", "X-Thing"), ("X-Thing", "theirs")]).status == 200
    assert upstream.take()[0].others() == [("X-Thing", "ours")]


@pytest.mark.parametrize("name", [
    "Host", "hOST", "Content-Length", "Transfer-Encoding", "Content_Length", "Connection", "Keep-Alive", "TE",
    "Upgrade", "Proxy-Connection", "Proxy-Authorization", "Proxy-Anything", "Proxy_Anything", "X-CLIENT-CERT",
    "x_client_cert", "successfactors-companyid", "SuccessFactors_CompanyId"])
def test_headers_that_the_proxy_decides_about_cannot_be_configured(tenant, tmp_path, name):
    config = tmp_path / "sfmtls.ini"
    config.write_text(tenant(1) + f"header.{name} = x\n")
    result = harness.run_cli("run", "-t", "-c", str(config))
    assert result.returncode == 2
    assert f"{config}:" in result.stderr and name in result.stderr


AUTHORIZATIONS = ["Basic YTpi", "basic eEBBQ01FOnk=", "Bearer abc", "Negotiate x", "garbage", ""]


@pytest.mark.parametrize("value", AUTHORIZATIONS)
def test_authorization_is_stripped(recorded, value):
    seen = send(recorded, fields=[("A", "1"), ("Authorization", value), ("aUTHORIZATION", "Bearer 2"), ("B", "2")])
    assert seen.others() == [("A", "1"), ("B", "2")]


@pytest.mark.parametrize("value", AUTHORIZATIONS)
def test_authorization_is_kept_on_demand(proxy, tenant, recorder, value):
    upstream = recorder()
    p = proxy(tenant(upstream.port, authorization="keep"))
    assert p.request(fields=[("A", "1"), ("aUTHORIZATION", value), ("B", "2")]).status == 200
    assert upstream.take()[0].others() == [("A", "1"), ("aUTHORIZATION", value), ("B", "2")]


def test_authorization_can_be_configured(proxy, tenant, recorder):
    """Stripped is the caller's; BTP's destinations carry one of their own."""
    upstream = recorder()
    p = proxy(tenant(upstream.port) + "header.Authorization = Bearer ours\n")
    assert p.request(fields=[("Authorization", "Basic YTpi")]).status == 200
    assert upstream.take()[0].others() == [("Authorization", "Bearer ours")]


REMOVED = [
    [("Connection", "close")], [("Connection", "Keep-Alive"), ("Keep-Alive", "timeout=5")], [("Keep-Alive", "300")],
    [("Proxy-Connection", "keep-alive")], [("Proxy_Connection", "keep-alive")], [("TE", "trailers")],
    [("te", "gzip;q=0.5"), ("Connection", "TE")], [("Upgrade", "h2c"), ("Connection", "Upgrade")],
    [("Upgrade", "TLS/1.0, h2c")], [("HTTP2-Settings", "AAMAAABkAAQAAP__")],
    [("Connection", "X-Hop"), ("X-Hop", "1")], [("x-hop", "1"), ("X-HOP", "2"), ("connection", "x-Hop")],
    [("Connection", "a, X-Hop ,,b"), ("X-Hop", "1")],
    [("Connection", "close"), ("Connection", "\tX-Hop"), ("X-Hop", "1")],
    [("Connection", "Authorization, Accept"), ("Accept", "*/*"), ("Authorization", "Basic YTpi")],
    [("Connection", "Connection")], [("Connection", "")], [("Connection", ",")], [("Connection", "close, close")],
    [("Proxy-Authorization", "Basic x")], [("proxy-authorization", "Bearer x")], [("Proxy_Authorization", "Basic x")],
    [("Proxy-Authenticate", "x")], [("Proxy-Features", "x")], [("Proxy-Status", "x")], [("PROXY_STATUS", "x")],
    [("proxy-x", "y")], [("X-CLIENT-CERT", "MII")], [("x-client-cert", "MII")], [("X_CLIENT_CERT", "MII")],
    [("X-Client_Cert", "MII"), ("X-CLIENT-CERT", "MII")], [("X-Sfmtls-Token", "0123456789abcdef")],
    [("x_sfmtls_token", "")],
]


@pytest.mark.parametrize("fields", REMOVED, ids=lambda f: " ".join(f"{n}={v}" for n, v in f))
def test_what_may_not_travel_is_removed(recorded, fields):
    """Its neighbours stay, in their order."""
    around = [("Before", "1"), *fields, ("After", "2")]
    assert send(recorded, fields=around).others() == [("Before", "1"), ("After", "2")]


@pytest.mark.parametrize("option", ["Host", "host", "Content-Length", "Transfer-Encoding", "Cookie", "COOKIE", C, U,
                                    "close, Host", "Host,close", "X-Hop, \tcookie\t"])
@pytest.mark.parametrize("present", [True, False])
def test_connection_cannot_name_what_is_vital(recorded, option, present):
    """Whether the field is there or not: a server between would be made to drop what it is read by."""
    fields = [("Cookie", "a=b"), (C, "ACME")] if present else []
    answer = refuse(recorded, fields=[*fields, ("Connection", option)])
    assert (answer.status, answer.token) == (400, "request-malformed")


def test_connection_can_name_them_nowhere(recorded):
    """In a second field neither."""
    answer = refuse(recorded, fields=[("Connection", "close"), ("A", "1"), ("connection", "Host")])
    assert (answer.status, answer.token) == (400, "request-malformed")


KEPT = [
    ("accept", "*/*"), ("Accept-ENCODING", "gzip, deflate"), ("X-b", "1"), ("x-B", "2"), ("Cookie", "a=b; c=d"),
    ("cookie", "e=f"), ("X-Empty", ""), ("If-Match", 'W/"x"'), ("X-CSRF-Token", "Fetch"), ("Origin-Like", "x"),
    ("Range", "bytes=0-1"), ("Via", "1.1 caller"), ("X-Forwarded", "10.0.0.1"), ("Forwarded-For", "x"),
    ("X_Under", "1"), ("DataServiceVersion", "2.0"), ("Trailer", "X"), ("Proxy", "x"), ("ProxyX", "x"),
    ("X-Proxy-Authorization", "x"), ("Te-st", "1"), ("Upgrade-Insecure-Requests", "1"), ("X-Host", "x"),
    ("User-Agent", "Mozilla/5.0 (X11)"), ("MaxDataServiceVersion", "2.0"), ("X-HTTP-Method", "MERGE"),
    ("X-Connection", "close"), ("Connections", "x"), ("X-Authorization", "x"), ("x-successfactors-companyid", "y"),
]


def test_all_others_keep_their_case_value_and_order(recorded):
    """Forwards and backwards, and next to nothing else."""
    for fields in (KEPT, KEPT[::-1]):
        assert send(recorded, fields=fields).others() == fields


def test_nothing_is_told_of_the_way(recorded):
    """No Via, no X-Forwarded-For, nor their kin: not to the server and not to the caller."""
    answer = recorded.proxy.request()
    [seen] = recorded.server.take()
    assert seen.names() == ["host", "successfactors-companyid"]
    assert not {n.lower() for n, v in answer.fields} & set(VIA_LIKE)


# ---- upgrades ----

H2C = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")]


@pytest.mark.parametrize("method, body", [("GET", b""), ("POST", b"hello"), ("OPTIONS", b""), ("PUT", b"x" * 70000)])
def test_h2c_is_ignored(recorded, method, body):
    """As Java's client and curl --http2 ask for it: served as HTTP/1.1, and the connection goes on so."""
    with recorded.proxy.caller() as c:
        answers = [c.request(method, target="/1", fields=H2C, body=body), c.request(target="/2", fields=H2C)]
    assert [a.status for a in answers] == [200, 200]
    assert all(a.all("Upgrade") == [] and a.version == "HTTP/1.1" for a in answers)
    first, second = recorded.server.take()
    assert (first.target, first.body, second.target) == ("/1", body, "/2")
    assert not {"connection", "upgrade", "http2-settings"} & {*first.names(), *second.names()}


def test_curl_with_http2(recorded):
    result = subprocess.run(["curl", "-sS", "--http2", "-d", "hello", "-w", " %{http_version} %{http_code}",
                             recorded.proxy.url("/")], capture_output=True, text=True, timeout=harness.LIMIT)
    assert result.stdout == "ok 1.1 200", result.stderr
    [seen] = recorded.server.take()
    assert seen.body == b"hello" and "upgrade" not in seen.names()


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket", "h2c, websocket", "websocket/13"])
@pytest.mark.parametrize("connection", ["Upgrade", "keep-alive, upgrade"])
def test_websockets_are_refused(recorded, upgrade, connection):
    answer = refuse(recorded, fields=[("Connection", connection), ("Upgrade", upgrade), ("Sec-WebSocket-Version", "13"),
                                      ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
    assert (answer.status, answer.token) == (501, "websocket-not-served")


def test_upgrade_means_nothing_in_http_1_0(recorded):
    """RFC 9110 section 7.8: a server MUST ignore it there."""
    seen = send(recorded, version="HTTP/1.0", fields=[("Connection", "Upgrade"), ("Upgrade", "websocket")])
    assert seen.others() == []


# ---- methods ----

@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "MERGE", "PROPFIND"])
@pytest.mark.parametrize("body", [b"", b"hello"])
def test_methods_pass(recorded, method, body):
    seen = send(recorded, method=method, target="/a", body=body)
    assert (seen.line, seen.body) == (f"{method} /a HTTP/1.1", body)


def test_trace_is_not_allowed(recorded):
    answer = refuse(recorded, method="TRACE", fields=[("A", "secret")])
    assert (answer.status, answer.token) == (405, "method-not-allowed")
    allowed = [m.strip() for m in answer.get("Allow").split(",")]
    assert {"GET", "HEAD", "POST", "PUT", "PATCH", "MERGE", "DELETE", "OPTIONS"} <= set(allowed)
    assert "TRACE" not in allowed and "CONNECT" not in allowed
    assert b"secret" not in answer.body


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
@pytest.mark.parametrize("value, sent", [("1", "0"), ("10", "9"), (" 7\t", "6"), ("0", None)])
@pytest.mark.parametrize("target", ["/a", "*"])
def test_max_forwards_counts_for_options(recorded, method, value, sent, target):
    """RFC 9110, 7.6.2. Whoever is the last answers itself."""
    if method == "GET":
        assert send(recorded, fields=[("Max-Forwards", value)]).others() == [("Max-Forwards", value.strip())]
        return
    if sent:
        assert send(recorded, method=method, target=target, fields=[("Max-Forwards", value)]).others() == [
            ("Max-Forwards", sent)]
        return
    answer = refuse(recorded, method=method, target=target, fields=[("Max-Forwards", value)])
    assert (answer.status, answer.body) == (204, b"") and "PATCH" in answer.get("Allow")


@pytest.mark.parametrize("values", [["-1"], [""], ["1.5"], ["x"], ["1", "1"], ["1, 1"]], ids=str)
def test_max_forwards_that_cannot_be_read(recorded, values):
    answer = refuse(recorded, method="OPTIONS", fields=[("Max-Forwards", value) for value in values])
    assert (answer.status, answer.token) == (400, "request-malformed")


CONNECTS = [  # (target, Host)
    ("api4.successfactors.com:443", "api4.successfactors.com:443"), ("localhost:443", "localhost:443"),
    ("example.com:443", "example.com:443"), ("example.com:443", "localhost"), ("10.0.0.1:80", "10.0.0.1:80"),
    ("[2001:db8::1]:443", "[2001:db8::1]:443"),
]


@pytest.mark.parametrize("target, host", CONNECTS)
def test_connect_is_not_served_without_a_ca(recorded, target, host):
    """And says so, whatever is asked for: no caller can know what is behind a 421."""
    answer = refuse(recorded, method="CONNECT", target=target, host=host)
    assert (answer.status, answer.token) == (501, "connect-not-served")
    assert "sfmtls ca init" in answer.json()["cure"]


def test_curl_shows_that_connect_is_not_served(recorded):
    result = subprocess.run(["curl", "-sS", "-x", recorded.proxy.url(""), "https://example.com/"],
                            capture_output=True, text=True, timeout=harness.LIMIT)
    assert result.returncode == 56 and "501" in result.stderr


@pytest.mark.parametrize("method", ["get", "Get", "post", "GETS", "GE", "XGET", "FOO", "QUERY", "PRI", "G", "A-B", "!",
                                    "X" * 100, "trace", "connect"])
def test_unknown_methods_are_not_implemented(recorded, method):
    """Methods are case-sensitive."""
    answer = refuse(recorded, method=method)
    assert (answer.status, answer.token) == (501, "method-unknown")


# ---- HTTP/1.0, and how long connections last ----

LASTING = [  # (version, fields, whether the connection goes on, the Connection field of the answer)
    ("HTTP/1.1", [], True, None),
    ("HTTP/1.1", [("Connection", "keep-alive")], True, None),
    ("HTTP/1.1", [("Connection", "close")], False, "close"),
    ("HTTP/1.1", [("Connection", "Close")], False, "close"),
    ("HTTP/1.1", [("Connection", "keep-alive, close")], False, "close"),
    ("HTTP/1.1", [("Connection", "x"), ("Connection", "close")], False, "close"),
    ("HTTP/1.0", [], False, "close"),
    ("HTTP/1.0", [("Connection", "close")], False, "close"),
    ("HTTP/1.0", [("Connection", "keep-alive")], True, "keep-alive"),
    ("HTTP/1.0", [("Connection", "Keep-Alive")], True, "keep-alive"),
    ("HTTP/1.0", [("Connection", "x, keep-alive")], True, "keep-alive"),
    ("HTTP/1.0", [("Connection", "keep-alive, close")], False, "close"),
    ("HTTP/1.0", [("Connection", "close"), ("Connection", "keep-alive")], False, "close"),
    ("HTTP/1.0", [("Keep-Alive", "300")], False, "close"),
]


@pytest.mark.parametrize("version, fields, lasts, said", LASTING)
@pytest.mark.parametrize("host", ["localhost", None])
def test_how_long_a_connection_lasts(recorded, version, fields, lasts, said, host):
    """RFC 9112 section 9.3; HTTP/1.0 needs no Host. What is pipelined behind the end is not read."""
    host = host or (None if version == "HTTP/1.0" else "127.0.0.1")
    with recorded.proxy.caller() as c:
        answer = c.request(target="/1", fields=fields, version=version, host=host)
        assert (answer.status, answer.version, answer.get("Connection")) == (200, "HTTP/1.1", said)
        assert answer.body == b"ok"
        if lasts:
            assert c.request(target="/2", version=version, host=host).status == 200
        else:
            assert c.is_closed()
    seen = recorded.server.take()
    assert [s.line for s in seen] == [f"GET /{n} HTTP/1.1" for n in ((1, 2) if lasts else (1,))]
    assert all(s.others() == [] for s in seen)


def test_answers_of_unknown_length_end_with_the_connection_in_http_1_0(proxy, tenant, recorder):
    """Such a caller knows no chunks, even if it asked for keep-alive."""
    upstream = recorder(lambda c, seen: c.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n"))
    with proxy(tenant(upstream.port)).caller() as c:
        answer = c.request(version="HTTP/1.0", fields=[("Connection", "keep-alive")], host=None)
        assert (answer.body, answer.all("Transfer-Encoding"), answer.get("Connection")) == (b"hello", [], "close")


def test_interim_answers_are_not_for_http_1_0(proxy, tenant, recorder):
    """RFC 9110 section 15.2: it knows no 1xx; HTTP/1.1 gets each of them."""
    upstream = recorder(lambda c, seen: (c.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\n"),
                                         c.reply(b"ok")))
    p = proxy(tenant(upstream.port))
    with p.caller() as c:
        assert c.request(version="HTTP/1.0").body == b"ok" and c.interim == []
    with p.caller() as c:
        assert c.request().body == b"ok"
        assert [(i.status, i.fields) for i in c.interim] == [(103, [("Link", "</a>")])]


@pytest.mark.parametrize("value", ["100-continue", "100-Continue", "x"])
def test_expect_means_nothing_in_http_1_0(recorded, value):
    """RFC 9110 section 10.1.1: ignored there, so the server, which is spoken to in 1.1, does not get it."""
    seen = send(recorded, method="POST", version="HTTP/1.0", fields=[("Expect", value)], body=b"hello")
    assert (seen.all("Expect"), seen.body) == ([], b"hello")


@pytest.mark.parametrize("value", ["100-continue", "100-CONTINUE"])
def test_expect_travels_in_http_1_1(recorded, value):
    seen = send(recorded, method="POST", fields=[("Expect", value)], body=b"hello")
    assert (seen.all("Expect"), seen.body) == ([value], b"hello")


@pytest.mark.parametrize("value", ["x", "100-continue, x", "200-ok"])
def test_other_expectations_are_refused(recorded, value):
    answer = refuse(recorded, method="POST", fields=[("Expect", value)], body=b"hello")
    assert (answer.status, answer.token) == (417, "expectation-unknown")


# ---- answers ----

@pytest.fixture(scope="module")
def answering(recorded_by):
    """answering(raw): the answer that a caller gets if the server sends raw."""
    path = recorded_by(lambda c, seen: c.send(path.raw))

    def ask(raw):
        path.raw = raw
        return path.proxy.request()

    return ask


def raw_answer(fields, body=b"ok", line=b"HTTP/1.1 200 OK"):
    lines = b"".join(f"{n}: {v}\r\n".encode("latin-1") for n, v in fields)
    return line + b"\r\n" + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


DATE = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")


@pytest.mark.parametrize("status", [200, 204, 304, 404, 503])
@pytest.mark.parametrize("fields", [[], [("date", DATE[1])], [("Connection", "Date"), DATE]],
                         ids=["none", "one", "named"])
def test_an_answer_has_a_date(answering, status, fields):
    """RFC 9110, 6.6.1: if it came without one, that of its arrival."""
    before = int(time.time())
    more = fields if status in (204, 304) else [*fields, ("Content-Length", "0")]
    got = answering("".join([f"HTTP/1.1 {status} X\r\n", *(f"{n}: {v}\r\n" for n, v in more), "\r\n"]).encode())
    if fields == [("date", DATE[1])]:
        assert [f for f in got.fields if f[0].lower() == "date"] == fields
    else:
        [date] = [v for n, v in got.fields if n == "Date"]
        assert before <= email.utils.parsedate_to_datetime(date).timestamp() <= time.time()


@pytest.mark.parametrize("fields", [
    [("Connection", "close")], [("Connection", "keep-alive"), ("Keep-Alive", "timeout=5, max=9")],
    [("Proxy-Connection", "close")], [("Upgrade", "h2,h2c"), ("Connection", "Upgrade")], [("TE", "x")],
    [("Connection", "X-Hop, x-other"), ("X-Hop", "1"), ("X-OTHER", "2")], [("x-hop", "1"), ("connection", "X-Hop")],
    [("Proxy-Authenticate", "Basic realm=x")], [("Proxy-Authentication-Info", "x")], [("Proxy_X", "y")],
    [("Proxy-Authorization", "x")], [("Connection", "Set-Cookie"), ("Set-Cookie", "a=b")],
], ids=lambda f: " ".join(f"{n}={v}" for n, v in f))
def test_hop_by_hop_fields_of_answers_are_removed(answering, fields):
    """Its neighbours stay, in their order."""
    got = answering(raw_answer([("Before", "1"), *fields, DATE]))
    assert got.fields == [("Before", "1"), DATE, ("Content-Length", "2")]
    assert got.body == b"ok"


def test_other_fields_of_answers_keep_case_value_and_order(answering):
    fields = [("Server", "SAP"), ("set-cookie", "JSESSIONID=1; Path=/"), ("Set-Cookie", "BIGIP=2"),
              ("x-Csrf-Token", "t"), ("DATE", "Sun, 06 Nov 1994 08:49:37 GMT"), ("X-Empty", ""), ("ETag", 'W/"1"'),
              ("X", "\xfc\x80\xff"), ("WWW-Authenticate", "Basic"), ("Via", "1.1 edge"), ("Trailer", "X"),
              (C, "ACME"), ("Location", "http://example.com/"), ("Upgraded", "x"), ("X_under", "1")]
    for chosen in (fields, fields[::-1]):
        assert answering(raw_answer(chosen)).fields == [*chosen, ("Content-Length", "2")]


@pytest.mark.parametrize("connection", ["Content-Length", "close, content-length"])
def test_connection_of_an_answer_cannot_take_its_length(answering, connection):
    got = answering(raw_answer([("Connection", connection)]))
    assert (got.body, got.all("Content-Length"), got.complete) == (b"ok", ["2"], True)


PROXY_STATUS = [  # (what the server sends, what the caller gets)
    (["sfmtls; error=dns_error"], []),
    (["sfmtls"], []), (["SFMTLS;x=y"], []), ([" sfmtls ;x"], []), (['"sfmtls";x'], []),
    (["edge; error=x"], ["edge; error=x"]),
    (["edge, sfmtls; error=x, other;y"], ["edge, other;y"]),
    (["sfmtls,edge"], ["edge"]), (["edge,sfmtls"], ["edge"]), (["sfmtls, sfmtls"], []),
    (['edge; details="a, sfmtls; b"'], ['edge; details="a, sfmtls; b"']),
    (['edge; details="a\\", sfmtls; b"', "sfmtls"], ['edge; details="a\\", sfmtls; b"']),
    (["sfmtls; a=1", "edge", "sfmtls; b=2"], ["edge"]),
    (["sfmtls2, xsfmtls, sf"], ["sfmtls2, xsfmtls, sf"]),
    ([""], []), ([",sfmtls,"], []),
]


@pytest.mark.parametrize("sent, got", PROXY_STATUS, ids=lambda v: " | ".join(v))
def test_nobody_else_speaks_under_the_proxy_s_name(answering, sent, got):
    """RFC 9209: whoever reads `sfmtls` there must be able to believe it."""
    answer = answering(raw_answer([("Proxy-Status", value) for value in sent]))
    assert answer.status == 200 and answer.all("Proxy-Status") == got


@pytest.mark.parametrize("reason, got", [
    (b" OK", "OK"), (b"", ""), (b" ", ""), (b" Gr\xfc\xdfe", "Gr??e"), (b" a\xff\x80", "a??"), (b" a  b", "a  b"),
    (b" \"<>", "\"<>")])
def test_the_reason_is_sanitised(answering, reason, got):
    answer = answering(raw_answer([], line=b"HTTP/1.1 404" + reason))
    assert (answer.version, answer.status, answer.reason.strip(), answer.body) == ("HTTP/1.1", 404, got, b"ok")


def test_a_tab_in_the_reason(answering):
    """Legal (RFC 9112, 4): passed on or made harmless, not refused."""
    answer = answering(raw_answer([], line=b"HTTP/1.1 200 a\tb"))
    assert answer.status == 200 and answer.reason in ("a\tb", "a?b", "a b")


@pytest.mark.parametrize("status", [200, 201, 203, 205, 206, 226, 299, 300, 301, 303, 307, 400, 401, 402, 403, 404, 409,
                                    412, 418, 429, 451, 499, 500, 501, 502, 503, 504, 507, 599])
def test_every_status_passes_with_its_body(answering, status):
    got = answering(raw_answer([("X", "y")], line=b"HTTP/1.1 %d Some Reason" % status))
    assert (got.status, got.reason, got.body, got.get("X")) == (status, "Some Reason", b"ok", "y")
    assert got.all("Proxy-Status") == []


@pytest.mark.parametrize("method, pieces", [
    ("GET", [b"Content-Length: 0\r\n\r\n"]), ("HEAD", [b"Content-Length: 7\r\n\r\n"]),
    ("GET", [b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"]),
    ("GET", [b"Content-Length: 2\r\n\r\n", b"o", b"k"])])
def test_a_400_passes_without_a_body_and_in_pieces(proxy, tenant, recorder, method, pieces):
    """Its body is looked at for what servers write about certificates, if there is one."""

    def reply(c, seen):
        c.send(b"HTTP/1.1 400 Bad Request\r\n")
        for piece in pieces:
            c.send(piece)

    upstream = recorder(reply)
    with proxy(tenant(upstream.port)).caller() as c:
        for _ in range(2):
            got = c.request(method)
            assert (got.status, got.complete, got.all("Proxy-Status")) == (400, True, [])
            assert got.body == (b"ok" if b"k" in pieces else b"")


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("line", [b"HTTP/1.0 200 OK", b"HTTP/1.1 200 OK"])
def test_close_delimited_answers(proxy, tenant, recorder, version, line):
    """Chunked to those who know chunks, up to the end of the connection to others."""
    upstream = recorder(lambda c, seen: (c.send(line + b"\r\nX: y\r\n\r\nhello"), c.end()))
    with proxy(tenant(upstream.port)).caller() as c:
        got = c.request(version=version)
        assert (got.version, got.body, got.complete, got.get("X")) == ("HTTP/1.1", b"hello", True, "y")
        assert got.all("Transfer-Encoding") == (["chunked"] if version == "HTTP/1.1" else [])
        assert got.get("Connection") == (None if version == "HTTP/1.1" else "close")


@pytest.mark.parametrize("line, fields", [
    (b"HTTP/1.0 200 OK", []), (b"HTTP/1.0 200 OK", [("Connection", "keep-alive")]),
    (b"HTTP/1.1 200 OK", [("Connection", "close")]), (b"HTTP/1.1 200 OK", [("Connection", "x, Close")])])
def test_a_connection_that_the_server_ends_is_not_used_again(proxy, tenant, recorder, line, fields):
    """An HTTP/1.0 server, or one that says close; the caller's connection goes on nevertheless."""
    upstream = recorder(lambda c, seen: c.send(raw_answer(fields, line=line)))
    with proxy(tenant(upstream.port)).caller() as c:
        for _ in range(2):
            got = c.request()
            assert (got.version, got.body, got.get("Connection")) == ("HTTP/1.1", b"ok", None)
    assert [seen.connection.number for seen in upstream.take()] == [0, 1]


# ---- limits ----

@pytest.fixture(scope="module")
def limited_path(recorded_by):
    def reply(c, seen):
        c.reply(b"ok", fields="X: a\r\n" * int(dict(seen.fields).get("Fields", 0)))

    return recorded_by(reply, max_head=2000, max_fields=20, max_target=1000)


@pytest.fixture
def limited(limited_path):
    """As `recorded`, with small limits; answers have as many fields as the field Fields asks for."""
    limited_path.server.take()
    return limited_path


def head_to(target, fields=""):
    return f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"


def head_of(size):
    """A head of exactly that many bytes, the empty line included."""
    head = head_to("/", "X: \r\n")
    return head.replace("X: ", "X: " + "a" * (size - len(head)))


LIMITS = [  # (what, bytes, status, token)
    ("a head of max-head", head_of(2000), 200, None),
    ("a head of one more", head_of(2001), 431, "head-too-large"),
    ("a head of much more", head_of(100000), 431, "head-too-large"),
    ("a field without an end", head_of(100000)[:-4], 431, "head-too-large"),
    ("max-fields", head_to("/", "X: a\r\n" * 19), 200, None),
    ("one field more", head_to("/", "X: a\r\n" * 20), 431, "head-too-large"),
    ("a target of max-target", head_to("/?" + "a" * 998), 200, None),
    ("a target of one more", head_to("/?" + "a" * 999), 414, "target-too-long"),
    ("an absolute target of one more", head_to("http://localhost/?" + "a" * 983), 414, "target-too-long"),
    ("a target of much more", head_to("/" + "a" * 1500), 414, "target-too-long"),
    ("a target without an end", "GET /" + "a" * 100000, 414, "target-too-long"),
]


@pytest.mark.parametrize("what, raw, status, token", LIMITS, ids=ids(LIMITS))
@pytest.mark.parametrize("size", [1000000, 100, 1])
def test_limits_are_exact(limited, what, raw, status, token, size):
    """The same however the head is cut; what has no end is refused as soon as it is too long."""
    size = max(size, len(raw) // 3000)
    with limited.proxy.caller() as c:
        with contextlib.suppress(OSError):
            for i in range(0, len(raw), size):
                c.send(raw[i:i + size])
        answer = c.answer()
        assert answer.status == status
        if token:
            assert answer.token == token and answer.get("Connection") == "close"
            assert c.read_to_end() == b""
    assert len(limited.server.take()) == (status == 200)


@pytest.mark.parametrize("fields, status", [(19, 200), (20, 502)])
def test_the_number_of_an_answer_s_fields_is_limited(limited, fields, status):
    """Content-Length is the twentieth."""
    answer = limited.proxy.request(fields=[("Fields", fields)])
    assert answer.status == status and (status == 200 or answer.token == "answer-head-too-large")


@pytest.mark.parametrize("size, status", [(2000, 200), (2001, 502)])
def test_the_size_of_an_answer_s_head_is_limited(proxy, tenant, recorder, size, status):
    head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: \r\n\r\n"
    head = head.replace("X: ", "X: " + "a" * (size - len(head)))
    upstream = recorder(lambda c, seen: c.send(head + "ok"))
    answer = proxy(tenant(upstream.port), max_head=2000).request()
    assert answer.status == status and (status == 200 or answer.token == "answer-head-too-large")


@pytest.mark.parametrize("size", [1, 13, 700])
def test_large_heads_in_small_segments(recorded, size):
    """60 KiB, legal by default: nothing is lost or changed wherever the segments end."""
    fields = [(f"X-{i}", f"{i:04}" * 150) for i in range(60 if size > 1 else 6)]
    fields += [("Cookie", "c" * 15000)] if size > 1 else []
    raw = ("GET /large HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields) + "\r\n").encode()
    assert len(raw) > 50 * 1024 or size == 1
    with recorded.proxy.caller() as c:
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(0, len(raw), size):
            c.send(raw[i:i + size])
        assert c.answer().status == 200
    [seen] = recorded.server.take()
    assert seen.others() == fields


# ---- the proxy's own answers ----

@pytest.mark.parametrize("fields, status", [([], 405), ([("Host", "x")], 400), ([("X y", "z")], 400),
                                            ([("Content-Length", "x")], 400)])
def test_refusals_are_whole_answers(recorded, fields, status):
    answer = refuse(recorded, method="TRACE", fields=fields)
    assert answer.status == status and answer.token
    assert answer.complete and answer.all("Date") and answer.get("Cache-Control") == "no-store"


HEAD_REFUSALS = [  # (name, fields, status): judged by the guard, by the router, by the reader
    ("a foreign Origin", "Host: localhost\r\nOrigin: http://evil.example\r\n", 403),
    ("another company", "Host: localhost\r\nsuccessfactors-companyid: X\r\n", 403),
    ("a foreign Host", "Host: evil.example\r\n", 421),
    ("no Host", "", 400),
    ("two Hosts", "Host: localhost\r\nHost: localhost\r\n", 400),
    ("two lengths", "Host: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n", 400),
    ("too many fields", "Host: localhost\r\n" + "X: y\r\n" * 300, 431),
]


@pytest.mark.parametrize("name, fields, status", HEAD_REFUSALS, ids=ids(HEAD_REFUSALS))
def test_head_gets_no_body_even_when_refused(recorded, name, fields, status):
    with recorded.proxy.caller() as c:
        c.send("HEAD / HTTP/1.1\r\n" + fields + "\r\n")
        answer = c.answer("HEAD")
        c.sock.shutdown(socket.SHUT_WR)
        assert (answer.status, c.read_to_end()) == (status, b"")


# ---- real callers ----

def test_curl_through_http_proxy(recorded):
    """Absolute-form, with the proxy as http_proxy; Proxy-Connection and Proxy-Authorization stay here."""
    result = subprocess.run(
        ["curl", "-sS", "-x", f"http://user:pw@127.0.0.1:{recorded.proxy.port}", "-w", " %{http_code}",
         "-H", "X-A: b", "http://localhost/a?b"], capture_output=True, text=True, timeout=harness.LIMIT)
    assert result.stdout == "ok 200", result.stderr
    [seen] = recorded.server.take()
    assert seen.line == "GET /a?b HTTP/1.1" and not [n for n in seen.names() if n.startswith("proxy")]
    assert ("X-A", "b") in seen.fields


def test_curl_in_http_1_0(recorded):
    result = subprocess.run(["curl", "-sS", "-0", "-w", " %{http_code}", recorded.proxy.url("/a")],
                            capture_output=True, text=True, timeout=harness.LIMIT)
    assert result.stdout == "ok 200", result.stderr
    assert recorded.server.take()[0].line == "GET /a HTTP/1.1"


def test_python_through_http_proxy(recorded):
    """A real client library, in a process of its own."""
    program = ("import sys, urllib.request as u; o = u.build_opener(u.ProxyHandler({'http': sys.argv[1]}));"
               "r = o.open(u.Request('http://localhost/p?q', b'body')); print(r.status, r.read().decode())")
    result = subprocess.run([sys.executable, "-c", program, f"http://127.0.0.1:{recorded.proxy.port}"],
                            capture_output=True, text=True, timeout=harness.LIMIT)
    assert result.stdout == "200 ok\n", result.stderr
    [seen] = recorded.server.take()
    assert (seen.line, seen.body) == ("POST /p?q HTTP/1.1", b"body")
