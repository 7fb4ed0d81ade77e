"""CONNECT: callers that can only set https_proxy, served under the local CA; and tunnels to what is listed."""
import concurrent.futures
import contextlib
import os
import pathlib
import re
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import types

import pytest

import harness
from conftest import proxy_section

SERVER = "api4.successfactors.com"
CERT_HOST = "api4.cert.successfactors.com"
MIB = 1 << 20


def make_ca(folder, config, *more):
    """`sfmtls ca init`; the folder."""
    ini = folder / "for-ca.ini"
    ini.write_text(config)
    result = harness.run_cli("ca", "init", "-c", str(ini), "--dir", str(folder / "ca"), *more)
    assert result.returncode == 0, result.stderr
    return folder / "ca"


def trusting(ca, **settings):
    context = ssl.create_default_context(cafile=str(ca / "root.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def ask(c, target, *fields, host="localhost", version="HTTP/1.1"):
    """Sends a CONNECT."""
    return c.send("\r\n".join([f"CONNECT {target} {version}", f"Host: {host}", *fields, "", ""]))


def connect(c, target=f"{SERVER}:443", *fields, **more):
    """... which must be answered 200."""
    ask(c, target, *fields, **more)
    head = c.read_until(b"\r\n\r\n").decode()
    assert head.split("\r\n")[0] == "HTTP/1.1 200 Connection established", head
    assert "\r\n" not in head, "no fields: there is no body to describe"
    return c


def secure(c, context, name=SERVER):
    """Begins TLS on a caller's connection."""
    assert c.pending == b""
    c.sock = context.wrap_socket(c.sock, server_hostname=name, suppress_ragged_eofs=False)
    return c


def enter(path, target=f"{SERVER}:443", *fields, name=SERVER, context=None, **more):
    """A caller inside a CONNECT, in TLS."""
    return secure(connect(path.proxy.caller(), target, *fields, **more), context or trusting(path.ca), name)


@pytest.fixture(scope="module")
def path(pki, nginx, tenant, tmp_path_factory):
    """A proxy with a local CA before nginx, which demands client certificates; shared by the tests of this module."""
    folder = tmp_path_factory.mktemp("connect")
    sections = tenant(nginx.port, server=SERVER)
    ca = make_ca(folder, sections)
    proxy = harness.Proxy(folder, proxy_section({"local_ca": ca}) + sections)
    yield types.SimpleNamespace(proxy=proxy, ca=ca)
    proxy.stop()


@pytest.fixture
def alone(tmp_path, proxy, tenant, script):
    """alone(server function, **proxy keys): a path of the test's own, before a scripted server."""

    def start(function=harness.answering(), sections=None, **keys):
        server = script(function)
        text = sections or tenant(server.port, server=SERVER)
        ca = make_ca(tmp_path, text)
        keys.setdefault("local_ca", ca)
        return types.SimpleNamespace(proxy=proxy(text, **keys), ca=ca, server=server)

    return start


# ---- sfmtls ca ----

def tenants(pki, *servers):
    return "".join(f"[tenant t{i}]\ncompany-id = C{i}\nserver = {server}\ncertificate = {pki}/acme-all.pem\n"
                   for i, server in enumerate(servers))


def text_of(certificate):
    return subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-text"], check=True, capture_output=True,
                          text=True).stdout


def test_ca_is_made_of_two_certificates_and_one_key(tmp_path, pki):
    ca = make_ca(tmp_path, tenants(pki, SERVER, "sf.corp.example:8443"))
    modes = {str(p.relative_to(ca)): p.stat().st_mode & 0o777 for p in [ca, *ca.rglob("*")]}
    assert modes == {".": 0o755, "root.pem": 0o644, "intermediate.pem": 0o644, "private": 0o700,
                     "private/intermediate.key": 0o600}
    for name in ("root", "intermediate"):
        text = text_of(ca / f"{name}.pem")
        assert "Name Constraints: critical" in text and "CA:TRUE" in text and "NIST CURVE: P-256" in text
        permitted, excluded = re.search(r"Permitted:(.*)Excluded:(.*?)X509v3|Permitted:(.*)Excluded:(.*?)Signature",
                                        text, re.S).group(0).split("Excluded:")
        assert set(re.findall(r"DNS:(\S+)", permitted)) == {SERVER, CERT_HOST, "sf.corp.example"}
        assert set(re.findall(r"DNS:(\S+)", excluded)) == {"." + SERVER, "." + CERT_HOST, ".sf.corp.example"}
        assert "IP:0.0.0.0/0.0.0.0" in excluded and "IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0" in excluded
    assert "pathlen:0" in text and "TLS Web Server Authentication" in text
    modulus = ["openssl", "pkey", "-in", ca / "private/intermediate.key", "-pubout"]
    key = subprocess.run(modulus, check=True, capture_output=True, text=True).stdout
    for name, same in (("intermediate", True), ("root", False)):
        public = subprocess.run(["openssl", "x509", "-in", ca / f"{name}.pem", "-noout", "-pubkey"], check=True,
                                capture_output=True, text=True).stdout
        assert (public == key) == same


def test_ca_is_not_overwritten(tmp_path, pki):
    ca = make_ca(tmp_path, tenants(pki, SERVER))
    contents = lambda: {str(p.relative_to(ca)): p.read_bytes() for p in ca.rglob("*.*")}
    before = contents()
    arguments = ["ca", "init", "-c", str(tmp_path / "for-ca.ini"), "--dir", str(ca)]
    result = harness.run_cli(*arguments)
    assert result.returncode == 2 and "--replace" in result.stderr
    assert before == contents()
    assert harness.run_cli(*arguments, "--replace").returncode == 0
    after = contents()
    assert after.keys() == before.keys() and not set(after.values()) & set(before.values())


@pytest.fixture
def open_folder():
    """A folder that every user can reach."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-ca-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("umask", [0o077, 0o002])
def test_callers_of_other_users_can_read_the_root(umask, open_folder, pki):
    """... by the path that is printed; and nobody else the key."""
    (open_folder / "sfmtls.ini").write_text("[proxy]\nlocal-ca = deep/ca\n" + tenants(pki, SERVER))
    made = subprocess.run([os.path.abspath(harness.BINARY), "ca", "init", "-c", open_folder / "sfmtls.ini"], text=True,
                          capture_output=True, preexec_fn=lambda: os.umask(umask))
    assert made.returncode == 0, made.stderr
    printed = re.search(r"curl --cacert (\S+) ", made.stdout)[1]
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    read = run(*other, "curl", "-s", "--cacert", printed, f"file://{printed}")
    assert read.returncode == 0 and b"BEGIN CERTIFICATE" in read.stdout
    modes = {str(p.relative_to(open_folder)): p.stat().st_mode & 0o777 for p in open_folder.rglob("*")}
    assert modes.pop("sfmtls.ini") and modes == {
        "deep": 0o755, "deep/ca": 0o755, "deep/ca/root.pem": 0o644, "deep/ca/intermediate.pem": 0o644,
        "deep/ca/private": 0o700, "deep/ca/private/intermediate.key": 0o600}


@pytest.mark.parametrize("closed", [True, False])
def test_root_out_of_reach_of_those_who_may_call(closed, open_folder, pki):
    """Where allow-uid lets others call, and a folder above keeps them from the root."""
    ini = open_folder / "sfmtls.ini"
    ini.write_text("[proxy]\nlocal-ca = deep/ca\nallow-uid = any\n" + tenants(pki, SERVER))
    (open_folder / "deep").mkdir()
    (open_folder / "deep").chmod(0o700 if closed else 0o755)
    for verb in ("init", "show"):
        result = harness.run_cli("ca", verb, "-c", str(ini))
        assert result.returncode == 0
        deep = open_folder / "deep"
        told = f"callers of other users cannot read {deep}/ca/root.pem: {deep} is closed to them"
        assert (told in result.stderr) == closed, result.stderr
    ini.write_text(ini.read_text().replace("allow-uid = any\n", ""))
    assert harness.run_cli("ca", "show", "-c", str(ini)).stderr == ""


def age(ca):
    """As older versions made it: all in one folder, closed to others."""
    (ca / "private/intermediate.key").rename(ca / "intermediate.key")
    (ca / "private").rmdir()
    for name in ("root.pem", "intermediate.pem"):
        (ca / name).chmod(0o600)
    ca.chmod(0o700)


def test_ca_of_an_older_version(tmp_path, pki, nginx, tenant, proxy):
    """It serves and is shown; --replace makes one as they are made now, and the running proxy takes it."""
    sections = tenant(nginx.port, server=SERVER)
    ca = make_ca(tmp_path, sections)
    age(ca)
    shown = harness.run_cli("ca", "show", "--dir", str(ca))
    assert shown.returncode == 0 and f"curl --cacert {ca}/root.pem" in shown.stdout
    refused = harness.run_cli("ca", "init", "-c", str(tmp_path / "for-ca.ini"), "--dir", str(ca))
    assert refused.returncode == 2 and "--replace" in refused.stderr and (ca / "intermediate.key").exists()

    path = types.SimpleNamespace(proxy=proxy(sections, local_ca=ca), ca=ca)
    with enter(path) as c:
        assert c.request(target="/who", host=SERVER).status == 200
    make_ca(tmp_path, sections, "--replace")
    modes = {str(p.relative_to(ca)): p.stat().st_mode & 0o777 for p in [ca, *ca.rglob("*")]}
    assert modes == {".": 0o755, "root.pem": 0o644, "intermediate.pem": 0o644, "private": 0o700,
                     "private/intermediate.key": 0o600}
    harness.eventually(lambda: "notice: reloaded" in path.proxy.stderr)
    with enter(path) as c:
        assert c.request(target="/who", host=SERVER).status == 200


def test_ca_whose_replacement_was_interrupted(tmp_path, pki):
    """The new key is there beside the old one: the new one counts."""
    ca = make_ca(tmp_path, tenants(pki, SERVER))
    (ca / "intermediate.key").write_bytes((pki / "acme.key").read_bytes())
    shown = harness.run_cli("ca", "show", "--dir", str(ca))
    assert shown.returncode == 0, shown.stderr
    make_ca(tmp_path, tenants(pki, SERVER), "--replace")
    assert not (ca / "intermediate.key").exists()


def test_ca_show_tells_how_it_is_trusted(tmp_path, pki):
    ca = make_ca(tmp_path, tenants(pki, SERVER))
    shown = harness.run_cli("ca", "show", "--dir", str(ca))
    fingerprint = subprocess.run(["openssl", "x509", "-in", ca / "root.pem", "-noout", "-fingerprint", "-sha256"],
                                 check=True, capture_output=True, text=True).stdout.strip().split("=")[1]
    assert shown.returncode == 0 and shown.stderr == ""
    for word in (fingerprint, SERVER, CERT_HOST, str(ca / "root.pem"), "O=sfmtls", "days left", "curl --cacert",
                 "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "keytool", ".NET", "certutil", "add-trusted-cert",
                 "update-ca-certificates"):
        assert word in shown.stdout, word


def test_ca_folder(tmp_path, pki):
    """By local-ca, XDG_DATA_HOME, HOME; the service's otherwise."""
    ini, given = tmp_path / "sfmtls.ini", {"XDG_DATA_HOME": str(tmp_path / "xdg"), "HOME": str(tmp_path / "home")}
    ini.write_text(tenants(pki, SERVER))
    for environment, folder in ((given, tmp_path / "xdg/sfmtls/ca"),
                                ({**given, "XDG_DATA_HOME": ""}, tmp_path / "home/.local/share/sfmtls/ca")):
        result = harness.run_cli("ca", "init", "-c", str(ini), env=environment)
        assert result.returncode == 0 and str(folder / "root.pem") in result.stdout
        assert "local-ca" not in result.stderr and (folder / "private/intermediate.key").exists()
        result = harness.run_cli("run", "-t", "-c", str(ini), env=environment)
        assert result.returncode == 0
    ini.write_text("[proxy]\nlocal-ca = mine\n" + tenants(pki, SERVER))
    assert harness.run_cli("ca", "init", "-c", str(ini), env=given).returncode == 0
    assert (tmp_path / "mine/root.pem").exists()
    if not pathlib.Path("/var/lib/sfmtls").exists():
        result = harness.run_cli("ca", "show", cwd=tmp_path / "xdg", env={"XDG_DATA_HOME": "", "HOME": ""})
        assert result.returncode == 2 and "/var/lib/sfmtls/ca: holds no local CA" in result.stderr


def test_ca_elsewhere_wants_a_setting(tmp_path, pki):
    (tmp_path / "for-ca.ini").write_text(tenants(pki, SERVER))
    result = harness.run_cli("ca", "init", "-c", str(tmp_path / "for-ca.ini"), "--dir", str(tmp_path / "ca"))
    assert f"put `local-ca = {tmp_path}/ca` into [proxy]" in result.stderr


def test_ca_needs_no_key_and_no_passphrase(tmp_path):
    """It is made before the certificate is there, and outside of the service."""
    make_ca(tmp_path, f"[tenant a]\ncompany-id = A\nserver = {SERVER}\ncertificate = none.pem\n"
                      "passphrase-credential = of-systemd\n")


def test_ca_vouches_for_names_only(tmp_path, pki):
    ini = tmp_path / "sfmtls.ini"
    for servers, code in ((("10.0.0.1", "[2001:db8::1]"), 2), (("10.0.0.1", SERVER), 0)):
        ini.write_text(tenants(pki, *servers))
        result = harness.run_cli("ca", "init", "-c", str(ini), "--dir", str(tmp_path / "ca"))
        assert result.returncode == code and "10.0.0.1 is an address" in result.stderr


@pytest.mark.parametrize("arguments, word", [
    ([], "ca init or ca show"), (["make"], "no `ca make`"), (["show", "--replace"], "--replace"),
    (["init", "x"], "not expected"), (["init", "--dri", "x"], "--dri"), (["init", "--dir"], "wants a value"),
    (["init", "-c", "/none"], "/none"), (["show", "--dir", "/none"], "holds no local CA"),
])
def test_ca_wrong_command_lines(arguments, word):
    result = harness.run_cli("ca", *arguments)
    assert result.returncode == 2 and word in result.stderr and result.stdout == ""


def test_local_ca_that_is_not_there(tmp_path, pki):
    ini = tmp_path / "sfmtls.ini"
    ini.write_text("[proxy]\nlocal-ca = none\n" + tenants(pki, SERVER))
    result = harness.run_cli("run", "-t", "-c", str(ini))
    assert result.returncode == 2 and f"{ini}:2: " in result.stderr and "ca init" in result.stderr


@pytest.mark.parametrize("keys, word", [
    ("connect-other = tunnel", "connect-allow"), ("connect-allow = h:1", "connect-other = tunnel"),
    (f"connect-other = tunnel\nconnect-allow = h:1\nconnect-allow = {CERT_HOST}:22", "a tenant's server"),
    ("connect-other = pass", "refuse or tunnel"), ("connect-allow = h", "HOST:PORT"),
    ("connect-allow = https://h:1", "HOST:PORT"), ("connect-allow = h:1,,i:2", "HOST:PORT"),
    ("connect-allow = *:443", "HOST:PORT"),
])
def test_wrong_connect_settings(keys, word, tmp_path, pki):
    ini = tmp_path / "sfmtls.ini"
    ini.write_text(f"[proxy]\n{keys}\n" + tenants(pki, SERVER))
    result = harness.run_cli("run", "-t", "-c", str(ini))
    assert result.returncode == 2 and word in result.stderr and f"{ini}:" in result.stderr


# ---- real clients ----

def run(*command, env=None, **more):
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run([str(word) for word in command], capture_output=True, timeout=harness.LIMIT * 2,
                          env={**environment, **(env or {})}, **more)


@pytest.mark.parametrize("host", [SERVER, CERT_HOST])
@pytest.mark.parametrize("tls", [["--tlsv1.3"], ["--tls-max", "1.2"], ["--http2"]], ids=" ".join)
def test_curl_calls_through_connect(path, host, tls):
    result = run("curl", "-sS", *tls, "--cacert", path.ca / "root.pem", f"https://{host}/who",
                 env={"https_proxy": path.proxy.url("")})
    assert result.returncode == 0, result.stderr
    assert b"acme_user" in result.stdout and f'"host":"{CERT_HOST}"'.encode() in result.stdout
    assert b'"company":"ACME"' in result.stdout


def test_curl_that_does_not_trust_the_ca(alone):
    p = alone()
    result = run("curl", "-sS", "-x", p.proxy.url(""), f"https://{SERVER}/")
    assert result.returncode == 60
    log = p.proxy.last_log(2)
    assert (log["method"], log["error"]) == ("CONNECT", "caller-tls-failed")
    assert SERVER in log["detail"] and "ca show" in log["cure"]


def test_curl_keeps_one_connection(path):
    count = harness.count(20, 200)
    result = run("curl", "-sS", "-w", "%{num_connects}\n", "-o", "/dev/null", "-x", path.proxy.url(""), "--cacert",
                 path.ca / "root.pem", f"https://{SERVER}/1k?[1-{count}]")
    assert result.stdout.split() == [b"2" if i == 0 else b"0" for i in range(count)] or \
        result.stdout.split() == [b"1" if i == 0 else b"0" for i in range(count)]


def test_wget_calls_through_connect(path):
    result = run("wget", "-qO-", f"--ca-certificate={path.ca}/root.pem", f"https://{SERVER}/who",
                 env={"https_proxy": path.proxy.url("")})
    assert result.returncode == 0 and b"acme_user" in result.stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_calls_through_connect(path, version):
    result = run("openssl", "s_client", "-proxy", f"localhost:{path.proxy.port}", "-connect", f"{SERVER}:443",
                 "-servername", SERVER, "-CAfile", path.ca / "root.pem", "-verify_return_error", "-x509_strict",
                 "-verify_hostname", SERVER, "-alpn", "http/1.1", version, "-ign_eof",
                 input=f"GET /who HTTP/1.1\r\nHost: {SERVER}\r\nConnection: close\r\n\r\n".encode())
    assert b"Verify return code: 0 (ok)" in result.stdout and b"acme_user" in result.stdout
    assert b"ALPN protocol: http/1.1" in result.stdout


@pytest.mark.parametrize("version", [b"tls1", b"tls1_1"])
def test_old_tls_is_refused(path, version):
    result = run("openssl", "s_client", "-proxy", f"localhost:{path.proxy.port}", "-connect", f"{SERVER}:443",
                 "-cipher", "DEFAULT@SECLEVEL=0", "-" + version.decode(), input=b"")
    assert result.returncode != 0


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_python_calls_through_connect(path, version):
    limit = ssl.TLSVersion[version]
    with enter(path, context=trusting(path.ca, minimum_version=limit, maximum_version=limit)) as c:
        assert c.sock.version().replace(".", "_") == version
        for _ in range(3):
            assert c.request(target="/who", host=SERVER).json()["verify"] == "SUCCESS"


@contextlib.contextmanager
def bridge(path, target):
    """A port that leads into a CONNECT, for clients that know no proxy."""

    def shuffle(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve():
        with contextlib.suppress(OSError):
            near, _ = listener.accept()
            with near, connect(path.proxy.caller(), target) as c:
                other = threading.Thread(target=shuffle, args=(near, c.sock), daemon=True)
                other.start()
                shuffle(c.sock, near)
                other.join(harness.LIMIT)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.close()
        thread.join(harness.LIMIT)


def gnutls(ca, host, port, request=b""):
    return run("gnutls-cli", f"--x509cafile={ca}/root.pem", f"--sni-hostname={host}", f"--verify-hostname={host}",
               "--logfile=/dev/null", "-p", port, "127.0.0.1", input=request)


def test_gnutls_calls_through_connect(path):
    with bridge(path, f"{SERVER}:443") as port:
        result = gnutls(path.ca, SERVER, port,
                        f"GET /who HTTP/1.1\r\nHost: {SERVER}\r\nConnection: close\r\n\r\n".encode())
    assert b"acme_user" in result.stdout, result


# ---- what the CA cannot vouch for, whoever has its key ----

FORGERIES = {  # SAN of a leaf, the name that a client asks for, is it accepted
    "the server": (f"DNS:{SERVER}", SERVER, True), "its certificate host": (f"DNS:{CERT_HOST}", CERT_HOST, True),
    "another name": ("DNS:www.example.com", "www.example.com", False),
    "both": (f"DNS:{SERVER},DNS:www.example.com", SERVER, False),
    "a subdomain": (f"DNS:x.{SERVER}", f"x.{SERVER}", False),
    "a wildcard": (f"DNS:*.{SERVER}", f"x.{SERVER}", False),
    "a longer name": (f"DNS:x{SERVER}", f"x{SERVER}", False),
    "the domain": ("DNS:successfactors.com", "successfactors.com", False),
    "an address": ("IP:127.0.0.1", "127.0.0.1", False),
    "an address beside": (f"DNS:{SERVER},IP:127.0.0.1", SERVER, False),
    "an IPv6 address": ("IP:::1", "::1", False),
    "an e-mail address": (f"DNS:{SERVER},email:a@example.com", SERVER, False),
    "an e-mail address there": (f"DNS:{SERVER},email:a@{SERVER}", SERVER, False),
}


@pytest.fixture(scope="module")
def forgeries(path, tmp_path_factory):
    """A leaf for each of FORGERIES, signed with the intermediate's key by openssl."""
    folder = tmp_path_factory.mktemp("forged")
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key", cwd=folder)
    for i, (names, _, _) in enumerate(FORGERIES.values()):
        (folder / "ext").write_text("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                                    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
                                    f"extendedKeyUsage=serverAuth\nsubjectAltName={names}\n")
        run("openssl", "req", "-new", "-key", "key", "-subj", "/O=forged", "-out", "csr", cwd=folder, check=True)
        run("openssl", "x509", "-req", "-in", "csr", "-CA", path.ca / "intermediate.pem", "-CAkey",
            path.ca / "private/intermediate.key", "-CAcreateserial", "-CAserial", "serial", "-days", "10", "-extfile",
            "ext", "-out", f"{i}.leaf", cwd=folder, check=True)
        (folder / f"{i}.pem").write_bytes((folder / f"{i}.leaf").read_bytes()
                                          + (path.ca / "intermediate.pem").read_bytes())
        shutil.copy(folder / "key", folder / f"{i}.key")
    return folder


@pytest.fixture(scope="module")
def forged_servers(forgeries):
    """The port of a server for each of FORGERIES."""
    servers = [harness.Script(forgeries, harness.answering(), certificate=str(i), require=False)
               for i in range(len(FORGERIES))]
    yield dict(zip(FORGERIES, (s.port for s in servers)))
    for s in servers:
        s.stop()


@pytest.mark.parametrize("forgery", FORGERIES)
def test_openssl_and_python_are_not_deceived(forgery, forgeries, forged_servers, path):
    _, name, accepted = FORGERIES[forgery]
    number = list(FORGERIES).index(forgery)
    flag = "-verify_ip" if forgery.startswith("an address") and name == "127.0.0.1" else "-verify_hostname"
    result = run("openssl", "verify", flag, name, "-CAfile", path.ca / "root.pem", "-untrusted",
                 path.ca / "intermediate.pem", forgeries / f"{number}.leaf")
    assert (result.returncode == 0) == accepted, result
    with socket.create_connection(("127.0.0.1", forged_servers[forgery])) as s:
        with contextlib.nullcontext() if accepted else pytest.raises(ssl.SSLCertVerificationError):
            trusting(path.ca).wrap_socket(s, server_hostname=name).close()


@pytest.mark.parametrize("forgery", FORGERIES)
def test_gnutls_is_not_deceived(forgery, forged_servers, path):
    _, name, accepted = FORGERIES[forgery]
    result = gnutls(path.ca, name, forged_servers[forgery])
    assert (result.returncode == 0) == accepted, result


JAVA = """
import java.net.*; import java.net.http.*; import java.net.http.HttpResponse.BodyHandlers; import javax.net.ssl.*;
public class Caller {
    public static void main(String[] a) throws Exception {
        HttpClient client = HttpClient.newBuilder().proxy(
            ProxySelector.of(new InetSocketAddress("localhost", Integer.parseInt(a[0])))).build();
        for (int i = 0; i < 3; i++)
            System.out.println("answer " + client.send(HttpRequest.newBuilder(URI.create(a[1])).build(),
                BodyHandlers.ofString()).body().replace('\\n', ' '));
        SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
        for (int i = 2; i < a.length; i += 2) {
            String said = "accepted";
            Socket plain = new Socket("127.0.0.1", Integer.parseInt(a[i]));
            try (SSLSocket s = (SSLSocket) factory.createSocket(plain, a[i + 1], 443, true)) {
                SSLParameters p = s.getSSLParameters();
                p.setEndpointIdentificationAlgorithm("HTTPS");
                s.setSSLParameters(p);
                s.startHandshake();
            } catch (SSLHandshakeException e) {
                said = "refused " + e.getMessage();
            }
            System.out.println("server " + said);
        }
    }
}
"""


def test_java_calls_through_connect(path, forged_servers, tmp_path):
    """Its HttpClient, and its checks of names; all in one start of it."""
    (tmp_path / "Caller.java").write_text(JAVA)
    store = ["-keystore", "trust.p12", "-storepass", "changeit"]
    run("keytool", "-importcert", "-noprompt", "-alias", "sfmtls", "-file", path.ca / "root.pem", *store, cwd=tmp_path,
        check=True)
    pairs = [word for forgery, port in forged_servers.items() for word in (port, FORGERIES[forgery][1])]
    result = run("java", "-XX:TieredStopAtLevel=1", "-Djavax.net.ssl.trustStore=trust.p12",
                 "-Djavax.net.ssl.trustStorePassword=changeit", "Caller.java", path.proxy.port,
                 f"https://{SERVER}/who", *pairs, cwd=tmp_path)
    lines = result.stdout.decode().splitlines()
    answers = [line for line in lines if line.startswith("answer ")]
    assert len(answers) == 3 and all("acme_user" in line for line in answers), result
    said = [line.split(" ", 1)[1] for line in lines if line.startswith("server ")]
    wanted = [accepted for _, _, accepted in FORGERIES.values()]
    assert [line == "accepted" for line in said] == wanted, dict(zip(FORGERIES, said))


# ---- inside ----

def test_the_leaf(path, tmp_path):
    """For that host alone, short-lived, and sent with the intermediate."""
    result = run("openssl", "s_client", "-proxy", f"localhost:{path.proxy.port}", "-connect", f"{CERT_HOST}:443",
                 "-showcerts", input=b"")
    chain = re.findall(rb"-----BEGIN CERT.*?-----END CERTIFICATE-----\n", result.stdout, re.S)
    assert len(chain) == 2 and chain[1] == (path.ca / "intermediate.pem").read_bytes()
    (tmp_path / "leaf").write_bytes(chain[0])
    text = text_of(tmp_path / "leaf")
    assert re.findall(r"DNS:\S+", text) == [f"DNS:{CERT_HOST}"] and "TLS Web Server Authentication" in text
    assert "NIST CURVE: P-256" in text and "CA:FALSE" in text
    for days, valid in ((29, True), (31, False)):
        result = run("openssl", "x509", "-checkend", days * 86400, "-in", tmp_path / "leaf")
        assert (result.returncode == 0) == valid


def test_a_connection_for_many_requests(path):
    """Of all kinds, with bodies both ways."""
    body = os.urandom(MIB)
    with enter(path) as c:
        for i in range(harness.count(10, 300)):
            assert c.request(target=f"/who?{i}", host=SERVER).json()["uri"] == f"/who?{i}"
        assert c.request("HEAD", target="/1k", host=f"{SERVER}:443").status == 200
        name = f"/put/connect-{os.getpid()}"
        assert c.request("PUT", target=name, body=body, host=SERVER).status in (201, 204)
        assert c.request(target=name, host=SERVER).body == body
        assert c.request("DELETE", target=name, host=SERVER).status == 204


@pytest.mark.parametrize("target", [f"{SERVER}:443", f"{SERVER}:80", f"{SERVER.upper()}:443", f"{SERVER}.:443",
                                    f"{CERT_HOST}:443"])
def test_ways_to_write_the_target(path, target):
    name = target.split(":")[0].rstrip(".").lower()
    with enter(path, target, name=name) as c:
        assert c.request(target="/who", host=name).json()["host"] == CERT_HOST


@pytest.mark.parametrize("fields, more", [
    (["Connection: close"], {}), (["Proxy-Connection: Keep-Alive", "Keep-Alive: timeout=1"], {}),
    (["Proxy-Authorization: Basic eDp5"], {}), (["successfactors-companyid: OTHER"], {}), ([], {"version": "HTTP/1.0"}),
    ([], {"host": f"{SERVER}:443"}), ([], {"host": "elsewhere.example"}),
], ids=str)
def test_what_a_connect_says_of_itself_does_not_matter(path, fields, more):
    with enter(path, f"{SERVER}:443", *fields, **more) as c:
        for _ in range(2):
            assert c.request(target="/who", host=SERVER).status == 200


def test_the_servers_own_port(alone, script, tenant):
    server = script(harness.answering())
    sections = tenant(server.port, server=f"{SERVER}:8443")
    p = alone(sections=sections)
    for port, status in ((8443, 200), (443, 200), (80, 200), (8444, 403)):
        with p.proxy.caller() as c:
            head = ask(c, f"{SERVER}:{port}").read_until(b"\r\n").decode()
        assert f" {status} " in head
    assert p.proxy.request("CONNECT", f"{SERVER}:8444").token == "tenant-unknown"


def hello(context, name=SERVER):
    """A client's first flight, and what goes on with it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return tls, incoming, outgoing


def talk(c, tls, incoming, outgoing, request, slowly=False):
    """The rest of the handshake, and one request."""
    def step(function):
        while True:
            try:
                return function()
            except ssl.SSLWantReadError:
                send(outgoing.read())
                incoming.write(c.sock.recv(65536))

    def send(data):
        for piece in ([data[i:i + 1] for i in range(len(data))] if slowly else [data]):
            if piece:
                c.sock.sendall(piece)

    step(tls.do_handshake)
    tls.write(request)
    send(outgoing.read())
    return step(lambda: tls.read(65536))


@pytest.mark.parametrize("slowly", [False, True], ids=["at once", "byte by byte"])
def test_eager_hello(path, slowly):
    """It comes with the CONNECT, in one packet, before the 200."""
    tls, incoming, outgoing = hello(trusting(path.ca))
    with path.proxy.caller() as c:
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = f"CONNECT {SERVER}:443 HTTP/1.1\r\nHost: x\r\n\r\n".encode() + outgoing.read()
        for piece in ([data[i:i + 1] for i in range(len(data))] if slowly else [data]):
            c.send(piece)
        assert b" 200 " in c.read_until(b"\r\n\r\n")
        incoming.write(c.pending)
        answer = talk(c, tls, incoming, outgoing, f"GET /who HTTP/1.1\r\nHost: {SERVER}\r\n\r\n".encode(), slowly)
    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_plain_http_inside(path):
    """As undici asks for http:// URLs; to port 80, or 443."""
    for port in (80, 443):
        with connect(path.proxy.caller(), f"{SERVER}:{port}") as c:
            for _ in range(3):
                assert c.request(target="/who", host=f"{SERVER}:{port}").json()["verify"] == "SUCCESS"


def test_eager_plain_request(path):
    with path.proxy.caller() as c:
        ask(c, f"{SERVER}:80")
        c.send(f"GET /who HTTP/1.1\r\nHost: {SERVER}\r\n\r\n")
        c.read_until(b"\r\n\r\n")
        assert c.answer().json()["verify"] == "SUCCESS"


@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "plain"])
def test_another_host_inside(path, tls):
    with enter(path) if tls else connect(path.proxy.caller()) as c:
        for host in ("localhost", CERT_HOST, "elsewhere.example", f"localhost:{path.proxy.port}"):
            answer = c.request(target="/who", host=host)
            assert (answer.status, answer.token) == (421, "host-not-served")
        answer = c.request(target=f"https://{CERT_HOST}/who", host=SERVER)
        assert (answer.status, answer.token) == (421, "host-not-served")
        assert c.request(target=f"https://{SERVER}/who", host=SERVER).status == 200
        assert c.request(target="/who", host=None, version="HTTP/1.0").status == 200


def test_another_name_in_the_handshake(path):
    """Whoever does not check whom he talks to is told."""
    careless = ssl._create_unverified_context()
    for name, status in (("www.example.com", 421), (CERT_HOST, 421), (None, 200), (SERVER.upper(), 200)):
        with enter(path, name=name, context=careless) as c:
            for _ in range(2):
                assert c.request(target="/who", host=SERVER).status == status, name


def test_a_caller_with_http2_alone_is_refused(path):
    context = trusting(path.ca)
    context.set_alpn_protocols(["h2"])
    with connect(path.proxy.caller()) as c, pytest.raises(ssl.SSLError) as refusal:
        secure(c, context)
    assert "no application protocol" in str(refusal.value)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with enter(path, context=context) as c:
        assert c.sock.selected_alpn_protocol() == "http/1.1"


def test_connect_inside_a_connect(path):
    for target in (f"{SERVER}:443", "elsewhere.example:443"):
        with enter(path) as c:
            answer = c.request("CONNECT", target, host=SERVER)
            assert (answer.status, answer.token) == (403, "connect-not-allowed")
            assert c.request(target="/who", host=SERVER).status == 200


@pytest.mark.parametrize("origin, status", [(f"https://{SERVER}", 200), (f"https://{SERVER}:443", 200),
                                            (f"http://{SERVER}", 403), ("https://evil.example", 403), ("null", 403)])
def test_origin_inside(path, origin, status):
    with enter(path) as c:
        assert c.request(target="/who", host=SERVER, fields=[("Origin", origin)]).status == status


def test_no_tls_and_no_http_inside(path):
    """Whatever else it is gets an answer or an end, and no bytes of it go anywhere."""
    for data in (b"\x80\x2e\x01\x03\x01", b"SSH-2.0-x\r\n\r\n", b"\0" * 100):
        with connect(path.proxy.caller()) as c:
            answer = c.send(data + b"\r\n\r\n").answer()
            assert answer.status in (400, 501) and answer.get("Connection") == "close"
    with connect(path.proxy.caller()) as c:
        c.send(b"\x16\x03\x01\x00\x05hello" + b"\0" * 100)
        data = c.read_to_end()
        assert data == b"" or data[0] == 0x15, "an alert at most"


# ---- which tenant ----

def test_tenants_inside(alone, script, tenant):
    """The target's host filters like that of an absolute URL, and the company is named inside."""
    who = lambda c, head, body: c.reply(c.peer_cn().encode())
    four, eight = script(harness.answering(who)), script(harness.answering(who))
    sections = (tenant(four.port, "a", "A", server=SERVER) +
                tenant(four.port, "b", "B", "globex-all.pem", server=SERVER, listen="127.0.0.1:0") +
                tenant(eight.port, "c", "C", server="api8.successfactors.com"))
    p = alone(sections=sections)
    with enter(p) as c:
        for company, status, body in (("A", 200, b"acme_user"), ("B", 200, b"globex_user"), ("C", 403, None)):
            answer = c.request(host=SERVER, fields=[("successfactors-companyid", company)])
            assert answer.status == status and body in (None, answer.body)
        assert c.request(host=SERVER).token == "tenant-ambiguous"
    with enter(p, "api8.successfactors.com:443", name="api8.successfactors.com") as c:
        assert c.request(host="api8.successfactors.com").body == b"acme_user"
    with secure(connect(p.proxy.caller(1)), trusting(p.ca)) as c:
        assert c.request(host=SERVER).body == b"globex_user"
    answer = p.proxy.request("CONNECT", "api8.successfactors.com:443", listener=1)
    assert (answer.status, answer.token) == (403, "tenant-unknown")


# ---- refusals ----

@pytest.mark.parametrize("target", ["www.example.com:443", f"x.{SERVER}:443", "127.0.0.1:22", "[::1]:443",
                                    "localhost:443", "169.254.169.254:80"])
def test_other_targets_are_refused(path, target):
    with path.proxy.caller() as c:
        ask(c, target)
        c.send(b"\x16\x03\x01" + b"x" * 1000)
        answer = c.answer()
        assert (answer.status, answer.token) == (403, "connect-not-allowed")
        assert SERVER in answer.json()["detail"] and CERT_HOST in answer.json()["detail"]
        assert answer.get("Connection") == "close" and c.read_to_end() == b""


@pytest.mark.parametrize("field", ["Content-Length: 0", "Content-Length: 36", "Transfer-Encoding: chunked"])
def test_connect_has_no_body(path, field):
    with path.proxy.caller() as c:
        ask(c, f"{SERVER}:443", field)
        c.send(f"GET /who HTTP/1.1\r\nHost: {SERVER}\r\n\r\n")
        answer = c.answer()
        assert (answer.status, answer.token) == (400, "request-ambiguous")
        assert answer.get("Connection") == "close" and c.read_to_end() == b""


def test_a_web_page_cannot_connect(path):
    answer = path.proxy.request("CONNECT", f"{SERVER}:443", fields=[("Origin", "https://evil.example")])
    assert (answer.status, answer.token) == (403, "foreign-origin")


def test_a_server_that_the_ca_was_not_made_for(tmp_path, proxy, tenant, script):
    server = script(harness.answering())
    ca = make_ca(tmp_path, tenant(server.port, server=SERVER))
    p = proxy(tenant(server.port, server=SERVER) + tenant(server.port, "new", "NEW", server="api8.successfactors.com"),
              local_ca=ca)
    warning = p.said("--replace")
    assert " warning: " in warning and "api8.successfactors.com" in warning and SERVER not in warning
    answer = p.request("CONNECT", "api8.successfactors.com:443")
    assert (answer.status, answer.token) == (502, "local-ca-unfit")
    assert "api8.successfactors.com" in answer.json()["detail"] and "ca init --replace" in answer.json()["cure"]
    connect(p.caller()).close()


def test_a_server_without_a_name(tmp_path, proxy, tenant, script):
    """No CA vouches for addresses here; the rest of such a tenant is served."""
    server = script(harness.answering())
    sections = tenant(server.port, server=SERVER) + tenant(server.port, "plain", "P", server=f"127.0.0.1:{server.port}")
    p = proxy(sections, local_ca=make_ca(tmp_path, sections))
    assert p.request("CONNECT", f"127.0.0.1:{server.port}").token == "local-ca-unfit"
    assert p.request(target=f"http://127.0.0.1:{server.port}/").status == 200


@pytest.mark.parametrize("days, level", [(1, "warning"), (90, None)])
def test_a_ca_that_ends_soon_is_told(days, level, tmp_path, pki):
    """By `run`; it may be one that was made with other tools."""
    ca = tmp_path / "ca"
    ca.mkdir()
    (tmp_path / "ext").write_text("basicConstraints=critical,CA:TRUE\nnameConstraints=critical,"
                                  f"permitted;DNS:{SERVER},permitted;DNS:{CERT_HOST}\n")
    for name, signer in (("root", ["-signkey", "root.key"]), ("intermediate", ["-CA", "root.pem", "-CAkey", "root.key",
                                                                               "-CAcreateserial"])):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key",
            cwd=ca, check=True)
        run("openssl", "req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", "csr", cwd=ca, check=True)
        run("openssl", "x509", "-req", "-in", "csr", *signer, "-days", days, "-extfile", tmp_path / "ext", "-out",
            f"{name}.pem", cwd=ca, check=True)
    ini = tmp_path / "sfmtls.ini"
    ini.write_text("[proxy]\nlocal-ca = ca\n" + tenants(pki, SERVER))
    result = harness.run_cli("run", "-t", "-c", str(ini))
    assert result.returncode == 0
    assert ("expires on" in result.stderr and level is not None) or (level is None and result.stderr == "")


# ---- life ----

@harness.one_worker
def test_connect_is_logged(alone):
    p = alone(harness.answering())
    with enter(p) as c:
        c.request(target="/a", host=SERVER)
    with enter(p):
        pass
    p.proxy.wait_for_log(3)
    p.proxy.stop()
    assert "error=" not in p.proxy.stderr, "to leave without a farewell is no failed handshake"
    first, second = p.proxy.last_log(1), p.proxy.last_log(2)
    assert (first["method"], first["path"], first["status"]) == ("CONNECT", f"{SERVER}:443", "200")
    assert (second["method"], second["path"], second["tenant"]) == ("GET", "/a", "acme")


def test_callers_who_leave_at_any_point(alone):
    p = alone()
    tls, _, outgoing = hello(trusting(p.ca))
    data = outgoing.read()
    before = p.proxy.descriptors()
    for n in (0, 1, 5, 100, len(data)):
        for how in (harness.Caller.close, harness.Caller.reset):
            c = connect(p.proxy.caller())
            c.send(data[:n])
            how(c)
    with enter(p) as c:
        assert c.request(host=SERVER).status == 200
    harness.eventually(lambda: p.proxy.descriptors() <= before + 1)


def test_close_notify_behind_the_last_request(alone):
    """TLS 1.3 lets a caller end its half at once (RFC 8446, 6.1): closing over that would destroy the answer."""
    came, may_answer, answered = threading.Event(), threading.Event(), threading.Event()

    def reply(c, head, body):
        came.set()
        harness.happened(may_answer)
        c.reply(b"answer")
        answered.set()

    p = alone(harness.answering(reply))
    with enter(p) as c:
        c.send(harness.head_lines("GET", "/", "Connection: close").replace("localhost", SERVER))
        harness.happened(came)
        with harness.frozen(p.proxy):
            may_answer.set()
            harness.happened(answered)
            harness.arrived(p.server.connections[0].sock)
            c.sock.setblocking(False)
            with contextlib.suppress(ssl.SSLWantReadError):
                c.sock.unwrap()
        c.sock.settimeout(harness.LIMIT)
        assert c.answer().body == b"answer"
        with pytest.raises(ssl.SSLZeroReturnError):
            c.sock.recv(1)
        assert socket.socket.recv(c.sock, 1) == b"", "without a reset"


def test_an_idle_connect_ends(alone):
    p = alone(idle_timeout="1s", head_timeout="1s")  # within which each step has to be done
    with connect(p.proxy.caller()) as c:
        assert c.is_closed()
    with connect(p.proxy.caller()) as c:
        c.send(b"\x16\x03\x01")
        assert c.is_closed()
    with enter(p) as c:
        assert c.sock.recv(1) == b"", "in order: with a close_notify"


def test_drain_ends_idle_callers_and_waits_for_answers(alone):
    release = threading.Event()

    def answer(c, head, body):
        harness.happened(release)
        c.reply(b"late")

    p = alone(harness.answering(answer))
    with enter(p) as busy, enter(p) as idle, connect(p.proxy.caller()) as fresh:
        busy.send(f"GET / HTTP/1.1\r\nHost: {SERVER}\r\n\r\n")
        harness.eventually(lambda: p.server.connections)
        p.proxy.signal(15)
        assert idle.sock.recv(1) == b"" and fresh.is_closed()
        release.set()
        answered = busy.answer()
        assert answered.body == b"late" and answered.get("Connection") == "close"
    assert p.proxy.wait() == 0


def test_reload_finds_and_changes_the_ca(tmp_path, proxy, tenant, script):
    server = script(harness.answering())
    sections = tenant(server.port, server=SERVER)
    home = tmp_path / "xdg"
    (home / "sfmtls/ca").mkdir(parents=True)
    p = proxy(sections, environment={"XDG_DATA_HOME": str(home)})
    assert p.request("CONNECT", f"{SERVER}:443").token == "connect-not-served"

    arguments = ["ca", "init", "-c", str(p.config)]
    assert harness.run_cli(*arguments, env={"XDG_DATA_HOME": str(home)}).returncode == 0
    p.signal(1)
    path = types.SimpleNamespace(proxy=p, ca=home / "sfmtls/ca")
    harness.eventually(lambda: p.request("CONNECT", "x:1").token == "connect-not-allowed")
    old = enter(path)
    assert old.request(host=SERVER).status == 200

    assert harness.run_cli(*arguments, "--replace", env={"XDG_DATA_HOME": str(home)}).returncode == 0

    def is_new():
        with contextlib.suppress(ssl.SSLCertVerificationError), enter(path) as c:
            return c.request(host=SERVER).status == 200
        return False

    harness.eventually(is_new)
    assert old.request(host=SERVER).status == 200, "what is open stays open"
    old.close()

    p.rewrite("[proxy]\nlocal-ca = elsewhere\n" + p.config.read_text().replace("[proxy]\n", ""))
    p.said("not reloaded")
    assert is_new(), "what was loaded before stays in use"


# ---- tunnels ----

@pytest.fixture
def tunnels(tmp_path, proxy, tenant, script, nginx):
    """tunnels(function, ...): a plain server, and a proxy that leads to it by its address."""

    def start(function, process=None, environment=None, allow=None, **keys):
        server = script(function, tls=False)
        to = f"127.0.0.1:{server.port}"
        p = proxy(tenant(nginx.port, server=SERVER), process=process, environment=environment,
                  connect_other="tunnel", connect_allow=allow or to, **keys)
        return types.SimpleNamespace(proxy=p, server=server, to=to)

    return start


def echo(c):
    with contextlib.suppress(OSError):
        while c.fill():
            c.send(c.pending)
            c.pending = b""


def test_tunnel_carries_any_bytes_both_ways(tunnels):
    t = tunnels(echo)
    with connect(t.proxy.caller(), t.to) as c:
        for data in (b"\x16\x03\x01 not ours", b"GET / HTTP/1.1\r\n\r\n", os.urandom(100000)):
            c.send(data)
            assert c.read_exactly(len(data)) == data
        c.sock.shutdown(socket.SHUT_WR)
        assert c.is_closed()
    log = t.proxy.last_log()
    assert (log["method"], log["path"], log["status"]) == ("CONNECT", t.to, "200") and "error" not in log
    assert log["in"] == log["out"] == str(12 + 1 + 18 + 100000 - 1), log["line"]
    t.proxy.stop()
    assert len(t.proxy.log_lines()) == 1


@pytest.mark.skipif(len(harness.LOOPBACK) < 2, reason="this machine has no IPv6")
def test_tunnel_to_an_ipv6_address(script, proxy, tenant, nginx):
    """However it is written."""
    server = script(echo, tls=False, listener=socket.create_server(("::1", 0), family=socket.AF_INET6))
    p = proxy(tenant(nginx.port, server=SERVER), connect_other="tunnel", connect_allow=f"[::1]:{server.port}")
    for address in ("0000:0000:0000:0000:0000:0000:0000:0001", "0:0:0:0:0:0:0:1", "::1", "::0001", "::1"):
        with connect(p.caller(), f"[{address}]:{server.port}") as c:
            assert c.send(address).read_exactly(len(address)).decode() == address
    assert p.request("CONNECT", f"[::2]:{server.port}").token == "connect-not-allowed"


def test_tunnel_takes_what_came_early(tunnels):
    t = tunnels(echo)
    with t.proxy.caller() as c:
        ask(c, t.to)
        c.send(b"early")
        assert b" 200 " in c.read_until(b"\r\n\r\n") and c.read_exactly(5) == b"early"


def test_curl_through_a_tunnel(tunnels, nginx, pki, proxy, tenant):
    """Its TLS is with the server itself."""
    p = proxy(tenant(nginx.port, server=SERVER), connect_other="tunnel",
              connect_allow=f"127.0.0.1:{nginx.port}, [::1]:9")
    result = run("curl", "-sS", "-x", p.url(""), "--cacert", pki / "ca.pem", "--cert", pki / "globex-all.pem",
                 f"https://127.0.0.1:{nginx.port}/who")
    assert b"globex_user" in result.stdout, result.stderr
    result = run("curl", "-sS", "-x", p.url(""), f"https://127.0.0.1:{nginx.port + 1}/")
    assert result.returncode == 56 and b"403" in result.stderr


@pytest.mark.parametrize("first", ["caller", "server"])
def test_half_closed_tunnels(tunnels, first):
    """Each direction ends alone; what the other has still to say arrives."""
    ended = threading.Event()
    late = os.urandom(300000)

    def server(c):
        if first == "caller":
            while c.fill():
                pass
            assert c.bytes == b"question"
            c.send(late)
        else:
            c.send(b"greeting")
            c.sock.shutdown(socket.SHUT_WR)
            while c.fill():
                pass
            assert c.bytes == late
        ended.set()

    t = tunnels(server)
    with connect(t.proxy.caller(), t.to) as c:
        if first == "caller":
            c.send(b"question")
            c.sock.shutdown(socket.SHUT_WR)
            assert c.read_to_end() == late
        else:
            assert c.read_to_end() == b"greeting"
            c.send(late)
            c.sock.shutdown(socket.SHUT_WR)
        harness.happened(ended)
    assert "error" not in t.proxy.last_log()


def test_caller_that_ends_before_the_tunnel_stands(tunnels):
    seen = concurrent.futures.Future()

    def server(c):
        while c.fill():
            pass
        seen.set_result(c.bytes)
        c.send(b"bye")

    t = tunnels(server)
    assert t.proxy.raw(f"CONNECT {t.to} HTTP/1.1\r\nHost: x\r\n\r\nearly").endswith(b"\r\n\r\nbye")
    assert seen.result(harness.LIMIT) == b"early"


def first_that_speaks(listener):
    """Accepts until one sends something, or its end."""
    taken = [listener]
    while ready := select.select(taken, [], [], harness.LIMIT)[0]:
        if ready != [listener]:
            return next(s for s in ready if s is not listener)
        taken.append(listener.accept()[0])
    raise AssertionError("they are silent")


@harness.one_worker
@pytest.mark.parametrize("early", [b"", b"early"])
def test_caller_that_ends_while_the_server_is_dialled(proxy, tenant, nginx, deaf, early):
    """Its end reaches the server, as what was sent before it."""
    port = deaf("127.0.0.1")
    to = f"127.0.0.1:{port}"
    p = proxy(tenant(nginx.port, server=SERVER), connect_other="tunnel", connect_allow=to)
    with p.caller() as c:
        ask(c, to)
        c.send(early)
        c.sock.shutdown(socket.SHUT_WR)
        assert p.request(fields=[("Origin", "http://x")]).status == 403, "the loop has gone round"
        with first_that_speaks(deaf.listeners[port]) as server:
            server.settimeout(harness.LIMIT)
            got = b""
            while data := server.recv(100):
                got += data
            assert got == early
            server.sendall(b"bye")
        assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ") and c.read_to_end() == b"bye"
    assert "error" not in p.last_log(2)


@pytest.mark.parametrize("slow", ["neither", "caller", "server"])
def test_big_transfers_in_bounded_memory(tunnels, release, slow):
    """Both ways at once, whoever is slow."""
    size = 64 * MIB
    block = os.urandom(MIB)
    go = threading.Event()

    def read(receive, slowly, got):
        if slowly:
            harness.happened(go)
        while data := receive(MIB):
            start = got % MIB
            assert data == (block + block)[start:start + len(data)]
            got += len(data)
        return got

    def write(sock):
        for _ in range(size // MIB):
            sock.sendall(block)
        sock.shutdown(socket.SHUT_WR)

    def both(sock, slowly, early=0):
        sock.settimeout(harness.LIMIT * 4)
        writer = harness.Background(write, sock)
        got = read(sock.recv, slowly, early)
        writer.result(harness.LIMIT * 4)
        return got

    done = concurrent.futures.Future()
    t = tunnels(lambda c: done.set_result(both(c.sock, slow == "server")), process={"binary": release})
    with connect(t.proxy.caller(), t.to) as c:
        before = t.proxy.rss_kib()
        assert c.pending == block[:len(c.pending)], "it came with the 200"
        near = harness.Background(both, c.sock, slow == "caller", len(c.pending))
        if slow != "neither":
            harness.eventually(lambda: is_still(t.proxy))
        assert t.proxy.rss_kib() - before < 6 * 1024
        go.set()
        assert near.result(harness.LIMIT * 4) == size and done.result(harness.LIMIT * 4) == size
        assert t.proxy.rss_kib() - before < 6 * 1024
    log = t.proxy.last_log()
    assert log["in"] == log["out"] == str(size) and "error" not in log


def is_still(proxy):
    """It used no time for a while: everything that can move has moved."""
    def ticks():
        return pathlib.Path(f"/proc/{proxy.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]

    before = ticks()
    threading.Event().wait(0.3)
    return ticks() == before


def test_caller_leaves_a_tunnel(tunnels):
    ends = []
    t = tunnels(lambda c: ends.append(c.at_end()))
    c = connect(t.proxy.caller(), t.to)
    harness.eventually(lambda: t.server.connections)
    c.reset()
    harness.eventually(lambda: ends == ["reset"])
    assert t.proxy.last_log()["error"] == "caller-gone"


def test_server_breaks_a_tunnel(tunnels):
    t = tunnels(lambda c: c.fill() and c.reset())
    with connect(t.proxy.caller(), t.to) as c, pytest.raises(ConnectionResetError):
        c.send(b"x").read_to_end()
    assert t.proxy.last_log()["error"] == "upstream-closed"


def test_idle_tunnel(tunnels):
    t = tunnels(echo, answer_timeout="1s")
    with connect(t.proxy.caller(), t.to) as c:
        for _ in range(8):
            threading.Event().wait(0.2)
            assert c.send(b"x").read_exactly(1) == b"x", "it is in use"
        with pytest.raises(ConnectionResetError):
            c.read_to_end()
    assert t.proxy.last_log()["error"] == "tunnel-idle"


def drip(sock):
    """For longer than an idle tunnel lives."""
    for _ in range(40):
        sock.sendall(b"x")
        threading.Event().wait(0.1)


@pytest.mark.parametrize("ends", [False, True], ids=["", "that has ended"])
@pytest.mark.parametrize("silent", ["caller", "server"])
def test_tunnel_with_a_silent_side(tunnels, silent, ends):
    """It is in use as long as the other one speaks."""
    def speak(sock):
        assert not ends or sock.recv(1) == b""
        drip(sock)
        sock.shutdown(socket.SHUT_WR)

    def listen(sock):
        if ends:
            sock.shutdown(socket.SHUT_WR)
        got = b""
        while data := sock.recv(100):
            got += data
        return got

    ways = (speak, listen) if silent == "caller" else (listen, speak)
    done = concurrent.futures.Future()
    t = tunnels(lambda c: done.set_result(ways[0](c.sock)), answer_timeout="2s")
    with connect(t.proxy.caller(), t.to) as c:
        c.sock.settimeout(harness.LIMIT)
        got = ways[1](c.sock)
        assert (done.result(harness.LIMIT) or c.pending + got) == b"x" * 40
    assert "error" not in t.proxy.last_log()


@pytest.mark.parametrize("slow", ["caller", "server"])
def test_tunnel_with_a_slow_reader(tunnels, slow):
    """Whoever takes what was said is not idle."""
    size = 16 * MIB

    def read(sock):
        got, pause = 0, threading.Event()
        for _ in range(100):
            got += len(sock.recv(20_000))
            pause.wait(0.04)
        while data := sock.recv(MIB):
            got += len(data)
        return got

    def write(sock):
        sock.sendall(bytes(size))
        sock.shutdown(socket.SHUT_WR)

    ways = (write, read) if slow == "caller" else (read, write)
    done = concurrent.futures.Future()
    t = tunnels(lambda c: done.set_result(ways[0](c.sock)), answer_timeout="2s")
    with connect(t.proxy.caller(), t.to) as c:
        c.sock.settimeout(harness.LIMIT)
        got = ways[1](c.sock)
        assert (done.result(harness.LIMIT) or len(c.pending) + got) == size
    assert "error" not in t.proxy.last_log()


def test_tunnels_are_drained(tunnels):
    t = tunnels(echo)
    with connect(t.proxy.caller(), t.to) as c:
        assert c.send(b"a").read_exactly(1) == b"a"
        t.proxy.signal(15)
        t.proxy.said("shutting down")
        assert c.send(b"b").read_exactly(1) == b"b", "it goes on"
        assert t.proxy.process.poll() is None
        c.sock.shutdown(socket.SHUT_WR)
        assert c.is_closed()
    assert t.proxy.wait() == 0


def test_tunnels_are_cut_off_in_the_end(tunnels):
    t = tunnels(echo, drain_timeout="200ms")
    t.proxy.expected_exit = 1
    with connect(t.proxy.caller(), t.to) as c:
        t.proxy.signal(15)
        assert c.is_closed()
    assert t.proxy.wait() == 1
    assert t.proxy.last_log()["error"] == "cut-off-at-shutdown"


def test_tunnels_count_as_connections(tunnels):
    t = tunnels(echo, max_connections=2)
    with connect(t.proxy.caller(), t.to), connect(t.proxy.caller(), t.to):
        assert t.proxy.request(target="/").token == "too-many-connections"


@pytest.mark.parametrize("target", ["127.0.0.1:{other}", "localhost:{port}", "[::ffff:127.0.0.1]:{port}",
                                    "127.1:{port}", "elsewhere.example:{port}"])
def test_what_is_not_listed_is_refused(tunnels, target):
    t = tunnels(echo)
    answer = t.proxy.request("CONNECT", target.format(port=t.server.port, other=t.server.port % 65535 + 1))
    assert (answer.status, answer.token) == (403, "connect-not-allowed")
    assert t.to in answer.json()["detail"] and not t.server.connections


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "172.20.0.1", "169.254.169.254",
                                     "fe80::1", "fd00::1", "::ffff:127.0.0.1", "0.0.0.0", "::"])
def test_names_must_not_lead_to_private_addresses(tunnels, names, address):
    """Also if all they lead to is such an address; nothing is dialled."""
    names.set(db_example=[address])
    t = tunnels(echo, environment=names.environment, allow="db.example:5432, 127.0.0.1:5432, 127.1:5433")
    answer = t.proxy.request("CONNECT", "db.example:5432")
    assert (answer.status, answer.token) == (403, "connect-address-not-allowed")
    assert "db.example resolves to" in answer.json()["detail"]
    answer = t.proxy.request("CONNECT", "127.1:5433")
    assert answer.token == "connect-address-not-allowed", "no address as such"


def test_private_addresses_among_others_are_passed_over(tunnels, names):
    """What is dialled is what was judged."""
    seen = []
    t = tunnels(lambda c: seen.append(c), environment=names.environment, allow="db.example:1",
                connect_timeout="500ms")
    t.proxy.rewrite(t.proxy.config.read_text().replace("db.example:1", f"db.example:{t.server.port}"))
    names.set(db_example=["127.0.0.1", "203.0.113.1"])
    t.proxy.signal(1)
    t.proxy.said("notice: reloaded")
    with t.proxy.caller() as c:
        ask(c, f"db.example:{t.server.port}").read_until(b"\r\n")  # nobody is at TEST-NET-3 (RFC 5737)
    assert not seen


def test_tunnel_to_nobody(tunnels):
    port = harness.closed_port()
    t = tunnels(echo, allow=f"127.0.0.1:{port}")
    with t.proxy.caller() as c:
        ask(c, f"127.0.0.1:{port}").send(b"early")
        answer = c.answer()
        assert (answer.status, answer.token) == (502, "connection-refused")
        assert answer.get("Connection") == "close" and c.read_to_end() == b""
    log = t.proxy.last_log()
    assert (log["status"], log["error"], log["in"]) == ("502", "connection-refused", "0")


def test_configured_servers_are_never_tunnelled(tunnels):
    """Without a CA there is no CONNECT to them at all."""
    t = tunnels(echo)
    for target in (f"{SERVER}:443", f"{CERT_HOST}:443"):
        assert t.proxy.request("CONNECT", target).token == "connect-not-served"
