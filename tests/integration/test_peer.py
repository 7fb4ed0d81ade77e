"""Whose processes may connect: allow-uid, and mode and group of Unix sockets. As root, callers are processes of
other users; else the users that are listed are others."""
import errno
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import tempfile

import pytest

import harness
from harness import head_lines

OWN, STRANGER, FRIEND = os.geteuid(), 54321, 54322
IS_ROOT = OWN == 0
GROUP = 54399

CALL = """
import socket, sys
address, how = sys.argv[1:3]
if address.startswith("unix:"):
    s = socket.socket(socket.AF_UNIX)
    s.connect(address[5:])
else:
    host, port = address.rsplit(":", 1)
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.connect((host.strip("[]"), int(port)))
s.sendall(b"GET /who HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
if how == "reset":
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
if how == "half":
    s.shutdown(socket.SHUT_WR)
if how in ("close", "reset"):
    s.close()
    sys.exit()
if how == "wait":
    print("sent", flush=True)
answer = b""
try:
    while data := s.recv(65536):
        answer += data
except ConnectionResetError:
    answer += b"RESET"
sys.stdout.buffer.write(answer)
"""


class As:
    """A caller's process under that uid; with groups if any."""

    def __init__(self, uid, address, how="whole", groups=()):
        more = {"user": uid, "group": uid, "extra_groups": list(groups)} if uid != OWN or groups else {}
        self.process = subprocess.Popen([sys.executable, "-c", CALL, address, how], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, cwd="/", **more)

    def output(self):
        out, err = self.process.communicate(timeout=harness.LIMIT)
        assert self.process.returncode == 0, err.decode()
        return out

    def answer(self):
        head, body = self.output().split(b"\r\n\r\n", 1)
        return harness.Answer(head, body, True)


def call(uid, address, **how):
    return As(uid, address, **how).answer()


def check_refused(answer, uid):
    assert (answer.status, answer.token) == (403, "caller-uid")
    assert answer.get("Connection") == "close"
    assert f"uid {uid}" in answer.json()["detail"]


# Who is listed, who calls, and whether it passes. Whoever does not run as root can only call as himself.
TABLE = [(None, OWN, True), (str(OWN), OWN, True), ("any", OWN, True), (str(STRANGER), OWN, False),
         (f"{STRANGER}, {OWN}", OWN, True), (f"{STRANGER}\nallow-uid = {OWN}", OWN, True),
         (pwd.getpwuid(OWN).pw_name, OWN, True), ("nobody", OWN, False), ("daemon,bin , nobody", OWN, False)]
if IS_ROOT:
    TABLE += [(None, STRANGER, False), ("any", STRANGER, True), (str(STRANGER), STRANGER, True),
              (f"{FRIEND}, {STRANGER}", STRANGER, True), (f"{FRIEND}, {OWN}", STRANGER, False),
              ("nobody", pwd.getpwnam("nobody").pw_uid, True), ("root", STRANGER, False)]

# Uids that can call, and what becomes of it where only FRIEND may.
OTHERS = [(FRIEND, 200), (STRANGER, 403)] if IS_ROOT else [(OWN, 403)]


@pytest.fixture
def folder():
    """One that every user can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        os.chmod(path, 0o755)
        yield path


@pytest.mark.parametrize("allowed, uid, passes", TABLE)
def test_who_may_connect(allowed, uid, passes, proxy, nginx, folder):
    """Over IPv4, IPv6 and Unix sockets alike; a refusal is an answer, the end of the connection, a line in the log."""
    p = proxy(nginx.port, listen=f"127.0.0.1:0, [::1]:0, unix:{folder}/s", allow_uid=allowed, socket_mode="0666")
    mapped = f"[::ffff:127.0.0.1]:{p.port}"  # the sockets of Java and others that serve both
    for address in [*p.addresses, mapped]:
        answer = call(uid, address)
        if passes:
            assert answer.status == 200
        else:
            check_refused(answer, uid)
    if not passes:
        log = p.last_log(4)
        assert (log["error"], log["status"]) == ("caller-uid", "403") and f"uid {uid}" in log["line"]


def test_refusal_comes_before_anything_is_read(proxy, nginx):
    """Whatever is sent: CONNECT, a large body, nothing at all."""
    p = proxy(nginx.port, allow_uid=STRANGER)
    for request in (head_lines("CONNECT", "localhost:443"), "\x16\x03\x01", "nonsense\r\n\r\n", "",
                    head_lines("POST", "/", "Content-Length: 4000000") + 4000000 * "x"):
        with p.caller() as c:
            sending = harness.Background(c.send, request)
            check_refused(c.answer(), OWN)
            sending.result()
            c.sock.shutdown(socket.SHUT_WR)
            assert c.read_to_end() == b""


def test_who_looks_whether_the_port_is_open_is_not_logged(proxy, nginx):
    p = proxy(nginx.port, allow_uid=STRANGER)
    for _ in range(5):
        with harness.frozen(p):
            p.caller().close()
    check_refused(p.request(target="/who"), OWN)
    p.stop()
    assert len(p.log_lines()) == 1


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("uid", [OWN, *([STRANGER] if IS_ROOT else [])])
def test_caller_that_is_gone_is_nobody(how, uid, recorded_by):
    """The kernel calls a closed socket root's. The proxy sees the connection only after that: nothing of it is served,
    whoever it was."""
    r = recorded_by()
    for _ in range(5):
        with harness.frozen(r.proxy):
            As(uid, r.proxy.addresses[0], how=how).output()
    assert r.proxy.request(target="/last").status == 200
    assert [seen.target for seen in r.server.take()] == ["/last"]


@pytest.mark.parametrize("uid, passes", [(OWN, True), *([(STRANGER, False)] if IS_ROOT else [])])
def test_half_closed_caller_is_known(uid, passes, proxy, nginx):
    """It has sent its last byte, and still is somebody."""
    p = proxy(nginx.port)
    with harness.frozen(p):
        caller = As(uid, p.addresses[0], how="half")
        inode_of = f"/proc/{caller.process.pid}/net/tcp"
        harness.eventually(lambda: any(f":{p.port:04X} 05 " in line or f":{p.port:04X} 04 " in line
                                       for line in open(inode_of)))  # FIN_WAIT: it has half-closed
    answer = caller.answer()
    assert answer.status == 200 if passes else answer.token == "caller-uid"


def test_reload_judges_new_connections(proxy, nginx):
    """Those that are there have been judged."""
    p = proxy(nginx.port)
    with p.caller() as c:
        assert c.request(target="/who").status == 200
        text = p.config.read_text()
        p.rewrite(text.replace("[proxy]\n", f"[proxy]\nallow-uid = {STRANGER}\n"))
        p.signal(signal.SIGHUP)
        harness.eventually(lambda: p.request(target="/who").status == 403)
        assert c.request(target="/who").status == 200
        p.rewrite(text.replace("[proxy]\n", "[proxy]\nallow-uid = any\n"))
        p.signal(signal.SIGHUP)
        harness.eventually(lambda: p.request(target="/who").status == 200)


# ---- where the kernel does not tell ----

@pytest.fixture
def blind():
    """Words before the program's that take netlink away from it, as on systems that have no such thing."""
    return harness.refusing("socket", errno.EAFNOSUPPORT, socket.AF_NETLINK)


def test_default_where_the_kernel_does_not_tell(proxy, nginx, blind):
    """The log says so once, and callers pass."""
    p = proxy(nginx.port, process={"prefix": blind})
    assert [p.request(target="/who").status for _ in range(3)] == [200] * 3
    p.stop()
    assert p.stderr.count("every user of this machine can call") == 1 and "NETLINK_SOCK_DIAG" in p.stderr


@pytest.mark.parametrize("keys", [{"allow_uid": "any"}, {"listen": "unix:{folder}/s"},
                                  {"listen": "unix:{folder}/s", "allow_uid": str(OWN)}])
def test_nothing_to_ask_the_kernel_for(keys, proxy, nginx, blind, folder):
    p = proxy(nginx.port, process={"prefix": blind}, **{k: v.format(folder=folder) for k, v in keys.items()})
    assert p.request(target="/who").status == 200
    assert "NETLINK" not in p.stderr


def test_list_where_the_kernel_does_not_tell(proxy, nginx, blind, tenant, tmp_path):
    """It cannot be kept to, so nothing is served; a reload that asks for it is refused."""
    config = tmp_path / "sfmtls.ini"
    config.write_text(f"[proxy]\nlisten = 127.0.0.1:0\nallow-uid = {OWN}\n" + tenant(nginx.port))
    result = harness.run_cli("run", "-c", str(config), prefix=blind)
    assert result.returncode == 2 and f"{config}:3: allow-uid cannot be kept to" in result.stderr
    p = proxy(nginx.port, process={"prefix": blind})
    p.rewrite(p.config.read_text().replace("[proxy]\n", f"[proxy]\nallow-uid = {OWN}\n"))
    p.signal(signal.SIGHUP)
    harness.eventually(lambda: "not reloaded" in p.stderr and "allow-uid cannot be kept to" in p.stderr)
    assert p.request(target="/who").status == 200


# ---- Unix sockets ----

def access_of(path):
    found = os.stat(path)
    return oct(stat.S_IMODE(found.st_mode)), found.st_gid


def test_mode_and_group_of_a_socket(proxy, nginx, folder):
    path = f"{folder}/s"
    group = GROUP if IS_ROOT else os.getegid()
    p = proxy(nginx.port, listen=f"unix:{path}", socket_mode="0660", socket_group=group,
              allow_uid=f"{OWN}, {FRIEND}, {STRANGER}")
    assert access_of(path) == ("0o660", group)
    assert p.request(target="/who").status == 200
    if IS_ROOT:
        assert call(FRIEND, p.addresses[0], groups=[GROUP]).status == 200
        with pytest.raises(AssertionError, match="PermissionError"):
            call(STRANGER, p.addresses[0])
    text = p.config.read_text()
    p.rewrite(text.replace("0660", "0606"))
    p.signal(signal.SIGHUP)
    harness.eventually(lambda: access_of(path) == ("0o606", group))
    assert p.request(target="/who").status == 200


def test_refused_reload_leaves_the_sockets_as_they_are(proxy, nginx, folder):
    p = proxy(nginx.port, listen=f"unix:{folder}/s", admin=f"unix:{folder}/a", socket_mode="0600")
    text = p.config.read_text()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        p.rewrite(text.replace("0600", f"0666\nlisten = 127.0.0.1:{taken.getsockname()[1]}"))
        p.signal(signal.SIGHUP)
        harness.eventually(lambda: "not reloaded" in p.stderr)
    assert access_of(f"{folder}/s")[0] == access_of(f"{folder}/a")[0] == "0o600"
    p.rewrite(text.replace("0600", "0666"))
    p.signal(signal.SIGHUP)
    harness.eventually(lambda: access_of(f"{folder}/s")[0] == access_of(f"{folder}/a")[0] == "0o666")


def test_group_that_cannot_be_given_by_a_reload(proxy, nginx, folder):
    """What was loaded before stays in use: mode and group, too."""
    prefix = ["setpriv", "--bounding-set=-chown", "--inh-caps=-chown", "--no-new-privs"] if IS_ROOT else []
    p = proxy(nginx.port, listen=f"unix:{folder}/s", socket_mode="0660", process={"prefix": prefix})
    before = access_of(f"{folder}/s")
    assert before[0] == "0o660"
    p.rewrite(p.config.read_text().replace("socket-mode", f"socket-group = {GROUP}\nsocket-mode"))
    p.signal(signal.SIGHUP)
    harness.eventually(lambda: "not reloaded" in p.stderr)
    assert access_of(f"{folder}/s") == before


def test_caller_that_is_bound_to_a_device_is_known(proxy, nginx):
    """Whoever binds his socket to lo is found by that name only."""
    p = proxy(nginx.port)
    with socket.socket() as s:
        s.settimeout(harness.LIMIT)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        s.connect(("127.0.0.1", p.port))
        s.sendall(harness.head_lines("GET", "/who").encode())
        assert s.recv(100).startswith(b"HTTP/1.1 200 ")


def test_socket_is_its_owner_s_alone(proxy, nginx, folder):
    p = proxy(nginx.port, listen=f"unix:{folder}/s")
    assert access_of(f"{folder}/s")[0] == "0o600"
    assert p.request(target="/who").status == 200


@pytest.mark.parametrize("allowed, says", [("any", "every user of this machine can connect"),
                                           (None, "only sfmtls's own user and root are served"), (OWN, None)])
def test_socket_for_everybody(allowed, says, proxy, nginx, folder):
    p = proxy(nginx.port, listen=f"unix:{folder}/s", socket_mode="0666", allow_uid=allowed)
    assert p.request(target="/who").status == 200
    p.stop()
    warned = [line for line in p.stderr.splitlines() if " warning: " in line and "socket-mode" in line]
    assert len(warned) == (1 if says else 0) and (not says or says in warned[0]), p.stderr
    if says:
        line = p.config.read_text().splitlines().index("socket-mode = 0666") + 1
        assert f"warning: {p.config}:{line}: " in p.stderr


# ---- the configuration ----

@pytest.mark.parametrize("lines, words", [
    ("allow-uid = no-such-user", "`no-such-user` is not a user of this machine"),
    ("allow-uid = -1", "`-1` is not a user"), ("allow-uid = 4294967295", "`4294967295` is not a user"),
    ("allow-uid = 1,,2", "`` is not a user"), ("allow-uid = 0x10", "`0x10` is not a user"),
    ("allow-uid = any, 5", "`any` cannot be combined"), ("allow-uid = 5\nallow-uid = any", "`any` cannot be combined"),
    ("socket-mode = 66", "`66` is not the mode"), ("socket-mode = 0668", "`0668` is not the mode"),
    ("socket-mode = rw", "`rw` is not the mode"), ("socket-mode = 04600", "`04600` is not the mode"),
    ("socket-mode = 1600", "`1600` is not the mode"), ("socket-mode = 0060", "`0060` is not the mode"),
    ("socket-group = no-such-group", "`no-such-group` is not a group of this machine"),
    ("max-connections-per-caller = 0", "out of range"), ("max-connections-per-caller = many", "`many` is no"),
    ("max-connections-per-caller = 1000001", "1 to 1000000, none or auto"), ("max-requests = -1", "`-1` is no"),
])
def test_flaw_in_the_configuration(lines, words, tmp_path):
    config = tmp_path / "sfmtls.ini"
    config.write_text("[proxy]\n" + lines + "\n")
    result = harness.run_cli("run", "-t", "-c", str(config))
    assert result.returncode == 2
    assert result.stderr.startswith(f"sfmtls: {config}:{2 + lines.count(chr(10))}: ") and words in result.stderr


def test_group_that_cannot_be_given(proxy, tenant, nginx, folder, tmp_path):
    """Nobody but root can give a socket to a group that he does not belong to: then nothing is served."""
    config = tmp_path / "sfmtls.ini"
    config.write_text(f"[proxy]\nlisten = unix:{folder}/s\nsocket-group = {GROUP}\n" + tenant(nginx.port))
    prefix = ["setpriv", "--bounding-set=-chown", "--inh-caps=-chown", "--no-new-privs"] if IS_ROOT else []
    result = harness.run_cli("run", "-c", str(config), prefix=prefix)
    assert result.returncode == 2 and "cannot set mode and group" in result.stderr, result.stderr
    assert f"{config}:2: " in result.stderr
    assert not os.path.exists(f"{folder}/s")
