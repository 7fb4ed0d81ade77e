"""What is left of the machine to a process that serves: Landlock, seccomp, no privilege. On the release build, for the
sanitizers cannot live in it."""
import base64
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import types

import pytest

import harness

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOTED = os.geteuid() == 0
NOBODY = 65534
OUT_OF_REACH = "the sandbox, which is made at start"


@pytest.fixture
def confined(release, proxy):
    """As proxy, for the release build's program."""

    def start(sections, process=None, **keys):
        return proxy(sections, process={"binary": release, **(process or {})}, **keys)

    return start


def copy(pki, folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(pki / name, folder)
    return folder


def replace(source, target):
    """As careful programs write."""
    shutil.copy(source, target.with_suffix(".new"))
    os.replace(target.with_suffix(".new"), target)


def section(nginx, pki, folder, name="acme-all.pem", **more):
    lines = {"company-id": "ACME", "server": f"localhost:{nginx.port}", "connect-to": f"127.0.0.1:{nginx.port}",
             "certificate": f"{folder}/{name}", "ca-file": f"{pki}/ca.pem", **more}
    return "[tenant acme]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


def rewrite(p, old, new):
    text = p.config.read_text()
    assert old in text
    p.rewrite(text.replace(old, new))


def subject(p):
    return p.request(target="/who").json()["subject"]


# ---- what is in force ----

def status_of_threads(p):
    for task in pathlib.Path(f"/proc/{p.process.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            yield dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)


def check_threads(p):
    found = list(status_of_threads(p))
    for status in found:
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):  # read from a descriptor
            assert int(status["SigBlk"], 16) >> number - 1 & 1, (number, status)
        for kind in ("Inh", "Prm", "Eff", "Amb") + (("Bnd",) if ROOTED else ()):
            assert int(status[f"Cap{kind}"], 16) == 0, (kind, status)
    return len(found)


def make_hash(password):
    made = subprocess.run(["htpasswd", "-nbB", "-C", "4", "x", password], capture_output=True, text=True, check=True)
    return made.stdout.strip().split(":", 1)[1]


def test_log_that_is_a_pipe(release, pki, nginx, tmp_path):
    """As in a container: pipes are of no folder, and no reason to leave all files open."""
    copy(pki, tmp_path, "acme-all.pem", "ca.pem")
    config = tmp_path / "sfmtls.ini"
    config.write_text("[proxy]\nlisten = 127.0.0.1:0\nlog = /dev/stderr\n" + section(nginx, pki, tmp_path))
    with subprocess.Popen([release, "run", "-c", config], stderr=subprocess.PIPE, text=True) as process:
        line = next(line for line in process.stderr if "sandbox:" in line)
        process.terminate()
        process.stderr.read()
    assert process.returncode == 0 and "files (Landlock " in line, line


def test_bundle_of_cas_is_replaced(confined, pki, nginx, tmp_path):
    """SSL_CERT_FILE names it, and it is renewed as files are: by renaming."""
    (tmp_path / "cas").mkdir()
    copy(pki, tmp_path, "acme-all.pem", "globex-all.pem")
    shutil.copy(pki / "ca.pem", tmp_path / "cas/bundle.pem")
    p = confined(f"[tenant acme]\ncompany-id = ACME\nserver = localhost:{nginx.port}\n"
                 f"certificate = {tmp_path}/acme-all.pem\n",
                 environment={"SSL_CERT_FILE": f"{tmp_path}/cas/bundle.pem", "SSL_CERT_DIR": "/nonexistent"})
    assert p.request(target="/who").status == 200
    shutil.copy(pki / "ca.pem", tmp_path / "cas/new")
    os.replace(tmp_path / "cas/new", tmp_path / "cas/bundle.pem")
    replace(tmp_path / "globex-all.pem", tmp_path / "acme-all.pem")
    harness.eventually(lambda: "globex_user" in p.request(target="/who").json()["subject"])


def name_for_the_library():
    """A name of this machine that the C library looks up; where it has none, an address that only the library reads."""
    with contextlib.suppress(OSError):
        socket.getaddrinfo(socket.gethostname(), None)
        return socket.gethostname()
    return "127.1"


@pytest.fixture
def busy(confined, pki, nginx, tmp_path):
    """Everything at once: workers, names from the C library, passwords, CONNECT, a Unix socket, a log of its own, a
    supervisor."""
    folder = copy(pki, tmp_path / "live", "acme-all.pem")
    (folder / "callers").write_text(f"user@ACME:{make_hash('secret')}\n")
    (folder / "callers").chmod(0o600)
    logs = tmp_path / "logs"
    logs.mkdir()
    name = name_for_the_library()
    text = section(nginx, pki, folder, **{"callers-file": f"{folder}/callers", "connect-to": f"{name}:{nginx.port}"})
    ca = tmp_path / "with-ca"
    ca.mkdir()
    root = harness.make_local_ca(ca, f"[proxy]\nlocal-ca = ca\n{text}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(harness.LIMIT)
        p = confined(text, workers="3", listen=f"127.0.0.1:0, unix:{folder}/s", local_ca=ca / "ca",
                     log=logs / "log", environment={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        yield types.SimpleNamespace(p=p, folder=folder, log=logs / "log", root=root, supervisor=supervisor,
                                    server=f"localhost:{nginx.port}")


AUTHORIZATION = ("Authorization", "Basic " + base64.b64encode(b"user@ACME:secret").decode())


def test_all_work_inside_and_every_thread_is(busy):
    p = busy.p
    assert busy.supervisor.recv(200) == b"READY=1"
    for listener in (0, 1) * 4:
        answer = p.request(target="/who", fields=[AUTHORIZATION], listener=listener)
        assert answer.status == 200 and answer.json()["verify"] == "SUCCESS", answer.body
    assert p.request(target="/who", fields=[("Authorization", "Basic eDp5")]).token == "caller-unknown"
    with p.caller() as c:
        c.send(f"CONNECT {busy.server} HTTP/1.1\r\nHost: {busy.server}\r\n\r\n")
        assert b" 200 " in c.read_until(b"\r\n\r\n")
        context = ssl.create_default_context(cafile=busy.root)
        c.sock, c.pending = context.wrap_socket(c.sock, server_hostname="localhost"), b""
        assert c.request(target="/who", host=busy.server, fields=[AUTHORIZATION]).status == 200
    # The first thread, two workers, the log's, the reloader's, the checker's and one for names.
    assert check_threads(p) >= 7
    line = p.said("notice: sandbox: ", log=busy.log)
    assert re.search(r"notice: sandbox: system calls are filtered \(seccomp\); files \(Landlock \d+\) are written "
                     r"below .*, and read in the system's folders and below ", line), line

    os.rename(busy.log, busy.log.with_suffix(".1"))
    p.signal(signal.SIGUSR1)
    harness.eventually(busy.log.exists)
    assert p.request(target="/who", fields=[AUTHORIZATION]).status == 200
    p.said(" id=", log=busy.log)

    p.signal(signal.SIGHUP)
    assert busy.supervisor.recv(200).startswith(b"RELOADING=1") and busy.supervisor.recv(200) == b"READY=1"
    p.said("notice: reloaded", log=busy.log)
    check_threads(p)
    p.signal(signal.SIGTERM)
    assert busy.supervisor.recv(200) == b"STOPPING=1"
    assert p.wait() == 0 and not (busy.folder / "s").exists()


def test_supervisor_without_a_path(confined, tenant, nginx):
    """Landlock would keep abstract sockets of others out of reach."""
    name = f"sfmtls-sandbox-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind("\0" + name)
        supervisor.settimeout(harness.LIMIT)
        p = confined(tenant(nginx.port), environment={"NOTIFY_SOCKET": "@" + name})
        assert supervisor.recv(200) == b"READY=1"
        assert p.request(target="/who").status == 200


def test_old_forms_of_keys_are_loaded_later(confined, pki, nginx, tmp_path):
    """RC2 needs code that OpenSSL loads on demand, and no memory may become code any more."""
    folder = copy(pki, tmp_path / "live", "acme-all.pem")
    (folder / "pass").write_text("secret")
    (folder / "pass").chmod(0o600)
    p = confined(section(nginx, pki, folder, **{"passphrase-file": f"{folder}/pass"}))
    old = tmp_path / "old.p12"
    subprocess.run(["openssl", "pkcs12", "-export", "-legacy", "-in", pki / "globex-chain.pem", "-inkey",
                    pki / "globex.key", "-out", old, "-passout", "pass:secret"], check=True, capture_output=True)
    assert b"RC2" in subprocess.run(["openssl", "pkcs12", "-legacy", "-info", "-noout", "-in", old, "-passin",
                                     "pass:secret"], check=True, capture_output=True).stderr
    replace(old, folder / "acme-all.pem")
    harness.eventually(lambda: "globex" in subject(p))


def test_switched_off(confined, tenant, nginx):
    """Privileges are given up all the same."""
    p = confined(tenant(nginx.port), sandbox="off")
    assert p.request(target="/who").status == 200
    p.said("notice: sandbox: off, as the configuration says")
    for status in status_of_threads(p):
        assert (status["Seccomp"], status["NoNewPrivs"], int(status["CapEff"], 16)) == ("0", "1", 0)


def test_sanitizers_are_told_of(proxy, tenant, nginx):
    p = proxy(tenant(nginx.port))
    sanitized = harness.setting("BUILD", "asan") != "release"
    words = "off in a program built with sanitizers" if sanitized else "system calls are filtered"
    p.said(f"notice: sandbox: {words}")


def test_demo_removes_its_folder(release, tmp_path):
    result = subprocess.run([release, "demo", "--once", "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                            timeout=harness.LIMIT, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert result.returncode == 0 and "files (Landlock " in result.stderr, result.stderr
    assert not list(tmp_path.iterdir())


# ---- where the kernel has none ----

FORBID = """
import ctypes, os, sys
library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
class Term(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]
f = ctypes.c_void_p(library.seccomp_init(0x7fff0000))
error = int(sys.argv[2])
for word in sys.argv[1].split(","):
    name, _, first = word.partition(":")
    terms = (Term * 1)(Term(0, 4, int(first or 0), 0))
    number = library.seccomp_syscall_resolve_name(name.encode())
    assert library.seccomp_rule_add_array(f, 0x50000 | error, number, 1 if first else 0, terms) == 0
assert library.seccomp_load(f) == 0
os.execv(sys.argv[3], sys.argv[3:])
"""


def without(calls, error):
    """The program in a container whose runtime answers these calls with that error. PR_SET_SECCOMP is 22."""
    return {"prefix": [sys.executable, "-c", FORBID, calls, str(error)]}


@pytest.mark.parametrize("calls, error, missing, there", [
    ("landlock_create_ruleset", 38, "Landlock is missing (this kernel has none)", "system calls are filtered"),
    ("landlock_create_ruleset", 95, "Landlock is missing (it was switched off", "system calls are filtered"),
    ("landlock_create_ruleset", 1, "Landlock is missing (Operation not permitted)", "system calls are filtered"),
    ("landlock_restrict_self", 1, "Landlock is missing (Operation not permitted)", "system calls are filtered"),
    ("seccomp,prctl:22", 22, "seccomp is missing (this kernel has none)", "(Landlock"),
    ("seccomp,prctl:22", 1, "seccomp is missing (", "(Landlock"),
    ("seccomp,prctl:22,landlock_create_ruleset", 38, "seccomp is missing (", "Landlock is missing ("),
])
def test_kernel_without(calls, error, missing, there, confined, tenant, nginx):
    """Said in one line, and served on."""
    p = confined(tenant(nginx.port), process=without(calls, error))
    assert p.request(target="/who").status == 200
    line = p.said("sandbox:")
    assert "warning: sandbox: " in line and missing in line and there in line, line
    p.stop()
    assert p.stderr.count("sandbox:") == 1


# ---- a reload ----

def test_files_in_their_folders_are_loaded_again(confined, pki, nginx, tmp_path):
    """Renamed into place; and by a swapped link, as Kubernetes does it."""
    folder = copy(pki, tmp_path / "live", "acme-all.pem")
    mounted = tmp_path / "mounted"
    copy(pki, mounted, "ca.pem")
    copy(pki, mounted / "..one", "acme-all.pem")
    (mounted / "..data").symlink_to("..one")
    (mounted / "tls.pem").symlink_to("..data/acme-all.pem")
    plain, linked = (confined(section(nginx, pki, *where)) for where in ((folder,), (mounted, "tls.pem")))
    assert "acme_user" in subject(plain) and "acme_user" in subject(linked)

    (tmp_path / "all.pem").write_text((pki / "globex.key").read_text() + (pki / "globex-chain.pem").read_text())
    replace(tmp_path / "all.pem", folder / "acme-all.pem")
    harness.eventually(lambda: "globex" in subject(plain))
    (mounted / "..two").mkdir()
    shutil.copy(tmp_path / "all.pem", mounted / "..two/acme-all.pem")
    (mounted / "..new").symlink_to("..two")
    os.replace(mounted / "..new", mounted / "..data")
    harness.eventually(lambda: "globex" in subject(linked))


def reloads(p):
    """How often files were taken; none was refused."""
    assert "not reloaded" not in p.stderr, p.stderr
    return p.stderr.count("notice: reloaded")


def test_files_behind_links_to_other_folders(confined, pki, nginx, tmp_path):
    """Each file that is named is a link to one in a folder of its own, and is renewed there; or the link is made anew,
    to another file in that folder."""
    (tmp_path / "links").mkdir()
    links = {}
    (tmp_path / "callers").write_text(f"user@ACME:{make_hash('secret')}\n")
    for source in (pki / "acme-chain.pem", pki / "acme-encrypted.key", pki / "acme.pass", pki / "ca.pem",
                   pki / "ca.crl", tmp_path / "callers"):
        folder = tmp_path / f"in-{source.stem}-{source.suffix[1:]}"
        folder.mkdir()
        for name in ("one", "two", "three"):
            shutil.copy(source, folder / name)
            (folder / name).chmod(0o600)
        links[tmp_path / "links" / source.name] = folder
        (tmp_path / "links" / source.name).symlink_to(folder / "one")
    named = [str(link) for link in links]
    keys = dict(zip(("certificate", "private-key", "passphrase-file", "ca-file", "crl-file", "callers-file"), named))
    p = confined(section(nginx, pki, tmp_path, **keys))
    for n, (link, folder) in enumerate(links.items()):
        os.replace(folder / "two", folder / "one")
        harness.eventually(lambda: reloads(p) == 2 * n + 1)
        link.with_suffix(".new").symlink_to(folder / "three")
        os.replace(link.with_suffix(".new"), link)
        harness.eventually(lambda: reloads(p) == 2 * n + 2)
    assert p.request(target="/who", fields=[AUTHORIZATION]).json()["verify"] == "SUCCESS"


def test_configuration_behind_a_link(release, pki, nginx, tmp_path, started):
    """To a file in another folder, where it is replaced."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "etc/sfmtls.ini").symlink_to(tmp_path / "kept/sfmtls.ini")
    text = "[proxy]\nlisten = 127.0.0.1:0\n" + section(nginx, pki, pki)
    (tmp_path / "kept/sfmtls.ini").write_text(text)
    p = harness.Proxy(tmp_path, None, ["-c", str(tmp_path / "etc/sfmtls.ini")], binary=release)
    started.append(p)
    (tmp_path / "kept/new").write_text(text.replace("ACME", "OTHER"))
    os.replace(tmp_path / "kept/new", tmp_path / "kept/sfmtls.ini")
    harness.eventually(lambda: reloads(p) == 1)
    assert p.request(target="/who").json()["company"] == "OTHER"


@pytest.mark.parametrize("how", ["named", "linked", "folder renamed"])
def test_file_elsewhere_takes_a_restart(how, confined, pki, nginx, tmp_path):
    """The kernel refuses it; the log says why, and what to do; what was loaded stays."""
    folder, elsewhere = (copy(pki, tmp_path / name, "acme-all.pem") for name in ("live", "elsewhere"))
    p = confined(section(nginx, pki, folder))
    if how == "named":
        rewrite(p, f"{folder}/", f"{elsewhere}/")
    elif how == "linked":
        (folder / "new").symlink_to(elsewhere / "acme-all.pem")
        os.replace(folder / "new", folder / "acme-all.pem")
    else:
        folder.rename(tmp_path / "old")
        elsewhere.rename(folder)
        p.signal(signal.SIGHUP)
    named = (elsewhere if how == "named" else folder) / "acme-all.pem"
    p.said(f"not reloaded, what was loaded before stays in use: {named}: {OUT_OF_REACH}, lets nothing be "
           "read there; restart sfmtls")
    assert subject(p)
    p.signal(signal.SIGTERM)
    assert p.wait() == 0 and p.stderr.count("not reloaded") == 1
    text = p.config.read_text()
    assert subject(confined(text[text.index("[tenant"):])), "behind a restart it is loaded"


def test_file_elsewhere_without_a_sandbox(confined, pki, nginx, tmp_path):
    folder, elsewhere = (copy(pki, tmp_path / name, "acme-all.pem") for name in ("live", "elsewhere"))
    p = confined(section(nginx, pki, folder), sandbox="off")
    rewrite(p, f"{folder}/", f"{elsewhere}/")
    p.said("notice: reloaded")


def test_mistakes_are_still_told_as_such(confined, pki, nginx, tmp_path):
    folder = copy(pki, tmp_path / "live", "acme-all.pem")
    p = confined(section(nginx, pki, folder))
    rewrite(p, "acme-all.pem", "none.pem")
    p.said(f"{folder}/none.pem: cannot be opened: No such file or directory")
    assert OUT_OF_REACH not in p.stderr


def test_unix_sockets_on_a_reload(confined, pki, nginx, tmp_path):
    """Made and removed where there was one at start, and nowhere else."""
    folder, elsewhere = (copy(pki, tmp_path / name, "acme-all.pem") for name in ("live", "elsewhere"))
    p = confined(section(nginx, pki, folder), listen=f"127.0.0.1:0, unix:{folder}/one")
    rewrite(p, f"{folder}/one", f"{folder}/two")
    harness.eventually(lambda: (folder / "two").exists() and not (folder / "one").exists())
    with harness.Caller(str(folder / "two"), socket.AF_UNIX) as c:
        assert c.request(target="/who").status == 200
    rewrite(p, f"{folder}/two", f"{elsewhere}/three")
    p.said(f"not reloaded, what was loaded before stays in use: {elsewhere}/three: {OUT_OF_REACH}, lets "
           "nothing be made there; restart sfmtls")
    assert (folder / "two").exists() and not (elsewhere / "three").exists()


def test_local_ca_that_comes_later(confined, tenant, nginx, tmp_path):
    """It takes a restart, but does not keep a renewed certificate out."""
    environment = {"XDG_DATA_HOME": str(tmp_path / "xdg")}
    p = confined(tenant(nginx.port), environment=environment)
    assert harness.run_cli("ca", "init", "-c", str(p.config), env=environment).returncode == 0
    p.signal(signal.SIGHUP)
    p.said("restart sfmtls to answer CONNECT")
    p.said("notice: reloaded")


@pytest.mark.parametrize("key, value", [("sandbox", "off"), ("user", "root" if ROOTED else "")])
def test_change_takes_effect_at_the_next_start(key, value, confined, tenant, nginx):
    p = confined(tenant(nginx.port))
    if not value:
        value = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    rewrite(p, "[proxy]\n", f"[proxy]\n{key} = {value}\n")
    p.said(f"warning: {key} takes effect at the next start")


# ---- another user ----

def low_port():
    return harness.unused_port(600, 1024)


@pytest.fixture
def theirs(pki, release):
    """A folder of nobody's, with all that is needed; the programs, too. Not in /tmp itself: what anybody could put
    there is refused."""
    outer = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-test-"))
    outer.chmod(0o755)
    folder = outer / "theirs"
    folder.mkdir()
    for source, name in ((pki / "acme-all.pem", ""), (pki / "ca.pem", ""), (release, "release"),
                         (harness.BINARY, "built")):
        shutil.copy(source, folder / name)
        if name:
            (folder / name).chmod(0o755)
    (folder / "sfmtls.ini").touch()
    for path in (folder, *folder.iterdir()):
        if ROOTED:
            os.chown(path, NOBODY, NOBODY)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(outer)


def as_nobody(theirs, nginx, *lines, listen="127.0.0.1:0"):
    return f"[proxy]\nlisten = {listen}\n" + "".join(f"{line}\n" for line in lines) + section(nginx, theirs, theirs)


@pytest.fixture(params=["release", "built"])
def program(request, theirs):
    return str(theirs / request.param)


def test_user_can_do_all_that_a_reload_and_the_end_need(theirs, program, nginx, started):
    """Low ports come first; then it is somebody else, who can do all that a reload and the end need."""
    if not ROOTED:
        (theirs / "sfmtls.ini").write_text(as_nobody(theirs, nginx, "user = root"))
        result = subprocess.run([program, "run", "-c", theirs / "sfmtls.ini"], capture_output=True, text=True,
                                timeout=harness.LIMIT)
        assert result.returncode == 2 and "only root can become root" in result.stderr
        return
    port = low_port()
    p = harness.Proxy(theirs, as_nobody(theirs, nginx, "user = nobody", f"log = {theirs}/log",
                                        listen=f"127.0.0.1:{port}, unix:{theirs}/s"), binary=program)
    started.append(p)
    assert p.request(target="/who").status == 200 and p.request(target="/who", listener=1).status == 200
    for status in status_of_threads(p):
        assert status["Uid"].split() == status["Gid"].split() == [str(NOBODY)] * 4
        assert set(status["Groups"].split()) <= {str(NOBODY)}
        assert not any(int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Amb", "Bnd"))
    assert (theirs / "s").stat().st_uid == (theirs / "log").stat().st_uid == NOBODY
    assert (theirs / "s").stat().st_mode & 0o777 == 0o600
    said = lambda words: p.said(words, log=theirs / "log")
    said("notice: running as nobody")

    os.rename(theirs / "log", theirs / "log.1")
    p.signal(signal.SIGUSR1)
    harness.eventually((theirs / "log").exists)
    p.signal(signal.SIGHUP)
    said("notice: reloaded")
    rewrite(p, f"127.0.0.1:{port}, ", f"127.0.0.1:{port}, 127.0.0.1:{low_port()}, ")
    said("the right to ports below 1024 was given up after the start; restart sfmtls")
    p.signal(signal.SIGTERM)
    assert p.wait() == 0 and not (theirs / "s").exists()


@pytest.mark.parametrize("name", ["acme-all.pem", "ca.pem", "sfmtls.ini"])
def test_user_has_to_be_able_to_load_again(name, theirs, program, nginx):
    """Proved at start, not at the renewal a year later."""
    if not ROOTED:
        return
    (theirs / "sfmtls.ini").write_text(as_nobody(theirs, nginx, "user = nobody"))
    os.chown(theirs / name, 0, 0)
    result = subprocess.run([program, "run", "-c", theirs / "sfmtls.ini"], capture_output=True, text=True,
                            timeout=harness.LIMIT)
    assert result.returncode == 2
    assert f"{theirs}/{name}: the user nobody could not load it again: Permission denied; let" in result.stderr


def test_log_that_was_there_is_not_given_away(theirs, program, nginx, started):
    """It may be anybody's; but whoever cannot open it again is told."""
    if not ROOTED:
        return
    (theirs / "log").touch()
    p = harness.Proxy(theirs, as_nobody(theirs, nginx, "user = nobody", f"log = {theirs}/log"), binary=program)
    started.append(p)
    assert (theirs / "log").stat().st_uid == 0
    p.said(f"the log {theirs}/log cannot be opened again", log=theirs / "log")


@pytest.mark.parametrize("arguments", [["run"], ["run", "-t"]], ids=" ".join)
def test_user_that_is_not_there(arguments, theirs, nginx):
    (theirs / "sfmtls.ini").write_text(as_nobody(theirs, nginx, "user = no-such-user"))
    result = harness.run_cli(*arguments, "-c", str(theirs / "sfmtls.ini"))
    assert result.returncode == 2
    assert f"{theirs}/sfmtls.ini:3: user: there is no user no-such-user on this machine; make one" in result.stderr


def test_user_that_it_is_already(confined, tenant, nginx):
    name = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    p = confined(tenant(nginx.port), user=name)
    assert p.request(target="/who").status == 200
    check_threads(p)


def test_only_root_becomes_another(theirs, nginx):
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if ROOTED else []
    (theirs / "sfmtls.ini").write_text(as_nobody(theirs, nginx, "user = root"))
    result = subprocess.run([*other, theirs / "release", "run", "-c", theirs / "sfmtls.ini"], capture_output=True,
                            text=True, timeout=harness.LIMIT)
    assert result.returncode == 2 and "user: only root can become root; start sfmtls as root" in result.stderr


def test_root_is_told(proxy, tenant, nginx, theirs):
    """That it is root, and which files it can load only now."""
    p = proxy(section(nginx, theirs, theirs))
    assert p.request(target="/who").status == 200
    if ROOTED:
        p.said("warning: running as root, whose files can be read and written even without privileges")
        p.said(f"{theirs}/acme-all.pem cannot be read without privileges (Permission denied)")


# ---- systemd ----

def test_unit_is_hardened():
    """Below 2.0 on the scale of systemd-analyze."""
    unit = ROOT / "conf/sfmtls.service"
    result = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=19", unit],
                            capture_output=True, text=True, timeout=harness.LIMIT)
    assert result.returncode == 0, result.stdout
    for call in ("seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"):
        assert re.search(rf"(?m)^SystemCallFilter=.*\b{call}\b", unit.read_text())
