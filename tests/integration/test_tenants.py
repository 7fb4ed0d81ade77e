"""Whose request is it, and may it come in at all: routing, identities, listeners, the guard."""
import base64
import concurrent.futures
import socket
import ssl
import stat
import subprocess
import types

import pytest

import harness

COMPANY = "successfactors-companyid"
API4, CERT4 = "api4.successfactors.com", "api4.cert.successfactors.com"
API8, CERT8 = "api8.successfactors.com", "api8.cert.successfactors.com"


def basic(user, password="pw"):
    return ("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode("latin-1")).decode())


def identified(pki, reply=lambda c, seen: c.reply(b"ok"), **kwargs):
    """A recorder that also notes which certificate each request came under (.cn), and the name asked for (.sni)."""

    def note(c, seen):
        seen.cn, seen.sni, seen.resumed = c.peer_cn(), c.sock.sni, c.sock.session_reused
        [seen.company], [seen.host] = seen.all(COMPANY), seen.all("Host")
        reply(c, seen)

    server = harness.Recorder(pki, note, **kwargs)
    server.context.sni_callback = lambda sock, name, context: setattr(sock, "sni", name)
    return server


# ---- which tenant ----

@pytest.fixture(scope="module")
def office(pki, tenant, tmp_path_factory):
    """Two companies at api4, one at api8, all of it one server; acme has a listener of its own (the second)."""
    server = identified(pki)
    config = "[proxy]\nlisten = 127.0.0.1:0\n" + "".join([
        tenant(server.port, server=API4, listen="127.0.0.1:0"),
        tenant(server.port, "initech", "Initech", "rsa-chain.pem", server=CERT4, private_key=pki / "rsa.key"),
        tenant(server.port, "globex", "GLOBEX", "globex-all.pem", server="https://" + API8)])
    proxy = harness.Proxy(tmp_path_factory.mktemp("office"), config)
    try:
        yield types.SimpleNamespace(proxy=proxy, server=server)
        proxy.stop()
    finally:
        server.stop()


SEEN = {  # (certificate, company, SNI and Host) at the server
    "acme": ("acme_user", "ACME", CERT4),
    "initech": ("rsa_user", "Initech", CERT4),
    "globex": ("globex_user", "GLOBEX", CERT8),
}

ROUTES = [  # (listener, target, Host, fields, tenant; or status)
    (0, "/", "localhost", [], 401),
    # Host in origin-form never selects
    (0, "/", API8, [], 401),
    (0, "/", CERT8 + ":443", [], 401),
    (0, "/", API8, [(COMPANY, "ACME")], "acme"),
    (0, "/", API8, [basic("u@Initech")], "initech"),
    (1, "/", API8, [], "acme"),
    # the header
    (0, "/", "localhost", [(COMPANY, "ACME")], "acme"),
    (0, "/", "localhost", [(COMPANY, "Initech")], "initech"),
    (0, "/", "localhost", [(COMPANY, "GLOBEX")], "globex"),
    (0, "/", "localhost", [("SuccessFactors_CompanyID", "GLOBEX")], "globex"),
    (0, "/", "localhost", [(COMPANY, " \tGLOBEX\t ")], "globex"),
    (0, "/", "localhost", [(COMPANY, "acme")], 403),
    (0, "/", "localhost", [(COMPANY, "INITECH")], 403),
    (0, "/", "localhost", [(COMPANY, "GLOBE")], 403),
    (0, "/", "localhost", [(COMPANY, "GLOBEX2")], 403),
    (0, "/", "localhost", [(COMPANY, "G*")], 403),
    (0, "/", "localhost", [(COMPANY, "")], 403),
    (0, "/", "localhost", [(COMPANY, "ACME,GLOBEX")], 403),
    (0, "/", "localhost", [(COMPANY, "ACME"), (COMPANY, "GLOBEX")], 403),
    (0, "/", "localhost", [(COMPANY, "ACME"), (COMPANY, "ACME")], 403),
    (0, "/", "localhost", [(COMPANY, "ACME"), ("Successfactors_Companyid", "GLOBEX")], 403),
    # Basic credentials
    (0, "/", "localhost", [basic("sfapi@ACME")], "acme"),
    (0, "/", "localhost", [basic("sfapi@Initech")], "initech"),
    (0, "/", "localhost", [basic("sfapi@GLOBEX")], "globex"),
    (0, "/", "localhost", [basic("me@example.com@GLOBEX")], "globex"),
    (0, "/", "localhost", [basic("me@ACME@GLOBEX")], "globex"),
    (0, "/", "localhost", [basic("@GLOBEX")], "globex"),
    (0, "/", "localhost", [basic("u@GLOBEX", "a:b@ACME")], "globex"),
    (0, "/", "localhost", [basic("u@GLOBEX", "")], "globex"),
    (0, "/", "localhost", [basic("u", "pw@GLOBEX")], 401),
    (0, "/", "localhost", [basic("u@acme")], 403),
    (0, "/", "localhost", [basic("u@initech")], 403),
    (0, "/", "localhost", [basic("u@GLOBEX ")], 403),
    (0, "/", "localhost", [basic("u@ACME@")], 401),
    (0, "/", "localhost", [basic("u@")], 401),
    (0, "/", "localhost", [basic("u")], 401),
    (0, "/", "localhost", [basic("")], 401),
    (0, "/", "localhost", [("Authorization", "basic  " + basic("u@GLOBEX")[1][6:])], "globex"),
    (0, "/", "localhost", [("aUTHORIZATION", "BASIC " + basic("u@GLOBEX")[1][6:].rstrip("="))], "globex"),
    (0, "/", "localhost", [("Authorization", "Bearer " + basic("u@GLOBEX")[1][6:])], 401),
    (0, "/", "localhost", [("Authorization", "Basic")], 401),
    (0, "/", "localhost", [("Authorization", "Basic ")], 401),
    (0, "/", "localhost", [("Authorization", "Basic %%%")], 401),
    (0, "/", "localhost", [("Authorization", "Basic " + base64.b64encode(b"u@GLOBEX").decode())], 401),
    (0, "/", "localhost", [("Authorization", "")], 401),
    # the host of absolute-form
    (0, f"http://{API8}/", "localhost", [], "globex"),
    (0, f"http://{CERT8}/", "localhost", [], "globex"),
    (0, f"https://{API8}/", "localhost", [], "globex"),
    (0, f"https://{CERT8}:443/", "localhost", [], "globex"),
    (0, f"http://{API8}:80/", "localhost", [], "globex"),
    (0, f"http://{API8}:443/", "localhost", [], "globex"),
    (0, f"HTTP://{API8.upper()}./", "localhost", [], "globex"),
    (0, f"http://{API8}/", API4, [], "globex"),
    (0, f"https://{API8}:80/", "localhost", [], 403),
    (0, f"http://{API8}:8080/", "localhost", [], 403),
    (0, "http://api5.successfactors.com/", "localhost", [], 403),
    (0, "http://localhost/", "localhost", [], 403),
    (0, f"http://{API8}.example.com/", "localhost", [], 403),
    (0, f"http://x.{API8}/", "localhost", [], 403),
    (0, "http://api8.sapsf.com/", API8, [], 403),
    (0, f"http://{API4}/", "localhost", [], 401),
    (0, f"http://{API4}/", "localhost", [(COMPANY, "ACME")], "acme"),
    (0, f"https://{CERT4}/", "localhost", [basic("u@Initech")], "initech"),
    # together
    (0, "/", "localhost", [(COMPANY, "GLOBEX"), basic("u@GLOBEX")], "globex"),
    (0, "/", "localhost", [(COMPANY, "GLOBEX"), basic("u")], "globex"),
    (0, f"http://{API8}/", "localhost", [(COMPANY, "GLOBEX"), basic("u@GLOBEX")], "globex"),
    (0, "/", "localhost", [(COMPANY, "ACME"), basic("u@GLOBEX")], 403),
    (0, "/", "localhost", [(COMPANY, "ACME"), basic("u@acme")], 403),
    (0, "/", "localhost", [(COMPANY, "Initech"), basic("u@ACME")], 403),
    (0, f"http://{API8}/", "localhost", [(COMPANY, "ACME")], 403),
    (0, f"http://{API4}/", "localhost", [(COMPANY, "GLOBEX")], 403),
    (0, f"http://{API8}/", "localhost", [basic("u@ACME")], 403),
    (0, f"http://{API8}/", "localhost", [(COMPANY, "GLOBEX"), basic("u@ACME")], 403),
    (0, f"http://{API8}/", "localhost", [(COMPANY, "ACME"), basic("u@ACME")], 403),
    # the listener of a tenant
    (1, "/", "localhost", [], "acme"),
    (1, "/", "localhost", [(COMPANY, "ACME"), basic("u@ACME")], "acme"),
    (1, "/", "localhost", [basic("u")], "acme"),
    (1, "/", "localhost", [("Authorization", "Bearer x")], "acme"),
    (1, f"http://{CERT4}/", "localhost", [], "acme"),
    (1, "/", "localhost", [(COMPANY, "GLOBEX")], 403),
    (1, "/", "localhost", [(COMPANY, "Initech")], 403),
    (1, "/", "localhost", [basic("u@GLOBEX")], 403),
    (1, "/", "localhost", [(COMPANY, "ACME"), basic("u@GLOBEX")], 403),
    (1, f"http://{API8}/", "localhost", [], 403),
    (1, "http://localhost/", "localhost", [], 403),
    # what cannot be read to its end names somebody nevertheless
    (1, "/", "localhost", [basic("u@" + "A" * 300)], 403),
    (1, "/", "localhost", [basic("u@AC\0ME")], 403),
    (1, "/", "localhost", [basic("u@ACME\0")], 403),
    (1, "/", "localhost", [basic("u@\xff")], 403),
    (0, "/", "localhost", [(COMPANY, "GLOBEX"), basic("u@" + "A" * 300)], 403),
    (0, "/", "localhost", [(COMPANY, "A" * 3000)], 403),
    (0, "/", "localhost", [(COMPANY, '"\\\xfc\xff')], 403),
    (0, "/", "localhost", [(COMPANY, "\xe2\x82\xac" * 1000)], 403),
    (0, "/", "localhost", [basic("u@\1\n\"\x7f")], 403),
]


def route_id(route):
    listener, target, host, fields, _ = route
    names = [f"{n}={v}" for n, v in fields]
    return " ".join([f"door {listener}", target, host, *names])[:100]


def check_nothing_sent(office):
    """What is sent now is the first that the server sees."""
    assert office.proxy.request(target="/afterwards", fields=[(COMPANY, "GLOBEX")]).status == 200
    assert [(seen.target, seen.cn) for seen in office.server.take()] == [("/afterwards", "globex_user")]


@pytest.mark.parametrize("route", ROUTES, ids=route_id)
def test_route_leads_to_the_right_tenant_or_to_none(office, route):
    """Under its own certificate and name, or not at all."""
    listener, target, host, fields, wanted = route
    office.server.take()
    answer = office.proxy.request(target=target, host=host, fields=fields, listener=listener)
    if wanted in SEEN:
        assert answer.status == 200
        [seen] = office.server.take()
        assert (seen.cn, seen.company, seen.host) == SEEN[wanted] and seen.sni == seen.host
        assert seen.target == "/" and seen.others() == []
    else:
        assert answer.status == wanted
        assert answer.token in {401: ["tenant-ambiguous"], 403: ["tenant-unknown", "company-repeated"]}[wanted]
        challenge = ['Basic realm="sfmtls: user@COMPANY"'] if wanted == 401 else []
        assert answer.all("WWW-Authenticate") == challenge
        check_nothing_sent(office)


@pytest.mark.parametrize("listener, target, fields, found", [
    (0, "/", [(COMPANY, "Foo")], ["Foo"]), (0, "/", [basic("u@Bar")], ["Bar"]),
    (0, "/", [(COMPANY, "ACME"), basic("u@GLOBEX")], ["ACME", "GLOBEX"]),
    (0, f"http://{API8}/", [(COMPANY, "ACME")], [API8, "ACME"]),
    (0, "http://unknown.example:81/", [], ["unknown.example:81"]),
    (1, "/", [(COMPANY, "GLOBEX")], ["acme", "GLOBEX"])])
def test_a_refusal_names_what_was_found(office, listener, target, fields, found):
    """But no password."""
    answer = office.proxy.request(target=target, fields=fields, listener=listener)
    assert answer.token == "tenant-unknown"
    assert all(word in answer.json()["detail"] for word in found)
    assert b"pw" not in answer.body


SENTENCES = [
    (403, [(COMPANY, "acme")], "/", "Did you mean ACME?"),
    (403, [(COMPANY, "ACMEE")], "/", "Did you mean ACME?"),
    (403, [basic("u@acme")], "/", "Did you mean ACME?"),
    (403, [basic("u@ACNE")], "/", "Did you mean ACME?"),
    (403, [basic("u@ALTO")], "/", "Basic user ALTO."),
    (403, [(COMPANY, "PROD"), basic("u@ACME")], "/", "contradicts itself"),
    (403, [(COMPANY, "PROD")], "http://acme.example/", "contradicts itself"),
    (403, [(COMPANY, "NONE"), basic("u@ACME")], "/", "No configured tenant fits"),
    (401, [], "/", "selects none of them"),
    (401, [(COMPANY, "PROD")], "/", "Several tenants fit what the request names (successfactors-companyid PROD): "
                                    "one, two."),
]


@pytest.mark.parametrize("status, fields, target, sentence", SENTENCES)
def test_what_is_wrong_with_the_tenant(proxy, tenant, status, fields, target, sentence):
    p = proxy(tenant(1, server="acme.example") + tenant(1, name="one", company="PROD", server="one.example")
              + tenant(1, name="two", company="PROD", server="two.example"))
    answer = p.request(target=target, fields=fields)
    assert answer.status == status and sentence in answer.json()["detail"]
    assert (answer.json()["code"] == "company-mistyped") == ("Did you mean" in sentence)


@pytest.mark.parametrize("fields", [[(COMPANY, "acme")], [basic("u@acme")], [basic("u@ACNE")]])
def test_similar_company_of_a_tenant_with_passwords_is_not_disclosed(proxy, tenant, tmp_path, fields):
    """Whoever has not proved to be a caller learns no company ID."""
    callers = tmp_path / "callers"
    callers.write_text("u@ACME:$2y$04$abcdefghijklmnopqrstuuPPoVIYyBs6JvX0OEcCeQM3jRmu.ZPDO\n")
    p = proxy(tenant(1, server="acme.example", callers_file=callers))
    answer = p.request(fields=fields)
    assert answer.token == "tenant-unknown" and b"ACME" not in answer.body and b"Did you mean" not in answer.body


@pytest.mark.parametrize("own, warned", [
    ({}, True), ({"listen": "127.0.0.1:0"}, False), ({"server": "localhost:2"}, False), ({"company": "OTHER"}, False),
    ({"server": "127.0.0.1:1"}, False), ({"server": "LOCALHOST:1"}, True), ({"certificate": "globex-all.pem"}, True)])
def test_tenants_that_no_request_can_tell_apart(proxy, tenant, own, warned):
    p = proxy(tenant(1) + tenant(1, name="twin", **own))
    p.stop()
    assert ("tenants acme and twin have the same company and server" in p.stderr) == warned


@pytest.mark.parametrize("companies", [("ACME", "GLOBEX"), ("GLOBEX", "ACME"), (None, "GLOBEX")])
@pytest.mark.parametrize("keep", ["strip", "keep"])
def test_two_authorizations_do_not_get_past_the_filter(proxy, pki, tenant, started, companies, keep):
    """Each names a company where present: one that is another tenant's never travels under this one's certificate."""
    server = identified(pki)
    started.append(server)
    p = proxy(tenant(server.port, authorization=keep) + tenant(server.port, "globex", "GLOBEX", "globex-all.pem",
                                                              listen="127.0.0.1:0", authorization=keep))
    fields = [basic("u@" + name) if name else ("Authorization", "Bearer x") for name in companies]
    answer = p.request(fields=[*fields, (COMPANY, "ACME")])
    assert answer.status in (400, 403) and answer.token
    assert p.request(target="/afterwards", listener=1).status == 200
    assert [seen.target for seen in server.take()] == ["/afterwards"]


def test_one_company_at_two_servers(proxy, pki, tenant, started):
    """Only the host tells them apart; the company alone is not enough to send anything."""
    server = identified(pki)
    started.append(server)
    p = proxy(tenant(server.port, server=API4) + tenant(server.port, "preview", "ACME", "globex-all.pem", server=API8))
    for fields in ([(COMPANY, "ACME")], [basic("u@ACME")]):
        assert p.request(fields=fields).status in (401, 403)
    for host, cn in ((API4, "acme_user"), (API8, "globex_user")):
        assert p.request(target=f"http://{host}/", fields=[basic("u@ACME")]).status == 200
        assert [seen.cn for seen in server.take()] == [cn]


@pytest.mark.parametrize("options", [["-u", "sfapi@GLOBEX:pw"], ["--anyauth", "-u", "sfapi@GLOBEX:pw"],
                                     ["-H", f"{COMPANY}: GLOBEX"]])
def test_curl_names_its_tenant(office, options):
    """Also when it sends Basic only when asked, as wget and Java do."""
    office.server.take()
    result = subprocess.run(["curl", "-sS", "-w", "%{http_code}", *options, office.proxy.url("/")],
                            capture_output=True, text=True, timeout=harness.LIMIT)
    assert result.stdout.endswith("ok200"), result.stderr
    [seen] = office.server.take()
    assert seen.cn == "globex_user" and "authorization" not in seen.names()


# ---- two identities at one server ----

def naming(company, i):
    """One of the ways to name a company."""
    return [[(COMPANY, company)], [basic(f"u{i}@{company}")], [(COMPANY.replace("-", "_"), company), basic("u")]][i % 3]


def ask(proxy, caller, own, n, i):
    """The i-th request of the n-th caller; checks that it was answered for its own tenant."""
    company = ("ACME", "GLOBEX")[(n + i // 3) % 2]
    target = f"/{n}/{i}/{company}"
    if company == "GLOBEX" and i % 4 == 0:
        answer = own.request(target=target)
    else:
        answer = caller.request("POST" if i % 5 == 0 else "GET", target, naming(company, i), b"x" * (i % 5 == 0))
    assert (answer.status, answer.body.decode()) == (200, f"{company.lower()}_user {company} {target}")


@pytest.mark.parametrize("workers, version", [
    (1, ssl.TLSVersion.TLSv1_3), (3, ssl.TLSVersion.TLSv1_3), (3, ssl.TLSVersion.TLSv1_2)])
def test_no_request_travels_under_another_certificate(proxy, pki, tenant, started, workers, version):
    """Interleaved on the same connections and at the same time, over pooled, new and resumed connections to one
    host and port: the certificate that the server saw is always the one of the company that it was told."""

    def reply(c, seen):
        close = "Connection: close\r\n" if int(seen.target.split("/")[2]) % 4 == 3 else ""
        c.reply(f"{seen.cn} {seen.company} {seen.target}".encode(), fields=close)
        if close:
            c.end()

    server = identified(pki, reply, versions=(version, version))
    started.append(server)
    p = proxy(tenant(server.port) + tenant(server.port, "globex", "GLOBEX", "globex-all.pem", listen="127.0.0.1:0"),
              workers=workers)
    each = harness.count(24, 500)

    def call(n):
        with p.caller() as caller, p.caller(1) as own:
            for i in range(each):
                ask(p, caller, own, n, i)

    call(0)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        list(pool.map(call, range(1, 13)))
    seen = server.take()
    assert len(seen) == 13 * each
    assert {(s.cn, s.company) for s in seen} == {("acme_user", "ACME"), ("globex_user", "GLOBEX")}
    resumed = {s.cn for s in seen if s.resumed}
    assert resumed == {"acme_user", "globex_user"}, "no session was resumed: that path was not tested"
    for connection in server.connections:
        assert len({s.company for s in seen if s.connection is connection}) <= 1


def test_pipelined_requests_of_two_tenants(proxy, pki, tenant, started):
    """Answered in their order, each by its own connection."""
    server = identified(pki, lambda c, seen: c.reply(f"{seen.cn} {seen.company} {seen.target}".encode()))
    started.append(server)
    p = proxy(tenant(server.port) + tenant(server.port, "globex", "GLOBEX", "globex-all.pem"))
    companies = ["ACME", "GLOBEX", "GLOBEX", "ACME", "GLOBEX"] * 4
    with p.caller() as c:
        c.send("".join(f"GET /{i} HTTP/1.1\r\nHost: localhost\r\n{COMPANY}: {name}\r\n\r\n"
                       for i, name in enumerate(companies)))
        answers = [c.answer().body.decode() for _ in companies]
    assert answers == [f"{name.lower()}_user {name} /{i}" for i, name in enumerate(companies)]


def test_a_refused_tenant_does_not_end_the_connection(office):
    """The caller's next request on it is judged anew."""
    office.server.take()
    with office.proxy.caller() as c:
        assert c.request(fields=[(COMPANY, "GLOBEX")]).status == 200
        assert c.request(fields=[(COMPANY, "OTHER")]).status == 403
        assert c.request().status == 401
        assert c.request(fields=[basic("u@ACME")]).status == 200
    assert [seen.cn for seen in office.server.take()] == ["globex_user", "acme_user"]


# ---- listeners ----

def test_listeners_of_every_kind(proxy, pki, tenant, started, tmp_path):
    """Several on a line, several lines, a tenant's own: told on --ready-fd and stderr, and all served."""
    server = identified(pki)
    started.append(server)
    p = proxy(f"listen = unix:{tmp_path}/a\n" + tenant(server.port)
              + tenant(server.port, "globex", "GLOBEX", "globex-all.pem")
              + f"listen = [::1]:0, unix:{tmp_path}/b\nlisten = 127.0.0.2:0\n",
              listen="127.0.0.1:0, [::1]:0 ,127.0.0.1:0")
    listeners = [(l["address"], l["tenant"]) for l in p.ready["listeners"]]
    kinds = [(a if a.startswith("unix:") else a.rsplit(":", 1)[0], t) for a, t in listeners]
    assert kinds == [("127.0.0.1", None), ("[::1]", None), ("127.0.0.1", None), (f"unix:{tmp_path}/a", None),
                     ("[::1]", "globex"), (f"unix:{tmp_path}/b", "globex"), ("127.0.0.2", "globex")]
    assert len({a for a, t in listeners}) == 7 and not any(a.endswith(":0") for a, t in listeners)
    harness.eventually(lambda: all(address in p.stderr for address, name in listeners))
    for i, (address, name) in enumerate(listeners):
        assert p.request(listener=i).status == (200 if name else 401)
        assert p.request(listener=i, fields=[(COMPANY, "ACME")]).status == (403 if name else 200)
        assert [seen.cn for seen in server.take()] == ["globex_user" if name else "acme_user"]


def test_a_tenant_s_listener_replaces_the_default(proxy, pki, tenant, started):
    """localhost:8080 is opened only if no listen stands anywhere."""
    server = identified(pki)
    started.append(server)
    p = proxy(tenant(server.port, listen="127.0.0.1:0"), listen=None)
    assert [l["tenant"] for l in p.ready["listeners"]] == ["acme"]
    assert p.request().status == 200


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[2001:db8::1]:0", "126.255.255.255:0",
                                     "128.0.0.1:0", "[::ffff:192.0.2.1]:0"])
@pytest.mark.parametrize("section", ["proxy", "tenant"])
def test_listeners_off_the_loopback_are_refused(tenant, tmp_path, address, section):
    config = tmp_path / "sfmtls.ini"
    line = f"listen = {address}\n"
    config.write_text("[proxy]\n" + line + tenant(1) if section == "proxy" else tenant(1) + line)
    result = harness.run_cli("run", "-t", "-c", str(config))
    assert result.returncode == 2 and address in result.stderr


def failing(tenant, tmp_path, listen):
    """A run that cannot begin to serve: its stderr."""
    config = tmp_path / "failing.ini"
    config.write_text(f"[proxy]\nlisten = {listen}\n" + tenant(1))
    result = harness.run_cli("run", "-c", str(config))
    assert result.returncode == 2
    return result.stderr


def identity(path):
    status = path.lstat()
    return status.st_ino, status.st_mode, status.st_size


@pytest.mark.parametrize("family, address", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_that_is_taken(tenant, tmp_path, family, address):
    with socket.create_server((address, 0), family=family) as taken:
        name = f"[{address}]" if family == socket.AF_INET6 else address
        name += f":{taken.getsockname()[1]}"
        assert name in failing(tenant, tmp_path, name)


@pytest.mark.parametrize("umask", ["000", "077"])
def test_a_unix_socket_is_the_owner_s_alone(proxy, recorded_path, tenant, tmp_path, umask):
    """0600 whatever the umask; gone when the program ends."""
    path = tmp_path / "socket"
    prefix = ["sh", "-c", f'umask {umask}; exec "$@"', "sh"]
    p = proxy(tenant(recorded_path.server.port), listen=f"unix:{path}", process={"prefix": prefix})
    status = path.stat()
    assert stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o600
    assert p.addresses == [f"unix:{path}"] and p.request().status == 200
    p.stop()
    assert not path.exists()


def test_a_stale_socket_is_replaced(proxy, recorded_path, tenant, tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
    p = proxy(tenant(recorded_path.server.port), listen=f"unix:{path}")
    assert p.request().status == 200


def test_a_live_socket_is_an_error(tenant, tmp_path):
    """And stays as it is."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen()
        before = identity(path)
        assert str(path) in failing(tenant, tmp_path, f"unix:{path}")
        assert identity(path) == before
        with socket.socket(socket.AF_UNIX) as c:
            c.connect(str(path))


def test_a_socket_of_a_running_sfmtls_is_an_error(proxy, recorded_path, tenant, tmp_path):
    path = tmp_path / "socket"
    p = proxy(tenant(recorded_path.server.port), listen=f"unix:{path}")
    assert str(path) in failing(tenant, tmp_path, f"unix:{path}")
    assert p.request().status == 200


@pytest.mark.parametrize("make", [lambda p: p.write_text("precious"), lambda p: p.mkdir(),
                                  lambda p: p.symlink_to(p.parent / "elsewhere")], ids=["file", "folder", "symlink"])
def test_what_is_no_socket_is_never_removed(tenant, tmp_path, make):
    path = tmp_path / "socket"
    make(path)
    before = identity(path)
    assert str(path) in failing(tenant, tmp_path, f"unix:{path}")
    assert identity(path) == before


@pytest.mark.parametrize("path", ["relative", "/nowhere/at/all", "/tmp/" + "a" * 200])
def test_unix_paths_that_cannot_be(tenant, tmp_path, path):
    failing(tenant, tmp_path, f"unix:{path}")


def test_another_program_s_socket_is_not_removed_at_the_end(proxy, recorded_path, tenant, tmp_path):
    """One that has taken over the path in the meantime."""
    path = tmp_path / "socket"
    p = proxy(tenant(recorded_path.server.port), listen=f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as s:
        path.unlink()
        s.bind(str(path))
        p.stop()
        assert path.exists()


# ---- the guard: Host ----

@pytest.fixture(scope="module")
def guarded(pki, tenant, tmp_path_factory):
    """acme's listeners: IPv4, IPv6, Unix socket. Another tenant is configured beside it."""
    server = identified(pki)
    folder = tmp_path_factory.mktemp("guarded")
    proxy = harness.Proxy(folder, tenant(server.port, server=API4, listen=f"127.0.0.1:0, [::1]:0, unix:{folder}/socket")
                          + tenant(server.port, "globex", "GLOBEX", "globex-all.pem", server=CERT8 + ":8443"))
    try:
        yield types.SimpleNamespace(proxy=proxy, server=server)
        proxy.stop()
    finally:
        server.stop()


def served(guarded, listener=0, **request):
    """The status; checks that the server saw the request if and only if it was answered 200."""
    guarded.server.take()
    answer = guarded.proxy.request(target="/guarded", listener=listener, **request)
    assert guarded.proxy.request(target="/afterwards").status == 200
    targets = [seen.target for seen in guarded.server.take()]
    assert targets == ["/guarded"] * (answer.status == 200) + ["/afterwards"]
    assert answer.status == 200 or not [n for n, v in answer.fields if n.lower().startswith("access-control")]
    return answer


OWN_HOSTS = [
    "localhost", "LOCALHOST", "localhost.", "localhost:1", "localhost:65535", "app.localhost", "a.b-c.localhost:80",
    "A.LocalHost", "app.localhost.", "127.0.0.1", "127.0.0.1:99", "127.255.255.254", "127.1.2.3:80", "[::1]",
    "[::1]:80", "[0:0:0:0:0:0:0:1]:1", API4, CERT4, API4.upper() + ":8080", API4 + ".", API8, CERT8, CERT8 + ":1",
]

FOREIGN_HOSTS = [
    "example.com", "evil.example:8080", "localhost.evil.example", "evil-localhost", "xlocalhost", "localhostx",
    "localhost.localdomain", "localhost.com:80", "127.0.0.1.evil.example", "127.0.0.1.nip.io", "128.0.0.1", "126.0.0.1",
    "10.0.0.1", "192.168.0.1", "0.0.0.0", "255.255.255.255", "169.254.169.254", "1270.0.0.1", "2130706433",
    "[::]", "[::2]", "[fe80::1]", "[2001:db8::1]", "[::ffff:10.0.0.1]", "api5.successfactors.com", "successfactors.com",
    "api4.cert.successfactors.com.evil.example", "x.api4.successfactors.com", "api4-successfactors.com",
    "cert.api4.successfactors.com", "acme", "ACME", "localhost_", "evil.localhost.example",
]


@pytest.mark.parametrize("host", OWN_HOSTS)
@pytest.mark.parametrize("listener", [0, 1, 2], ids=["IPv4", "IPv6", "Unix"])
def test_own_hosts_are_served(guarded, listener, host):
    """Loopback names and addresses and the names of all configured servers, whatever the port."""
    assert served(guarded, listener, host=host).status == 200


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
@pytest.mark.parametrize("listener", [0, 1, 2], ids=["IPv4", "IPv6", "Unix"])
def test_foreign_hosts_are_misdirected(guarded, listener, host):
    """A page whose name was made to resolve to 127.0.0.1 gets nothing. No page can reach a Unix socket."""
    answer = served(guarded, listener, host=host)
    if listener == 2:
        assert answer.status == 200
    else:
        assert (answer.status, answer.token) == (421, "host-not-served")


@pytest.mark.parametrize("host, status", [(None, 200), ("localhost", 200), ("evil.example", 421)])
def test_http_1_0_needs_no_host_but_no_foreign_one_either(guarded, host, status):
    assert served(guarded, version="HTTP/1.0", host=host).status == status


# ---- the guard: pages ----

OWN_ORIGINS = [  # (Host, fields); PORT is the listener's
    ("localhost:PORT", [("Origin", "http://localhost:PORT")]),
    ("LocalHost:PORT", [("origin", "HTTP://LOCALHOST:PORT")]),
    ("localhost", [("Origin", "http://localhost")]),
    ("localhost", [("Origin", "http://localhost:80")]),
    ("localhost:80", [("Origin", "http://localhost")]),
    ("127.0.0.1:PORT", [("Origin", "http://127.0.0.1:PORT")]),
    ("[::1]:PORT", [("Origin", "http://[::1]:PORT")]),
    ("app.localhost:PORT", [("Origin", "http://app.localhost:PORT")]),
    (API4, [("Origin", "http://" + API4)]),
    ("localhost:PORT", [("Sec-Fetch-Site", "none")]),
    ("localhost:PORT", [("Sec-Fetch-Site", "same-origin")]),
    ("localhost:PORT", [("Sec-Fetch-Site", "same-origin"), ("Origin", "http://localhost:PORT"),
                        ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")]),
]

FOREIGN_ORIGINS = [
    *(("localhost:PORT", [("Origin", origin)]) for origin in (
        "null", "", "http://evil.example", "https://evil.example", "http://evil.example:PORT", "https://localhost:PORT",
        "http://localhost", "http://localhost:80", "http://localhost:3000", "http://127.0.0.1:PORT",
        "http://app.localhost:PORT", "http://localhost:PORT.evil.example", "http://localhost.evil.example:PORT",
        "http://localhost:PORT/", "http://localhost:PORT/a", "localhost:PORT", "//localhost:PORT", "http://", "http:",
        "http://evil.example@localhost:PORT", "http://localhost:PORT@evil.example", "file://", "chrome-extension://abc",
        "moz-extension://localhost:PORT", "http://localhost:PORT http://evil.example",
        "http://localhost:PORT, http://evil.example", "http://localhost:PORTx", "ftp://localhost:PORT", "*",
        "http://xlocalhost:PORT", "http://localhos:PORT", "http://[::1]:PORT", "http://" + API4)),
    ("localhost:PORT", [("Origin", "http://localhost:PORT"), ("Origin", "http://evil.example")]),
    ("localhost:PORT", [("Origin", "http://evil.example"), ("Origin", "http://localhost:PORT")]),
    ("localhost:PORT", [("Sec-Fetch-Site", "cross-site")]),
    ("localhost:PORT", [("sec-fetch-site", "same-site")]),
    ("localhost:PORT", [("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost:PORT")]),
    ("localhost:PORT", [("Sec-Fetch-Site", "same-origin"), ("Origin", "http://evil.example")]),
    ("localhost:PORT", [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")]),
    ("localhost:PORT", [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "none")]),
    ("localhost:PORT", [("Sec-Fetch-Site", "same-origin, cross-site")]),
    ("localhost:PORT", [("Origin", "http://evil.example"), ("Connection", "Origin")]),
    ("localhost:PORT", [("Sec-Fetch-Site", "cross-site"), ("Connection", "Sec-Fetch-Site")]),
    (API4, [("Origin", "http://" + CERT4)]),
    (API4, [("Origin", "https://" + API4)]),
    (API4, [("Origin", "https://evil.example")]),
]


def with_port(guarded, host, fields):
    port = str(guarded.proxy.port)
    return {"host": host.replace("PORT", port), "fields": [(n, v.replace("PORT", port)) for n, v in fields]}


@pytest.mark.parametrize("host, fields", OWN_ORIGINS)
def test_own_pages_pass(guarded, host, fields):
    assert served(guarded, **with_port(guarded, host, fields)).status == 200


@pytest.mark.parametrize("host, fields", FOREIGN_ORIGINS)
def test_pages_of_other_origins_are_refused(guarded, host, fields):
    """By whatever method, preflights included; and nothing allows the page to read the refusal."""
    request = with_port(guarded, host, fields)
    for method in ("GET", "POST", "OPTIONS"):
        answer = served(guarded, method=method, **request)
        assert (answer.status, answer.token) == (403, "foreign-origin")


def test_a_rebound_name_is_misdirected_though_its_origin_is_its_own(guarded):
    """DNS rebinding: page and target are one origin, only the Host tells."""
    host = f"evil.example:{guarded.proxy.port}"
    for fields in ([], [("Origin", "http://" + host), ("Sec-Fetch-Site", "same-origin")]):
        assert served(guarded, host=host, fields=fields).status == 421


@pytest.mark.parametrize("fields, status", [
    ([("Origin", "http://evil.example")], 403), ([("Origin", f"http://{API4}")], 200),
    ([("Sec-Fetch-Site", "cross-site")], 403), ([("Sec-Fetch-Site", "none")], 200)])
def test_pages_in_absolute_form(guarded, fields, status):
    """A browser that was told to use the proxy: the target's origin is the own one, Host is not asked."""
    guarded.server.take()
    answer = guarded.proxy.request(target=f"http://{API4}/", host="evil.example", fields=fields)
    assert answer.status == status
    assert len(guarded.server.take()) == (status == 200)


def test_origin_without_host_in_http_1_0(guarded):
    """There is no own origin then."""
    fields = [("Origin", f"http://localhost:{guarded.proxy.port}")]
    assert served(guarded, version="HTTP/1.0", host=None, fields=fields).status == 403
