"""`sfmtls explain` says what `sfmtls run` does: the same head, the same refusal; and it sends nothing."""
import json
import socket

import pytest

import harness
import test_cli

LINKS = ["Content-Type: application/json", "Content-Length: 2"]


@pytest.fixture(scope="module")
def both(pki, tenant, tmp_path_factory):
    """both(): a proxy before a server that records, and a function that explains a request to the same proxy."""
    server = harness.Recorder(pki)
    folder = tmp_path_factory.mktemp("explained")
    port = harness.unused_port()
    more = {"header.X-Key": "planted-secret", "allow": "GET|POST /odata/*, * /put/*"}
    proxy = harness.Proxy(folder, f"[proxy]\nlisten = localhost:{port}\n" + tenant(server.port, **more))

    def explain(*words):
        result = harness.run_cli("explain", "-c", str(proxy.config), *words, "--json")
        assert result.stderr == "", result.stderr
        told = json.loads(result.stdout)
        assert result.returncode == (1 if "refusal" in told else 0)
        return told

    yield proxy, server, explain
    proxy.stop()
    server.stop()


# A request, and what explain is to list beside Host, company ID and X-Key.
PASSES = [
    ("GET", "/odata/v2/User", [], {}),
    ("GET", "/odata/v2/User?$top=1", ["Accept: a, b", "X-Other: 1"], {}),
    ("GET", "/odata/v2/User", ["Accept-Encoding: gzip, br", "TE: trailers"],
     {"Accept-Encoding": "changed", "TE": "removed"}),
    ("GET", "/odata/v2/User", ["X-Client-Cert: a", "Connection: X-Thing", "X-Thing: 1"],
     {"X-Client-Cert": "removed", "Connection": "removed", "X-Thing": "removed"}),
    ("GET", "/odata/v2/User", ["SuccessFactors-CompanyId: ACME", "X-Key: mine"], {"X-Key": "removed"}),
    ("GET", "/odata/v2/User", ["Range: bytes=0-1"], {}),
    ("GET", "/odata/v2/a|b", ["Upgrade: h2c", "HTTP2-Settings: x", "Cookie: a=b"],
     {"Upgrade": "removed", "HTTP2-Settings": "removed"}),
    ("POST", "/odata/v2/upsert", ["Content-Type: text/plain", "Content-Length: 2"], {}),
    ("POST", "/odata/v2/upsert", [*LINKS, "Range: bytes=0-1", "Content-MD5: x"],
     {"Content-Length": "removed", "Range": "removed", "Content-MD5": "removed"}),
]


@pytest.mark.parametrize("method, target, fields, changes", PASSES)
def test_head_is_what_the_server_gets(both, method, target, fields, changes):
    proxy, server, explain = both
    words = [word for field in fields for word in ("-H", field)]
    told = explain(method, proxy.url(target), *words)
    assert told["tenant"] == "acme" and told["listener"] == f"localhost:{proxy.port}"
    server.take()
    pairs = [tuple(field.split(": ")) for field in fields]
    answer = proxy.request(method, target, pairs, b"{}" if method == "POST" else b"", host=f"localhost:{proxy.port}")
    assert answer.status == 200
    seen, = server.take()
    lines = seen.raw_head.decode().split("\r\n")
    shown = lambda line: line.replace("planted-secret", "(not shown)")
    assert [shown(line) for line in lines] == [line.replace("(counted)", "2") for line in told["request"]]
    assert "planted" not in json.dumps(told)
    listed = [(c["field"], c["change"]) for c in told["changes"]]
    own = {"Host", "successfactors-companyid"}
    assert ("Host", "changed") in listed and all(c["reason"] for c in told["changes"])
    assert {f: c for f, c in listed if c != "added" and f not in own} == changes


REFUSALS = [
    ("DELETE", "/odata/v2/User", []),
    ("GET", "/other", []),
    ("GET", "/odata/../x", []),
    ("GET", "/odata/v2/a b", []),
    ("TRACE", "/odata/v2/User", []),
    ("get", "/odata/v2/User", []),
    ("GET", "/odata/v2/User", ["Origin: http://evil.example"]),
    ("GET", "/odata/v2/User", ["X-Forwarded-For: 192.0.2.1"]),
    ("GET", "/odata/v2/User", ["successfactors-companyid: acme"]),
    ("GET", "/odata/v2/User", ["successfactors-companyid: ACME", "successfactors_companyid: ACME"]),
    ("GET", "/odata/v2/User", ["Upgrade: websocket"]),
    ("GET", "/odata/v2/User", ["Expect: more"]),
    ("GET", "/odata/v2/User", ["Connection: Host"]),
    ("GET", "/odata/v2/User", ["Bad Name: 1"]),
    ("POST", "/odata/v2/User", ["Content-Length: 1", "Transfer-Encoding: chunked"]),
    ("GET", "/odata/" + "x" * 20000, []),
]


@pytest.mark.parametrize("method, target, fields", REFUSALS)
def test_refusal_is_what_the_caller_gets(both, method, target, fields):
    proxy, server, explain = both
    told = explain(method, proxy.url(target), *[word for field in fields for word in ("-H", field)])["refusal"]
    problem = proxy.request(method, target, [tuple(f.split(": ")) for f in fields],
                            host=f"localhost:{proxy.port}").json()
    assert told == {"status": problem["status"], "token": problem["token"], "code": problem["code"],
                    "sentence": problem["detail"], "cure": problem["cure"]}
    assert server.take() == []


def explained(folder, text, *words):
    config = folder / "sfmtls.ini"
    config.write_text(text)
    result = harness.run_cli("explain", "-c", str(config), *words, "--json")
    assert result.stderr == "", result.stderr
    return json.loads(result.stdout)


def test_tenant_is_named_with_what_found_it(tenant, tmp_path):
    two = "[proxy]\nlisten = localhost:8080\n" + tenant(1) + tenant(
        2, name="globex", company="GLOBEX", certificate="globex-all.pem", listen="127.0.0.1:8099")
    told = explained(tmp_path, two, "/odata/v2/User", "-u", "admin@ACME")
    assert told["tenant"] == "acme"
    assert told["found_by"] == "the company after the last @ of the Basic user ACME"
    told = explained(tmp_path, two, "http://127.0.0.1:8099/x")
    assert (told["tenant"], told["listener"]) == ("globex", "127.0.0.1:8099")
    told = explained(tmp_path, two, "/x", "-H", "successfactors-companyid: GLOBEX")
    assert told["tenant"] == "globex"
    assert explained(tmp_path, two, "/x")["refusal"]["token"] == "tenant-ambiguous"


def test_servers_own_url_is_asked_for_by_way_of_the_proxy(tenant, tmp_path):
    acme = tenant(1, server="api4.successfactors.com")
    told = explained(tmp_path, acme, "http://api4.successfactors.com/odata/v2/User")
    assert told["request"][0] == "GET /odata/v2/User HTTP/1.1" and told["by_connect"] is False
    assert told["found_by"] == "the server api4.successfactors.com"
    assert explained(tmp_path, acme, "http://api5.successfactors.com/")["refusal"]["token"] == "tenant-unknown"


def test_https_needs_the_local_ca(tenant, tmp_path):
    acme = tenant(1, server="api4.successfactors.com")
    told = explained(tmp_path, acme, "https://api4.successfactors.com/odata/v2/User")
    assert told["refusal"]["token"] == "connect-not-served"
    with_ca = "[proxy]\nlocal-ca = ca\n" + acme
    harness.make_local_ca(tmp_path, with_ca)
    told = explained(tmp_path, with_ca, "https://api4.successfactors.com/odata/v2/User?a=b")
    assert told["by_connect"] is True and told["request"][0] == "GET /odata/v2/User?a=b HTTP/1.1"
    told = explained(tmp_path, with_ca, "https://elsewhere.example/")
    assert told["refusal"]["token"] == "connect-not-allowed"


def test_https_to_a_plain_listener_is_refused(tenant, tmp_path):
    told = explained(tmp_path, tenant(1), "https://localhost:8080/x")
    assert "speaks plain HTTP" in told["refusal"]["sentence"]


def test_passwords_and_tokens_are_not_needed_but_named(tenant, tmp_path):
    (tmp_path / "token").write_text("0123456789abcdef\n")
    (tmp_path / "callers").write_text("job:$2y$04$abcdefghijklmnopqrstuuQlNc6zYd9Vq3jHh3JQ2nQH9zJrJfS5a\n")
    text = "[proxy]\ncaller-token-file = token\n" + tenant(1, callers_file="callers")
    assert explained(tmp_path, text, "/x")["refusal"]["token"] == "caller-unknown"
    assert explained(tmp_path, text, "/x", "-u", "stranger")["refusal"]["token"] == "caller-unknown"
    told = explained(tmp_path, text, "/x", "-u", "job")
    assert len(told["notes"]) == 2 and "refusal" not in told
    assert not any(line.startswith("Authorization") for line in told["request"])
    assert "0123456789abcdef" not in json.dumps(told)


def test_expired_certificate_is_the_refusal(tenant, pki, tmp_path):
    told = explained(tmp_path, tenant(1, certificate="expired-chain.pem", private_key=f"{pki}/expired.key"), "/x")
    assert told["refusal"]["token"] == "client-certificate-expired" and told["tenant"] == "acme"


def test_nothing_is_sent(tenant, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        explained(tmp_path, tenant(server.getsockname()[1]), "/odata/v2/User")
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_text_says_the_same(tenant, tmp_path):
    (tmp_path / "sfmtls.ini").write_text(tenant(1, allow="GET /odata/*"))
    words = "explain", "-c", str(tmp_path / "sfmtls.ini")
    text = test_cli.succeeds(*words, "/odata/v2/User", "-H", "TE: trailers")
    for line in ("listener     localhost:8080\n", "tenant       acme (the only one; ",
                 "rule         allow = GET /odata/*\n", "    successfactors-companyid: ACME\n",
                 "removed      TE: it is about the connection",
                 "\nNothing was sent.\n"):
        assert line in text, text
    result = harness.run_cli(*words, "/x")
    assert result.returncode == 1 and "\nThe caller would get 403 not-allowed-by-rule:\n" in result.stdout


@pytest.mark.parametrize("words, said", [
    (["-H", "Authorization: Bearer x", "/x"], "secret on the command line"),
    (["-H", "authorization:Basic x", "/x"], "secret on the command line"),
    (["-H", "Proxy-Authorization: Bearer x", "/x"], "secret on the command line"),
    (["-H", "X-Sfmtls-Token: x", "/x"], "secret on the command line"),
    (["-u", "user:password", "/x"], "without a password"),
    (["-H", "no field", "/x"], "-H wants one field"),
    ([], "the URL is missing"),
    (["GET", "/x", "y"], "more than a method and a URL"),
    (["ftp://host/x"], "is not a URL"),
    (["http://"], "is not a URL"),
    (["https://u:canary@host/x"], "holds a user"),
    (["ftp://u:canary@host/x"], "holds a user"),
    (["--what", "/x"], "unknown option --what"),
], ids=str)
def test_wrong_command_line(tenant, tmp_path, words, said):
    (tmp_path / "sfmtls.ini").write_text(tenant(1))
    sentence = test_cli.refused("explain", "-c", str(tmp_path / "sfmtls.ini"), *words)
    assert said in sentence and "canary" not in sentence


def test_configuration_that_is_not_there():
    assert "cannot" in test_cli.refused("explain", "-c", "/nonexistent/sfmtls.ini", "/x")
