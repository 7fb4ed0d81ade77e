"""`sfmtls check`: each fault, set up for real, fails exactly one step, with the code of the table of causes."""
import contextlib
import dataclasses
import email.utils
import gzip
import json
import os
import pathlib
import pty
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import types

import jsonschema
import pytest

import harness
import test_cli
from test_failures import Program
from test_server_certificate import Authority, openssl

SCHEMA = json.loads((pathlib.Path(__file__).parent / "check.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
VALIDATOR.check_schema(SCHEMA)
STEPS = [name for name in SCHEMA["$defs"]["step-name"]["enum"] if not name.startswith("btp-")]
DAY = 86400


# ---- how it is asked ----

def check(folder, text, *words, code=None, prefix=(), env=None):
    """The result as JSON, which fits the schema; the exit code is what the results promise, or code."""
    (folder / "sfmtls.ini").write_text(text)
    result = harness.run_cli("check", "-c", str(folder / "sfmtls.ini"), "--json", *words, prefix=prefix, env=env)
    assert result.stderr == "", result.stderr
    told = json.loads(result.stdout)
    VALIDATOR.validate(told)
    for walk in told["tenants"]:
        assert [step["step"] for step in walk["steps"]] == STEPS
    fails = any(walk["result"] == "fail" for walk in told["tenants"])
    assert result.returncode == (1 if fails else 0) and code in (None, result.returncode)
    return told["tenants"]


def results(walk):
    return {step["step"]: step["result"] for step in walk["steps"]}


def step_of(walk, name):
    return walk["steps"][STEPS.index(name)]


def only_failure(walk):
    """The one step that fails; the others are fine, or skipped for want of it."""
    failed = [step for step in walk["steps"] if step["result"] == "fail"]
    assert len(failed) == 1, walk
    for step in walk["steps"]:
        assert step["result"] in ("ok", "skipped", "fail"), step
        assert step["result"] != "skipped" or step["needs"] == failed[0]["step"], step
    assert walk["result"] == "fail"
    return failed[0]


# ---- what answers ----

def error(status, body, kind="application/json"):
    """A script that answers every request so."""
    def reply(c, seen):
        c.reply(body.encode(), status, f"Content-Type: {kind}\r\nDate: {email.utils.formatdate(usegmt=True)}\r\n")
    return reply


def gate(code="AUTH0032", text="Invalid client certificate"):
    return json.dumps({"error": {"code": "AuthenticationFailed", "message": "Authentication service failed to return "
                                 "token.", "details": f"[{code}]{text}"}})


def login(code, text):
    return json.dumps({"error": {"code": "LOGIN", "message": {"lang": "en-US", "value": f"[{code}]{text}"}}})


FINE = error("200 OK", '{"d":{"EntitySets":[]}}')
NOT_MAPPED = error("401 Unauthorized", gate())


@dataclasses.dataclass
class Place:
    """A configuration, and how the program has to be started with it."""
    text: str
    prefix: tuple = ()
    env: dict = None
    words: tuple = ()


class World:
    """What faults are made of."""

    def __init__(self, pki, tenant, started, tmp_path):
        self.pki, self.tenant, self.started, self.folder = pki, tenant, started, tmp_path

    def keep(self, thing):
        self.started.append(thing)
        return thing

    def at_end(self, function):
        self.keep(types.SimpleNamespace(stop=function))

    def keep_open(self, sock):
        self.at_end(sock.close)
        return sock

    def chain(self, *paths):
        """These files as one, beside the test PKI's; its name."""
        name = f"made-{self.folder.name}.pem"
        (self.pki / name).write_text("".join(path.read_text() for path in paths))
        return name

    def answers(self, reply, text="", server=None, **more):
        """A server that demands a certificate of the test's CA and answers so."""
        kinds = {key: more.pop(key) for key in ("certificate", "require", "tls", "versions") if key in more}
        made = self.keep(harness.Recorder(self.pki, reply, **kinds))
        return Place(text + self.tenant(made.port, server=server or f"localhost:{made.port}", **more))

    def presents(self, certificate, **more):
        """A server with that certificate, which is (name).pem and .key in a folder."""
        pem = pathlib.Path(certificate)
        made = self.keep(harness.Recorder(pem.parent, FINE, certificate=pem.stem, require=False))
        return Place(self.tenant(made.port, **{"connect_to": None, "server": f"localhost:{made.port}", **more}))

    def s_server(self, *options):
        return self.keep(Program(self.folder, ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert",
                                               f"{self.pki}/server.pem", "-key", f"{self.pki}/server.key", *options]))

    def nginx(self, *more, authorities=None):
        """authorities: the CAs whose names it tells."""
        folder = self.folder / "nginx"
        folder.mkdir()
        return self.keep(harness.Nginx(folder, f"""ssl;
            ssl_certificate {self.pki}/server.pem; ssl_certificate_key {self.pki}/server.key;
            ssl_client_certificate {authorities or f"{self.pki}/client-ca.pem"};
            ssl_verify_client on; ssl_verify_depth 3; {" ".join(more)} location / {{ return 200 ok; }}"""))

    def authority(self, name="ca", folder="authority"):
        return Authority(self.pki, self.folder / folder, name)

    def names(self):
        """In a folder that the sandbox lets be read: below that of ca-file."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.pki))
        self.at_end(lambda: shutil.rmtree(folder, ignore_errors=True))
        return harness.Names(folder)


@pytest.fixture
def world(pki, tenant, started, tmp_path):
    return World(pki, tenant, started, tmp_path)


# ---- faults: each sets itself up, and is found at a step with a code ----

FAULTS = {}


def fault(step, code):
    def keep(setup):
        FAULTS[setup.__name__] = (setup, step, code)
        return setup
    return keep


@fault("parent-proxy", "parent-proxy-refused")
def parent_proxy_that_is_not_there(w):
    return Place(w.tenant(443, parent_proxy=f"http://127.0.0.1:{harness.closed_port()}"))


@fault("parent-proxy", "parent-proxy-name-failed")
def parent_proxy_without_an_address(w):
    return Place(w.tenant(443, parent_proxy="http://nowhere.example.test:3128"), env=w.names().environment)


@fault("name", "name-not-found")
def name_that_does_not_exist(w):
    return Place(w.tenant(443, server="nowhere.example.test", connect_to=None), env=w.names().environment)


@fault("name", "name-lookup-failed")
def name_server_out_of_reach(w):
    (w.folder / "resolv").write_text("nameserver 192.0.2.1\n")
    mounted = harness.in_own_mounts(f"mount --bind {w.folder}/resolv $(readlink -f /etc/resolv.conf)")
    return Place(w.tenant(443, server="sf.example.test", connect_to=None),
                 prefix=[*mounted, *harness.in_own_network()])


@fault("name", "name-timeout")
def name_server_that_is_slow(w):
    names = w.names()
    w.at_end(names.block())
    return Place("[proxy]\nconnect-timeout = 1s\n" + w.tenant(443, server="sf.example.test", connect_to=None),
                 env=names.environment)


@fault("connect", "connection-refused")
def port_that_refuses(w):
    return Place(w.tenant(1, server=f"localhost:{harness.closed_port()}", connect_to=None))


@fault("connect", "connect-to-unreachable")
def connect_to_that_refuses(w):
    return Place(w.tenant(harness.closed_port()))


@fault("connect", "connect-timeout")
def port_that_drops(w):
    """What the server sends is lost on its way."""
    cable = w.keep(harness.Cable())
    port = w.keep_open(cable.listener()).getsockname()[1]
    cable.swallow()
    return Place("[proxy]\nconnect-timeout = 1s\n" + w.tenant(port, server=f"{cable.far}:{port}", connect_to=None),
                 prefix=cable.prefix())


@fault("connect", "host-unreachable")
def no_route(w):
    return Place(w.tenant(443, server="192.0.2.1", connect_to=None), prefix=harness.in_own_network())


@fault("tls", "server-not-tls")
def not_tls(w):
    def script(c):
        c.fill()
        c.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    made = w.keep(harness.Script(w.pki, script, tls=False))
    return Place(w.tenant(made.port))


@fault("tls", "server-tls-too-old")
def old_tls(w):
    made = w.s_server("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    return Place(w.tenant(made.port))


@fault("tls", "server-http2-only")
def http2_only(w):
    return Place(w.tenant(w.s_server("-alpn", "h2").port))


@fault("tls", "handshake-timeout")
def handshake_that_stalls(w):
    listener = w.keep_open(socket.create_server(("127.0.0.1", 0)))
    return Place("[proxy]\nhandshake-timeout = 1s\n" + w.tenant(listener.getsockname()[1]))


def self_signed(w, *more):
    folder = w.folder / "self"
    folder.mkdir()
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            folder / "it.key", "-out", folder / "it.pem", "-subj", "/CN=localhost", "-days", "9", "-addext",
            "subjectAltName=DNS:localhost", *more)
    return folder / "it.pem"


@fault("server-certificate", "server-certificate-self-signed")
def server_self_signed(w):
    return w.presents(self_signed(w))


@fault("server-certificate", "server-issuer-unknown")
def server_of_unknown_ca(w):
    return w.presents(w.pki / "server.pem", ca_file=None)


@fault("server-certificate", "ca-file-lacks-issuer")
def wrong_ca_file(w):
    return w.presents(w.pki / "server.pem", ca_file=f"{w.pki}/other-ca.pem")


@fault("server-certificate", "server-certificate-expired")
def server_expired(w):
    return w.presents(w.pki / "server-expired.pem")


@fault("server-certificate", "server-certificate-not-yet-valid")
def server_not_yet_valid(w):
    a = w.authority()
    text = lambda t: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + t))
    pem = a.issue("later", "/O=Test/CN=localhost", "DNS:localhost")
    openssl("ca", "-batch", "-notext", "-config", a.folder / "conf", "-cert", a.certificate, "-keyfile", a.key, "-in",
            a.folder / "csr", "-out", pem, "-extfile", a.folder / "ext", "-preserveDN", "-startdate", text(DAY),
            "-enddate", text(9 * DAY))
    return w.presents(pem)


@fault("server-certificate", "server-certificate-wrong-host")
def server_of_another_name(w):
    return w.presents(w.pki / "server-wrong-host.pem")


@fault("server-certificate", "server-chain-incomplete")
def server_without_its_intermediate(w):
    a = w.authority()
    between = a.issue("between", "/O=Test/CN=Between", None, "keyUsage=keyCertSign,cRLSign\nbasicConstraints=CA:TRUE\n")
    (a.folder / "ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n")
    openssl("ca", "-batch", "-notext", "-config", a.folder / "conf", "-cert", a.certificate, "-keyfile", a.key, "-in",
            a.folder / "csr", "-out", between, "-extfile", a.folder / "ext", "-preserveDN", "-days", 90)
    below = Authority(a.folder, w.folder / "below", "between")
    return w.presents(below.issue("leaf", "/O=Test/CN=localhost", "DNS:localhost", "extendedKeyUsage=serverAuth\n"
                                  "authorityInfoAccess=caIssuers;URI:http://ca.example/ca.cer\n"))


@fault("server-certificate", "server-certificate-revoked")
def server_revoked(w):
    a = w.authority()
    pem = a.issue("revoked", "/O=Test/CN=localhost", "DNS:localhost")
    a.revoke("revoked")
    (w.folder / "crl").write_text(a.crl())
    return w.presents(pem, crl_file=w.folder / "crl")


@fault("server-certificate", "tls-inspected")
def something_inspects_tls(w):
    return w.answers(FINE, server="api4.successfactors.com", ca_file=None)


@fault("certificate-request", "client-certificate-not-requested")
def certificate_is_never_asked_for(w):
    return w.answers(FINE, require=False, require_client_certificate_request="yes")


@fault("certificate-request", "client-ca-not-accepted")
def certificate_of_another_ca_is_asked_for(w):
    made = w.s_server("-Verify", "2", "-verify_return_error", "-CAfile", f"{w.pki}/other-ca.pem")
    return Place(w.tenant(made.port))


@fault("certificate", "client-certificate-expired")
def own_certificate_expired(w):
    return Place(w.tenant(1, certificate="expired-chain.pem", private_key=f"{w.pki}/expired.key"))


@fault("certificate", "client-certificate-not-yet-valid")
def own_certificate_not_yet_valid(w):
    return Place(w.tenant(1, certificate="future-chain.pem", private_key=f"{w.pki}/future.key"))


@fault("certificate", "no-client-auth")
def own_certificate_without_client_auth(w):
    pem = w.authority("client-sub").issue("odd", "/O=Test/CN=acme_user", None)
    chain = w.chain(pem, w.pki / "client-sub.pem")
    made = w.s_server("-Verify", "2", "-verify_return_error", "-CAfile", f"{w.pki}/client-ca.pem")
    return Place(w.tenant(made.port, certificate=chain, private_key=pem.with_suffix(".key")))


@fault("certificate", "private-key-mismatch")
def own_key_of_another(w):
    return Place(w.tenant(1, certificate="acme-chain.pem", private_key=f"{w.pki}/globex.key"))


@fault("certificate", "passphrase-wrong")
def own_passphrase_wrong(w):
    (w.folder / "pass").write_text("wrong horse\n")
    return Place(w.tenant(1, certificate="acme-chain.pem", private_key=f"{w.pki}/acme-encrypted.key",
                          passphrase_file=w.folder / "pass"))


@fault("certificate", "certificate-unreadable")
def own_certificate_missing(w):
    return Place(w.tenant(1, certificate="nothing.pem"))


@fault("chain", "client-chain-incomplete")
def own_intermediate_missing(w):
    made = w.s_server("-Verify", "2", "-verify_return_error", "-CAfile", f"{w.pki}/client-ca.pem")
    return Place(w.tenant(made.port, certificate="acme.pem", private_key=f"{w.pki}/acme.key"))


def revoked(w):
    """A certificate with its chain, and its key; the list is the file crl."""
    a = w.authority("client-sub")
    pem = a.issue("gone", "/O=Test/CN=acme_user", None, "extendedKeyUsage=clientAuth\n")
    a.revoke("gone")
    (w.folder / "crl").write_text(a.crl() + w.authority("client-ca", "root").crl())
    return w.chain(pem, w.pki / "client-sub.pem"), pem.with_suffix(".key")


@fault("client-certificate", "client-certificate-revoked")
def own_certificate_revoked(w):
    chain, key = revoked(w)
    made = w.s_server("-Verify", "2", "-verify_return_error", "-CAfile", f"{w.pki}/client-ca.pem", "-CRL",
                      f"{w.folder}/crl", "-crl_check")
    return Place(w.tenant(made.port, certificate=chain, private_key=key))


@fault("client-certificate", "edge-certificate-error")
def edge_page_of_a_certificate_error(w):
    chain, key = revoked(w)
    made = w.nginx(f"ssl_crl {w.folder}/crl;")
    return Place(w.tenant(made.port, certificate=chain, private_key=key))


@fault("client-certificate", "edge-no-certificate")
def edge_page_of_no_certificate(w):
    """The server takes signatures of RSA only, and the key is another: nothing is sent."""
    made = w.nginx("ssl_conf_command ClientSignatureAlgorithms RSA-PSS+SHA256:RSA+SHA256;")
    return Place(w.tenant(made.port))


@fault("company", "auth0032")
def company_id_wrong(w):
    def reply(c, seen):
        (FINE if seen.all("successfactors-companyid") == ["ACME"] else NOT_MAPPED)(c, seen)
    return w.answers(reply, company="Acme")


@fault("company", "auth0032")
def no_mapping(w):
    return w.answers(NOT_MAPPED)


@fault("company", "auth0032")
def new_certificate_not_synchronised(w):
    def reply(c, seen):
        (FINE if c.peer_cn() == "acme_user" else NOT_MAPPED)(c, seen)
    place = w.answers(reply, certificate_next=f"{w.pki}/globex-all.pem")
    place.words = ("--identity", "next")
    return place


@fault("permission", "lgn0002")
def user_without_permission(w):
    return w.answers(error("403 Forbidden", login("LGN0002", "User does not have the OData Admin access permission")))


@fault("certificate-request", "lgn0003")
def plain_host(w):
    return w.answers(error("401 Unauthorized", login("LGN0003", "Authentication information is missing.")),
                     require=False)


@fault("http", "lgn0004")
def host_of_the_user_interface(w):
    return w.answers(error("403 Forbidden", login("LGN0004", "Accessing OData API on non-API servers is forbidden")))


@fault("company", "lgn0008")
def company_not_found(w):
    return w.answers(error("403 Forbidden", login("LGN0008", "Company [ACME] not found")))


@fault("permission", "lgn0013")
def address_not_allowed(w):
    return w.answers(error("403 Forbidden", login("LGN0013", "prevented login from unauthorized ip")))


@fault("http", "sfapi-session-lost")
def session_invalid(w):
    return w.answers(error("500 Error", "<error><errorCode>INVALID_SESSION</errorCode><errorMessage>Invalid SFAPI "
                           "session</errorMessage></error>", "text/xml"))


@fault("http", "metadata-generating")
def metadata_being_generated(w):
    text = "OData metadata is being generated for this company in another thread"
    return w.answers(error("500 Error", login("COE0001", text)))


@fault("http", "too-many-requests")
def too_many_requests(w):
    return w.answers(error("429 Too Many Requests", "{}"))


@fault("http", "server-maintenance")
def maintenance(w):
    return w.answers(error("503 Service Unavailable", "<html><head><title>Scheduled Maintenance</title></head></html>",
                           "text/html"))


@fault("http", "server-bad-gateway")
def bad_gateway(w):
    return w.answers(error("502 Bad Gateway", "<html><body>We're Sorry...</body></html>", "text/html"))


@fault("http", "server-gateway-timeout")
def gateway_timeout(w):
    return w.answers(error("504 Gateway Timeout", "<html><body>We're Sorry...</body></html>", "text/html"))


@fault("clock", "clock-wrong")
def clock_wrong_by_two_days(w):
    def reply(c, seen):
        c.reply(b"{}", fields=f"Date: {email.utils.formatdate(time.time() + 2 * DAY, usegmt=True)}\r\n")
    return w.answers(reply)


@pytest.mark.parametrize("name", FAULTS)
def test_fault_fails_exactly_its_step(name, world, tmp_path):
    """Exactly that step fails, the others are ok or skipped."""
    setup, step, code = FAULTS[name]
    place = setup(world)
    walk, = check(tmp_path, place.text, *place.words, code=1, prefix=place.prefix, env=place.env)
    failed = only_failure(walk)
    assert (failed["step"], failed["code"]) == (step, code), failed
    assert failed["sentence"] and failed["cure"]


def in_own_words(field):
    """Code, cause and cure of a Sfmtls-Hint (RFC 9651)."""
    string = r'"((?:[^"\\]|\\.)*)"'
    code, cause, cure = re.fullmatch(rf"([a-z0-9-]+); cause={string}; cure={string}", field).groups()
    return code, re.sub(r"\\(.)", r"\1", cause), re.sub(r"\\(.)", r"\1", cure)


# What a proxy cannot start with, or shows only in time; and where the question is another one.
NOT_ASKED = {"own_key_of_another", "own_passphrase_wrong", "own_certificate_missing", "clock_wrong_by_two_days",
             "new_certificate_not_synchronised", "name_server_that_is_slow", "plain_host"}


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in NOT_ASKED])
def test_answer_has_the_same_words(name, world, tmp_path, started):
    """Code, sentence and cure of a call that meets the fault: in the proxy's own answer or in the hint, in the log, and
    in the status."""
    place = FAULTS[name][0](world)
    walk, = check(tmp_path, place.text, prefix=place.prefix, env=place.env)
    failed = next(step for step in walk["steps"] if step["result"] == "fail")
    folder = tmp_path / "proxy"
    folder.mkdir()
    text = place.text if place.text.startswith("[proxy]") else "[proxy]\n" + place.text
    text = text.replace("[proxy]\n", f"[proxy]\nlisten = unix:{folder}/s\nadmin = unix:{folder}/admin\n"
                        "log-format = json\n")
    p = harness.Proxy(folder, text, environment=place.env, prefix=place.prefix)
    started.append(p)
    answer = p.request(target="/odata/v2/")
    logged = json.loads(harness.eventually_logged(p, r'\{.*"path":.*\}')[0])
    told = json.loads(harness.run_cli("status", "--json", "-c", str(p.config)).stdout)
    acme = next(t for t in told["tenants"] if t["name"] == "acme")
    if answer.get("Content-Type") == "application/problem+json":
        problem = answer.json()
        in_answer = problem["code"], problem["detail"], problem["cure"]
        assert acme["state"] == "failing"
    else:
        in_answer = in_own_words(answer.get("Sfmtls-Hint"))
        assert logged["hint"] == acme["last_hint"]["code"] == failed["code"]
    last = acme["last_failure"]
    elsewhere = re.compile(r"[^ (]*sfmtls\.ini:\d+")  # this configuration is another file
    for code, sentence, cure in (in_answer, (logged["code"], logged["detail"], logged["cure"]),
                                 (last["code"], last["sentence"], last["cure"])):
        assert (code, cure) == (failed["code"], failed["cure"])
        # what only the call, or the running process, knows follows
        assert elsewhere.sub("", sentence).startswith(elsewhere.sub("", failed["sentence"]))


# ---- without a fault ----

def test_all_is_well(world, tmp_path):
    """What was found on the way is the evidence."""
    place = world.answers(FINE)
    walk, = check(tmp_path, place.text, code=0)
    assert set(results(walk).values()) == {"ok"} and walk["result"] == "ok"
    evidence = {step["step"]: step.get("evidence") for step in walk["steps"]}
    assert evidence["certificate"]["subject"].startswith("CN=acme_user")
    assert evidence["chain"]["chain"] == ["CN=Test Client Sub CA,O=Test"]
    assert evidence["connect"]["address"].startswith("127.0.0.1:")
    assert evidence["tls"]["version"] in ("TLSv1.2", "TLSv1.3")
    assert evidence["server-certificate"]["chain"] == ["CN=localhost,O=Test"]
    assert abs(evidence["clock"]["ahead_s"]) < 300 and evidence["http"]["status"] == 200


def test_it_tells_how_long_each_part_took(world, tmp_path):
    def slow(c, seen):
        threading.Event().wait(0.3)
        FINE(c, seen)

    walk, = check(tmp_path, world.answers(slow, connect_to=None).text, code=0)
    took = {step["step"]: step["evidence"]["ms"] for step in walk["steps"] if "ms" in step.get("evidence", {})}
    assert set(took) == {"name", "connect", "tls", "http"} and 300 <= took["http"] < 30000, took
    assert 0 < took["tls"] < 30000 and took["connect"] < 30000


def test_it_sends_one_harmless_request(world, tmp_path):
    place = world.answers(FINE)
    check(tmp_path, place.text)
    seen, = world.started[-1].take()
    assert (seen.method, seen.target, seen.body) == ("GET", "/odata/v2/", b"")
    assert seen.all("successfactors-companyid") == ["ACME"] and seen.all("authorization") == []


def test_authorities_of_the_server_are_told(world, tmp_path):
    """nginx names the CAs whose certificates it accepts."""
    walk, = check(tmp_path, world.tenant(world.nginx().port))
    assert step_of(walk, "certificate-request")["evidence"]["authorities"] == ["CN=Test Client Root,O=Test"]


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_answer_in_chunks_and_coded(world, tmp_path, coding):
    body = gate().encode()
    body = gzip.compress(body) if coding == "gzip" else body

    def reply(c, seen):
        c.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n"
               f"Content-Type: application/json\r\nContent-Encoding: {coding}\r\n\r\n")
        for i in range(0, len(body), 7):
            c.send(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]))
        c.send("0\r\n\r\n")

    walk, = check(tmp_path, world.answers(reply).text)
    assert only_failure(walk)["code"] == "auth0032"


@pytest.mark.parametrize("status, step, result, code", [
    ("404 Not Found", "http", "unknown", 0), ("302 Found", "http", "unknown", 0),
    ("400 Bad Request", "http", "unknown", 0), ("500 Error", "http", "fail", 1),
    ("401 Unauthorized", "permission", "fail", 1), ("403 Forbidden", "permission", "fail", 1),
])
def test_answer_without_a_known_cause(world, tmp_path, status, step, result, code):
    place = world.answers(error(status, "nothing that is known", "text/plain"))
    walk, = check(tmp_path, place.text, code=code)
    told = step_of(walk, step)
    assert told["result"] == result and status[:3] in told["sentence"] and "code" not in told


@pytest.mark.parametrize("location, shown", [
    ("https://login.example/a?token=hush#code=hush", "https://login.example/a"), ("/login#access_token=hush", "/login"),
    ("https://user:hush@login.example/a", "login.example/a")])
def test_answer_that_leads_elsewhere(world, tmp_path, location, shown):
    """Where to is said, without what may be a token or a password."""
    place = world.answers(lambda c, seen: c.reply(b"", "302 Found", f"Location: {location}\r\n"))
    walk, = check(tmp_path, place.text, code=0)
    assert f", to go to {shown}, which" in step_of(walk, "http")["sentence"] and "hush" not in json.dumps(walk)


def test_server_that_never_asks_where_it_need_not(world, tmp_path):
    walk, = check(tmp_path, world.answers(FINE, require=False).text, code=0)
    assert walk["result"] == "warn" and step_of(walk, "certificate-request")["result"] == "warn"
    told = results(walk)
    assert told["http"] == "ok"
    assert {told[step] for step in ("client-certificate", "company", "permission")} == {"unknown"}


def test_server_that_says_nothing(world, tmp_path):
    place = world.answers(lambda c, seen: c.at_end(), text="[proxy]\nanswer-timeout = 1s\n")
    walk, = check(tmp_path, place.text, code=1)
    assert (only_failure(walk)["step"], only_failure(walk)["code"]) == ("http", "answer-timeout")


def test_server_that_closes_at_once(world, tmp_path):
    walk, = check(tmp_path, world.answers(lambda c, seen: c.end()).text, code=1)
    assert (only_failure(walk)["step"], only_failure(walk)["code"]) == ("http", "upstream-closed")


# ---- options ----

def test_certificate_that_ends_soon(world, tmp_path, pki):
    """30 days ahead it is a warning; a failure if so many days are asked for."""
    soon = harness.issue_between(pki, tmp_path / "soon", time.time() - DAY, time.time() + 20 * DAY)
    text = world.answers(FINE, certificate_next=soon).text
    for words, result in [([], "warn"), (["--fail-days", "10"], "warn"), (["--fail-days", "21"], "fail")]:
        walk, = check(tmp_path, text, "--identity", "next", *words)
        told = step_of(walk, "certificate")
        assert (told["result"], told["code"]) == (result, "client-certificate-ends-soon")
    assert only_failure(walk)["step"] == "certificate"
    assert check(tmp_path, text, "--fail-days", "200", code=1)


@pytest.mark.parametrize("named", [True, False])
def test_issuer_that_the_server_names(world, tmp_path, named):
    """Without a word from the server that it accepts the issuer, it may lack the certificate of an intermediate CA."""
    known = f"{world.pki}/" + world.chain(world.pki / "client-sub.pem", world.pki / "client-ca.pem")
    names = known if named else f"{world.pki}/client-ca.pem"
    made = world.nginx(f"ssl_trusted_certificate {known};", authorities=names)
    walk, = check(tmp_path, world.tenant(made.port, certificate="acme.pem", private_key=f"{world.pki}/acme.key"))
    step = step_of(walk, "chain")
    assert step["result"] == ("ok" if named else "warn"), step
    assert named or "CN=Test Client Sub CA" in step["sentence"]
    assert step_of(walk, "client-certificate")["result"] == "ok"


def test_issuer_before_the_server_has_said_anything(world, tmp_path):
    text = world.tenant(harness.closed_port(), certificate="acme.pem", private_key=f"{world.pki}/acme.key")
    walk, = check(tmp_path, text, code=1)
    assert (step_of(walk, "chain")["result"], step_of(walk, "connect")["result"]) == ("unknown", "fail")


def test_both_identities_before_a_switch(world, tmp_path):
    """The one in use works, the next one is not known yet."""
    place = FAULTS["new_certificate_not_synchronised"][0](world)
    current, following = check(tmp_path, place.text, "--identity", "both", code=1)
    assert (current["identity"], current["result"]) == ("current", "ok")
    assert (following["identity"], only_failure(following)["code"]) == ("next", "auth0032")


def test_key_that_the_server_takes_no_signature_of_is_named(world, tmp_path):
    """A server that accepts RSA only: the sentence says that the key is EC, as far as that is known here."""
    walk, = check(tmp_path, FAULTS["edge_page_of_no_certificate"][0](world).text, code=1)
    assert step_of(walk, "client-certificate")["sentence"].endswith(
        " Its key is EC 256, and a server that accepts RSA only gets no certificate.")


def test_probe_asks_what_others_get(world, tmp_path):
    """The other certificate, and another company with the same one."""
    def reply(c, seen):
        fine = c.peer_cn() == "globex_user" or seen.all("successfactors-companyid") == ["TEST"]
        (FINE if fine else NOT_MAPPED)(c, seen)
    place = world.answers(reply, certificate_next=f"{world.pki}/globex-all.pem")
    text = place.text + world.tenant(world.started[-1].port, name="test", company="TEST")
    walk = check(tmp_path, text, "acme", "--probe", code=1)[0]
    assert step_of(walk, "company")["evidence"]["probes"] == [
        {"with": "certificate-next", "outcome": "accepted"}, {"with": "tenant test", "outcome": "accepted"}]
    assert " Asked also with certificate-next: accepted; tenant test: accepted." in step_of(walk, "company")["sentence"]
    walk = check(tmp_path, text, "acme", code=1)[0]
    assert "probes" not in step_of(walk, "company").get("evidence", {})


def test_probe_asks_the_plain_host(world, tmp_path):
    """Which says LGN0003 to whom it knows. Here it has the name of the certificate host, which is noticed."""
    place = world.answers(NOT_MAPPED, server="api4.successfactors.com")
    walk = check(tmp_path, place.text, "--probe", code=1)[0]
    assert step_of(walk, "company")["evidence"]["probes"] == [
        {"with": "plain host api4.successfactors.com", "outcome": "server-certificate-wrong-host"}]


def test_probe_beside_settings(world, tmp_path):
    """The plain host replaces a server that --set names; what else is set stays."""
    place = world.answers(NOT_MAPPED, server="api8.successfactors.com")
    walk = check(tmp_path, place.text, "--probe", "--set", "acme.server=api4.successfactors.com", code=1)[0]
    assert step_of(walk, "company")["evidence"]["probes"] == [
        {"with": "plain host api4.successfactors.com", "outcome": "server-certificate-wrong-host"}]


@pytest.mark.parametrize("step", STEPS)
def test_step_that_is_left_out(world, tmp_path, step):
    walk, = check(tmp_path, world.answers(FINE).text, "--skip", step, code=0)
    told = results(walk)
    assert told[step] == "skipped" and "needs" not in step_of(walk, step)
    harmless = ("chain", "clock", "company")
    later = [name for name in STEPS if STEPS.index(name) > STEPS.index(step)]
    skipped = {name for name in STEPS if told[name] == "skipped"}
    assert skipped == ({step} if step in harmless else skipped & {step, *later}), told


def test_rules_that_do_not_cover_the_path(world, tmp_path):
    place = world.answers(FINE, allow="GET /odata/v2/User")
    walk, = check(tmp_path, place.text, code=0)
    assert step_of(walk, "http")["result"] == "unknown" and "--path" in step_of(walk, "http")["cure"]
    assert world.started[-1].take() == []
    walk, = check(tmp_path, place.text, "--path", "/odata/v2/User", code=0)
    assert walk["result"] == "ok" and [seen.target for seen in world.started[-1].take()] == ["/odata/v2/User"]


def test_one_tenant_of_several(world, tmp_path):
    text = world.answers(FINE).text + world.tenant(harness.closed_port(), name="other", company="OTHER")
    assert [walk["tenant"] for walk in check(tmp_path, text, code=1)] == ["acme", "other"]
    walk, = check(tmp_path, text, "acme", code=0)
    assert walk["tenant"] == "acme"


def test_files_that_others_may_change(world, tmp_path):
    place = world.answers(FINE)
    (tmp_path / "sfmtls.ini").touch()
    (tmp_path / "sfmtls.ini").chmod(0o666)
    walk, = check(tmp_path, place.text, code=1)
    assert only_failure(walk)["step"] == "configuration"


@pytest.mark.parametrize("words, said", [
    (["--identity", "old"], "current, next or both"), (["--fail-days", "x"], "number of days"),
    (["--skip", "everything"], "no such step"), (["--path", "odata"], "begins with /"), (["acme", "more"], "`more`"),
    (["nobody"], "no tenant nobody"), (["--identity", "next"], "no tenant has a certificate-next"),
    (["acme", "--identity", "next"], "tenant acme has no certificate-next"), (["--what"], "unknown option"),
], ids=" ".join)
def test_wrong_command_line(world, tmp_path, words, said):
    (tmp_path / "sfmtls.ini").write_text(world.tenant(1))
    assert said in test_cli.refused("check", "-c", str(tmp_path / "sfmtls.ini"), *words)


def test_configuration_that_cannot_be_read(tmp_path):
    (tmp_path / "sfmtls.ini").write_text("[tenant acme]\nserver = x\ncolour = red\n")
    assert "colour" in test_cli.refused("check", "-c", str(tmp_path / "sfmtls.ini"), "--json")


# ---- text ----

def test_text_is_a_line_for_each_step(world, tmp_path):
    """The cures come below; no colours where there is no terminal."""
    (tmp_path / "sfmtls.ini").write_text(world.answers(NOT_MAPPED).text)
    result = harness.run_cli("check", "-c", str(tmp_path / "sfmtls.ini"))
    assert (result.returncode, result.stderr) == (1, "") and "\x1b" not in result.stdout
    title, *lines = result.stdout.splitlines()
    assert title.startswith("acme: localhost:") and [line.split()[1] for line in lines[:14]] == STEPS
    assert lines[12].startswith("  FAIL     company") and lines[12].endswith("[auth0032]")
    assert lines[13] == "  skipped  permission           it needs company"
    assert len(lines) == 15 and lines[14].startswith("  company: Compare the mapping")


@pytest.mark.parametrize("env, coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str)
def test_colours_at_a_terminal(tmp_path, tenant, env, coloured):
    (tmp_path / "sfmtls.ini").write_text(tenant(harness.closed_port()))
    ours, theirs = pty.openpty()
    subprocess.run([harness.BINARY, "check", "-c", str(tmp_path / "sfmtls.ini")], stdout=theirs,
                   env={**os.environ, "TERM": "xterm", **env}, timeout=harness.LIMIT)
    os.close(theirs)
    text = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while data := os.read(ours, 65536):
            text += data
    os.close(ours)
    assert (b"\x1b[31;1mFAIL" in text) == coloured and (b"\x1b" in text) == coloured
