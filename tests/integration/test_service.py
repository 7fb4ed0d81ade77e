"""As a service manager starts it: sockets that are inherited (LISTEN_FDS), and a watchdog."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

import harness

# Starts a program as systemd does: descriptors from 3 on, and the number of its own process.
ACTIVATE = """
import fcntl, os, sys
count, words = int(sys.argv[1]), sys.argv[3:]
def high(fd):
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD, 100)
    os.close(fd)
    return copy
if "--ready-fd" in words:
    place = words.index("--ready-fd") + 1
    words[place] = str(high(int(words[place])))
copies = [high(int(fd)) for fd in sys.argv[2].split(",")]
for n, fd in enumerate(copies):
    os.dup2(fd, 3 + n)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES="sfmtls.socket")
os.execv(words[0], words)
"""


def activation(*sockets, count=None):
    """The arguments of harness.Proxy and harness.run_cli by which they are inherited."""
    fds = [s.fileno() for s in sockets]
    count = len(fds) if count is None else count
    return {"prefix": [sys.executable, "-c", ACTIVATE, str(count), ",".join(map(str, fds))], "pass_fds": fds}


@contextlib.contextmanager
def listening(*addresses):
    with contextlib.ExitStack() as stack:
        sockets = []
        for address in addresses:
            family = (socket.AF_UNIX if isinstance(address, str) else
                      socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
            s = stack.enter_context(socket.socket(family))
            s.bind(address)
            s.listen(16)
            sockets.append(s)
        yield sockets


def text_of(s):
    address = s.getsockname()
    return f"unix:{address}" if isinstance(address, str) else f"{address[0]}:{address[1]}"


def test_callers_wait_while_it_restarts(proxy, nginx):
    """The socket is that of the supervisor: what comes between two runs is answered by the second."""
    with listening(("127.0.0.1", 0)) as (s,):
        first = proxy(nginx.port, listen=text_of(s), process=activation(s))
        assert first.port == s.getsockname()[1] and first.request(target="/who").status == 200
        first.stop()
        with first.caller() as waiting:
            waiting.send("GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n")
            proxy(nginx.port, listen=text_of(s), process=activation(s))
            assert waiting.answer().status == 200


def test_of_both_families_and_admin(proxy, nginx):
    """Those that are inherited are used; what else is configured is opened."""
    with listening(("127.0.0.1", 0), ("127.0.0.1", 0)) as (s, admin):
        port = s.getsockname()[1]
        p = proxy(nginx.port, listen=f"localhost:{port}", admin=text_of(admin), process=activation(s, admin))
        assert p.ready["admin"] == text_of(admin)
        for listener in range(len(p.addresses)):
            assert p.request(target="/who", listener=listener).status == 200


def test_unix_socket_stays(proxy, nginx, tmp_path):
    """Its file and its mode are those of whoever made it."""
    path = tmp_path / "s"
    with listening(str(path)) as (s,):
        path.chmod(0o640)
        p = proxy(nginx.port, listen=f"unix:{path}", socket_mode="0600", process=activation(s))
        assert p.request(target="/who").status == 200
        p.stop()
        assert path.is_socket() and path.stat().st_mode & 0o777 == 0o640


def test_reload_leaves_and_takes_it_again(proxy, nginx):
    with listening(("127.0.0.1", 0)) as (s,):
        p = proxy(nginx.port, listen=text_of(s), process=activation(s))
        config = p.config.read_text()
        p.rewrite(config.replace(f"listen = {text_of(s)}", "listen = 127.0.0.1:0"))
        p.signal(signal.SIGHUP)
        p.said(f"no longer listening on http://{text_of(s)}")
        p.rewrite(config)
        p.signal(signal.SIGHUP)
        harness.eventually(lambda: p.stderr.count("reloaded\n") == 2)
        assert p.request(target="/who").status == 200


def refused(tmp_path, tenant, config, **start):
    (tmp_path / "sfmtls.ini").write_text(f"[proxy]\n{config}\n{tenant(1)}")
    result = harness.run_cli("run", cwd=tmp_path, **start)
    assert result.returncode == 2, result.stderr
    return result.stderr


def test_one_that_is_not_configured(tmp_path, tenant):
    """Nothing listens where the configuration does not say so, and the rules for listeners hold."""
    with listening(("127.0.0.1", 0)) as (s,):
        said = refused(tmp_path, tenant, "listen = 127.0.0.1:0", **activation(s))
        assert f"the socket at {text_of(s)} of LISTEN_FDS is not in the configuration; write listen = " in said
    with listening(("0.0.0.0", 0)) as (s,):
        said = refused(tmp_path, tenant, f"listen = {text_of(s)}", **activation(s))
        assert "can be reached from other machines" in said


def test_what_is_no_listening_socket(tmp_path, tenant):
    with socket.socket() as s:
        assert "descriptor 3 of LISTEN_FDS is not a listening" in refused(tmp_path, tenant, "", **activation(s))
    with listening(("127.0.0.1", 0)) as (s,):
        assert "LISTEN_FDS=99 is not a number up to 64" in refused(tmp_path, tenant, "", **activation(s, count=99))
    if socket.has_ipv6 and socket.has_dualstack_ipv6():
        with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as s:
            assert "write BindIPv6Only=ipv6-only" in refused(tmp_path, tenant, "", **activation(s))


def test_those_of_another_process_are_left(proxy, nginx):
    p = proxy(nginx.port, environment={"LISTEN_FDS": "1", "LISTEN_PID": "1"})
    assert p.request(target="/who").status == 200


def test_tried_with_them(tmp_path, tenant):
    with listening(("127.0.0.1", 0)) as (s,):
        (tmp_path / "sfmtls.ini").write_text(f"[proxy]\nlisten = {text_of(s)}\n{tenant(1)}")
        result = harness.run_cli("run", "-t", cwd=tmp_path, **activation(s))
        assert result.returncode == 0 and result.stdout.startswith("configuration ok: "), result.stderr


@pytest.fixture
def supervisor(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.settimeout(harness.LIMIT)
        yield s


def environment(supervisor, **more):
    return {"NOTIFY_SOCKET": supervisor.getsockname(), "WATCHDOG_USEC": "200000", **more}


def test_watchdog_hears_of_it_until_the_end(proxy, nginx, supervisor):
    """Also while it drains. A process that stands still is silent: that is what the watchdog is for."""
    p = proxy(nginx.port, environment=environment(supervisor))
    assert supervisor.recv(4096) == b"READY=1"
    for _ in range(3):
        assert supervisor.recv(4096) == b"WATCHDOG=1"
    with p.caller() as c:
        c.send("GET /who HTTP/1.1\r\nHost: lo")
        p.signal(signal.SIGTERM)
        while supervisor.recv(4096) != b"STOPPING=1":
            pass
        assert supervisor.recv(4096) == b"WATCHDOG=1"
        c.send("calhost\r\n\r\n")
        assert c.answer().status == 200
    assert p.wait() == 0


def test_request_that_comes_with_the_end_is_answered(proxy, nginx):
    """A caller that has connected and sent nothing yet is no idle one. Others are closed at once."""
    p = proxy(nginx.port)
    with p.caller() as used:
        callers = [p.caller() for _ in range(5)]
        assert used.request(target="/who").status == 200  # accepted after them
        with harness.frozen(p):
            p.signal(signal.SIGTERM)
            for c in callers:
                c.send("GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert [c.answer().status for c in callers] == [200] * 5
        assert used.read_to_end() == b""
    assert p.wait() == 0


@pytest.mark.parametrize("workers", [1, 4])
def test_caller_that_nobody_has_accepted_at_the_end_is_answered(proxy, nginx, workers):
    """To it, the connection is made."""
    p = proxy(nginx.port, workers=workers)
    with harness.frozen(p):
        callers = [p.caller().send("GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(20)]
        p.signal(signal.SIGTERM)
    assert [c.answer().status for c in callers] == [200] * 20
    assert p.wait() == 0


@pytest.mark.parametrize("more", [{"WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "x"}], ids=str)
def test_no_watchdog_of_another_process(proxy, nginx, supervisor, more):
    p = proxy(nginx.port, environment=environment(supervisor, **more))
    assert p.request(target="/who").status == 200
    p.stop()
    assert [supervisor.recv(4096) for _ in range(2)] == [b"READY=1", b"STOPPING=1"]


# ---- what is installed ----

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_units_are_valid(tmp_path):
    """As systemd reads them, with this program in the place of the installed one."""
    for name in ("sfmtls.service", "sfmtls.socket"):
        text = (ROOT / "conf" / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/local/bin/sfmtls", os.path.abspath(harness.BINARY)))
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", *tmp_path.glob("sfmtls.*")], capture_output=True,
                            text=True, timeout=harness.LIMIT)
    assert (result.returncode, result.stderr) == (0, "")


def test_one_name_for_the_credential():
    """The name in passphrase-credential is that of the unit, of the example and of its comments."""
    for path in ("conf/sfmtls.service", "conf/examples/systemd.ini"):
        text = (ROOT / path).read_text()
        assert "LoadCredentialEncrypted=acme-pass:/etc/sfmtls/acme-pass.cred" in text, path
        assert "passphrase-credential = acme-pass" in text, path
