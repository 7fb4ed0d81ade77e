"""The parent proxy against real ones: squid with Basic, Digest and Negotiate (with a KDC of its own), Apache with NTLM.

Those of the KDC and of Apache run with SFMTLS_FULL, as do the large counts."""
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

import harness
from test_parent import secrets

HELPERS = pathlib.Path("/usr/lib/squid")
needs_squid = pytest.mark.skipif(not shutil.which("squid"), reason="the package squid is missing")
needs_kdc = pytest.mark.skipif(not harness.setting("FULL") or not shutil.which("krb5kdc"), reason="with --full")


class Daemon:
    """A program in the foreground; .stop() ends it and what it started."""

    def __init__(self, words, folder, environment=None):
        self.words, self.log, self.environment = [str(word) for word in words], folder / "out", environment
        self.start()

    def start(self):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.words, stdout=out, stderr=out, start_new_session=True,
                                            env={**os.environ, **(self.environment or {})})

    def is_up(self):
        if self.process.poll() is not None:
            raise RuntimeError(self.log.read_text())
        return True

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(harness.LIMIT)
        harness.eventually(lambda: not listens(self.port))  # its children take their time to die

    stop = kill


def listens(port):
    listening = 10
    return any(ports[0] == port and state == listening for ports, state, *_ in harness.connections())


@pytest.fixture
def open_folder():
    """That every user may read: squid and Apache give up root."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Squid(Daemon):
    def __init__(self, folder, auth, environment=None):
        self.port, self.folder = harness.unused_port(), folder
        self.access = folder / "access.log"
        user = pwd.getpwnam("proxy")
        (folder / "squid.conf").write_text(f"""
            http_port 127.0.0.1:{self.port}
            visible_hostname proxy.test
            pid_filename {folder}/squid.pid
            access_log stdio:{self.access}
            cache_log {folder}/cache.log
            coredump_dir {folder}
            cache deny all
            shutdown_lifetime 1 second
            via off
            {auth}
            {"acl known proxy_auth REQUIRED" if auth else ""}
            acl forbidden dstdomain forbidden.test
            http_access deny forbidden
            http_access {"allow known" if auth else "allow all"}
            http_access deny all
            """.replace("            ", ""))
        for path in (folder, *folder.iterdir()):
            os.chown(path, user.pw_uid, user.pw_gid)
        # Two of one name share memory (/dev/shm), and one that starts while another ends finds it gone.
        words = ["squid", "-N", "-n", f"sfmtls{self.port}", "-f", folder / "squid.conf"]
        super().__init__(words, folder, environment)
        self.wait()

    def wait(self):
        harness.eventually(lambda: self.is_up() and listens(self.port))

    def stop(self):
        super().stop()
        for memory in pathlib.Path("/dev/shm").glob(f"sfmtls{self.port}-*"):  # killed, it leaves it
            memory.unlink()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def connects(self):
        """(status, user) of each CONNECT that is over."""
        return re.findall(r" \w+/(\d+) \d+ CONNECT \S+ (\S+)", self.access.read_text() if self.access.exists() else "")

    def served(self):
        """Whose tunnels stood and are over. Refused ones (407) are told before."""
        return {user for status, user in self.connects() if status == "200"}


def basic(folder):
    (folder / "users").write_text("anna:" + subprocess.run(
        ["openssl", "passwd", "-apr1", "s3cret:pass"], check=True, capture_output=True, text=True).stdout)
    return f"auth_param basic program {HELPERS}/basic_ncsa_auth {folder}/users"


def digest(folder):
    (folder / "digests").write_text("anna:s3cret\n")
    return f"auth_param digest program {HELPERS}/digest_file_auth {folder}/digests\nauth_param digest realm sfmtls test"


WAYS = {"none": (lambda folder: "", {}), "basic": (basic, "basic"), "digest": (digest, "digest"),
        "auto takes digest": (lambda folder: basic(folder) + "\n" + digest(folder), "auto")}


@pytest.fixture
def squid(started, open_folder):
    def start(auth, environment=None):
        started.append(Squid(open_folder, auth, environment))
        return started[-1]

    return start


def many(p, count):
    """GETs over one connection, and some over connections of their own."""
    with p.caller() as c:
        for _ in range(count):
            answer = c.request(target="/1k")
            assert answer.status == 200, answer.body
    for _ in range(count // 100):
        assert p.request(target="/1k").status == 200


def large(p, nginx, mib):
    """A PUT, which could be sent anew, and a POST, which is sent once."""
    body = os.urandom(1 << 20) * mib
    for method, path in (("PUT", "/put/large"), ("POST", "/post/large")):
        (nginx.files / "put/large").unlink(missing_ok=True)
        answer = p.request(method, path, body=body)
        assert answer.status == 201, answer.raw_head
        assert (nginx.files / "put/large").read_bytes() == body, method


def check_use(p, nginx):
    many(p, harness.count(20, 10000))
    large(p, nginx, harness.count(1, 100))


def check_that_it_goes_and_comes(p, daemon):
    """A parent proxy that is killed, also below a body that is on its way, and started again."""
    with p.caller() as c:
        c.send(harness.head_lines("POST", "/post/half", "Content-Length: 50000000") + "x" * (8 << 20))
        caller, own = c.sock.getsockname()[1], c.sock.getpeername()[1]
        harness.eventually(lambda: harness.under_way(caller, own) == 0)  # more than sfmtls itself holds
        daemon.kill()
        assert c.answer("POST").token == "upstream-closed"
    assert p.request(target="/1k").token == "parent-proxy-refused"
    daemon.start()
    daemon.wait()
    assert p.request(target="/1k").status == 200


@needs_squid
@pytest.mark.parametrize("name", WAYS)
def test_squid_lets_calls_through(name, squid, proxy, nginx, tenant, tmp_path, open_folder):
    make, auth = WAYS[name]
    s = squid(make(open_folder))
    keys = secrets(tmp_path, auth, password="s3cret:pass" if auth == "basic" else "s3cret") if auth else {}
    p = proxy(tenant(nginx.port), parent_proxy=s.url, **keys)
    check_use(p, nginx)
    check_that_it_goes_and_comes(p, s)
    p.stop()
    assert harness.eventually(s.served) == {"anna" if auth else "-"}
    assert "s3cret" not in p.stderr


@needs_squid
@pytest.mark.parametrize("name", ["basic", "digest"])
def test_squid_with_a_wrong_password(name, squid, proxy, nginx, tenant, tmp_path, open_folder):
    make, auth = WAYS[name]
    s = squid(make(open_folder))
    p = proxy(tenant(nginx.port), parent_proxy=s.url, **secrets(tmp_path, auth, password="wrong"))
    assert p.request().token == "parent-proxy-auth-failed"


@needs_squid
def test_what_squid_answers(squid, proxy, nginx, tenant):
    """A server that it may not reach, one that is not there, one whose name is not known: squid 5 says 500 of that one,
    squid 6 says 503."""
    s = squid("")
    p = proxy("".join(tenant(nginx.port, name, company, connect_to=to) for name, company, to in (
        ("a", "A", "forbidden.test:443"), ("b", "B", f"127.0.0.1:{harness.closed_port()}"),
        ("c", "C", "nowhere.invalid:443"))), parent_proxy=s.url)
    answers = [p.request(fields=[("successfactors-companyid", company)]) for company in "ABC"]
    tokens = [answer.token for answer in answers]
    assert tokens[:2] == ["parent-proxy-forbade", "parent-proxy-cannot-connect"]
    harness.eventually(lambda: len(s.connects()) == 3)
    said_of_a_name = {"500": "parent-proxy-status", "503": "parent-proxy-cannot-connect"}
    assert tokens[2] == said_of_a_name[s.connects()[2][0]]


# ---- Kerberos ----

class Kdc(Daemon):
    """A realm of its own, with the user anna and the service of a proxy on localhost."""

    def __init__(self, folder):
        self.folder, self.port = folder, harness.unused_port()
        (folder / "krb5.conf").write_text(f"""
[libdefaults]
default_realm = SFMTLS.TEST
default_ccache_name = KEYRING:persistent:%{{uid}}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
SFMTLS.TEST = {{
    kdc = 127.0.0.1:{self.port}
}}
[domain_realm]
localhost = SFMTLS.TEST
""")
        (folder / "kdc.conf").write_text(f"""
[kdcdefaults]
kdc_listen = 127.0.0.1:{self.port}
kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
SFMTLS.TEST = {{
    database_name = {folder}/principal
    key_stash_file = {folder}/stash
    max_life = 1h
    max_renewable_life = 1h
}}
""")
        self.of_server = {"KRB5_CONFIG": f"{folder}/krb5.conf", "KRB5_KDC_PROFILE": f"{folder}/kdc.conf"}
        self.of_clients = {"KRB5_CONFIG": f"{folder}/krb5.conf"}
        self.run("kdb5_util", "create", "-s", "-r", "SFMTLS.TEST", "-P", "master")
        for words in ("addprinc -pw s3cret anna", "addprinc -randkey HTTP/localhost",
                      f"ktadd -k {folder}/service.keytab HTTP/localhost",
                      f"ktadd -norandkey -k {folder}/anna.keytab anna"):
            self.run("kadmin.local", "-r", "SFMTLS.TEST", "-q", words)
        super().__init__(["krb5kdc", "-n", "-P", folder / "kdc.pid"], folder, self.of_server)
        self.wait()

    def wait(self):
        harness.eventually(lambda: self.is_up() and listens(self.port))

    def run(self, *words, **more):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=harness.LIMIT,
                              env={**os.environ, **self.of_server}, **more)
        assert done.returncode == 0, (words, done.stdout, done.stderr)

    def kinit(self, ccache, *more):
        self.run("kinit", "-c", f"FILE:{ccache}", *more, "anna@SFMTLS.TEST", input="s3cret\n")


@pytest.fixture
def kdc(started):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-"))
    folder.chmod(0o755)
    started.append(Kdc(folder))
    yield started[-1]
    shutil.rmtree(folder, ignore_errors=True)


def negotiate(kdc):
    (kdc.folder / "service.keytab").chmod(0o644)
    (kdc.folder / "krb5.conf").chmod(0o644)
    return (f"auth_param negotiate program {HELPERS}/negotiate_kerberos_auth -k {kdc.folder}/service.keytab "
            "-s HTTP/localhost@SFMTLS.TEST")


@pytest.fixture
def kerberos(kdc, squid, proxy, nginx, tenant, tmp_path):
    """A squid that wants a ticket, and a proxy before it; with the ticket cache that it is to use."""
    def start(binary=None, more="", **keys):
        s = squid(negotiate(kdc) + more, kdc.of_clients)
        s.ccache = tmp_path / "tickets" / "krb5cc"
        s.ccache.parent.mkdir()
        environment = {**kdc.of_clients, "SSL_CERT_FILE": keys.pop("pki")}
        s.proxy = proxy(tenant(nginx.port, ca_file=None, max_upstream=1000), environment,
                        parent_proxy=f"http://localhost:{s.port}", process={"binary": binary},
                        **{"parent_proxy_ccache": f"FILE:{s.ccache}", **keys})
        return s

    return start


@needs_squid
@needs_kdc
@pytest.mark.parametrize("auth", ["negotiate", "auto"])
@pytest.mark.parametrize("program", ["tested", "released"])
def test_negotiate_with_a_ticket_that_comes_and_goes(auth, program, kerberos, kdc, nginx, pki, release):
    """A ticket that comes after the start, expires, and is renewed; a KDC and a proxy that go and come."""
    s = kerberos(release if program == "released" else None, parent_proxy_auth=auth, pki=f"{pki}/ca.pem",
                 pool_idle="0s")
    ask = lambda: s.proxy.request(target="/1k")
    assert ask().token == "parent-proxy-no-ticket"
    kdc.kinit(s.ccache)
    assert ask().status == 200, s.proxy.stderr
    many(s.proxy, 100)
    large(s.proxy, nginx, 100)
    kdc.kill()
    ask()  # whatever the cache holds
    kdc.run("kdestroy", "-c", f"FILE:{s.ccache}")
    assert ask().token == "parent-proxy-no-ticket"
    kdc.start()
    kdc.wait()
    kdc.kinit(s.ccache, "-l", "2s")
    assert ask().status == 200
    harness.eventually(lambda: ask().status == 502)
    assert ask().token == "parent-proxy-no-ticket"
    kdc.kinit(s.ccache)
    assert ask().status == 200
    s.kill()
    assert ask().token == "parent-proxy-refused"
    s.start()
    s.wait()
    assert ask().status == 200
    s.proxy.stop()
    assert harness.eventually(s.served) == {"anna@SFMTLS.TEST"}


# ---- NTLM ----

MODULES = "mpm_event authn_core authz_core authz_user proxy proxy_connect auth_gssapi"


class Apache(Daemon):
    """A forward proxy that wants NTLM."""

    def __init__(self, folder):
        self.port, self.folder = harness.unused_port(), folder
        modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
                          for name in MODULES.split())
        (folder / "users").write_text("CORP:anna:s3cret\n")
        (folder / "users").chmod(0o644)
        (folder / "httpd.conf").write_text(f"""{modules}
            ServerName localhost
            ServerRoot {folder}
            User proxy
            Group proxy
            PidFile {folder}/pid
            Listen 127.0.0.1:{self.port}
            ErrorLog {folder}/error.log
            LogLevel info
            LogFormat "%>s %m %U %u" short
            CustomLog {folder}/access.log short
            KeepAlive On
            ProxyRequests On
            AllowCONNECT 1-65535
            <Proxy *>
                AuthType GSSAPI
                AuthName "sfmtls test"
                GssapiAllowedMech ntlmssp
                GssapiConnectionBound On
                Require valid-user
            </Proxy>
            """)
        super().__init__(["apache2", "-DFOREGROUND", "-f", folder / "httpd.conf"], folder,
                         {"NTLM_USER_FILE": f"{folder}/users"})
        self.wait()

    def wait(self):
        harness.eventually(lambda: self.is_up() and listens(self.port))


@pytest.mark.skipif(not harness.setting("FULL") or not shutil.which("apache2"), reason="with --full")
@pytest.mark.parametrize("auth", ["ntlm", "auto"])
@pytest.mark.parametrize("program", ["tested", "released"])
def test_ntlm_at_a_real_apache(auth, program, started, open_folder, proxy, nginx, tenant, tmp_path, release):
    """Also an Apache that goes and comes. gss-ntlmssp 1.2 itself leaks a library context of OpenSSL with each login."""
    a = Apache(open_folder)
    started.append(a)
    keys = secrets(tmp_path, auth, "CORP\\anna", "s3cret")
    p = proxy(tenant(nginx.port), {"ASAN_OPTIONS": "detect_leaks=0"}, parent_proxy=f"http://localhost:{a.port}",
              process={"binary": release if program == "released" else None}, **keys)
    answer = p.request(target="/1k")
    assert answer.status == 200, (answer.json()["detail"], (a.folder / "error.log").read_text())
    check_use(p, nginx)
    check_that_it_goes_and_comes(p, a)
    pathlib.Path(keys["parent_proxy_password_file"]).write_text("wrong")
    p.signal(signal.SIGHUP)
    p.said("reloaded")
    harness.eventually(lambda: p.request(target="/1k", fields=[("Connection", "close")]).status == 502)


@needs_squid
@needs_kdc
def test_many_through_negotiate(kerberos, kdc, nginx, pki):
    s = kerberos(parent_proxy_auth="negotiate", pki=f"{pki}/ca.pem")
    kdc.kinit(s.ccache)
    check_use(s.proxy, nginx)


@needs_squid
@needs_kdc
@pytest.mark.parametrize("program", ["tested", "released"])
def test_keytab_gets_the_ticket(program, kerberos, kdc, pki, release, tmp_path):
    """sfmtls fetches the ticket itself."""
    shutil.copy(kdc.folder / "anna.keytab", tmp_path)
    s = kerberos(release if program == "released" else None, parent_proxy_ccache=None, pki=f"{pki}/ca.pem",
                 parent_proxy_keytab=tmp_path / "anna.keytab", pool_idle="0s")
    assert s.proxy.request(target="/1k").status == 200, s.proxy.stderr
    kdc.kill()
    assert s.proxy.request(target="/1k").status == 200  # the ticket is kept


@needs_squid
@needs_kdc
@pytest.mark.parametrize("program", ["tested", "released"])
def test_kdc_that_does_not_answer(program, kerberos, kdc, pki, release):
    """Nothing waits longer than connect-timeout, and no more than 256 wait for Kerberos."""
    s = kerberos(release if program == "released" else None, parent_proxy_auth="negotiate", pki=f"{pki}/ca.pem",
                 connect_timeout="5s", pool_idle="0s")
    kdc.kinit(s.ccache)
    os.killpg(kdc.process.pid, signal.SIGSTOP)
    asked = [harness.Background(s.proxy.request, target="/1k") for _ in range(300)]
    assert {a.result().token for a in asked} == {"parent-proxy-no-ticket", "parent-proxy-auth-busy"}
    os.killpg(kdc.process.pid, signal.SIGCONT)
    harness.eventually(lambda: s.proxy.request(target="/1k").status == 200)
