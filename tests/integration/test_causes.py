"""Each way in which a connection fails has a code, a sentence that names the root cause, and a cure."""
import json
import re

import pytest

import harness
from test_failures import s_server, silent, strict_nginx  # noqa: F401 (fixtures)
from test_hints import hint_of
from test_server_certificate import Authority, openssl


def explained(p, token, code):
    """The failure of a call: the same in answer and log; the reason phrase is the token."""
    answer = p.request()
    assert answer.token == token and answer.reason == token, answer.body
    problem = answer.json()
    log = p.last_log()
    assert problem["code"] == code, problem
    assert log["error"] == token and log.get("code", token) == code
    assert (json.loads(log["detail"]), json.loads(log["cure"])) == (problem["detail"], problem["cure"])
    return problem["detail"], problem["cure"]


# ---- the name and the connection ----

@pytest.mark.parametrize("server", ["api4.succesfactors.com", "dc4"])
def test_mistyped_server(server, proxy, tenant, names):
    """run -t says so, too, and each call, if the name does not exist."""
    p = proxy(tenant(443, server=server, connect_to=None), names.environment)
    sentence, cure = explained(p, "name-not-found", "server-mistyped")
    assert server in sentence and sentence.endswith("Did you mean api4.successfactors.com?")
    assert "`server`" in cure
    tried = harness.run_cli("run", "-t", "-c", str(p.config))
    assert re.search(rf"sfmtls.ini:\d+: {server} is not an API server that sfmtls knows; did you mean "
                     r"api4.successfactors.com\?", tried.stderr), tried.stderr


def test_name_that_is_like_no_other(proxy, tenant, names):
    p = proxy(tenant(443, server="api.nowhere.test", connect_to=None), names.environment)
    sentence, _ = explained(p, "name-not-found", "name-not-found")
    assert "Did you mean" not in sentence


def test_connection_refused(proxy, tenant):
    port = harness.closed_port()
    p = proxy(tenant(port, server=f"127.0.0.1:{port}", connect_to=None))
    _, cure = explained(p, "connection-refused", "connection-refused")
    assert "`server`" in cure


def test_connect_to_is_named(proxy, tenant, names):
    port = harness.closed_port()
    p = proxy(tenant(port))
    sentence, cure = explained(p, "connection-refused", "connect-to-unreachable")
    assert "connect-to" in sentence and f"127.0.0.1:{port}" in sentence and "`connect-to`" in cure
    p = proxy(tenant(port, connect_to="nowhere.test:443"), names.environment)
    sentence, cure = explained(p, "name-not-found", "connect-to-unreachable")
    assert "connect-to" in sentence and "nowhere.test" in sentence and "`connect-to`" in cure


# ---- TLS ----

def test_plain_http(proxy, script):
    def run(c):
        c.fill()
        c.send("HTTP/1.1 400 Bad Request\r\n\r\n")

    explained(proxy(script(run, tls=False).port), "tls-failed", "server-not-tls")


def test_tls_1_1(proxy, s_server):  # noqa: F811
    sentence, _ = explained(proxy(s_server("-tls1_1", "-cipher", "ALL:@SECLEVEL=0").port), "tls-failed",
                            "server-tls-too-old")
    assert "too old" in sentence


def test_http2_only(proxy, s_server):  # noqa: F811
    sentence, _ = explained(proxy(s_server("-alpn", "h2").port), "tls-failed", "server-http2-only")
    assert "does not speak HTTP/1.1" in sentence


@pytest.fixture
def made(pki, tmp_path):
    """made(...): a certificate for localhost and api4, as name.pem and name.key among those of the test PKI."""
    authority = Authority(pki, tmp_path / "authority")

    def make(name, aia=False, authority=authority):
        more = "authorityInfoAccess=caIssuers;URI:http://ca.example/ca.cer\n" if aia else ""
        authority.issue(name, f"/O=Test/CN={name}", "DNS:localhost,DNS:api4.cert.successfactors.com",
                        usage=more + "extendedKeyUsage=serverAuth\n")
        for kind in ("pem", "key"):
            (pki / f"{name}.{kind}").write_bytes((authority.folder / f"{name}.{kind}").read_bytes())
        return name
    return make


def test_self_signed(proxy, script, pki):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            pki / "self.key", "-out", pki / "self.pem", "-days", "9", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost")
    p = proxy(script(silent, certificate="self").port)
    sentence, cure = explained(p, "server-certificate-untrusted", "server-certificate-self-signed")
    assert "signed by itself (CN=localhost)" in sentence and f"not in {pki}/ca.pem" in sentence and "ca-file" in cure


def test_unknown_ca(proxy, script, tenant):
    p = proxy(tenant(script(silent).port, ca_file=None))
    sentence, cure = explained(p, "server-certificate-untrusted", "server-issuer-unknown")
    assert "issued by CN=Test Server CA,O=Test" in sentence and "the system's roots" in sentence and "`ca-file`" in cure


def test_wrong_ca_file(proxy, script, tenant, pki):
    p = proxy(tenant(script(silent).port, ca_file=f"{pki}/other-ca.pem"))
    sentence, _ = explained(p, "server-certificate-untrusted", "ca-file-lacks-issuer")
    assert "issued by CN=Test Server CA,O=Test" in sentence and f"not in {pki}/other-ca.pem" in sentence


def test_root_that_is_sent_is_not_trusted(proxy, script, tenant, pki):
    (pki / "whole.pem").write_text((pki / "server.pem").read_text() + (pki / "ca.pem").read_text())
    (pki / "whole.key").write_text((pki / "server.key").read_text())
    p = proxy(tenant(script(silent, certificate="whole").port, ca_file=f"{pki}/other-ca.pem"))
    sentence, _ = explained(p, "server-certificate-untrusted", "ca-file-lacks-issuer")
    assert "leads to the root CN=Test Server CA,O=Test" in sentence and f"not in {pki}/other-ca.pem" in sentence


def sf(port, **more):
    return {"server": "api4.successfactors.com", "connect_to": f"127.0.0.1:{port}", **more}


def test_something_inspects_tls(proxy, script, tenant):
    """A server of SF with a certificate of a CA that the system does not know."""
    port = script(silent).port
    sentence, cure = explained(proxy(tenant(port, **sf(port, ca_file=None))), "server-certificate-untrusted",
                               "tls-inspected")
    assert sentence.startswith("Something between here and the server inspects TLS")
    assert "CN=Test Server CA,O=Test" in sentence and "exempt" in cure


def test_something_inspects_tls_with_a_trusted_ca(proxy, script, tenant):
    """It is trusted, but does not hand the request for our certificate on."""
    port = script(silent, require=False).port
    sentence, cure = explained(proxy(tenant(port, **sf(port))), "client-certificate-not-requested", "tls-inspected")
    assert "inspects TLS" in sentence and "never asked" in sentence


def test_intermediate_of_the_server_is_missing(proxy, script, tenant, pki, made):
    name = made("short", aia=True)
    p = proxy(tenant(script(silent, certificate=name).port, ca_file=f"{pki}/other-ca.pem"))
    sentence, cure = explained(p, "server-certificate-untrusted", "server-chain-incomplete")
    assert "intermediate" in sentence and "CN=Test Server CA,O=Test" in sentence and "whole chain" in cure


def test_dates_of_the_server(proxy, script, pki):
    p = proxy(script(silent, certificate="server-expired").port)
    sentence, cure = explained(p, "server-certificate-expired", "server-certificate-expired")
    assert "CN=localhost,O=Test ended on 2021-01-01" in sentence and "clock" in cure
    (pki / "later").mkdir(exist_ok=True)
    (pki / "later/db").write_text("")
    (pki / "later/cnf").write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={pki}/later/db\nnew_certs_dir={pki}/later\n"
                                   "rand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\nO=optional\n"
                                   "CN=optional\n")
    (pki / "later/ext").write_text("subjectAltName=DNS:localhost\n")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            pki / "later.key", "-out", pki / "later/csr", "-subj", "/CN=later")
    openssl("ca", "-batch", "-notext", "-config", pki / "later/cnf", "-cert", pki / "ca.pem", "-keyfile",
            pki / "ca.key", "-in", pki / "later/csr", "-out", pki / "later.pem", "-extfile", pki / "later/ext",
            "-startdate", "20900101000000Z", "-enddate", "20910101000000Z")
    p = proxy(script(silent, certificate="later").port)
    sentence, _ = explained(p, "server-certificate-expired", "server-certificate-not-yet-valid")
    assert "CN=later begins on 2090-01-01" in sentence


def test_names_of_the_server(proxy, script):
    p = proxy(script(silent, certificate="server-wrong-host").port)
    sentence, _ = explained(p, "server-certificate-wrong-host", "server-certificate-wrong-host")
    assert "localhost" in sentence and "elsewhere.example" in sentence


# ---- our certificate ----

@pytest.mark.parametrize("name, token, words", [
    ("expired", "client-certificate-expired", "has expired on 2021-01-01"),
    ("future", "client-certificate-not-yet-valid", "is not valid before 2090-01-01")])
def test_dates_and_file_of_our_certificate(proxy, script, tenant, pki, name, token, words):
    p = proxy(tenant(script(silent).port, certificate=f"{name}-chain.pem", private_key=f"{pki}/{name}.key"))
    sentence, _ = explained(p, token, token)
    assert words in sentence and f"{pki}/{name}-chain.pem" in sentence and f"CN={name}_user,O=Test" in sentence


ASKS = ["-Verify", "3", "-verify_return_error"]


@pytest.fixture
def foreign(pki):
    """A certificate of a CA of another organisation, which the file has."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            pki / "foreign-ca.key", "-out", pki / "foreign-ca.pem", "-days", "9", "-subj", "/O=Foreign/CN=Foreign CA")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            pki / "foreign.key", "-out", pki / "foreign.csr", "-subj", "/O=Foreign/CN=foreign")
    (pki / "foreign.ext").write_text("extendedKeyUsage=clientAuth\n")
    openssl("x509", "-req", "-in", pki / "foreign.csr", "-CA", pki / "foreign-ca.pem", "-CAkey", pki / "foreign-ca.key",
            "-CAcreateserial", "-days", "9", "-extfile", pki / "foreign.ext", "-out", pki / "foreign.pem")
    return {"certificate": "foreign.pem", "private_key": f"{pki}/foreign.key"}


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_server_that_wants_another_ca(proxy, s_server, tenant, pki, foreign, version):  # noqa: F811
    server = s_server(version, *ASKS, "-CAfile", f"{pki}/client-ca.pem")
    sentence, cure = explained(proxy(tenant(server.port, **foreign)), "client-certificate-refused",
                               "client-ca-not-accepted")
    assert sentence.startswith("The server does not accept the CA that issued the client certificate.")
    assert "SAP Cloud Root CA" in cure


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_our_intermediate_is_missing(proxy, s_server, tenant, pki, version):  # noqa: F811
    server = s_server(version, *ASKS, "-CAfile", f"{pki}/client-ca.pem")
    p = proxy(tenant(server.port, certificate="acme.pem", private_key=f"{pki}/acme.key"))
    sentence, cure = explained(p, "client-certificate-refused", "client-chain-incomplete")
    assert "no certificate of the CA that issued it" in sentence and "whole chain" in cure


def test_our_certificate_was_revoked(proxy, s_server, tenant, pki, tmp_path):  # noqa: F811
    authority = Authority(pki, tmp_path / "clients", "client-ca")
    authority.issue("gone", "/O=Test/CN=gone", None, usage="extendedKeyUsage=clientAuth\n")
    authority.revoke("gone")
    (tmp_path / "clients/list.pem").write_text(authority.crl())
    for kind in ("pem", "key"):
        (pki / f"gone.{kind}").write_bytes((tmp_path / f"clients/gone.{kind}").read_bytes())
    server = s_server(*ASKS, "-CAfile", f"{pki}/client-ca.pem", "-crl_check", "-CRL", f"{tmp_path}/clients/list.pem")
    p = proxy(tenant(server.port, certificate="gone.pem", private_key=f"{pki}/gone.key"))
    sentence, _ = explained(p, "client-certificate-refused", "client-certificate-revoked")
    assert "revoked" in sentence


@pytest.mark.parametrize("which, code", [
    ("foreign", "client-ca-not-accepted"), ("alone", "client-chain-incomplete")])
def test_page_of_the_edge(proxy, strict_nginx, tenant, pki, foreign, which, code):  # noqa: F811
    """nginx says only that there is an error; which CAs it accepts it said before."""
    keys = foreign if which == "foreign" else {"certificate": "acme.pem", "private_key": f"{pki}/acme.key"}
    p = proxy(tenant(strict_nginx.port, **keys))
    answer = p.request()
    assert answer.status == 400 and b"SSL certificate error" in answer.body
    found, cause, cure = hint_of(answer)
    log = p.last_log()
    assert found == log["hint"] == log["code"] == code and log["error"] == "client-certificate-refused"
    assert (json.loads(log["detail"]), json.loads(log["cure"])) == (cause, cure)
