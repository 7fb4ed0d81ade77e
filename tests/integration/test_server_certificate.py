"""The server proves who it is: by which names, and that its certificate was not revoked."""
import contextlib
import os
import re
import shutil
import subprocess
import threading
import time

import pytest

import harness
from conftest import proxy_section

DAY = 86400


def openssl(*words, **more):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, **more).stdout


class Authority:
    """A CA of the test PKI that issues server certificates, and lists of those that it has revoked."""

    def __init__(self, pki, folder, name="ca"):
        self.certificate, self.key, self.folder = pki / f"{name}.pem", pki / f"{name}.key", folder
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "db"
        self.database.write_text("")
        (folder / "number").write_text("01\n")
        (folder / "conf").write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.database}\ncrlnumber={folder}/number\n"
                                     f"new_certs_dir={folder}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
                                     "unique_subject=no\n[p]\nO=optional\nCN=optional\n"
                                     "[delta]\n2.5.29.27=critical,DER:020101\n"
                                     "[scoped]\nissuingDistributionPoint=critical,@point\n[point]\n"
                                     "onlysomereasons=keyCompromise\n"
                                     "[of_cas]\nissuingDistributionPoint=critical,@cas\n[cas]\nonlyCA=TRUE\n"
                                     "[odd]\n1.2.3.4=critical,DER:0500\n")

    def issue(self, name, subject, names, usage="extendedKeyUsage=serverAuth\n"):
        """name.pem and name.key in the folder; names: the value of subjectAltName, or None."""
        pem, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        openssl("genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", subject, "-out", self.folder / "csr")
        usage = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n" + usage
        (self.folder / "ext").write_text(usage + (f"subjectAltName={names}\n" if names else ""))
        openssl("ca", "-batch", "-notext", "-config", self.folder / "conf", "-cert", self.certificate, "-keyfile",
                self.key, "-in", self.folder / "csr", "-out", pem, "-extfile", self.folder / "ext", "-preserveDN",
                "-days", 90)
        return pem

    def revoke(self, name, reason="keyCompromise"):
        openssl("ca", "-config", self.folder / "conf", "-cert", self.certificate, "-keyfile", self.key, "-revoke",
                self.folder / f"{name}.pem", "-crl_reason", reason)

    def crl(self, begins=-DAY, ends=DAY, extensions=None):
        """The list as it is now, in PEM; its times are counted from now."""
        text = lambda t: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + t))
        return openssl("ca", "-gencrl", "-config", self.folder / "conf", "-cert", self.certificate, "-keyfile",
                       self.key, "-crl_lastupdate", text(begins), "-crl_nextupdate", text(ends),
                       *(["-crlexts", extensions] if extensions else [])).decode()

    def serial(self, name):
        return openssl("x509", "-noout", "-serial", "-in", self.folder / f"{name}.pem").decode().strip()[7:]


# ---- names (RFC 9525) ----

NAMES = {  # server, subject, subjectAltName, is it accepted
    "a name": ("api.b.example", "/CN=other", "DNS:api.b.example", True),
    "one of several": ("api.b.example", "/CN=other", "DNS:x.example,IP:10.0.0.1,DNS:api.b.example", True),
    "in capital letters": ("api.b.example", "/CN=other", "DNS:API.B.Example", True),
    "server in capital letters": ("API.B.EXAMPLE", "/CN=other", "DNS:api.b.example", True),
    "server with a final dot": ("api.b.example.", "/CN=other", "DNS:api.b.example", True),
    "name with a final dot": ("api.b.example", "/CN=other", "DNS:api.b.example.", False),
    "CN alone": ("api.b.example", "/CN=api.b.example", None, False),
    "CN beside another name": ("api.b.example", "/CN=api.b.example", "DNS:other.b.example", False),
    "CN beside an address": ("api.b.example", "/CN=api.b.example", "IP:127.0.0.1", False),
    "CN beside an e-mail address": ("api.b.example", "/CN=api.b.example", "email:a@api.b.example", False),
    "CN beside a URI": ("api.b.example", "/CN=api.b.example", "URI:https://api.b.example/", False),
    "URI": ("api.b.example", "/CN=other", "URI:https://api.b.example/", False),
    "CN with a wildcard": ("api.b.example", "/CN=*.b.example", None, False),
    "longer": ("api.b.example", "/CN=other", "DNS:xapi.b.example", False),
    "below": ("api.b.example", "/CN=other", "DNS:x.api.b.example", False),
    "above": ("api.b.example", "/CN=other", "DNS:b.example", False),
    "with a NUL": ("api.b.example", "/CN=other",
                   "DER:30:1c:82:1a:" + "api.b.example\0evil.example".encode().hex(":"), False),
    "wildcard": ("api.b.example", "/CN=other", "DNS:*.b.example", True),
    "wildcard for an IDN": ("xn--mnchen-3ya.b.example", "/CN=other", "DNS:*.b.example", True),
    "IDN": ("xn--mnchen-3ya.b.example", "/CN=other", "DNS:xn--mnchen-3ya.b.example", True),
    "wildcard for two labels": ("x.api.b.example", "/CN=other", "DNS:*.b.example", False),
    "wildcard for none": ("b.example", "/CN=other", "DNS:*.b.example", False),
    "wildcard at the end of a label": ("api.b.example", "/CN=other", "DNS:a*.b.example", False),
    "wildcard at the beginning of a label": ("api.b.example", "/CN=other", "DNS:*i.b.example", False),
    "wildcard within an IDN": ("xn--mnchen-3ya.b.example", "/CN=other", "DNS:xn--*.b.example", False),
    "wildcard in the middle": ("api.b.example", "/CN=other", "DNS:api.*.example", False),
    "two wildcards": ("api.b.example", "/CN=other", "DNS:*.*.example", False),
    "wildcard alone": ("localhost", "/CN=other", "DNS:*", False),
    "wildcard for a top-level domain": ("b.example", "/CN=other", "DNS:*.example", False),
    "IPv4": ("10.0.0.1", "/CN=other", "IP:10.0.0.1", True),
    "IPv4 of another": ("10.0.0.1", "/CN=10.0.0.1", "IP:10.0.0.2", False),
    "IPv4 as a name": ("10.0.0.1", "/CN=other", "DNS:10.0.0.1", False),
    "IPv4 in the CN": ("10.0.0.1", "/CN=10.0.0.1", None, False),
    "IPv4 as a wildcard": ("10.0.0.1", "/CN=other", "DNS:*.0.0.1", False),
    "IPv4 in IPv6": ("10.0.0.1", "/CN=other", "IP:::ffff:10.0.0.1", False),
    "IPv6": ("[2001:db8::1]", "/CN=other", "IP:2001:db8::1", True),
    "IPv6 in other words": ("[2001:DB8:0:0::1]", "/CN=other", "IP:2001:db8::1", True),
    "IPv6 of another": ("[2001:db8::1]", "/CN=2001:db8::1", "IP:2001:db8::2", False),
    "IPv6 in the CN": ("[2001:db8::1]", "/CN=2001:db8::1", None, False),
    "IPv6 as a name": ("[2001:db8::1]", "/CN=other", "DNS:2001:db8::1", False),
}


@pytest.fixture(scope="module")
def named(pki, tmp_path_factory):
    """A proxy with a tenant for each of NAMES, before a server with that certificate."""
    authority = Authority(pki, tmp_path_factory.mktemp("names"))
    shutil.copy(pki / "client-ca.pem", authority.folder)
    sections = ""
    with contextlib.ExitStack() as stack:
        for i, (server, subject, names, _) in enumerate(NAMES.values()):
            authority.issue(str(i), subject, names)
            script = harness.Recorder(authority.folder, certificate=str(i))
            stack.callback(script.stop)
            sections += (f"[tenant t{i}]\ncompany-id = C{i}\nserver = {server}\nconnect-to = 127.0.0.1:{script.port}\n"
                         f"certificate = {pki}/acme-all.pem\nca-file = {pki}/ca.pem\n")
        proxy = harness.Proxy(tmp_path_factory.mktemp("named"), proxy_section({}) + sections)
        stack.callback(proxy.stop)
        yield proxy


@pytest.mark.parametrize("name", NAMES)
def test_name_in_the_certificate(name, named):
    """The subject's CN never counts, and a wildcard only as the whole first label."""
    server, _, names, accepted = NAMES[name]
    answer = named.request(fields=[("successfactors-companyid", f"C{list(NAMES).index(name)}")])
    if accepted:
        assert answer.status == 200, answer.body
        return
    assert answer.token == "server-certificate-wrong-host"
    detail = answer.json()["detail"]
    unnamed = not re.search("DNS:|IP:|DER:", names or "")
    assert ("it has no host name or address in subjectAltName" in detail) == unnamed, detail
    for found in re.findall(r"(?:DNS|IP):([^,]+)", names or ""):
        assert found.lower() in detail.lower(), detail


@pytest.mark.parametrize("name", ["CN alone", "CN beside another name", "a name"])
def test_name_inside_connect(name, pki, tmp_path, proxy, started):
    """The caller's TLS ends here; the server's certificate is verified as ever."""
    server, subject, names, accepted = NAMES[name]
    authority = Authority(pki, tmp_path / "authority")
    shutil.copy(pki / "client-ca.pem", authority.folder)
    authority.issue("server", subject, names)
    started.append(harness.Script(authority.folder, harness.answering()))
    sections = (f"[tenant a]\ncompany-id = A\nserver = {server}\nconnect-to = 127.0.0.1:{started[-1].port}\n"
                f"certificate = {pki}/acme-all.pem\nca-file = {pki}/ca.pem\n")
    root = harness.make_local_ca(tmp_path, f"[proxy]\nlocal-ca = ca\n{sections}")
    p = proxy(sections, local_ca=tmp_path / "ca")
    words = ["curl", "-s", "-x", p.url(""), "--cacert", root, f"https://{server}/"]
    result = subprocess.run(words, capture_output=True)
    assert (result.stdout == b"ok") == accepted
    assert accepted or b"server-certificate-wrong-host" in result.stdout


def test_localhost_of_the_demo_has_a_name():
    """Its throw-away certificates follow the same rules."""
    result = harness.run_cli("demo", "--once", "--listen", "127.0.0.1:0")
    assert result.returncode == 0, result.stderr


# ---- revocation ----

class Revoking:
    """A proxy before a server that has one certificate of an authority with lists of revoked ones."""

    def __init__(self, pki, folder, started):
        self.pki, self.folder, self.started = pki, folder, started
        self.authority = Authority(pki, folder / "authority")
        shutil.copy(pki / "client-ca.pem", self.authority.folder)
        for name in ("server", "other"):
            self.authority.issue(name, "/O=Test/CN=the server", "DNS:localhost")
        self.server = harness.Recorder(self.authority.folder)
        started.append(self.server)
        self.ca, self.file = folder / "ca.pem", folder / "crl.pem"
        shutil.copy(pki / "ca.pem", self.ca)

    def config(self, crl=True, **more):
        lines = {"crl-file": self.file if crl else None, **more}
        return (f"[proxy]\nlisten = 127.0.0.1:0\n[tenant a]\ncompany-id = A\nserver = localhost:{self.server.port}\n"
                f"certificate = {self.pki}/acme-all.pem\nca-file = {self.ca}\n"
                + "".join(f"{k} = {v}\n" for k, v in lines.items() if v))

    def start(self, text, crl=True):
        """text: of the list; crl: in a file of its own, else behind the CA's certificate."""
        data = text if isinstance(text, bytes) else text.encode()
        if crl:
            self.file.write_bytes(data)
        else:
            self.ca.write_bytes(self.ca.read_bytes() + data)
        folder = self.folder / f"proxy{len(self.started)}"
        folder.mkdir()
        self.p = harness.Proxy(folder, self.config(crl))
        self.started.append(self.p)
        return self.p

    def tried(self, text):
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        (self.folder / "tried.ini").write_text(self.config())
        return harness.run_cli("run", "-t", "-c", str(self.folder / "tried.ini"))

    def put(self, text):
        self.file.with_suffix(".new").write_text(text)
        os.replace(self.file.with_suffix(".new"), self.file)


@pytest.fixture
def revoking(pki, tmp_path, started):
    return Revoking(pki, tmp_path, started)


def der(crl):
    return openssl("crl", "-outform", "DER", input=crl.encode())


UNCHECKED = "no revocation list covers its certificate"


@pytest.mark.parametrize("own_file", [True, False], ids=["crl-file", "in ca-file"])
@pytest.mark.parametrize("listed", ["server", "other", None])
def test_revoked_server(listed, own_file, revoking):
    """It gets neither our certificate nor a byte of the request, and the sentence names it."""
    if listed:
        revoking.authority.revoke(listed)
    p = revoking.start(revoking.authority.crl(), own_file)
    answer = p.request()
    if listed != "server":
        assert answer.status == 200 and UNCHECKED not in p.stderr
        return
    assert answer.token == "server-certificate-revoked"
    for word in ("localhost", "CN=the server", revoking.authority.serial("server"), "CN=Test Server CA",
                 time.strftime("%Y-%m-", time.gmtime())):
        assert word in answer.json()["detail"], answer.json()["detail"]
    assert revoking.server.connections == []


@pytest.mark.parametrize("reason", ["unspecified", "superseded", "certificateHold", "affiliationChanged"])
def test_reason_makes_no_difference(reason, revoking):
    revoking.authority.revoke("server", reason)
    assert revoking.start(revoking.authority.crl()).request().token == "server-certificate-revoked"


@pytest.mark.parametrize("form", ["PEM", "DER", "base64 of DER", "PEM with text", "PEM, CRLF", "PEM, byte order mark",
                                  "among certificates", "PKCS#7"])
def test_form_of_the_list(form, revoking):
    revoking.authority.revoke("server")
    crl = revoking.authority.crl()
    text = {"PEM": crl, "DER": der(crl), "PEM with text": "some words\n" + crl + "more\n",
            "base64 of DER": "".join(crl.split("\n")[1:-2]), "PEM, CRLF": crl.replace("\n", "\r\n"),
            "PEM, byte order mark": "\ufeff" + crl, "among certificates": revoking.ca.read_text() + crl,
            "PKCS#7": None}[form]
    if form == "PKCS#7":
        (revoking.folder / "list").write_text(crl)
        text = openssl("crl2pkcs7", "-in", revoking.folder / "list")
    assert revoking.start(text).request().token == "server-certificate-revoked"


def test_list_of_another_ca(revoking, pki):
    """It says nothing of this server, which passes; the log says so, once."""
    other = Authority(pki, revoking.folder / "other", "other-ca")
    revoking.server.reply = lambda c, seen: c.reply(fields="Connection: close\r\n")
    p = revoking.start(other.crl())
    for _ in range(3):
        assert p.request().status == 200
    told = r"warning: localhost: no revocation list covers .*CN=Test Server CA,O=Test.*; .*crl-file"
    assert re.search(told, p.said(UNCHECKED))
    assert not p.stderr.count(UNCHECKED) > 1


def test_several_lists(revoking, pki):
    """Of several CAs, and an older one of the same CA: the newest counts."""
    older = revoking.authority.crl(begins=-5 * DAY)
    revoking.authority.revoke("server")
    newer = revoking.authority.crl(begins=-4 * DAY)
    other = Authority(pki, revoking.folder / "other", "other-ca").crl()
    for text in (older + newer + other, other + newer + older):
        assert revoking.start(text).request().token == "server-certificate-revoked"
    assert revoking.start(older).request().status == 200


@pytest.mark.parametrize("begins, ends, says", [(-2 * DAY, -DAY, "CRL has expired"),
                                                (DAY, 2 * DAY, "CRL is not yet valid")])
def test_list_that_is_not_good_now(begins, ends, says, revoking):
    """Nobody knows what was revoked since: the server is refused. Told at start, too."""
    crl = revoking.authority.crl(begins, ends)
    tried = revoking.tried(crl)
    assert tried.returncode == 0
    assert re.search(r"sfmtls: (error|warning): .*crl.pem: the revocation list of CN=Test Server CA,O=Test .*; ",
                     tried.stderr), tried.stderr
    answer = revoking.start(crl).request()
    assert answer.token == "revocation-list-unusable" and says in answer.json()["detail"]
    assert "CN=Test Server CA" in answer.json()["detail"] and "localhost" in answer.json()["detail"]
    assert revoking.server.connections == []


def test_older_list_is_over_and_the_newer_is_not(revoking):
    lists = revoking.authority.crl(-3 * DAY, -DAY) + revoking.authority.crl()
    assert revoking.start(lists).request().status == 200


def forged(crl):
    """One bit of the signature is another."""
    data = bytearray(der(crl))
    data[-3] ^= 1
    return bytes(data)


def test_list_that_its_ca_did_not_sign(revoking, pki):
    """Where the CA is known it is refused at once."""
    tried = revoking.tried(forged(revoking.authority.crl()))
    assert tried.returncode == 2 and f"{revoking.folder}/tried.ini:" in tried.stderr
    assert "was not signed by" in tried.stderr and re.search(r"; \S.* \S", tried.stderr)


def test_list_signed_by_another_ca_of_the_same_name(revoking, pki, tmp_path):
    """The name alone is nothing; told at load, for the real one is in ca-file."""
    twin = tmp_path / "twin"
    twin.mkdir()
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj",
            "/O=Test/CN=Test Server CA", "-keyout", twin / "twin.key", "-out", twin / "twin.pem", "-days", 5)
    text = Authority(twin, tmp_path / "twins", "twin").crl()
    tried = revoking.tried(text)
    assert tried.returncode == 2 and "was not signed by" in tried.stderr


LISTS = {  # the list's extensions: what becomes of the server that is on it, or on no list; is the start warned of it
    "odd": ("revocation-list-unusable", "revocation-list-unusable", False),  # critical, and unknown (RFC 5280, 5.2)
    "scoped": ("server-certificate-revoked", None, False),                   # says nothing of other reasons
    "delta": (None, None, True),                                             # changes to a list that is not there
    "of_cas": ("server-certificate-revoked", None, True),                    # but the server is on it
}


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("extension", LISTS)
def test_list_that_is_no_plain_one(extension, listed, revoking):
    """What it says counts as far as it goes; where it does not reach, the certificate is not covered."""
    if listed:
        revoking.authority.revoke("server")
    p = revoking.start(revoking.authority.crl(extensions=extension))
    answer, token = p.request(), LISTS[extension][0 if listed else 1]
    harness.eventually(lambda: ("decides nothing" in p.stderr) == LISTS[extension][2])
    if token:
        assert answer.token == token
        return
    assert answer.status == 200
    harness.eventually(lambda: UNCHECKED in p.stderr)


@pytest.mark.parametrize("listed", ["in the base", "in the delta", None])
@pytest.mark.parametrize("first", ["base", "delta"])
def test_delta_list_with_its_base(first, listed, revoking):
    """RFC 5280, 5.2.4: both count together, and neither alone."""
    conf = revoking.authority.folder / "conf"
    conf.write_text(conf.read_text().replace("[delta]\n", "[base]\nauthorityKeyIdentifier=keyid\n"
                                             "freshestCRL=URI:http://ca.example/delta\n[delta]\n"
                                             "authorityKeyIdentifier=keyid\n"))
    revoking.authority.revoke("server" if listed == "in the base" else "other")
    base = revoking.authority.crl(begins=-3 * DAY, extensions="base")
    revoking.authority.database.write_text("")
    if listed == "in the delta":
        revoking.authority.revoke("server")
    delta = revoking.authority.crl(begins=-2 * DAY, extensions="delta")
    answer = revoking.start(base + delta if first == "base" else delta + base).request()
    assert (answer.token if listed else answer.status) == ("server-certificate-revoked" if listed else 200)


def test_only_the_servers_own_certificate_is_checked(pki, tmp_path, started):
    """A list of the root that revokes an intermediate is for whoever keeps the roots."""
    root = Authority(pki, tmp_path / "root")
    root.issue("sub", "/O=Test/CN=a sub CA", None, "")
    shutil.copy(pki / "client-ca.pem", tmp_path)
    openssl("genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
            tmp_path / "sub.key")
    openssl("req", "-new", "-key", tmp_path / "sub.key", "-subj", "/O=Test/CN=a sub CA", "-out", tmp_path / "csr")
    (tmp_path / "ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n")
    openssl("ca", "-batch", "-notext", "-config", root.folder / "conf", "-cert", root.certificate, "-keyfile", root.key,
            "-in", tmp_path / "csr", "-out", tmp_path / "sub.pem", "-extfile", tmp_path / "ext", "-days", 9)
    sub = Authority(tmp_path, tmp_path / "authority", "sub")
    sub.issue("server", "/O=Test/CN=x", "DNS:localhost")
    openssl("ca", "-config", root.folder / "conf", "-cert", root.certificate, "-keyfile", root.key, "-revoke",
            tmp_path / "sub.pem")
    server = sub.folder / "server.pem"
    server.write_text(server.read_text() + (tmp_path / "sub.pem").read_text())
    shutil.copy(pki / "client-ca.pem", sub.folder)
    r = Revoking.__new__(Revoking)
    r.pki, r.folder, r.started, r.ca, r.file = pki, tmp_path, started, tmp_path / "roots.pem", tmp_path / "crl.pem"
    shutil.copy(pki / "ca.pem", r.ca)
    r.server = harness.Recorder(sub.folder)
    started.append(r.server)
    p = r.start(root.crl() + sub.crl())
    assert p.request().status == 200 and UNCHECKED not in p.stderr


def test_list_beside_the_systems_roots(revoking):
    """Without ca-file."""
    revoking.authority.revoke("server")
    revoking.file.write_text(revoking.authority.crl())
    folder = revoking.folder / "proxy"
    folder.mkdir()
    text = re.sub("ca-file = .*\n", "", revoking.config())
    p = harness.Proxy(folder, text, environment={"SSL_CERT_FILE": str(revoking.ca), "SSL_CERT_DIR": "/none"})
    revoking.started.append(p)
    assert p.request().token == "server-certificate-revoked"


def test_list_is_renewed(revoking):
    """A reload takes it; connections and TLS sessions from before are not used any more."""
    p = revoking.start(revoking.authority.crl())
    assert p.request().status == 200
    revoking.authority.revoke("server")
    revoking.put(revoking.authority.crl())
    harness.eventually(lambda: p.request().status == 502)
    assert p.request().token == "server-certificate-revoked"
    (revoking.authority.folder / "db").write_text("")
    revoking.put(revoking.authority.crl())
    harness.eventually(lambda: p.request().status == 200)


def test_each_tenant_has_its_own(revoking):
    """One with the list, one without, before the same server."""
    revoking.authority.revoke("server")
    revoking.file.write_text(revoking.authority.crl())
    text = revoking.config() + revoking.config(crl=False).split("listen = 127.0.0.1:0\n")[1].replace(
        "tenant a", "tenant b").replace("company-id = A", "company-id = B")
    folder = revoking.folder / "proxy"
    folder.mkdir()
    p = harness.Proxy(folder, text)
    revoking.started.append(p)
    ask = lambda company: p.request(fields=[("successfactors-companyid", company)])
    assert ask("A").token == "server-certificate-revoked" and ask("B").status == 200
    assert UNCHECKED not in p.stderr, "where nothing is to be checked nothing is missing"


@pytest.mark.parametrize("content, words", [
    (None, ["No such file"]), (b"", ["is empty"]), (b"text\n", ["no CRL", "-----BEGIN X509 CRL-----"]),
    ("CERTIFICATE", ["no CRL"]), ("CUT", ["damaged"]), ("DER CUT", ["damaged"]),
])
def test_file_that_holds_no_list(content, words, revoking):
    crl = revoking.authority.crl()
    made = {"CERTIFICATE": revoking.ca.read_bytes(), "CUT": crl.encode()[:-60], "DER CUT": der(crl)[:-60]}
    revoking.file.write_bytes(made.get(content, content) or b"") if content is not None else None
    (revoking.folder / "tried.ini").write_text(revoking.config())
    tried = harness.run_cli("run", "-t", "-c", str(revoking.folder / "tried.ini"))
    assert tried.returncode == 2 and tried.stderr.count("\n") == 1
    assert tried.stderr.startswith(f"sfmtls: {revoking.folder}/tried.ini:8: {revoking.file}: "), tried.stderr
    for word in words:
        assert word in tried.stderr, tried.stderr
    assert re.search(r"; \S.* \S", tried.stderr)


def test_large_list(revoking):
    """Public CAs have lists of many megabytes."""
    lines = "".join(f"R\t350101000000Z\t260101000000Z\t{0x10000000000000000000 + i:X}\tunknown\t/CN=x\n"
                    for i in range(40000))
    revoking.authority.revoke("server")
    database = revoking.authority.database
    database.write_text(database.read_text() + lines)
    crl = revoking.authority.crl()
    assert len(crl) > 1 << 20
    for text in (crl, der(crl)):
        assert revoking.start(text).request().token == "server-certificate-revoked"


def test_reloads_while_a_handshake_waits(revoking, pki):
    """It began by a configuration that nothing else holds any more: one came while the call waited for a place, the
    next while the server took its time."""
    place, there, go_on = (threading.Event() for _ in range(3))
    context = harness.Script._new_context(revoking.authority.folder, "server", None, True, 0)  # nothing to resume

    def slow(c):
        if c.number == 1:
            there.set()
            harness.happened(go_on)
        c.sock = context.wrap_socket(c.sock, server_side=True)
        c.request()
        if c.number == 0:
            there.set()
            harness.happened(place)
        c.reply(fields="Connection: close\r\n")

    server = harness.Script(pki, slow, tls=False)
    revoking.started.append(server)
    revoking.file.write_text(Authority(pki, revoking.folder / "other", "other-ca").crl())
    admin = harness.unused_port()
    config = revoking.config(**{"connect-to": f"127.0.0.1:{server.port}", "max-upstream": 1}).replace(
        "[tenant", f"admin = 127.0.0.1:{admin}\n[tenant")
    p = harness.Proxy(revoking.folder, config)
    revoking.started.append(p)

    def reload(count):
        p.rewrite(config + f"# {count}\n")
        harness.eventually(lambda: p.stderr.count("notice: reloaded") == count)

    def waits():
        with harness.Caller(("127.0.0.1", admin)) as c:
            return b'"waiting":1' in c.request(target="/status").body

    first = harness.Background(p.request)
    harness.happened(there)
    there.clear()
    second = harness.Background(p.request)
    harness.eventually(waits)
    reload(1)
    place.set()
    assert first.result().status == 200
    harness.happened(there)
    reload(2)
    go_on.set()
    assert second.result().status == 200
    p.said(UNCHECKED)
