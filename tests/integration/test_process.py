"""The process: how it ends, what it tells the supervisor, descriptors, limits, memory."""
import json
import contextlib
import hashlib
import os
import pathlib
import re
import select
import signal
import socket
import ssl
import shutil
import subprocess
import tempfile
import threading
import time

import pytest

import harness

MIB = 1 << 20


class Gate:
    """A script whose answers wait: .entered counts the heads that came, open() lets all answers out."""

    def __init__(self):
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()
        self.bodies = []

    def __call__(self, c):
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            while (head := c.head()) is not None:
                self.entered.release()
                length = re.search(rb"Content-Length: (\d+)", head)
                self.bodies.append(c.body(int(length[1])) if length else b"")
                if b"GET /free" not in head:
                    assert self.opened.wait(harness.LIMIT)
                c.reply(b"done")

    def wait_for(self, count):
        for _ in range(count):
            assert self.entered.acquire(timeout=harness.LIMIT)

    def open(self):
        self.opened.set()


@pytest.fixture
def gate(started):
    """Opens at the end, whatever happens, so that nothing hangs."""
    gate = Gate()

    class Opener:
        stop = staticmethod(gate.open)

    yield gate
    started.append(Opener())


GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
FREE = "GET /free HTTP/1.1\r\nHost: localhost\r\n\r\n"


def refuses_connections(p, index=0):
    try:
        p.caller(index).close()
        return False
    except (ConnectionRefusedError, FileNotFoundError):
        return True


# ---- the end ----

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 4])
def test_drain_lets_running_exchanges_end(number, workers, proxy, script, gate, tmp_path):
    """What runs ends in order, idle callers are closed, nobody new comes in; exit 0."""
    p = proxy(script(gate).port, workers=workers, listen=f"127.0.0.1:0, unix:{tmp_path}/s")
    idle, silent = [p.caller() for _ in range(workers)], p.caller()
    for c in idle:
        assert c.send(FREE).answer().get("Connection") is None
    running, uploading, beginning = p.caller(), p.caller(1), p.caller()
    running.send(GET)
    uploading.send("POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n01234")
    assert beginning.send(FREE + GET[:20]).answer().status == 200, "and so the second head has begun"
    gate.wait_for(workers + 3)

    p.signal(number)
    assert all(c.is_closed() for c in (*idle, silent))
    assert refuses_connections(p) and refuses_connections(p, 1)
    assert not (tmp_path / "s").exists()
    uploading.send("56789")
    beginning.send(GET[20:])
    gate.wait_for(1)
    assert p.process.poll() is None
    gate.open()
    for c in (running, uploading, beginning):
        answer = c.answer()
        assert (answer.status, answer.body, answer.get("Connection")) == (200, b"done", "close")
        assert c.is_closed()
    assert p.wait() == 0
    assert b"0123456789" in gate.bodies
    assert "notice: stopped" in p.stderr


@pytest.mark.parametrize("workers", [1, 4, "auto"])
def test_end_with_nothing_to_do(workers, proxy, nginx, tmp_path):
    """At once, whoever is connected."""
    p = proxy(nginx.port, workers=workers, drain_timeout="1h", listen=f"unix:{tmp_path}/s")
    callers = [p.caller() for _ in range(10)]
    assert callers[0].request(target="/who").status == 200
    p.signal(signal.SIGTERM)
    assert all(c.is_closed() for c in callers)
    assert p.wait() == 0
    assert not (tmp_path / "s").exists()


def test_answer_that_has_begun_is_finished(proxy, script):
    """The caller was promised that the connection stays; that does not hold up the end."""
    rest = threading.Event()

    def serve(c):
        c.head()
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
        assert rest.wait(harness.LIMIT)
        c.send("56789")
        c.at_end()

    p = proxy(script(serve).port, drain_timeout="20s")
    running, idle = p.caller(), p.caller()
    running.send(GET)
    assert b"Connection: close" not in running.read_until(b"\r\n\r\n") and running.read_exactly(5) == b"01234"
    p.signal(signal.SIGTERM)
    assert idle.is_closed()
    rest.set()
    assert running.read_exactly(5) == b"56789"
    assert p.wait() == 0, p.stderr


def send_until_blocked(sock, data, blocked):
    """Sends it all; sets the event when it is out, or the other side has taken nothing for a while, and notes how much
    was sent until then."""
    sock.setblocking(False)
    at = 0
    while at < len(data):
        try:
            at += sock.send(data[at:at + 65536])
        except (ssl.SSLWantWriteError, BlockingIOError):
            if not select.select([], [sock], [], 0.5)[1] and not blocked.is_set():
                blocked.sent = at
                blocked.set()
    sock.settimeout(harness.LIMIT)
    if not blocked.is_set():
        blocked.sent = at
        blocked.set()


def test_answers_in_the_queue_are_finished(proxy, script, tmp_path):
    """The server is done, the caller is not: of answers of every size none is cut. A Unix socket holds little."""
    sizes = [size * 1024 for size in range(64, 704, 16)]
    blocked = {size: threading.Event() for size in sizes}

    def serve(c):
        size = int(c.head().split()[1][1:])
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
        send_until_blocked(c.sock, head + b"x" * size, blocked[size])
        c.at_end()

    p = proxy(script(serve).port, listen=f"unix:{tmp_path}/s")
    callers = [p.caller().send(f"GET /{size} HTTP/1.1\r\nHost: localhost\r\n\r\n") for size in sizes]
    assert all(event.wait(harness.LIMIT) for event in blocked.values())
    idle = p.caller()
    p.signal(signal.SIGTERM)
    assert idle.is_closed()
    cut = [size for size, c in zip(sizes, callers) if len(c.answer().body) != size]
    assert not cut, f"answers of these sizes were cut: {cut}"
    for c in callers:
        c.close()
    assert p.wait() == 0, p.stderr


@pytest.mark.parametrize("workers", [1, 4])
def test_drain_deadline(workers, proxy, script, gate):
    p = proxy(script(gate).port, workers=workers, drain_timeout="200ms")
    p.expected_exit = 1
    callers = [p.caller().send(GET) for _ in range(workers)]
    gate.wait_for(workers)
    p.signal(signal.SIGTERM)
    assert p.wait() == 1
    assert "drain-timeout" in p.stderr
    for c in callers:
        with contextlib.suppress(ConnectionResetError):
            assert c.read_to_end() == b""


@pytest.mark.parametrize("first, second", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT),
                                           (signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)])
@pytest.mark.parametrize("workers", [1, 4])
def test_second_signal(first, second, workers, proxy, script, gate):
    """Ends what still runs, at once."""
    p = proxy(script(gate).port, workers=workers, drain_timeout="1h")
    p.expected_exit = 1
    idle, callers = p.caller(), [p.caller().send(GET) for _ in range(workers)]
    gate.wait_for(workers)
    p.signal(first)
    assert idle.is_closed()
    assert p.process.poll() is None
    p.signal(second)
    assert p.wait() == 1
    for c in callers:
        with contextlib.suppress(ConnectionResetError):
            assert c.read_to_end() == b""


def test_impatience_at_the_very_end(pipe, proxy, script):
    """While the last log lines wait for a reader a signal is still one, no sudden death: the exit status is ours."""
    p = proxy(script(harness.answering()).port, process={"stderr": pipe.write_end})
    os.close(pipe.write_end)
    with p.caller() as c:
        for _ in range(20):
            assert c.request(target="/" + "x" * 15000).status == 200
        p.signal(signal.SIGTERM)
        assert c.is_closed()
    p.expected_exit = None
    while p.process.poll() is None:
        p.signal(signal.SIGTERM)
    assert p.wait() in (0, 1)


@pytest.mark.parametrize("workers", [1, 4])
def test_stop_under_load(workers, proxy, nginx):
    """Each caller gets whole answers until its connection is closed, never a part of one."""
    p = proxy(nginx.port, workers=workers)
    warm, broken = threading.Semaphore(0), []

    def call():
        answers = 0
        while True:
            try:
                with p.caller() as c:
                    while True:
                        c.pending = b""
                        answer = c.request(target="/1m" if answers % 4 == 0 else "/1k")
                        if answer.status != 200 or not answer.complete or len(answer.body) not in (1024, MIB):
                            broken.append((answer.raw_head, len(answer.body)))
                        answers += 1
                        if answers == 5:
                            warm.release()
                        if answer.get("Connection") == "close":
                            break
            except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError):
                pass
            except EOFError as e:
                if e.args[0]:
                    broken.append(e.args[0][:200])
            if p.process.poll() is not None or refuses_connections(p):
                return

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert warm.acquire(timeout=harness.LIMIT)
    p.signal(signal.SIGTERM)
    assert p.wait() == 0, p.stderr
    for thread in threads:
        thread.join(harness.LIMIT)
        assert not thread.is_alive()
    assert not broken, broken


def test_same_port_again_at_once(proxy, nginx):
    p = proxy(nginx.port, listen=f"127.0.0.1:{harness.unused_port()}")
    with p.caller() as c:
        c.request(target="/who")
        p.signal(signal.SIGTERM)
        assert c.is_closed() and p.wait() == 0
        again = proxy(nginx.port, listen=p.addresses[0])
        assert again.request(target="/who").status == 200


# ---- the supervisor ----

@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_notify_tells_systemd_ready_and_stopping(abstract, proxy, nginx, tmp_path):
    """READY when it serves, STOPPING when it begins to end; nothing else."""
    name = f"@sfmtls-test-{os.getpid()}-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind("\0" + name[1:] if abstract else name)
        supervisor.settimeout(harness.LIMIT)
        p = proxy(nginx.port, environment={"NOTIFY_SOCKET": name})
        assert b"READY=1" in supervisor.recv(4096).split(b"\n")
        assert p.request(target="/who").status == 200
        p.signal(signal.SIGTERM)
        assert b"STOPPING=1" in supervisor.recv(4096).split(b"\n")
        assert p.wait() == 0
        supervisor.setblocking(False)
        with pytest.raises(BlockingIOError):
            supervisor.recv(4096)


@pytest.mark.parametrize("name", ["/none/socket", "relative", "@", "", "/" + "x" * 300])
def test_notify_nobody(name, proxy, nginx):
    assert proxy(nginx.port, environment={"NOTIFY_SOCKET": name}).request(target="/who").status == 200


def test_no_notification_of_a_start_that_fails(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        (tmp_path / "sfmtls.ini").write_text("[proxy]\n")
        result = harness.run_cli("run", cwd=tmp_path, env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert result.returncode == 2
        supervisor.setblocking(False)
        with pytest.raises(BlockingIOError):
            supervisor.recv(4096)


# ---- workers ----

def threads_of(p):
    return len(os.listdir(f"/proc/{p.process.pid}/task"))


@pytest.mark.parametrize("workers, count", [("4", 4), ("auto", len(os.sched_getaffinity(0)))])
def test_workers_share_the_callers_and_the_limits(workers, count, proxy, nginx):
    """So many threads more; all of them serve, and share the limits."""
    one, many = proxy(nginx.port, workers="1"), proxy(nginx.port, workers=workers, max_connections=20)
    harness.eventually(lambda: threads_of(many) - threads_of(one) == count - 1)
    callers = [many.caller() for _ in range(20)]
    for c in callers:
        c.send("GET /1k HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert [c.answer().status for c in callers] == [200] * 20
    with many.caller() as c:
        assert c.answer().token == "too-many-connections"


# ---- too much ----

@pytest.mark.parametrize("workers", [1, 3])
def test_too_many_callers(workers, proxy, nginx):
    """503 before a request is read, then closed; a place that becomes free is given to the next."""
    p = proxy(nginx.port, workers=workers, max_connections=3)
    callers = [p.caller() for _ in range(3)]
    for c in callers:
        assert c.request(target="/who").status == 200
    for _ in range(3):
        with p.caller() as c:
            answer = c.answer()
            assert (answer.status, answer.token, answer.get("Connection")) == (503, "too-many-connections", "close")
            assert int(answer.get("Retry-After")) > 0
            assert c.is_closed()
    assert callers[0].request(target="/who").status == 200, "those inside are not disturbed"
    callers[1].close()
    callers[2].reset()

    def is_admitted():
        with p.caller() as c:
            return c.send("GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n").answer().status == 200

    harness.eventually(is_admitted)
    assert len([line for line in p.wait_for_log(8) if "error=too-many-connections" in line]) >= 3


def test_flood_of_callers_is_turned_away(proxy, nginx):
    """More than are told why: the others are closed, nobody waits, and all is well afterwards."""
    p = proxy(nginx.port, max_connections=1)
    inside = p.caller()
    assert inside.request(target="/who").status == 200
    flood = [p.caller() for _ in range(400)]
    told = 0
    for c in flood:
        with contextlib.suppress(ConnectionResetError):
            text = c.read_to_end()
            assert text == b"" or text.startswith(b"HTTP/1.1 503 ")
            told += bool(text)
        c.close()
    assert told > 0
    assert inside.request(target="/who").status == 200
    inside.close()
    harness.eventually(lambda: p.request(target="/who").status == 200)


# ---- descriptors ----

def descriptors(p):
    """What the process has open, without the numbers that differ."""
    folder = f"/proc/{p.process.pid}/fd"
    found = []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            found.append(re.sub(r"\d+", "N", os.readlink(f"{folder}/{name}")))
    return sorted(found)


def test_no_descriptor_stays_open(proxy, script, nginx, tenant, pki, started):
    """Exchanges of all kinds, those that fail above all, leave nothing behind."""
    def serve(c):
        head = c.head()
        if head is None or b"POST /abandoned" in head:
            c.at_end()
        elif b"/cut" in head:
            c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
            c.cut()
        elif b"/garbage" in head:
            c.send("SSH-2.0\r\n\r\n")
            c.at_end()
        elif b"/reset" in head:
            c.reset()
        elif b"/slow" in head:
            c.at_end()
        elif b"/close" in head:
            c.send("HTTP/1.1 200 OK\r\n\r\nto the end")

    def quiet(c):
        with contextlib.suppress(OSError, ssl.SSLError):
            serve(c)

    odd = script(quiet)
    silent = script(lambda c: c.at_end(), tls=False)
    plain = script(lambda c: (c.send("HTTP/1.1 400 Bad Request\r\n\r\n"), c.at_end()), tls=False)
    wrong = [script(quiet, certificate=f"server-{kind}") for kind in ("wrong-host", "untrusted", "expired")]
    ports = {"acme": nginx.port, "odd": odd.port, "down": harness.closed_port(), "silent": silent.port,
             "plain": plain.port, **{f"wrong{i}": w.port for i, w in enumerate(wrong)}}
    sections = "".join(tenant(port, name=name, company=name) for name, port in ports.items()) + tenant(
        nginx.port, name="stranger", company="stranger", certificate="stranger.pem", private_key=f"{pki}/stranger.key"
    ) + tenant(nginx.port, name="expired", company="expired", certificate="expired-chain.pem",
               private_key=f"{pki}/expired.key")
    patient = proxy(sections, pool_idle="50ms")
    hasty = proxy(sections, pool_idle="50ms", **{f"{what}_timeout": "200ms" for what in (
        "answer", "handshake", "head", "body")})
    before = descriptors(patient), descriptors(hasty)

    def named(company, target="/who", method="GET", body=b"", by=patient):
        return by.request(method, target, [("successfactors-companyid", company)], body)

    def partly(text, end, by=patient):
        c = by.caller()
        c.send(text)
        getattr(c, end)()

    odd_fields = "Host: localhost\r\nsuccessfactors-companyid: odd\r\n"
    upload = f"POST /abandoned HTTP/1.1\r\n{odd_fields}Content-Length: 99\r\n\r\nx"
    def fails(token, *args):
        assert named(*args).token == token, args

    def passes(status, *args):
        assert named(*args).status == status, args

    kinds = [
        lambda: passes(200, "acme"), lambda: passes(200, "acme", "/1k", "HEAD"), lambda: passes(404, "acme", "/none"),
        lambda: passes(404, "acme", "/none", "POST", b"x" * 9999), lambda: passes(400, "stranger"),
        lambda: fails("connection-refused", "down"), lambda: fails("tls-failed", "plain"),
        lambda: fails("server-certificate-wrong-host", "wrong0"),
        lambda: fails("server-certificate-untrusted", "wrong1"),
        lambda: fails("server-certificate-expired", "wrong2"),
        lambda: fails("client-certificate-expired", "expired"), lambda: fails("tenant-unknown", "none"),
        lambda: fails("bad-answer", "odd", "/garbage"), lambda: fails("upstream-closed", "odd", "/reset", "POST", b"x"),
        lambda: named("odd", "/cut"), lambda: passes(200, "odd", "/close"),
        lambda: patient.raw(b"\x16\x03\x01"), lambda: patient.raw(b"GET / HTTP/1.1\n\n"),
        lambda: partly(upload, "close"), lambda: partly(upload, "reset"),
        lambda: partly("GET / HT", "close"), lambda: partly("GET / HT", "reset"),
        lambda: partly(f"GET /slow HTTP/1.1\r\n{odd_fields}\r\n", "reset"),
    ]
    slow_kinds = [
        lambda: passes(504, "odd", "/slow", "GET", b"", hasty), lambda: passes(504, "silent", "/", "GET", b"", hasty),
        lambda: partly("GET", "read_to_end", hasty), lambda: partly(upload, "read_to_end", hasty),
    ]
    for kind in kinds * harness.count(8, 400) + slow_kinds * harness.count(1, 10):
        kind()
    harness.eventually(lambda: (descriptors(patient), descriptors(hasty)) == before)


def cpu_seconds(p):
    fields = pathlib.Path(f"/proc/{p.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def limited(descriptors):
    """The program under a hard limit of open files, which it cannot raise."""
    return {"prefix": ["prlimit", f"--nofile={descriptors}:{descriptors}"]}


def test_no_descriptor_left(proxy, nginx):
    """New callers wait in the kernel, without a busy loop, and are served when the idle ones have been closed."""
    p = proxy(nginx.port, process=limited(48), idle_timeout="500ms")
    callers = [p.caller() for _ in range(100)]
    assert "ulimit" in p.said("Too many open files")
    begun, cpu = time.monotonic(), cpu_seconds(p)
    last = p.caller()
    assert last.request(target="/who").status == 200
    elapsed = time.monotonic() - begun
    assert cpu_seconds(p) - cpu < elapsed / 3, "it spins"
    assert all(c.is_closed() for c in callers)
    for _ in range(5):
        assert p.request(target="/who").status == 200
    p.stop()
    assert p.stderr.count("Too many open files") < 20


def test_no_descriptor_for_the_server(proxy, nginx):
    """A limit of this process: 503 with Retry-After, not a fault of the network; later all is well."""
    p = proxy(nginx.port, process=limited(48))
    first = p.caller()
    callers = [p.caller() for _ in range(100)]
    harness.eventually(lambda: "Too many open files" in p.stderr)
    answer = first.request(target="/who")
    token = answer.token
    for c in callers:
        c.close()
    harness.eventually(lambda: first.request(target="/who").status == 200)
    assert (answer.status, token) == (503, "out-of-resources") and answer.get("Retry-After"), answer.json()["detail"]


# ---- memory, on the release build ----

def kib(p, name):
    status = pathlib.Path(f"/proc/{p.process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", status).group(1))


@pytest.fixture
def many_descriptors():
    """This test, too, needs one for each caller."""
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("request_first", [False, True], ids=["never sent anything", "made a call"])
def test_idle_callers_cost_little(request_first, release, proxy, nginx, many_descriptors):
    """2,000 of them, at most 4 KiB each."""
    p = proxy(nginx.port, process={"binary": release}, idle_timeout="10m")
    for _ in range(20):
        assert p.request(target="/1k").status == 200
    before, callers = kib(p, "VmRSS"), []
    for _ in range(2000):
        callers.append(p.caller())
        if request_first:
            assert callers[-1].request(target="/1k").status == 200
    harness.eventually(lambda: p.descriptors() >= 2000)
    harness.eventually(lambda: kib(p, "VmRSS") - before <= 4 * 2000)  # what a call needed is given back soon
    assert all(c.request(target="/1k").status == 200 for c in callers[::100])


def pieces(mib):
    """As many MiB, each one different."""
    block = hashlib.sha512(b"seed").digest() * (MIB // 64)
    return (i.to_bytes(8, "big") + block[8:] for i in range(mib))


@pytest.fixture(scope="session")
def large_file(nginx):
    """(size in MiB, path, sha256) of a file that nginx serves as /large."""
    mib, digest = harness.count(64, 1024), hashlib.sha256()
    with open(nginx.files / "large", "wb") as f:
        for piece in pieces(mib):
            digest.update(piece)
            f.write(piece)
    yield mib, nginx.files / "large", digest.hexdigest()
    (nginx.files / "large").unlink()


def sha256_of(stream):
    digest = hashlib.sha256()
    while data := stream.read(MIB):
        digest.update(data)
    return digest.hexdigest()


def test_memory_of_large_bodies(release, proxy, nginx, large_file):
    """curl, down and up, byte for byte, in less than 20 MiB."""
    mib, path, digest = large_file
    p = proxy(nginx.port, process={"binary": release})
    down = subprocess.Popen(["curl", "-sS", "--fail", p.url("/large")], stdout=subprocess.PIPE)
    assert sha256_of(down.stdout) == digest and down.wait(harness.LIMIT) == 0
    up = subprocess.run(["curl", "-sS", "--fail", "-T", path, p.url("/put/large")], timeout=20 * harness.LIMIT)
    assert up.returncode == 0
    with open(nginx.files / "put" / "large", "rb") as f:
        assert sha256_of(f) == digest
    (nginx.files / "put" / "large").unlink()
    assert kib(p, "VmHWM") < 20 * 1024


SLOW_MIB = 128  # the kernel may hold 33 MiB on each side of the proxy


def receive(c, size=None):
    """So many bytes, or all to the end, of a harness.Caller or harness.Connection; in small portions."""
    parts, n = [c.pending], len(c.pending)
    while size is None or n < size:
        part = c.sock.recv(16384)
        if not part:
            break
        parts.append(part)
        n += len(part)
    return b"".join(parts)


def unchunked(data):
    parts, at = [], 0
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end], 16)
        if size == 0:
            assert data[end:] == b"\r\n\r\n"
            return b"".join(parts)
        parts.append(data[end + 2:end + 2 + size])
        assert data[end + 2 + size:end + 4 + size] == b"\r\n"
        at = end + 4 + size


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_memory_with_a_slow_caller(coding, release, proxy, script):
    """The server is stopped, too, and memory stays small; then the caller reads in small portions, and gets all."""
    blocked = threading.Event()
    body = b"".join(pieces(SLOW_MIB))

    def serve(c):
        c.head()
        if coding == "length":
            data = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        else:
            data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
                b"10000\r\n" + body[at:at + 65536] + b"\r\n" for at in range(0, len(body), 65536)) + b"0\r\n\r\n"
        send_until_blocked(c.sock, data, blocked)

    p = proxy(script(serve).port, process={"binary": release})
    with p.caller() as c:
        c.send(GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
        assert blocked.wait(harness.LIMIT)
        assert blocked.sent < len(body) * 3 / 4, "nothing holds the server back"
        assert kib(p, "VmHWM") < 20 * 1024
        c.read_until(b"\r\n\r\n")
        received = receive(c)
        if coding == "chunked":
            received = unchunked(received)
        assert received == body
    assert kib(p, "VmHWM") < 20 * 1024


def test_memory_with_a_slow_server(release, proxy, script):
    """The other way round: an upload that the server does not take."""
    blocked, go_on = threading.Event(), threading.Event()
    body = b"".join(pieces(SLOW_MIB))
    seen = []

    def serve(c):
        c.head()
        assert go_on.wait(harness.LIMIT)
        seen.append(receive(c, len(body)))
        c.reply()

    p = proxy(script(serve).port, process={"binary": release})
    with p.caller() as c:
        data = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        sender = threading.Thread(target=send_until_blocked, args=(c.sock, data, blocked))
        sender.start()
        assert blocked.wait(harness.LIMIT)
        assert blocked.sent < len(body) * 3 / 4, "nothing holds the caller back"
        assert kib(p, "VmHWM") < 20 * 1024
        go_on.set()
        sender.join(harness.LIMIT)
        assert c.answer().status == 200
    assert seen == [body]
    assert kib(p, "VmHWM") < 20 * 1024


def test_second_signal_while_heads_arrive(proxy, script, tenant, gate):
    """Workers end while callers of others become whole requests, which wait for a place: nothing is touched twice."""
    p = proxy(tenant(script(gate).port, max_upstream=1), workers=2, drain_timeout="1h", head_timeout="1h")
    p.expected_exit = 1
    callers = [p.caller() for _ in range(200)]
    callers[1].send(GET)
    gate.wait_for(1)
    for c in callers[2:]:
        c.send(GET[:-2])
    idle = p.caller()
    p.signal(signal.SIGTERM)
    assert idle.is_closed()
    p.signal(signal.SIGTERM)
    for c in callers[3::2]:
        with contextlib.suppress(OSError):
            c.send("\r\n")
    assert p.wait() == 1
    assert "cut-off-at-shutdown" in p.stderr


def test_live_socket_of_another_user_is_left_alone(pki):
    """Or one that we may not connect to, which is the same. Root may always: it becomes somebody else here."""
    root = os.geteuid() == 0
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if root else []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-test-"))
    try:
        folder.chmod(0o1777)
        with socket.socket(socket.AF_UNIX) as live:
            live.bind(str(folder / "s"))
            live.listen()
            os.chmod(folder / "s", 0o600 if root else 0)
            for name in ("acme-all.pem", "ca.pem"):
                shutil.copy(pki / name, folder)
                if root:
                    os.chown(folder / name, 65534, 65534)
            shutil.copy(harness.BINARY, folder / "sfmtls")
            (folder / "sfmtls").chmod(0o755)
            (folder / "sfmtls.ini").write_text(
                f"[proxy]\nlisten = unix:{folder}/s\n[tenant a]\ncompany-id = A\nserver = localhost:1\n"
                "certificate = acme-all.pem\nca-file = ca.pem\n")
            (folder / "sfmtls.ini").chmod(0o644)
            before = os.stat(folder / "s").st_ino
            result = subprocess.run([*other, folder / "sfmtls", "run", "-c", folder / "sfmtls.ini"],
                                    capture_output=True, text=True, timeout=harness.LIMIT)
            assert result.returncode == 2 and "served by another process" in result.stderr, result.stderr
            assert os.stat(folder / "s").st_ino == before
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("number", [1, 2])
def test_ready_fd_that_is_a_standard_one(number, nginx, tenant, tmp_path):
    """Its number is not left to a caller's connection, into which others then write."""
    (tmp_path / "sfmtls.ini").write_text("[proxy]\nlisten = 127.0.0.1:0\n" + tenant(nginx.port))
    read, write = os.pipe()
    process = subprocess.Popen([harness.BINARY, "run", "--ready-fd", str(number), "-c", tmp_path / "sfmtls.ini"],
                               **{"stdout" if number == 1 else "stderr": write,
                                  "stderr" if number == 1 else "stdout": subprocess.DEVNULL})
    os.close(write)
    try:
        with os.fdopen(read) as ready:
            line = next(line for line in ready if line.startswith('{"pid"'))
            address = json.loads(line)["listeners"][0]["address"]
            rest = ready.read()
            assert rest == "" or number == 2  # where the log goes, too, until then
        assert os.readlink(f"/proc/{process.pid}/fd/{number}") == "/dev/null"
        with harness.Caller(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as c:
            assert c.request(target="/who").status == c.request(target="/1k").status == 200
    finally:
        process.terminate()
        assert process.wait(harness.LIMIT) == 0


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def start_as_first(arguments, before="", **kwargs):
    """Starts the program as process 1 of a namespace of its own, as in a container; before: a command of its shell."""
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return subprocess.Popen(["unshare", *rights, "--pid", "--fork", "--kill-child", "sh", "-c", f'{before} exec "$@"',
                             "sh", os.path.abspath(harness.BINARY), *arguments], stdout=subprocess.DEVNULL, **kwargs)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", [["run"], ["run", "-t"], ["check"]], ids=" ".join)
def test_first_process_ends_while_it_starts(command, number, pki, tmp_path):
    """The kernel gives process 1 no signal that it has no handler for. Starting waits for a passphrase meanwhile."""
    os.mkfifo(tmp_path / "pass")
    (tmp_path / "sfmtls.ini").write_text(
        "[proxy]\nlisten = 127.0.0.1:0\n[tenant a]\ncompany-id = A\nserver = localhost:1\n"
        f"certificate = {pki}/acme-chain.pem\nprivate-key = {pki}/acme-encrypted.key\n"
        f"passphrase-file = {tmp_path}/pass\n")
    process = start_as_first([*command, "-c", tmp_path / "sfmtls.ini"], stderr=subprocess.DEVNULL)
    try:
        with open(tmp_path / "pass", "wb"):  # opened by now: it is there
            [first] = children(process.pid)
            os.kill(first, number)
            assert process.wait(harness.LIMIT) == 128 + number
    finally:
        process.kill()
        process.wait(harness.LIMIT)


def test_orphans_become_no_zombies(nginx, tenant, tmp_path):
    """In a container, the program is process 1, whose children those become that nobody else waits for."""
    (tmp_path / "sfmtls.ini").write_text("[proxy]\nlisten = 127.0.0.1:0\n" + tenant(nginx.port))
    os.mkfifo(tmp_path / "end")
    read, write = os.pipe()
    process = start_as_first(["run", "--ready-fd", str(write), "-c", tmp_path / "sfmtls.ini"],
                             stderr=subprocess.DEVNULL, before=f'(cat "{tmp_path}/end" &);', pass_fds=[write])
    os.close(write)
    try:
        with os.fdopen(read) as ready:
            assert json.loads(ready.readline())["pid"] == 1
        [first] = children(process.pid)
        assert len(children(first)) == 1
        (tmp_path / "end").write_text("")
        harness.eventually(lambda: not children(first))
        os.kill(first, signal.SIGTERM)
        assert process.wait(harness.LIMIT) == 0
    finally:
        process.kill()
        process.wait(harness.LIMIT)
