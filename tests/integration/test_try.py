"""`run -t` tries all that `run` does, short of listening: what keeps `run` from starting, or a tenant from service."""
import errno
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

import harness
from test_config import WITHOUT_OVERRIDE
from test_sandbox import without

ROOTED = os.geteuid() == 0


def tenant(pki, name="acme", certificate="acme-all", **more):
    lines = {"company-id": name.upper(), "server": "localhost:1", "ca-file": f"{pki}/ca.pem",
             "certificate": f"{pki}/{certificate}.pem", **{key.replace("_", "-"): value for key, value in more.items()}}
    return f"[tenant {name}]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


def ended(pki, name, kind="expired"):
    return tenant(pki, name, f"{kind}-chain", private_key=f"{pki}/{kind}.key")


def write(folder, proxy, *tenants):
    (folder / "sfmtls.ini").write_text(f"[proxy]\nlisten = 127.0.0.1:0\n{proxy}" + "".join(tenants))
    return str(folder / "sfmtls.ini")


def try_it(path, prefix=(), env=None):
    return harness.run_cli("run", "-t", "-c", path, prefix=prefix, env=env)


def snapshot(folder):
    return sorted((str(p), p.lstat().st_mode, p.lstat().st_mtime_ns) for p in folder.rglob("*"))


# ---- what keeps `run` from starting ----

DROPPED = ["setpriv", "--inh-caps", "-all", "--bounding-set", "-all"] if ROOTED else []

FLAWS = {  # lines of [proxy], words of the sentence, words before the program's
    "log in a folder that is missing": ("log = TMP/none/log", "cannot open the log file: No such file", ()),
    "log that is a folder": ("log = TMP/folder", "cannot open the log file: Is a directory", ()),
    "log below a file": ("log = TMP/file/log", "cannot open the log file: Not a directory", ()),
    "log that may not be made": ("log = TMP/closed/log", "cannot open the log file: Permission denied",
                                 WITHOUT_OVERRIDE),
    "log that may not be written": ("log = TMP/readonly", "cannot open the log file: Permission denied",
                                    WITHOUT_OVERRIDE),
    "log behind a link to nowhere": ("log = TMP/dangling", "cannot open the log file: No such file", ()),
    "socket in a folder that is missing": ("listen = unix:TMP/none/s", "its folder is not there; create it", ()),
    "socket in a folder that is closed": ("listen = unix:TMP/closed/s", "not allowed; ", WITHOUT_OVERRIDE),
    "socket below a file": ("listen = unix:TMP/file/s", "Not a directory", ()),
    "socket in place of a file": ("listen = unix:TMP/file", "exists and is not a socket", ()),
    "socket in place of a folder": ("listen = unix:TMP/folder", "exists and is not a socket", ()),
    "socket for a group of others": ("listen = unix:TMP/s\nsocket-mode = 0660\nsocket-group = GROUP",
                                     "cannot set mode and group", DROPPED),
    "status in a folder that is missing": ("admin = unix:TMP/none/s", "its folder is not there; create it", ()),
    "status in place of a file": ("admin = unix:TMP/file", "exists and is not a socket", ()),
    "address of another machine": ("listen = 192.0.2.1:0\nallow-remote = yes\ncaller-token-file = TMP/tokens",
                                   "Cannot assign requested address", ()),
    "status at an address that is not there": ("admin = 127.0.0.1:0\nlisten = [::1]:0", None,
                                               ["unshare", "--net"] if ROOTED else None),
    "user that is not there": ("user = no-such-user", "there is no user no-such-user", ()),
    "callers that cannot be told apart": ("allow-uid = 12345", "allow-uid cannot be kept to",
                                          harness.refusing("socket", errno.EPERM, socket.AF_NETLINK)),
    "local CA that is missing": ("local-ca = TMP/none", "holds no local CA", ()),
}


@pytest.fixture
def things(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "closed").mkdir()
    (tmp_path / "file").write_text("precious")
    (tmp_path / "readonly").write_text("precious")
    (tmp_path / "readonly").chmod(0o400)
    (tmp_path / "tokens").write_text("0123456789abcdef\n")
    (tmp_path / "dangling").symlink_to("none/log")
    (tmp_path / "closed").chmod(0o500)
    yield tmp_path
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.parametrize("name", FLAWS)
def test_what_run_refuses(name, things, pki):
    """With the very sentence of `run`, and nothing is touched."""
    lines, words, prefix = FLAWS[name]
    if prefix is None:
        return
    path = write(things, lines.replace("TMP", str(things)).replace("GROUP", "daemon") + "\n", tenant(pki))
    before = snapshot(things)
    tried, run = try_it(path, prefix), harness.run_cli("run", "-c", path, prefix=prefix)
    assert (tried.returncode, tried.stdout) == (run.returncode, run.stdout) == (2, ""), tried
    assert tried.stderr == run.stderr and tried.stderr.count("\n") == 1
    if words:
        assert words in tried.stderr
    assert snapshot(things) == before


@pytest.mark.parametrize("name", ["acme-all.pem", "sfmtls.ini"])
def test_user_that_could_not_load_it_again(name, pki):
    if not ROOTED:
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-try-"))
    try:
        folder.chmod(0o755)
        for source in ("acme-all.pem", "ca.pem"):
            shutil.copy(pki / source, folder)
        path = write(folder, "user = nobody\n", tenant(folder))
        for file in folder.iterdir():
            os.chown(file, 65534 if file.name != name else 0, 65534)
            file.chmod(0o400)
        tried, run = try_it(path), harness.run_cli("run", "-c", path)
        assert tried.returncode == run.returncode == 2 and tried.stderr == run.stderr
        assert f"{folder}/{name}: the user nobody could not load it again: Permission denied; let" in tried.stderr
        check = harness.run_cli("check", "-c", path)
        assert check.returncode == 1 and tried.stderr.split(": ", 1)[1].strip() in check.stdout, check
        os.chown(folder / name, 65534, -1)
        assert try_it(path).returncode == 0
    finally:
        shutil.rmtree(folder)


def test_low_port_without_the_right_to_it(tmp_path, pki):
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if first == 0:
        return
    path = write(tmp_path, f"listen = 127.0.0.1:{first - 1}\n", tenant(pki))
    tried = try_it(path, DROPPED)
    assert tried.returncode == 2 and "not allowed; choose a port above 1023" in tried.stderr
    assert not ROOTED or try_it(path).returncode == 0


# ---- what is no reason ----

def test_beside_the_service_itself(proxy, pki, tmp_path):
    """Its ports, its socket and its log are in use: by the one that is to be restarted."""
    p = proxy(tenant(pki), listen=f"localhost:0, unix:{tmp_path}/s", log=f"{tmp_path}/log", admin=f"unix:{tmp_path}/a")
    text = p.config.read_text().replace("localhost:0", f"localhost:{p.port}")
    (tmp_path / "sfmtls.ini").write_text(text)
    before = (tmp_path / "log").read_bytes()
    tried = try_it(str(tmp_path / "sfmtls.ini"))
    assert tried.returncode == 0 and tried.stderr == "", tried.stderr
    assert (tmp_path / "s").is_socket() and (tmp_path / "a").is_socket()
    with harness.Caller(str(tmp_path / "s"), socket.AF_UNIX) as c:
        assert c.request().status == 502
    assert before in (tmp_path / "log").read_bytes()


def test_stale_socket_stays(tmp_path, pki):
    """`run` replaces it; -t changes nothing."""
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "s"))
    path = write(tmp_path, f"listen = unix:{tmp_path}/s\n", tenant(pki))
    before = snapshot(tmp_path)
    assert try_it(path).returncode == 0 and snapshot(tmp_path) == before


def test_log_that_is_a_pipe_without_a_reader(tmp_path, pki):
    os.mkfifo(tmp_path / "log")
    assert try_it(write(tmp_path, f"log = {tmp_path}/log\n", tenant(pki))).returncode == 0


@pytest.mark.parametrize("keys, warning", [
    ("max-connections = 1000000", "files can be open, but max-connections"),
    ("", None),
])
def test_what_the_log_would_warn_of(keys, warning, tmp_path, pki):
    tried = try_it(write(tmp_path, keys + "\n", tenant(pki)), ["prlimit", "--nofile=20000"])
    assert tried.returncode == 0
    assert warning in tried.stderr if warning else tried.stderr == ""
    assert all(line.startswith("sfmtls: warning: ") for line in tried.stderr.splitlines())


def test_sandbox_that_is_not_to_be_had(release, tmp_path, pki):
    path = write(tmp_path, "", tenant(pki))
    words = without("landlock_create_ruleset", 38)["prefix"]
    tried = subprocess.run([*words, release, "run", "-t", "-c", path], capture_output=True, text=True)
    assert tried.returncode == 0 and "sfmtls: warning: sandbox: " in tried.stderr
    assert "Landlock is missing" in tried.stderr


def test_memory_that_may_not_be_locked(release, tmp_path, pki):
    words = [*(["setpriv", "--inh-caps", "-ipc_lock", "--bounding-set", "-ipc_lock"] if ROOTED else []), "prlimit",
             "--memlock=0"]
    tried = subprocess.run([*words, release, "run", "-t", "-c", write(tmp_path, "", tenant(pki))], capture_output=True,
                           text=True)
    assert tried.returncode == 0 and "warning: the memory for private keys is not locked" in tried.stderr


def test_released_program_goes_into_its_sandbox(release, tmp_path, pki):
    """... and has nothing to complain of."""
    path = write(tmp_path, "", tenant(pki))
    tried = subprocess.run([release, "run", "-t", "-c", path], capture_output=True, text=True)
    assert (tried.returncode, tried.stderr) == (0, "")


# ---- tenants that cannot be served ----

KINDS = {"expired": "has expired on 2021-01-01", "future": "is not valid yet"}


@pytest.mark.parametrize("kind", KINDS)
def test_no_tenant_can_be_served(kind, tmp_path, pki):
    for tenants in ([ended(pki, "a", kind)], [ended(pki, "a", kind), ended(pki, "b", "expired")]):
        tried = try_it(write(tmp_path, "", *tenants))
        assert (tried.returncode, tried.stdout) == (2, ""), tried
        assert re.search(f"sfmtls: error: tenant a: the certificate .* {KINDS[kind]}.*; ", tried.stderr)
        last = tried.stderr.splitlines()[-1]
        assert last.startswith(f"sfmtls: {tmp_path}/sfmtls.ini: no tenant can be served") and "; " in last


@pytest.mark.parametrize("kind", KINDS)
def test_one_tenant_cannot_be_served(kind, tmp_path, pki):
    tried = try_it(write(tmp_path, "", tenant(pki, "a"), ended(pki, "b", kind)))
    assert tried.returncode == 0 and tried.stdout.startswith("configuration ok"), tried.stderr
    assert re.search(f"sfmtls: error: tenant b: the certificate .* {KINDS[kind]}.*; its requests get 502", tried.stderr)
    assert "tenant a" not in tried.stderr


def test_next_one_serves_in_its_place(tmp_path, pki):
    section = ended(pki, "a") + f"certificate-next = {pki}/acme-all.pem\n"
    tried = try_it(write(tmp_path, "", section))
    assert tried.returncode == 0 and "the other certificate serves in its place" in tried.stderr


def test_run_starts_with_what_has_expired(proxy, pki):
    """It may be renewed while it serves."""
    p = proxy(ended(pki, "a"))
    assert p.request().token == "client-certificate-expired"


# ---- which file ----

@pytest.mark.parametrize("arguments, cwd", [(["-c", "TMP/sfmtls.ini"], "."), (["-c", "sfmtls.ini"], "TMP"),
                                            ([], "TMP"), (["-c", "./x/../sfmtls.ini"], "TMP")])
def test_file_that_was_tried_is_named(arguments, cwd, tmp_path, pki):
    write(tmp_path, "", tenant(pki))
    (tmp_path / "x").mkdir()
    fill = lambda text: text.replace("TMP", str(tmp_path))
    tried = harness.run_cli("run", "-t", *map(fill, arguments), cwd=fill(cwd))
    assert (tried.returncode, tried.stdout) == (0, f"configuration ok: {tmp_path}/sfmtls.ini\n"), tried


def test_without_a_file(pki):
    tried = harness.run_cli("run", "-t", "--server", "localhost:1", "--company-id", "A", "--certificate",
                            f"{pki}/acme-all.pem", "--ca-file", f"{pki}/ca.pem", "--listen", "127.0.0.1:0")
    assert (tried.returncode, tried.stdout.splitlines()[-1]) == (0, "configuration ok: the command line"), tried


# ---- cert show ----

@pytest.mark.parametrize("name, code, word", [("acme-all", 0, ""), ("expired-chain", 1, "expired on 2021-01-01"),
                                              ("future-chain", 1, "not valid before 2090-01-01")])
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "JSON"])
def test_show_of_what_cannot_be_used(name, code, word, form, pki):
    """All of it is shown, and the exit status says that it cannot be used."""
    shown = harness.run_cli("cert", "show", str(pki / f"{name}.pem"), *form)
    assert shown.returncode == code and shown.stderr == "" and word in shown.stdout and "CN=" in shown.stdout
