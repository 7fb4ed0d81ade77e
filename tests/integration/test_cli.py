"""The command line: commands, options, exit codes, what goes to which descriptor; hosts; the demo."""
import contextlib
import json
import os
import pathlib
import re
import select
import shlex
import signal
import socket
import ssl
import subprocess

import pytest

import harness

COMMANDS = ["run", "demo", "check", "explain", "support", "cert", "ca", "import", "hosts", "version", "help"]


def succeeds(*arguments, **kwargs):
    """stdout of a command that has nothing to complain of."""
    result = harness.run_cli(*arguments, **kwargs)
    assert (result.returncode, result.stderr) == (0, ""), (result.returncode, result.stderr)
    return result.stdout


def refused(*arguments, **kwargs):
    """The one sentence of a wrong command line."""
    result = harness.run_cli(*arguments, **kwargs)
    assert (result.returncode, result.stdout) == (2, ""), (result.returncode, result.stdout, result.stderr)
    assert re.fullmatch(r"sfmtls: [^\n]+\n", result.stderr), result.stderr
    return result.stderr


# ---- help ----

def test_overview_names_every_command():
    text = succeeds("help")
    for command in COMMANDS:
        assert re.search(rf"(?m)^ +{command} +\S", text), command
    assert succeeds("--help") == succeeds("-h") == text


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", [["help", "NAME"], ["NAME", "--help"], ["NAME", "-h"]], ids=" ".join)
def test_help_of_command(command, form):
    text = succeeds(*(word.replace("NAME", command) for word in form))
    assert text.startswith(f"usage: sfmtls {command}")
    assert text == succeeds("help", command)


@pytest.mark.parametrize("arguments", [["run", "-t", "--help"], ["run", "--listen", "x", "--help"],
                                       ["demo", "--once", "--help"]], ids=" ".join)
def test_help_behind_other_words(arguments):
    assert succeeds(*arguments) == succeeds("help", arguments[0])


@pytest.mark.parametrize("option", ["-c", "-t", "--ready-fd", "--server", "--company-id", "--certificate",
                                    "--private-key", "--passphrase-file", "--listen", "--ca-file"])
def test_help_of_run_names_every_option(option):
    assert option in succeeds("help", "run")


@pytest.mark.parametrize("option", ["--once", "--listen", "--ready-fd", "--fault"])
def test_help_of_demo_names_every_option(option):
    assert option in succeeds("help", "demo")


def test_help_of_errors_names_what_the_proxy_answers(proxy, tenant):
    """A token from a real answer is explained there, with status and cure."""
    port = harness.closed_port()
    problem = proxy(tenant(port, server=f"127.0.0.1:{port}", connect_to=None)).request().json()
    text = succeeds("help", "errors")
    assert ", )" not in text and "tls-failed (502, tls_protocol_error)" in text
    assert f"{problem['token']} ({problem['status']}" in text and problem["cure"] in text
    assert len(re.findall(r"(?m)^[a-z-]+ \(", text)) > 30


def test_help_of_causes_names_what_is_behind_them(proxy):
    """So is the code of the cause."""
    problem = proxy(harness.closed_port()).request().json()
    text = succeeds("help", "causes")
    assert problem["code"] != problem["token"]
    assert f"{problem['code']} (connection: " in text and problem["cure"] in text
    assert "auth0032 (answer: [AUTH0032] in an error)" in text and "Source: KBA 3333286, KBA 3505973" in text


def test_help_of_each_option_is_its_entry():
    """As `help config` has it, under the section that it is of; `listen` is of both."""
    whole = succeeds("help", "config")
    parts = dict(zip(("[proxy]", ";[tenant acme]"), re.split(r"\n;\[tenant acme\]\n", whole)))
    told, known = {}, {}
    for title, part in parts.items():
        for entry in re.findall(r"(?m)(?:^; .*\n)+^;[A-Za-z.-]+ = .*\n", part):
            key = re.search(r"(?m)^;([A-Za-z.-]+) = ", entry)[1]
            known.setdefault(key, []).append(f"{title}\n\n{entry}")
    assert len(known) > 60 and [key for key, entries in known.items() if len(entries) == 2]
    for key in sorted(known)[::7] + ["listen", "ca-file", "header.X-Thing"]:
        assert succeeds("help", key) == "\n".join(known[key]), key


# ---- what is wrong ----

@pytest.mark.parametrize("arguments, words", [
    ([], ["command"]), (["nope"], ["`nope`"]), (["RUN"], ["`RUN`"]), (["--nope"], ["--nope"]), (["-x"], ["-x"]),
    (["help", "nope"], ["`nope`"]), (["help", "a", "b"], ["help"]), (["hosts", "x"], ["hosts"]),
    (["hosts", "--nope"], ["hosts"]), (["version", "x"], ["version"]),
    (["run", "--nope"], ["--nope"]), (["run", "--nope=3"], ["--nope"]), (["run", "-x"], ["-x"]),
    (["run", "-tx"], ["x"]), (["run", "-xt"], ["x"]), (["run", "word"], ["`word`"]),
    (["run", "--", "word"], ["`word`"]),
    (["run", "-c"], ["-c", "value"]), (["run", "--config"], ["--config", "value"]),
    (["run", "--server"], ["--server", "value"]), (["run", "--ready-fd"], ["--ready-fd", "value"]),
    (["demo", "--nope"], ["--nope"]), (["demo", "word"], ["`word`"]), (["demo", "--listen"], ["--listen", "value"]),
    (["demo", "-c", "file"], ["-c"]),
], ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else "")
def test_wrong_command_line(arguments, words):
    sentence = refused(*arguments)
    for word in words:
        assert word in sentence
    assert "sfmtls help" in sentence or "--help" in sentence
    assert "option run" not in sentence


@pytest.mark.parametrize("arguments", [["run", "--test=1"], ["demo", "--once=yes"], ["run", "--c", "x"]], ids=" ".join)
def test_known_option_in_the_wrong_form(arguments):
    """A value that is not wanted, an abbreviation of several: not `unknown`, which sends people searching."""
    assert "unknown" not in refused(*arguments)


@pytest.mark.parametrize("arguments, meant", [
    (["chek"], "`check`"), (["Run"], "`run`"), (["relaod", "-c", "x"], "`reload`"), (["help", "chek"], "`check`"),
    (["help", "ca-fiel"], "`ca-file`"), (["help", "log_format"], "`log-format`"), (["run", "--sett", "x=y"], "--set"),
    (["check", "--josn"], "--json"), (["run", "--lisen=localhost:1"], "--listen"), (["frobnicate"], None),
    (["help", "frobnicate"], None), (["run", "--frobnicate"], None)], ids=str)
def test_mistyped_word(arguments, meant):
    sentence = refused(*arguments)
    assert (f"did you mean {meant}?" in sentence) if meant else ("did you mean" not in sentence), sentence


@pytest.mark.parametrize("arguments", [["run", "-t"], ["run"], ["demo"]], ids=" ".join)
@pytest.mark.parametrize("number", ["77", "-1", "3x", "", "abc", "99999999999999999999"])
def test_bad_ready_descriptor(arguments, number):
    assert "--ready-fd" in refused(*arguments, "--ready-fd", number)


@pytest.mark.parametrize("arguments", [["help"], ["help", "config"], ["help", "errors"], ["version"], ["hosts"],
                                       ["run", "-t"], ["demo", "--once", "--listen", "127.0.0.1:0"]], ids=" ".join)
def test_results_that_cannot_be_written(arguments, pki, tmp_path):
    """A full disk behind stdout is no success."""
    (tmp_path / "sfmtls.ini").write_text("[tenant a]\ncompany-id = A\nserver = localhost:1\n"
                                         f"certificate = {pki}/acme-all.pem\nca-file = {pki}/ca.pem\n")
    with open("/dev/full", "w") as full:
        result = subprocess.run([os.path.abspath(harness.BINARY), *arguments], stdout=full, stderr=subprocess.PIPE,
                                text=True, cwd=tmp_path, timeout=harness.LIMIT)
    assert result.returncode == 1, result.stderr
    assert "standard output" in result.stderr


# ---- version ----

def test_version_of_the_program_and_its_libraries():
    text = succeeds("version")
    assert re.fullmatch(r"sfmtls \d+\.\d+\.\d+\nOpenSSL \d[^\n]+\nlibevent \d[^\n]+\n", text), text
    assert succeeds("--version") == text


# ---- the ready descriptor ----

def test_ready_descriptor_and_stderr_tell_the_same(proxy, nginx, tenant, tmp_path):
    """The harness checks that it is one line, then the end."""
    p = proxy(tenant(nginx.port, listen=f"127.0.0.1:0, unix:{tmp_path}/own"),
              listen=f"127.0.0.1:0, [::1]:0, unix:{tmp_path}/s")
    kinds = [re.sub(r":\d+$", ":PORT", l["address"]) for l in p.ready["listeners"]]
    assert kinds == ["127.0.0.1:PORT", "[::1]:PORT", f"unix:{tmp_path}/s", "127.0.0.1:PORT", f"unix:{tmp_path}/own"]
    assert [l["tenant"] for l in p.ready["listeners"]] == [None, None, None, "acme", "acme"]
    assert set(p.ready) == {"pid", "listeners"} and all(set(l) == {"address", "tenant"} for l in p.ready["listeners"])
    for i, listener in enumerate(p.ready["listeners"]):
        assert p.request(target="/who", listener=i).status == 200
        words = re.escape(listener["address"]) + r"(?!\d)"
        harness.eventually(lambda: len(re.findall(words, p.stderr)) == 1)


def test_addresses_are_told_on_stderr_when_the_log_is_a_file(proxy, nginx):
    p = proxy(nginx.port, log="log")
    p.said(p.addresses[0])
    p.request(target="/who")
    p.said(" id=", log=p.folder / "log")
    assert " id=" not in p.stderr


def test_reader_of_the_ready_descriptor_is_gone(pki, tmp_path):
    """Nobody waits any more: no reason to die."""
    (tmp_path / "sfmtls.ini").write_text("[tenant a]\ncompany-id = A\nserver = localhost:1\nlisten = unix:s\n".replace(
        "unix:s", f"unix:{tmp_path}/s") + f"certificate = {pki}/acme-all.pem\nca-file = {pki}/ca.pem\n")
    read, write = os.pipe()
    os.close(read)
    with open(tmp_path / "stderr", "wb") as err:
        process = subprocess.Popen([os.path.abspath(harness.BINARY), "run", "--ready-fd", str(write)], cwd=tmp_path,
                                   stderr=err, pass_fds=[write])
    os.close(write)
    try:
        harness.eventually(lambda: "listening on" in (tmp_path / "stderr").read_text())
        with harness.Caller(str(tmp_path / "s"), socket.AF_UNIX) as c:
            assert c.request().token == "connection-refused"
    finally:
        process.terminate()
    assert process.wait(harness.LIMIT) == 0


# ---- hosts ----

def host_rows():
    rows = []
    for line in succeeds("hosts").splitlines():
        row = re.fullmatch(r"(DC\d+) +(production|preview|sales demo) +(\S+) +(\S+) +(documented|rule)", line)
        assert row, line
        rows.append(row.groups())
    return rows


def by_rule(host):
    first, rest = host.split(".", 1)
    return f"{first}.cert.{rest}"


EXCEPTIONS = {"api.successfactors.eu": "api2.cert.successfactors.eu"}
PREVIEW_TOO = {**{f"api{n}": "sapsf.com" for n in (17, 19, 22, 23, 41, 44, 47, 50)}, "api55": "sapsf.eu",
               "api74": "sapsf.eu", "api15": "sapsf.cn"}
KNOWN = {"api2.successfactors.eu", "api.successfactors.eu", "apisalesdemo2.successfactors.eu", "api2preview.sapsf.eu",
         "api4.successfactors.com", "api4preview.sapsf.com", "api68sales.successfactors.com",
         "apisalesdemo4.successfactors.com", "api8.successfactors.com", "api8preview.sapsf.com",
         "api8sales.successfactors.com", "apisalesdemo8.successfactors.com", "api10.successfactors.com",
         "api10preview.sapsf.com", "api012.successfactors.eu", "api12preview.sapsf.eu", "api40sales.sapsf.com",
         "api-in10.hr.cloud.sap", "api-in10-preview.hr.cloud.sap", "api-sa20.hr.cloud.sap",
         "api-sa20-preview.hr.cloud.sap"} | {f"{first}{kind}.{rest}" for first, rest in PREVIEW_TOO.items()
                                             for kind in ("", "preview")}


def test_every_row_of_hosts_obeys_the_rule():
    rows = host_rows()
    hosts = [api for _, _, api, _, _ in rows]
    assert set(hosts) == KNOWN and len(hosts) == len(set(hosts))
    for _, environment, api, certificate, how in rows:
        assert certificate == EXCEPTIONS.get(api, by_rule(api))
        assert ("preview" in api) == (environment == "preview"), api
        assert ("sales" in api) == (environment == "sales demo"), api
        if api.endswith(".hr.cloud.sap"):
            assert how == "rule", "its certificate hosts are published nowhere"


FORMS = ["{}", "{}:443", "https://{}", "https://{}:443", "https://{}/", "{}."]


def called_hosts(proxy, pki, servers, **keys):
    """The host that each of the servers, as they are written, stands for; as the start tells it. And the stderr."""
    more = "".join(f"{k.replace('_', '-')} = {v}\n" for k, v in keys.items())
    p = proxy("".join(f"[tenant t{i}]\ncompany-id = C{i}\nserver = {server}\ncertificate = {pki}/acme-all.pem\n"
                      f"ca-file = {pki}/ca.pem\n{more}" for i, server in enumerate(servers)))
    harness.eventually(lambda: "listening on" in p.stderr)
    told = dict(re.findall(r"tenant t(\d+): company \S+ at ([^\s,]+)", p.stderr))
    return [told[str(i)] for i in range(len(servers))], p.stderr


def test_certificate_host_is_derived_as_hosts_prints_it(proxy, pki):
    rows = host_rows()
    servers = [FORMS[i % len(FORMS)].format(api.upper() if i % 2 else api) for i, (_, _, api, _, _) in enumerate(rows)]
    called, stderr = called_hosts(proxy, pki, servers)
    assert called == [certificate for _, _, _, certificate, _ in rows]
    warned = re.findall(r"warning: \S+ [^\n]*?(\S+\.hr\.cloud\.sap) is not documented", stderr)
    assert sorted(warned) == sorted(api for _, _, api, _, _ in rows if api.endswith(".hr.cloud.sap"))
    assert len(re.findall("warning: (?!running as root)", stderr)) == len(warned)


@pytest.mark.parametrize("keys", [{}, {"server_as_is": "yes"}], ids=["derived", "as is"])
def test_hosts_that_are_not_in_the_table(keys, proxy, pki):
    """api* under SF's domains obey the rule too; all others are called as they stand."""
    derived = ["apitest.successfactors.com", "apitest.successfactors.eu", "apitest.successfactors.cn",
               "api99.sapsf.com", "api99.sapsf.eu", "api99.sapsf.cn", "api-xx99.hr.cloud.sap", "api5.successfactors.eu"]
    as_written = ["api4.cert.successfactors.com", "apitest.cert.sapsf.eu", "api4.example.com", "localhost", "127.0.0.1",
                  "hcm44.sapsf.com", "performancemanager4.successfactors.com", "salesdemo4.successfactors.com",
                  "api.xsuccessfactors.com", "api4.successfactors.com.example.org", "successfactors.com",
                  "myapi4.successfactors.com"]
    called, stderr = called_hosts(proxy, pki, derived + as_written, **keys)
    assert called == (derived if keys else [by_rule(host) for host in derived]) + as_written
    assert bool(re.search(r"warning: .*api-xx99\.hr\.cloud\.sap", stderr)) == (not keys)


def test_port_of_a_derived_host_is_kept(proxy, pki):
    called, _ = called_hosts(proxy, pki, ["https://api4.successfactors.com:8443"])
    assert called == ["api4.cert.successfactors.com:8443"]


# ---- the demo ----

class Demo:
    """A running `sfmtls demo`, its temporary folder in one of the test's."""

    def __init__(self, folder, *arguments):
        self.folder = pathlib.Path(folder)
        read, write = os.pipe()
        with open(self.folder / "stdout", "wb") as out, open(self.folder / "stderr", "wb") as err:
            self.process = subprocess.Popen([harness.BINARY, "demo", "--ready-fd", str(write), *arguments], stdout=out,
                                            stderr=err, pass_fds=[write], env={**os.environ, "TMPDIR": str(folder)})
        os.close(write)
        with os.fdopen(read) as ready:
            assert select.select([ready], [], [], harness.LIMIT)[0], self.stderr
            line = ready.read()
        assert line.count("\n") == 1, (line, self.stderr)
        self.ready = json.loads(line)
        self.address = self.ready["listeners"][0]["address"]

    @property
    def stdout(self):
        return (self.folder / "stdout").read_text()

    @property
    def stderr(self):
        return (self.folder / "stderr").read_text()

    @property
    def temporary(self):
        """The demo's own folders; there may be one."""
        return list(self.folder.glob("sfmtls-demo-*"))

    @property
    def server_port(self):
        return int(re.search(r"connect-to *= *127\.0\.0\.1:(\d+)", (self.temporary[0] / "sfmtls.ini").read_text())[1])

    def wait_until_shown(self):
        """All that is printed while it stays up; it is printed at once."""
        harness.eventually(lambda: "admin=localhost:8091" in self.stdout)
        return self.stdout

    def caller(self):
        if self.address.startswith("unix:"):
            return harness.Caller(self.address[5:], socket.AF_UNIX)
        host, port = self.address.rsplit(":", 1)
        return harness.Caller((host, int(port)))

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        assert self.process.wait(harness.LIMIT) == 0, self.stderr[:2000]
        assert "Sanitizer" not in self.stderr and "runtime error" not in self.stderr, self.stderr
        assert not self.temporary


@pytest.fixture
def demo(tmp_path, started):
    def start(*arguments):
        started.append(Demo(tmp_path, *(arguments or ("--listen", "127.0.0.1:0"))))
        return started[-1]

    return start


def assert_shows_the_call(text):
    assert "HTTP/1.1 200" in text
    body = json.loads(re.search(r'(?m)^ *(\{"d":.*\})$', text)[1])
    seen = body["seenByTheServer"]
    assert seen["clientCertificate"]["subject"].startswith("CN=DEMO_API_USER")
    assert seen["companyId"] == "DEMO" and seen["authorizationHeader"] is False
    assert "saw the client certificate CN=DEMO_API_USER" in text


# What `check` says of each fault that the demo can show.
@pytest.mark.parametrize("code, words", [
    ("caller-uid", "caller-uid (403"), ("auth0032", "auth0032 (answer"), ("server-http2-only", "Source: RFC 7301"),
    ("certificate-not-fetched", "certificate-not-fetched (502")])
def test_help_of_a_code(code, words):
    shown = harness.run_cli("help", code)
    assert (shown.returncode, shown.stderr) == (0, "") and words in shown.stdout
    near = code[:-1]
    assert f"did you mean `{code}`?" in refused("help", near)


FAULTS = {
    "name": ("name", "name-not-found"), "refused": ("connect", "connect-to-unreachable"),
    "not-tls": ("tls", "server-not-tls"),
    "server-self-signed": ("server-certificate", "server-certificate-self-signed"),
    "server-ca": ("server-certificate", "ca-file-lacks-issuer"),
    "server-expired": ("server-certificate", "server-certificate-expired"),
    "server-not-yet-valid": ("server-certificate", "server-certificate-not-yet-valid"),
    "server-name": ("server-certificate", "server-certificate-wrong-host"),
    "never-asks": ("certificate-request", "client-certificate-not-requested"),
    "expired": ("certificate", "client-certificate-expired"),
    "not-yet-valid": ("certificate", "client-certificate-not-yet-valid"),
    "no-client-auth": ("certificate", "no-client-auth"),
    "client-ca": ("certificate-request", "client-ca-not-accepted"),
    "edge-error": ("client-certificate", "edge-certificate-error"),
    "edge-no-certificate": ("client-certificate", "edge-no-certificate"), "company": ("company", "auth0032"),
    "no-mapping": ("company", "auth0032"), "permission": ("permission", "lgn0002"),
    "plain-host": ("certificate-request", "lgn0003"), "ui-host": ("http", "lgn0004"),
    "company-not-found": ("company", "lgn0008"), "address": ("permission", "lgn0013"),
    "session": ("http", "sfapi-session-lost"), "metadata": ("http", "metadata-generating"),
    "too-many": ("http", "too-many-requests"), "maintenance": ("http", "server-maintenance"),
    "bad-gateway": ("http", "server-bad-gateway"), "gateway-timeout": ("http", "server-gateway-timeout"),
    "clock": ("clock", "clock-wrong"),
}


def test_faults_of_the_demo_are_listed():
    assert "there is no such fault; --fault list lists them" in refused("demo", "--fault", "nonsense")
    listed = harness.run_cli("demo", "--fault", "list")
    assert listed.returncode == 0 and not listed.stderr
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(FAULTS)
    assert all(len(line.split()) > 2 for line in listed.stdout.splitlines())


@pytest.mark.parametrize("fault", FAULTS)
def test_demo_of_a_fault(fault, demo):
    """The first call shows what it looks like, and check says what it is."""
    d = demo("--fault", fault, "--listen", "127.0.0.1:0")
    text = d.wait_until_shown()
    assert "The fault" not in text and f"sfmtls check -c {d.temporary[0]}/sfmtls.ini" in text
    assert ("HTTP/1.1 200" in text) == (fault == "clock")
    result = harness.run_cli("check", "-c", str(d.temporary[0] / "sfmtls.ini"), "--json")
    steps = json.loads(result.stdout)["tenants"][0]["steps"]
    assert [(s["step"], s["code"]) for s in steps if s["result"] == "fail"] == [FAULTS[fault]]
    code = FAULTS[fault][1]
    assert fault == "clock" or f'"code":"{code}"' in text or f"Sfmtls-Hint: {code};" in text, text
    d.stop()
    assert d.stdout.splitlines()[-1].startswith(f"The fault was `{fault}`: ")


def test_demo_of_a_fault_by_chance(tmp_path):
    result = harness.run_cli("demo", "--once", "--fault", "any", "--listen", "127.0.0.1:0",
                             env={"TMPDIR": str(tmp_path)})
    assert result.returncode == 0, result
    assert re.fullmatch("The fault was `(.+)`: .+[.]", result.stdout.splitlines()[-1])[1] in FAULTS


def test_status_of_the_demo(demo):
    """At port 8081, or if that is in use, at a socket in its folder."""
    d = demo()
    text = d.wait_until_shown()
    configuration = f"{d.temporary[0]}/sfmtls.ini"
    assert f"status -c {configuration}" in text
    shown = harness.run_cli("status", "-c", configuration)
    assert shown.returncode == 0 and "demo" in shown.stdout, shown
    command = re.search("^ *(curl .*/metrics)$", text, re.M)[1]
    metrics = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=harness.LIMIT)
    assert metrics.returncode == 0 and "sfmtls_requests_total" in metrics.stdout, metrics


def test_demo_says_that_it_does_not_reload(demo):
    d = demo()
    d.process.send_signal(signal.SIGHUP)
    harness.eventually(lambda: "notice: not reloaded: the demo keeps" in d.stderr)
    d.stop()


def test_check_of_the_demo(demo):
    """Nothing fails where nothing is wrong."""
    d = demo()
    d.wait_until_shown()
    result = harness.run_cli("check", "-c", str(d.temporary[0] / "sfmtls.ini"))
    assert result.returncode == 0 and "200 to GET /odata/v2/" in result.stdout


@pytest.mark.parametrize("option", ["--once", "-1"])
def test_demo_once(option, tmp_path):
    result = harness.run_cli("demo", option, "--listen", "127.0.0.1:0", env={"TMPDIR": str(tmp_path)})
    assert result.returncode == 0, result.stderr
    assert_shows_the_call(result.stdout)
    assert "curl" not in result.stdout, "there is nothing left to call"
    assert "status=200" in result.stderr and "status=200" not in result.stdout
    assert "Sanitizer" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_demo_once_with_the_default_port_taken(tmp_path):
    """Any free one will do then."""
    held = False
    while not held:  # by us, or by somebody else, who may let it go
        with socket.socket() as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                holder.bind(("127.0.0.1", 8080))
                holder.listen()
                held = True
            result = harness.run_cli("demo", "--once", env={"TMPDIR": str(tmp_path)})
        assert result.returncode == 0, result.stderr
        assert_shows_the_call(result.stdout)
        taken = "127.0.0.1:8080" in result.stderr
        assert not (held and taken), result.stderr
        held = held or not taken


def test_demo_shows_itself_and_stays(demo):
    d = demo()
    text = d.wait_until_shown()
    assert_shows_the_call(text)
    assert f"http://{d.address}" in text and "Postman" in text and str(d.temporary[0]) in text
    assert d.process.poll() is None
    assert d.ready["listeners"] == [{"address": d.address, "tenant": None}], "the demo's server is not told of"


@pytest.mark.parametrize("unix", [False, True], ids=["TCP", "unix"])
def test_curl_line_of_the_demo_works(unix, demo, tmp_path):
    d = demo("--listen", f"unix:{tmp_path}/s" if unix else "127.0.0.1:0")
    line = re.search(r"(?m)^ *(curl .*)$", d.wait_until_shown())[1]
    out = subprocess.run([*shlex.split(line), "-sS", "-i"], capture_output=True, text=True, timeout=harness.LIMIT)
    assert out.returncode == 0 and out.stdout.startswith("HTTP/1.1 200"), out
    assert json.loads(out.stdout.split("\n\n", 1)[1])["d"]["results"]


def test_demo_through_its_proxy(demo):
    """The certificate is the one in the temporary folder; what is not there is 404, of the server's making."""
    d = demo()
    with d.caller() as c:
        seen = c.request(target="/odata/v2/User", fields=[("Authorization", "Basic eDp5")]).json()["seenByTheServer"]
        serial = subprocess.run(["openssl", "x509", "-in", d.temporary[0] / "client.pem", "-noout", "-serial"],
                                capture_output=True, text=True, check=True).stdout.strip().split("=")[1]
        assert int(seen["clientCertificate"]["serial"]) == int(serial, 16)
        assert seen["authorizationHeader"] is False
        answer = c.request(target="/elsewhere")
        assert answer.status == 404 and answer.get("Proxy-Status") is None
    d.wait_until_shown()


def test_files_of_the_demo_are_private(demo):
    d = demo()
    assert d.temporary[0].stat().st_mode & 0o777 == 0o700
    assert (d.temporary[0] / "client.key").stat().st_mode & 0o777 == 0o600
    d.wait_until_shown()


def call_directly(d, certificate=None, company="DEMO", version=None):
    """A call to the demo's server, past the proxy: the status line."""
    context = ssl.create_default_context(cafile=d.temporary[0] / "ca.pem")
    if certificate:
        context.load_cert_chain(*certificate)
    if version:
        context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", d.server_port), harness.LIMIT) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as s:
            s.sendall(f"GET /odata/v2/User HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                      f"successfactors-companyid: {company}\r\n\r\n".encode())
            answer = b""
            while data := s.recv(65536):
                answer += data
    return answer.split(b"\r\n")[0].decode()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("stranger", [False, True], ids=["none", "a stranger's"])
def test_server_of_the_demo_insists_on_its_certificate(version, stranger, demo, pki):
    d = demo()
    with pytest.raises((ssl.SSLError, ConnectionError)) as refusal:
        call_directly(d, (pki / "stranger.pem", pki / "stranger.key") if stranger else None, version=version)
    assert not isinstance(refusal.value, ssl.SSLCertVerificationError)
    own = (d.temporary[0] / "client.pem", d.temporary[0] / "client.key")
    assert call_directly(d, own, version=version) == "HTTP/1.1 200 OK"
    assert call_directly(d, own, company="OTHER").startswith("HTTP/1.1 401")
    d.wait_until_shown()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("once", [False, True], ids=["stays", "once"])
def test_demo_ends_in_order(number, once, demo):
    """Also while its first call may still be under way."""
    d = demo("--listen", "127.0.0.1:0", *(["--once"] if once else []))
    if not once:
        d.wait_until_shown()
    d.process.send_signal(number)
    assert d.process.wait(harness.LIMIT) in ((0, 1) if once else (0,)), d.stderr
    assert not d.temporary
    d.process.returncode = 0


@pytest.mark.parametrize("impatient", [False, True], ids=["second signal", "one after the other"])
def test_second_signal_ends_the_demo_at_once(impatient, demo):
    """A caller in the middle of a request does not hold it; however often Ctrl-C is hit, the key is removed."""
    d = demo()
    d.wait_until_shown()
    with d.caller() as c:
        c.send("GET /odata/v2/User HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\n")
        assert c.answer().status == 200, "and so the second head has begun"
        d.process.send_signal(signal.SIGINT)
        harness.eventually(lambda: "shutting down" in d.stderr)
        d.process.send_signal(signal.SIGINT)
        while impatient and d.process.poll() is None:
            d.process.send_signal(signal.SIGINT)
        assert d.process.wait(harness.LIMIT) == 1, d.stderr[:2000]
    assert not d.temporary
    d.process.returncode = 0


@pytest.mark.parametrize("listen, words", [
    ("127.0.0.1:TAKEN", ["taken"]), ("0.0.0.0:0", ["other machines"]), ("127.0.0.1", ["port"]), ("", ["value"]),
    ("unix:/none/s", ["/none/s"]), ("127.0.0.1:0\nworkers = 9999", [])], ids=repr)
def test_demo_that_cannot_listen(listen, words, tmp_path):
    """Exit 2, one sentence that names what the user wrote (the temporary file is gone), no folder left."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        listen = listen.replace("TAKEN", str(holder.getsockname()[1]))
        sentence = refused("demo", "--once", "--listen", listen, env={"TMPDIR": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []
    for word in words:
        assert word in sentence
    assert "--listen" in sentence and str(tmp_path) not in sentence


def test_demo_without_a_place_for_its_files(tmp_path):
    assert "TMPDIR" in refused("demo", "--once", env={"TMPDIR": str(tmp_path / "none")})


def test_two_demos_side_by_side(tmp_path, started):
    """Each with its own port, server, certificates and folder."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        started.append(Demo(folder))
    one, two = started
    assert one.address != two.address and one.server_port != two.server_port
    for d in (one, two):
        assert_shows_the_call(d.wait_until_shown())
