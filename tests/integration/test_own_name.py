"""Callers that were given the proxy twice, as base URL and as http_proxy: absolute-form that names the proxy itself is
served as origin-form is, by its own listener's names and port only (RFC 9112, 3.2.2). What may be asked for so, and
what becomes of it, is written down anew here, beside the program."""
import contextlib
import itertools
import os
import socket
import subprocess
import types

import pytest

import harness
from test_callers_file import hashed
from test_connect import make_ca
from test_guard import MINE, TOKEN, own_address, refused, write
from test_tenants import COMPANY, basic, identified

SERVER, CERT = "api4.successfactors.com", "api4.cert.successfactors.com"
NAMED = "proxy.example"
ACME = (COMPANY, "ACME")


def with_links(c, seen):
    body = '{"uri":"https://%s:443/odata/v2/User"}' % seen.host
    c.reply(body.encode(), fields=f"Content-Type: application/json\r\nLocation: https://{seen.host}/there\r\n")


@pytest.fixture(scope="module")
def house(pki, tenant, tmp_path_factory):
    """Listeners of every kind before two tenants; globex has one of its own."""
    folder = tmp_path_factory.mktemp("house")
    tokens = write(folder / "tokens", TOKEN + "\n")
    with contextlib.ExitStack() as stack:
        server = identified(pki, with_links)
        stack.callback(server.stop)
        config = (f"[proxy]\nlisten = 127.0.0.1:0, [::1]:0, unix:{folder}/s, 0.0.0.0:0\nallow-remote = yes\n"
                  f"caller-token-file = {tokens}\nhost-names = {NAMED}, 192.0.2.7\n"
                  + tenant(server.port, server=SERVER)
                  + tenant(server.port, "globex", "GLOBEX", "globex-all.pem", server="api8.successfactors.com",
                           listen="127.0.0.1:0"))
        proxy = harness.Proxy(folder, config)
        stack.callback(proxy.stop)
        yield types.SimpleNamespace(proxy=proxy, server=server)


# ---- the oracle ----

LISTENERS = {"IPv4": 0, "IPv6": 1, "Unix": 2, "remote": 3, "tenant's": 4}
HOSTS = {  # what is said, is it a name of the proxy, is it that of a server?
    "localhost": True, "LocalHost.": True, "app.localhost": True, "127.0.0.1": True, "127.9.9.9": True, "[::1]": True,
    "[0:0::1]": True, NAMED: True, "PROXY.example.": True, "192.0.2.7": True, "OWN": "remote", "OWN.": "remote",
    "192.0.2.8": False, "localhost.example": False, "x" + NAMED: False, "0.0.0.0": False, "[::]": False,
    "elsewhere.example": False, SERVER: "server", CERT: "server",
}
PORTS = ["", ":OWN", ":OTHER", ":80", ":443", ":1"]
SCHEMES = ["http", "https", "HTTP"]


def expected(scheme, listener, host, port, own, other):
    """The status; 0 for what is served."""
    numbers = {"": None, ":OWN": own, ":OTHER": other}
    number = numbers[port] if port in numbers else int(port[1:])
    standard = 443 if scheme == "https" else 80
    if HOSTS[host] == "server":
        if number not in (None, standard, 443):
            return 403
        return 403 if listener == "tenant's" else 0  # it is another tenant's server
    is_own = HOSTS[host] is True or (HOSTS[host] == "remote" and listener == "remote")
    if not is_own or (number or standard) != (standard if listener == "Unix" else own):
        return 403
    return 421 if scheme == "https" else 0


def port_of(house, listener):
    """Of a Unix socket: one that no URL may have."""
    return 81 if listener == "Unix" else house.proxy.port_of(LISTENERS[listener])


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_who_is_meant_by_an_absolute_form(house, listener, scheme):
    own, other = port_of(house, listener), port_of(house, "IPv6" if listener == "IPv4" else "IPv4")
    address = own_address()
    tenant, cn = (("GLOBEX", "globex_user") if listener == "tenant's" else ("ACME", "acme_user"))
    dial = (address, own) if listener == "remote" else None
    with harness.Caller(dial) if dial else house.proxy.caller(LISTENERS[listener]) as c:
        for host, port in itertools.product(HOSTS, PORTS):
            said = host.replace("OWN", address) + port.replace("OWN", str(own)).replace("OTHER", str(other))
            want = expected(scheme.lower(), listener, host, port, own, other)
            for path in ("/a?b", "", "?q"):
                answer = c.request(target=f"{scheme}://{said}{path}", fields=[MINE, (COMPANY, tenant)], host="any")
                what = f"{scheme}://{said}{path} at {listener}"
                assert answer.status == (want or 200), what
                seen = house.server.take()
                if want:
                    assert answer.token == {403: "tenant-unknown", 421: "host-not-served"}[want], what
                    assert seen == []
                    continue
                [seen] = seen
                assert (seen.cn, seen.target) == (cn, path if path[:1] == "/" else "/" + path)
                if HOSTS[host] != "server":
                    assert answer.json()["uri"] == f"http://{said}/odata/v2/User", what
                    assert answer.get("Location") == f"http://{said}/there"


def test_as_in_origin_form(house):
    """Whatever else a request has, the outcome is that of origin-form, with Host being what the URL says."""
    base = f"localhost:{house.proxy.port}"
    tables = [
        [], [ACME], [(COMPANY, "GLOBEX")], [(COMPANY, "NONE")], [basic("u@ACME")], [basic("u@GLOBEX"), ACME],
        [(COMPANY, "ACME")] * 2, [ACME, ("Origin", f"http://{base}")], [ACME, ("Origin", "http://evil.example")],
        [ACME, ("Sec-Fetch-Site", "cross-site")], [ACME, ("Sec-Fetch-Site", "same-origin")],
        [ACME, ("X-Forwarded-For", "10.0.0.1")], [ACME, ("Connection", "Host")], [ACME, ("Upgrade", "websocket")],
        [ACME, ("Expect", "tea")], [ACME, ("Authorization", "Basic !")],
    ]
    for method, fields in itertools.product(["GET", "POST", "OPTIONS", "TRACE"], tables):
        got = []
        for target in ("/odata/v2/x", f"http://{base}/odata/v2/x"):
            answer = house.proxy.request(method, target, [MINE, *fields], host=base, body=b"1" * (method == "POST"))
            seen = [(s.cn, s.target, s.fields, s.body) for s in house.server.take()]
            got.append((answer.status, answer.get("Proxy-Status"), answer.get("WWW-Authenticate"), seen))
        assert got[0] == got[1], (method, fields)


@pytest.mark.parametrize("target, status, token, field", [
    ("/", 401, "caller-token-missing", "WWW-Authenticate"),
    ("http://localhost:{}/", 407, "proxy-token-missing", "Proxy-Authenticate"),
    ("https://localhost:{}/", 407, "proxy-token-missing", "Proxy-Authenticate"),
    ("http://localhost:1/", 407, "proxy-token-missing", "Proxy-Authenticate")])
def test_missing_token_is_told_as_a_proxy_does(house, target, status, token, field):
    for listener in (0, 3):
        with house.proxy.caller(listener) as c:
            answer = c.request(target=target.format(house.proxy.port_of(listener)), fields=[ACME])
            refused(answer, status, token)
            assert answer.get(field) and c.is_closed()
    assert house.server.take() == []


def test_links_that_come_back(house):
    """The base in a body becomes the server's again; paging goes on by the same base."""
    base = f"http://127.0.0.1:{house.proxy.port}"
    body = b'{"uri":"%s/odata/v2/User(1)"}' % base.encode()
    answer = house.proxy.request("POST", f"{base}/x", [MINE, ACME, ("Content-Type", "application/json")], body)
    [seen] = house.server.take()
    assert seen.body == b'{"uri":"https://%s/odata/v2/User(1)"}' % CERT.encode()
    again = house.proxy.request(target=answer.json()["uri"], fields=[MINE, ACME])
    assert again.status == 200 and house.server.take()[0].target == "/odata/v2/User"


def test_host_still_has_to_be_sound(house):
    target = f"http://localhost:{house.proxy.port}/"
    assert house.proxy.request(target=target, host="a b", fields=[MINE, ACME]).token == "request-host"
    assert house.proxy.request(target=target, host=None, fields=[MINE, ACME]).token == "request-host"
    assert house.proxy.request(target=target, host=None, fields=[MINE, ACME], version="HTTP/1.0").status == 200


def test_rules_and_passwords_hold(proxy, pki, tenant, started, tmp_path):
    server = identified(pki)
    started.append(server)
    callers = write(tmp_path / "callers", f"u@ACME:{hashed('pw')}\n")
    p = proxy(tenant(server.port, server=SERVER, callers_file=callers) + "allow = GET /a\n")
    base = f"http://localhost:{p.port}"
    assert p.request(target=base + "/a").token == "caller-unknown"
    assert p.request(target=base + "/b", fields=[basic("u@ACME")]).token == "not-allowed-by-rule"
    assert p.request(target=base + "/a//", fields=[basic("u@ACME")]).token == "path-ambiguous"
    assert p.request(target=base + "/a", fields=[basic("u@ACME")]).status == 200
    assert [seen.target for seen in server.take()] == ["/a"]


def test_server_of_the_same_name_is_meant_by_its_port(proxy, pki, tenant, started):
    """A server on this machine: its port tells it from the proxy."""
    server = identified(pki)
    started.append(server)
    p = proxy(tenant(server.port) + tenant(server.port, "globex", "GLOBEX", "globex-all.pem", server=SERVER))
    for port, company, status in ((server.port, "ACME", 200), (server.port, "GLOBEX", 403), (p.port, "GLOBEX", 200),
                                  (p.port, "ACME", 200), (1, "ACME", 403)):
        answer = p.request(target=f"http://localhost:{port}/", fields=[(COMPANY, company)])
        assert answer.status == status, (port, company)


@pytest.mark.parametrize("options", [[], ["-I"], ["--http1.0"], ["-X", "POST", "-d", "1"]])
def test_curl_with_the_proxy_twice(house, options):
    base = f"http://localhost:{house.proxy.port}"
    house.server.take()
    result = subprocess.run(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *options, "-H", ": ".join(MINE), "-H", ": ".join(ACME),
         f"{base}/odata/v2/User"], capture_output=True, text=True, timeout=harness.LIMIT,
        env={**os.environ, "http_proxy": base, "no_proxy": ""})
    assert result.stdout == "200", result.stderr
    [seen] = house.server.take()
    assert seen.target == "/odata/v2/User"


# ---- CONNECT ----

@pytest.fixture
def tunnels(proxy, pki, tenant, started, tmp_path):
    """Everything is allowed that could lead back."""
    server = identified(pki)
    started.append(server)
    other, admin = harness.unused_port(), harness.unused_port()
    tokens = write(tmp_path / "tokens", TOKEN + "\n")
    section = tenant(server.port, server=SERVER)
    hosts = ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0", "[::]", NAMED, own_address()]
    listen = f"127.0.0.1:{other}, 0.0.0.0:{harness.unused_port()}"
    ports = [other, admin, int(listen.rsplit(":", 1)[1])]
    p = proxy(section, listen=listen, admin=f"127.0.0.1:{admin}", allow_remote="yes", caller_token_file=tokens,
              host_names=NAMED, local_ca=make_ca(tmp_path, section), connect_other="tunnel",
              connect_allow=", ".join(f"{host}:{port}" for host in hosts for port in ports))
    yield types.SimpleNamespace(proxy=p, hosts=hosts, ports=ports, server=server)


def test_connect_to_the_proxy_itself(tunnels):
    """By whichever listener, to whichever: no way in under the proxy's own user, and no loop."""
    hosts = tunnels.hosts + [host + "." for host in tunnels.hosts if not host.startswith("[")]
    for listener, host, port in itertools.product((0, 1), hosts, tunnels.ports):
        with tunnels.proxy.caller(listener) as c:
            c.send(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{': '.join(MINE)}\r\n\r\n")
            answer = refused(c.answer(), 403, "connect-not-allowed")
            assert "lead back to this proxy" in answer.json()["detail"], (host, port)


def test_connect_to_itself_where_nothing_is_allowed(proxy, tenant, recorded):
    p = proxy(tenant(recorded.server.port, server=SERVER))
    with p.caller() as c:
        c.send(f"CONNECT localhost:{p.port} HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = refused(c.answer(), 403, "connect-not-allowed")
        assert f"localhost:{p.port}" in answer.json()["detail"] and "by http" in answer.json()["detail"]


def test_other_ports_of_this_machine_are_no_way_back(proxy, tenant, recorded):
    with socket.create_server(("127.0.0.1", 0)) as far:
        port = far.getsockname()[1]
        p = proxy(tenant(recorded.server.port, server=SERVER), connect_other="tunnel",
                  connect_allow=f"127.0.0.1:{port}")
        with p.caller() as c:
            c.send(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n")
            assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


# ---- the status ----

@pytest.mark.parametrize("host, status", [("localhost", 200), ("127.0.0.1", 200), ("[::1]", 200), ("evil.example", 421),
                                          (SERVER, 200), ("192.0.2.1", 421)])
def test_status_in_absolute_form(proxy, tenant, host, status):
    """The URL's host is judged in place of Host."""
    admin = harness.unused_port()
    proxy(tenant(1, server=SERVER), admin=f"127.0.0.1:{admin}")
    for path in ("/health", "/status"):
        with harness.Caller(("127.0.0.1", admin)) as c:
            assert c.request(target=f"http://{host}:{admin}{path}", host="localhost").status == status
        with harness.Caller(("127.0.0.1", admin)) as c:
            assert c.request(target=path, host=host).status == status
