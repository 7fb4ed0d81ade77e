"""The server proves who it is: by which names, and that its certificate was not revoked."""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
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
                                     "[odd]\n1.2.3.4=critical,DER:0500\n")

    def issue(self, name, subject, names, usage="extendedKeyUsage=serverAuth\n"):
        """name.pem and name.key in the folder; names: the value of subjectAltName, or None."""
        pem, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        openssl("genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", subject, "-out", self.folder / "csr")
        (self.folder / "ext").write_text("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n" + usage
                                         + (f"subjectAltName={names}\n" if names else ""))
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
            script = harness.Script(authority.folder, harness.answering(), certificate=str(i))
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
    result = subprocess.run(["curl", "-s", "-x", p.url(""), "--cacert", root, f"https://{server}/"], capture_output=True)
    assert (result.stdout == b"ok") == accepted
    assert accepted or b"server-certificate-wrong-host" in result.stdout


def test_localhost_of_the_demo_has_a_name():
    """Its throw-away certificates follow the same rules."""
    result = harness.run_cli("demo", "--once", "--listen", "127.0.0.1:0")
    assert result.returncode == 0, result.stderr
