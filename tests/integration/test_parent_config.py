"""The options of the parent proxy, and `system`: the environment read as curl reads it."""
import contextlib
import json
import socket
import subprocess
import socket

import pytest

import harness

HEAD = "[proxy]\nlisten = 127.0.0.1:8080\n"


def section(pki, server="localhost:1", name="acme", **more):
    return (f"[tenant {name}]\ncompany-id = {name}\nserver = {server}\ncertificate = {pki}/acme-all.pem\n"
            f"ca-file = {pki}/ca.pem\n" + "".join(f"{key.replace('_', '-')} = {v}\n" for key, v in more.items()))


def parent_of(folder, environment=None, *arguments, tenant=()):
    """(name, where) of the parent proxy that the only tenant of ./sfmtls.ini gets."""
    e = harness.run_cli("explain", "-c", "sfmtls.ini", "/x", "--json", *arguments, cwd=folder, env=environment)
    assert e.stdout, e.stderr
    return json.loads(e.stdout).get("parent_proxy")


# ---- system ----

class Listener:
    """Takes a connection, if one comes, and ends it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]

    def was_called(self):
        try:
            self.listener.accept()[0].close()
            return True
        except BlockingIOError:
            return False


def curl_uses(proxy, environment, host):
    """Does curl connect to the proxy for https://host/? What it is to reach directly refuses."""
    run = subprocess.Popen(["curl", "-s", "-o", "/dev/null", "--max-time", "1", "--resolve", "+*:1:127.0.0.1",
                            f"https://{host}:1/"], env={"PATH": "/usr/bin:/bin", **environment})
    called = False
    while run.poll() is None:
        called = proxy.was_called() or called
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(0.01)
    return called or proxy.was_called()


PROXY = "http://127.0.0.1:PORT"
USED = {"https_proxy": PROXY}
HOSTS = ["api.example.com", "example.com", "notexample.com", "127.0.0.1", "10.1.2.3", "[::1]"]
LISTS = ["*", " * ", "a,*", "example.com", ".example.com", "example.com.", "..example.com", "EXAMPLE.com", "com", "",
         "a, example.com", "a example.com", "a,example.com b", ",,example.com,,", "x\texample.com", "example.com:1",
         "api.example.com:443", "127.0.0.1", "127.0.0.1:1", "127.0.0.0/8", "10.1.0.0/16", "10.1.2.3/31", "10.1.2.3/0",
         "10.0.0.0/33", "10.1.2.2/x", "::1", "[::1]", "::/0", "127.0.0.0/8,example.com",
         "10.1.2.3/", "*.example.com", "example", "ple.com"]
VARIABLES = [
    {}, USED, {"HTTPS_PROXY": PROXY}, {"all_proxy": PROXY}, {"ALL_PROXY": PROXY}, {"http_proxy": PROXY},
    {"HTTP_PROXY": PROXY}, {"https_proxy": "", "HTTPS_PROXY": PROXY}, {"https_proxy": "", "ALL_PROXY": PROXY},
    {"https_proxy": "127.0.0.1:PORT"}, {"https_proxy": "HTTP://127.0.0.1:PORT/"},
    {"https_proxy": "http://u:p@127.0.0.1:PORT/x"}, {"https_proxy": PROXY, "HTTPS_PROXY": "http://127.0.0.1:1"},
    {"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": PROXY}, {"all_proxy": "http://127.0.0.1:1", **USED},
    {"NO_PROXY": "example.com", **USED}, {"no_proxy": "", "NO_PROXY": "example.com", **USED},
    {"no_proxy": "x", "NO_PROXY": "example.com", **USED},
]


def check_as_curl(folder, pki, environment, hosts):
    proxy = Listener()
    environment = {name: value.replace("PORT", str(proxy.port)) for name, value in environment.items()}
    for host in hosts:
        (folder / "sfmtls.ini").write_text(HEAD + section(pki, f"{host}:1", parent_proxy="system"))
        used = parent_of(folder, environment)
        assert used in (None, f"127.0.0.1:{proxy.port}"), (host, used)
        assert (used is not None) == curl_uses(proxy, environment, host), (host, environment)


@pytest.mark.parametrize("environment", VARIABLES, ids=str)
def test_variables_as_curl_reads_them(environment, tmp_path, pki):
    check_as_curl(tmp_path, pki, environment, HOSTS[:1])


@pytest.mark.parametrize("text", harness.count(LISTS[::5], LISTS), ids=repr)
def test_no_proxy_as_curl_reads_it(text, tmp_path, pki):
    check_as_curl(tmp_path, pki, {**USED, "no_proxy": text}, harness.count(HOSTS[::2], HOSTS))


@pytest.mark.parametrize("text, excepts", [("::/127", True), ("::1/128", True), ("::2/127", False),
                                           ("fe80::/10", False)])
def test_prefixes_of_ipv6(text, excepts, tmp_path, pki):
    """As curl documents it; its older versions do not do it."""
    (tmp_path / "sfmtls.ini").write_text(HEAD + section(pki, "[::1]:1", parent_proxy="system"))
    assert (parent_of(tmp_path, {"https_proxy": "http://p:1", "no_proxy": text}) is None) == excepts


def test_proxy_without_a_port_is_where_curl_looks(tmp_path, pki):
    (tmp_path / "sfmtls.ini").write_text(HEAD + section(pki, parent_proxy="system"))
    assert parent_of(tmp_path, {"https_proxy": "http://proxy.test"}) == "proxy.test:1080"


@pytest.mark.parametrize("value", ["socks5://proxy:1080", "https://proxy:443", "http://:1", "http://a b:1",
                                   "http://u:p@", "http://u%0d%0aX:p@proxy:1", "http://u:p%00@proxy:1",
                                   "http://u%7f@proxy:1", "http://:p@proxy:1"])
def test_variable_that_is_no_http_proxy(value, tmp_path, pki):
    (tmp_path / "sfmtls.ini").write_text(HEAD + section(pki, parent_proxy="system"))
    tried = harness.run_cli("run", "-t", cwd=tmp_path, env={"https_proxy": value})
    assert tried.returncode == 2 and "sfmtls.ini:8: system means the proxy of https_proxy, which" in tried.stderr
    assert value not in tried.stderr, "it may hold a password"


# ---- options ----

@pytest.mark.parametrize("value, name", [
    ("http://proxy.test:3128", "proxy.test:3128"), ("http://proxy.test:3128/", "proxy.test:3128"),
    ("proxy.test:8080", "proxy.test:8080"), ("HTTP://[::1]:3128", "[::1]:3128"), ("none", None), ("system", None),
])
def test_name_of_the_parent_proxy_is_read(value, name, tmp_path, pki):
    (tmp_path / "sfmtls.ini").write_text(HEAD + f"parent-proxy = {value}\n" + section(pki))
    assert parent_of(tmp_path) == name
    (tmp_path / "sfmtls.ini").write_text(HEAD + section(pki, parent_proxy=value))
    assert parent_of(tmp_path) == name


def test_settings_of_other_sources(tmp_path, pki):
    (tmp_path / "sfmtls.ini").write_text(HEAD + "parent-proxy = a:1\n" + section(pki))
    assert parent_of(tmp_path, {"SFMTLS_PARENT_PROXY": "b:2"}) == "b:2"
    assert parent_of(tmp_path, {"SFMTLS_TENANT_ACME_PARENT_PROXY": "c:3", "SFMTLS_PARENT_PROXY": "b:2"}) == "c:3"
    assert parent_of(tmp_path, {"SFMTLS_PARENT_PROXY": "b:2"}) == "b:2"
    assert parent_of(tmp_path, {"SFMTLS_PARENT_PROXY": "none"}) is None


WRONG = {
    "https": ("parent-proxy = https://proxy:1", ":3:", "plain HTTP, not https"),
    "socks": ("parent-proxy = socks5://proxy:1", ":3:", "plain HTTP, not socks5"),
    "user": ("parent-proxy = http://u:secret@proxy:1", ":3:", "set parent-proxy-user and parent-proxy-password-file"),
    "no port": ("parent-proxy = http://proxy", ":3:", "write http://HOST:PORT, system or none"),
    "no host": ("parent-proxy = http://", ":3:", "write http://HOST:PORT, system or none"),
    "slash": ("parent-proxy = http:///", ":3:", "write http://HOST:PORT, system or none"),
    "path": ("parent-proxy = http://proxy:1/x", ":3:", "write http://HOST:PORT, system or none"),
    "auth alone": ("parent-proxy-auth = digest", ":3:", "without a `parent-proxy` in the same section"),
    "file alone": ("parent-proxy-keytab = k", ":3:", "without a `parent-proxy` in the same section"),
    "user alone": ("parent-proxy = none\nparent-proxy-user = u", ":4:", "without a `parent-proxy`"),
    "no password": ("parent-proxy = p:1\nparent-proxy-user = u", ":4:", "has no password"),
    "no user": ("parent-proxy = p:1\nparent-proxy-password-file = f", ":4:", "has no user"),
    "basic for nobody": ("parent-proxy = p:1\nparent-proxy-auth = basic", ":4:", "needs a user"),
    "colon": ("parent-proxy = p:1\nparent-proxy-user = a:b\nparent-proxy-password-file = f\nparent-proxy-auth = basic",
              ":4:", "colon"),
    "unknown way": ("parent-proxy = p:1\nparent-proxy-auth = kerberos", ":4:", "negotiate or ntlm"),
    "missing file": ("parent-proxy = p:1\nparent-proxy-user = a\nparent-proxy-password-file = f", ":5:", "f: "),
    "keyring": ("parent-proxy = p:1\nparent-proxy-ccache = KEYRING:x", ":4:", "FILE:/PATH, DIR:/PATH or KCM:"),
    "both": ("parent-proxy = p:1\nparent-proxy-ccache = c\nparent-proxy-keytab = k", ":5:", "keep one of them"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused(name, tmp_path, pki):
    lines, place, says = WRONG[name]
    (tmp_path / "sfmtls.ini").write_text(HEAD + lines + "\n" + section(pki))
    tried = harness.run_cli("run", "-t", cwd=tmp_path)
    assert tried.returncode == 2 and f"sfmtls.ini{place}" in tried.stderr and says in tried.stderr, tried.stderr
    assert "secret" not in tried.stderr


@pytest.mark.parametrize("auth, code", [("negotiate", 2), ("auto", 0), ("digest", 0)])
@pytest.mark.parametrize("tickets", ["KEYRING:persistent:0", "API:x", "DIR:x"])
def test_tickets_of_the_environment_that_are_out_of_reach(tickets, auth, code, tmp_path, pki):
    (tmp_path / "proxy.pass").write_text("secret\n")
    (tmp_path / "proxy.pass").chmod(0o600)
    who = "parent-proxy-user = a\nparent-proxy-password-file = proxy.pass\n"
    (tmp_path / "sfmtls.ini").write_text(HEAD + f"parent-proxy = p:1\nparent-proxy-auth = {auth}\n{who}" + section(pki))
    tried = harness.run_cli("run", "-t", cwd=tmp_path, env={"KRB5CCNAME": tickets})
    assert tried.returncode == code, tried.stderr
    assert (f"KRB5CCNAME: `{tickets}` is not possible here" in tried.stderr) == (auth != "digest"), tried.stderr


def test_tickets_of_the_configuration_come_before_those_of_the_environment(tmp_path, pki):
    (tmp_path / "sfmtls.ini").write_text(HEAD + "parent-proxy = p:1\nparent-proxy-auth = negotiate\n"
                                         f"parent-proxy-ccache = FILE:{tmp_path}/tickets\n" + section(pki))
    tried = harness.run_cli("run", "-t", cwd=tmp_path, env={"KRB5CCNAME": "KEYRING:persistent:0"})
    assert tried.returncode == 0 and "KRB5CCNAME" not in tried.stderr, tried.stderr


@pytest.mark.parametrize("mode, says", [(0o600, None), (0o640, None), (0o644, "every user of this machine may read"),
                                        (0o666, "proxy.pass")])
def test_who_may_read_the_password(mode, says, tmp_path, pki):
    (tmp_path / "proxy.pass").write_text("secret\n")
    (tmp_path / "proxy.pass").chmod(mode)
    (tmp_path / "sfmtls.ini").write_text(HEAD + "parent-proxy = p:1\nparent-proxy-user = a\nparent-proxy-password-file "
                                         "= proxy.pass\n" + section(pki))
    tried = harness.run_cli("run", "-t", cwd=tmp_path)
    assert (tried.returncode == 2) == (mode == 0o666), tried.stderr
    told = harness.without_limits(tried.stderr)
    assert (says in told) if says else "proxy.pass" not in told, told


@pytest.mark.parametrize("lines", ["parent-proxy = none", "parent-proxy = system", "parent-proxy = p:1"])
def test_unused_proxy_is_no_news_then(lines, tmp_path, pki):
    for text in (HEAD + lines + "\n" + section(pki, "api.example.com"), HEAD + section(pki, "api.example.com") + lines):
        (tmp_path / "sfmtls.ini").write_text(text + "\n")
        tried = harness.run_cli("run", "-t", cwd=tmp_path, env={"https_proxy": "http://proxy:3128"})
        assert tried.returncode == 0 and "https_proxy" not in tried.stderr, tried.stderr


def test_a_report_holds_nothing_of_it(tmp_path, pki):
    (tmp_path / "proxy.pass").write_text("canary-password\n")
    (tmp_path / "sfmtls.ini").write_text(
        HEAD + f"parent-proxy = http://127.0.0.1:{harness.closed_port()}\nparent-proxy-user = canary-user\n"
        "parent-proxy-password-file = proxy.pass\nparent-proxy-auth = basic\n" + section(pki))
    made = harness.run_cli("support", "-c", "sfmtls.ini", "-o", "report.json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    text = (tmp_path / "report.json").read_text()
    assert "parent-proxy-refused" in text and "canary" not in text


def test_explain_and_check_name_it(tmp_path, pki):
    parent = f"127.0.0.1:{harness.closed_port()}"
    (tmp_path / "sfmtls.ini").write_text(HEAD + section(pki, parent_proxy=f"http://{parent}"))
    explained = harness.run_cli("explain", "-c", "sfmtls.ini", "/x", cwd=tmp_path)
    assert f", through the parent proxy {parent} (sfmtls.ini:8)" in " ".join(explained.stdout.split())
    checked = harness.run_cli("check", "-c", "sfmtls.ini", cwd=tmp_path)
    assert checked.returncode == 1 and "parent-proxy-refused" in checked.stdout
    assert "skipped  name                 it needs parent-proxy" in checked.stdout, checked.stdout
