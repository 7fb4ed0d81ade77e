"""Real parts for integration tests: the proxy, nginx, and a TLS server that does exactly what a test
tells it, byte by byte."""
import concurrent.futures
import contextlib
import ctypes
import fcntl
import glob
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest

BINARY = os.environ.get("SFMTLS", "build/asan/sfmtls")
SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("SFMTLS_")}


def setting(name, default=None):
    """SFMTLS_NAME as whoever runs the tests set it. The environment has it no more: it would be the program's."""
    return SETTINGS.get(f"SFMTLS_{name}", default)


# Seconds after which anything counts as hung; less than the proxy's own patience with silent callers.
LIMIT = int(setting("TEST_LIMIT", "60"))


def count(small, full):
    """How often a test does a thing: a few times, or as often as is asked for when SFMTLS_FULL is set."""
    return full if setting("FULL") else small


def eventually(check, seconds=LIMIT):
    """Waits until check() returns something true, and returns that. An AssertionError in it means: not yet."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        try:
            result = check()
            if result:
                return result
        except AssertionError:
            if time.monotonic() > end:
                raise
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {check}")
        pause.wait(0.01)


def eventually_logged(p, pattern):
    """Waits until that stands in the log of a proxy: the match."""
    return eventually(lambda: re.search(pattern, p.stderr))


def whole_lines(path):
    """What a file holds that another process is writing, up to the last line's end: what follows is half of a line."""
    text = pathlib.Path(path).read_text(errors="replace")
    return text[:text.rfind("\n") + 1]


one_worker = pytest.mark.usefixtures("one_worker")  # see conftest.py


class Background:
    """A function that runs beside the test."""

    def __init__(self, function, *args, **kwargs):
        self.outcome = concurrent.futures.Future()
        self.thread = threading.Thread(target=self._run, args=(function, args, kwargs), daemon=True)
        self.thread.start()

    def _run(self, function, args, kwargs):
        try:
            self.outcome.set_result(function(*args, **kwargs))
        except BaseException as e:
            self.outcome.set_exception(e)

    def result(self, seconds=LIMIT):
        """Waits for its end: what it returned, or what it raised."""
        return self.outcome.result(seconds)

    def runs(self):
        return not self.outcome.done()


def happened(event):
    """Waits for a threading.Event that has to come."""
    assert event.wait(LIMIT), "it never happened"


# ---- callers ----

def head_lines(method="GET", target="/", *fields, version="HTTP/1.1"):
    """A request's head as text."""
    return "\r\n".join([f"{method} {target} {version}", "Host: localhost", *fields, "", ""])


class Answer:
    """One HTTP answer as it came over the wire."""

    def __init__(self, head, body, complete, trailers=b""):
        self.raw_head = head
        self.body, self.complete, self.trailers = body, complete, trailers
        lines = head.decode("latin-1").split("\r\n")
        self.version, status, self.reason = (lines[0].split(" ", 2) + [""])[:3]
        self.status = int(status)
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if line]

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    def json(self):
        return json.loads(self.body)

    @property
    def token(self):
        """Of an error that the proxy made; checks that it is one in every respect."""
        assert self.get("Content-Type") == "application/problem+json", self.raw_head
        problem = self.json()
        assert problem["status"] == self.status
        assert problem["type"] == "urn:sfmtls:error:" + problem["token"]
        for member in ("title", "detail", "cure", "request_id"):
            assert problem[member], member
        status = self.get("Proxy-Status")
        assert re.fullmatch(r'sfmtls; error=[a-z_]+; details="%s"' % problem["token"], status), status
        return problem["token"]


class Caller:
    """A caller's connection, for raw bytes."""

    def __init__(self, address, family=socket.AF_INET):
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(LIMIT)
        self.sock.connect(address)
        self.pending = b""

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def fill(self):
        """More bytes; False at the end of the connection."""
        data = self.sock.recv(65536)
        self.pending += data
        return bool(data)

    def read_until(self, mark):
        while mark not in self.pending:
            if not self.fill():
                raise EOFError(self.pending)
        found, self.pending = self.pending.split(mark, 1)
        return found

    def read_exactly(self, n):
        while len(self.pending) < n and self.fill():
            pass
        data, self.pending = self.pending[:n], self.pending[n:]
        return data

    def read_to_end(self):
        try:
            while self.fill():
                pass
        finally:
            data, self.pending = self.pending, b""
        return data

    def _chunked(self):
        body = bytearray()  # grows without being copied each time
        while True:
            try:
                size = int(self.read_until(b"\r\n"), 16)
            except EOFError:
                return bytes(body), False, b""
            if size == 0:
                break
            data = self.read_exactly(size)
            body += data
            if len(data) < size:
                return bytes(body), False, b""
            assert self.read_exactly(2) == b"\r\n"
        trailers = b""
        while True:
            line = self.read_until(b"\r\n")
            if not line:
                return bytes(body), True, trailers
            trailers += line + b"\r\n"

    def answer(self, method="GET"):
        """The next final answer; the 1xx before it are kept in .interim."""
        self.interim = []
        while True:
            answer = Answer(self.read_until(b"\r\n\r\n"), b"", True)
            if answer.status >= 200:
                break
            self.interim.append(answer)
        if method == "HEAD" or answer.status in (204, 304):
            return answer
        if "chunked" in answer.get("Transfer-Encoding", "").lower():
            answer.body, answer.complete, answer.trailers = self._chunked()
        elif answer.get("Content-Length") is not None:
            length = int(answer.get("Content-Length"))
            answer.body = self.read_exactly(length)
            answer.complete = len(answer.body) == length
        else:
            answer.body = self.read_to_end()
        return answer

    def request(self, method="GET", target="/", fields=(), body=b"", version="HTTP/1.1", host="localhost"):
        head = f"{method} {target} {version}\r\n"
        if host is not None:
            head += f"Host: {host}\r\n"
        head += "".join(f"{n}: {v}\r\n" for n, v in fields)
        if body and not any(n.lower() in ("content-length", "transfer-encoding") for n, v in fields):
            head += f"Content-Length: {len(body)}\r\n"
        self.send(head.encode("latin-1") + b"\r\n" + body)
        return self.answer(method)

    def is_closed(self):
        """Waits for the end of the connection; fails if data comes instead."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends the connection with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- the proxy ----

class Proxy:
    """A running sfmtls. Stops in order at the end and must have nothing to complain of."""

    def __init__(self, folder, config, arguments=(), environment=None, binary=None, stderr=None, prefix=(),
                 pass_fds=()):
        """config None: without -c. stderr: a descriptor in place of the file. prefix: words before the program's.
        pass_fds: descriptors that it inherits."""
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "sfmtls.ini"
        if config is not None:
            self.config.write_text(config)
            arguments = ["-c", str(self.config), *arguments]
        self.stderr_path = self.folder / "stderr"
        read, write = os.pipe()
        with open(self.stderr_path, "ab") as err:
            self.process = subprocess.Popen(
                [*prefix, binary or BINARY, "run", "--ready-fd", str(write), *arguments],
                stderr=err if stderr is None else stderr, pass_fds=[write, *pass_fds],
                env={**os.environ, **(environment or {})})
        os.close(write)
        with os.fdopen(read) as ready:
            assert select.select([ready], [], [], LIMIT)[0], "never ready: " + self.stderr
            line = ready.readline()
            assert line, "ended before it was ready: " + self.stderr
            self.ready = json.loads(line)
            assert ready.read() == "", "--ready-fd is to be closed after its line"
        assert self.ready["pid"] == self.process.pid
        self.expected_exit = 0

    @property
    def stderr(self):
        """What is there by now. A thread of its own writes the log: whoever looks for something waits, with said()."""
        return (whole_lines(self.stderr_path) if self.process.poll() is None else
                self.stderr_path.read_text(errors="replace"))

    def said(self, *words, log=None):
        """Waits until each of the words stands in stderr (or in a log of its own); the line of the last one."""
        for word in words:
            line = eventually(lambda: [line for line in (whole_lines(log) if log else self.stderr).splitlines()
                                       if word in line])[0]
        return line

    @property
    def addresses(self):
        return [l["address"] for l in self.ready["listeners"]]

    def port_of(self, index=0):
        return int(self.addresses[index].rsplit(":", 1)[1])

    @property
    def port(self):
        return self.port_of()

    def url(self, path="/"):
        return f"http://localhost:{self.port}{path}"

    def caller(self, index=0):
        address = self.addresses[index]
        if address.startswith("unix:"):
            return Caller(address[5:], socket.AF_UNIX)
        host, port = address.rsplit(":", 1)
        host = host.strip("[]")
        return Caller((host, int(port)), socket.AF_INET6 if ":" in host else socket.AF_INET)

    def request(self, *args, **kwargs):
        with self.caller(kwargs.pop("listener", 0)) as c:
            return c.request(*args, **kwargs)

    def raw(self, data):
        """Sends bytes, half-closes, and returns all that comes back."""
        with self.caller() as c:
            c.send(data)
            with contextlib.suppress(OSError):
                c.sock.shutdown(socket.SHUT_WR)
            return c.read_to_end()

    # the access log, as text lines

    def log_lines(self):
        return [line for line in self.stderr.splitlines() if " id=" in line]

    def wait_for_log(self, count=1):
        """The access log, once it has that many lines."""
        eventually(lambda: len(self.log_lines()) >= count)
        return self.log_lines()

    def last_log(self, count=1):
        """The count-th line as a dict; method and path as such."""
        line = self.wait_for_log(count)[count - 1]
        words = line.split(" ")
        values = dict(re.findall(r'([a-z-]+)=("(?:[^"\\]|\\.)*"|\S+)', line))
        values.update(method=words[3], path=words[4], line=line)
        return values

    def rewrite(self, config):
        """A new configuration, as careful programs write: whole from its first moment."""
        new = self.config.with_suffix(".new")
        new.write_text(config)
        os.chown(new, self.config.stat().st_uid, self.config.stat().st_gid)
        os.replace(new, self.config)

    def signal(self, number):
        self.process.send_signal(number)

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def wait(self):
        return self.process.wait(LIMIT)

    def stop(self):
        """Ends it and checks that it ended well: exit status, sanitizers."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("did not stop: " + self.stderr)
        assert "Sanitizer" not in self.stderr and "runtime error" not in self.stderr, self.stderr
        assert "Assertion" not in self.stderr, self.stderr
        if self.expected_exit is not None:
            assert code == self.expected_exit, f"exit {code}: {self.stderr}"


def has_ended(pid):
    """Of a process whose parent has ended: whoever takes over in a container may leave it as a zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


@contextlib.contextmanager
def frozen(p):
    """The proxy stands still meanwhile, all of its threads, so that it finds all that happens at once."""

    def states():
        for task in pathlib.Path(f"/proc/{p.process.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
                yield (task / "stat").read_text().rsplit(")", 1)[1].split()[0]

    p.signal(signal.SIGSTOP)
    eventually(lambda: set(states()) == {"T"})
    yield
    p.signal(signal.SIGCONT)


def unsent(sock):
    """Bytes that the other side's kernel does not have yet."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0]


def arrived(sock):
    """Waits until the other side's kernel has all that was sent."""
    eventually(lambda: unsent(sock) == 0)


def connections():
    """Those of the kernel's table: both ports, the state, bytes that were not acknowledged and that were not read."""
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, remote, state, queues = line.split()[1:5]
        ports = int(local.split(":")[1], 16), int(remote.split(":")[1], 16)
        yield ports, int(state, 16), *(int(n, 16) for n in queues.split(":"))


def under_way(sender, receiver):
    """Bytes from one port of 127.0.0.1 to another one that were sent and not read: they are in the kernel."""
    return sum(sent if ports == (sender, receiver) else unread if ports == (receiver, sender) else 0
               for ports, _, sent, unread in connections())


def is_ended_by(port, other):
    """The side at that port has closed the connection."""
    established = 1
    return established not in {state for ports, state, *_ in connections() if ports == (port, other)}


def settled(*pairs):
    """How many bytes are under way between each two ports, once that has not changed for a while."""
    def look():
        return [under_way(*pair) for pair in pairs]

    def is_settled():
        before = look()
        threading.Event().wait(0.3)
        return look() == before

    eventually(is_settled)
    return look()


def overfill(begin, size):
    """begin(size) has one side of a proxy send so many bytes, of which the other side reads no more than it has read
    then. It returns how many these are, and the ports between which bytes pass: the sender and the proxy, the proxy
    and the reader. Begins anew until all were read by the proxy, and are more than the kernel takes from it: some are
    queued in it. How many it were."""
    margin = 160 << 10
    for _ in range(50):
        read, *pairs = begin(size)
        unread, sent = settled(*pairs)
        if sent == 0:
            continue  # it was cut off before it was looked at
        if unread == 0 and read + sent < size:
            return size
        size = read + sent + margin if unread > 0 else size + margin
        margin = max(margin * 2 // 3, 4 << 10) if unread > 0 else margin
    raise AssertionError("the kernel takes another number of bytes each time")


class Pipe:
    """A small pipe as the program's stderr, which nobody reads until take() is called."""

    def __init__(self):
        self.read_end, self.write_end = os.pipe()
        fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, 4096)
        self.text = b""
        self.thread = None

    def take(self):
        def run():
            with contextlib.suppress(OSError):
                while data := os.read(self.read_end, 65536):
                    self.text += data

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def stop(self):
        """Behind the program's end: .text is whole then."""
        if self.thread:
            self.thread.join(LIMIT)
            self.thread = None
        if self.read_end is not None:
            os.close(self.read_end)
            self.read_end = None


def run_cli(*arguments, stdin=None, env=None, cwd=None, prefix=(), pass_fds=()):
    """One command of sfmtls, to its end. prefix: words before the program's."""
    return subprocess.run([*prefix, os.path.abspath(BINARY), *arguments], input=stdin, capture_output=True, text=True,
                          timeout=2 * LIMIT, env={**os.environ, **(env or {})}, cwd=cwd, pass_fds=pass_fds)


def without_limits(stderr):
    """What `run -t` warns of, but for this machine's limit of open files."""
    return "".join(line for line in stderr.splitlines(True) if "files can be open" not in line)


def at_a_terminal(arguments, *answers, cwd=None, env=None):
    """Runs a program in the foreground of a terminal of its own, with an answer to each of its questions in turn; what
    it wrote there, and its exit status."""
    terminal, near = os.openpty()
    process = subprocess.Popen(["setsid", "--ctty", *arguments], stdin=near, stdout=near, stderr=near, cwd=cwd,
                               env={**os.environ, **(env or {})})
    os.close(near)
    shown, left = b"", list(answers)
    try:
        while select.select([terminal], [], [], LIMIT)[0]:
            data = os.read(terminal, 4096)
            shown += data
            if shown.endswith(b": ") and left:
                os.write(terminal, left.pop(0))
            if not data:
                break
    except OSError:
        pass  # the program has ended
    os.close(terminal)  # which ends a program that still waits
    return shown.decode(), process.wait(LIMIT)


def has_terminals():
    """A root that was only unpacked may have no pseudo-terminals: then nobody can sit at one."""
    try:
        for end in os.openpty():
            os.close(end)
    except OSError:
        return False
    return True


def tested_ok(path):
    """What `run -t` prints for a configuration that can be used."""
    return f"configuration ok: {os.path.realpath(path)}\n"


def make_local_ca(folder, text):
    """`ca init` for a configuration with that text, of which it becomes the sfmtls.ini; its root."""
    config = pathlib.Path(folder) / "sfmtls.ini"
    config.write_text(text)
    made = run_cli("ca", "init", "-c", str(config))
    assert made.returncode == 0, made.stderr
    return pathlib.Path(folder) / "ca/root.pem"


def issue_between(pki, folder, begins, ends, user="acme_user", key=None):
    """A client certificate that is valid between these times, with its chain behind and its key (a new one, or that of
    the file key) before it; its file."""
    folder.mkdir(parents=True, exist_ok=True)
    text = lambda t: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(t))
    openssl = lambda *words: subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    if key is None:
        key = folder / "key"
        openssl("genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    openssl("req", "-new", "-key", key, "-subj", f"/O=Test/CN={user}", "-out", folder / "csr")
    (folder / "ext").write_text("extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n")
    (folder / "db").write_text("")
    (folder / "conf").write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/db\nnew_certs_dir={folder}\n"
                                 "rand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\nO=optional\nCN=optional\n")
    openssl("ca", "-batch", "-notext", "-config", folder / "conf", "-cert", pki / "client-sub.pem", "-keyfile",
            pki / "client-sub.key", "-in", folder / "csr", "-out", folder / "pem", "-extfile", folder / "ext",
            "-preserveDN", "-startdate", text(begins), "-enddate", text(ends))
    whole = folder / "all.pem"
    whole.write_text("".join(path.read_text() for path in (key, folder / "pem", pki / "client-sub.pem")))
    return whole


def refusing(call, error, argument=None):
    """Words before the program's under which that system call fails with that errno, if its first argument is that
    one: a seccomp filter."""
    number = {"x86_64": {"socket": 41, "accept4": 288}, "aarch64": {"socket": 198, "accept4": 242}}[os.uname().machine]
    load, equal, give = 0x20, 0x15, 0x06
    code = [(load, 0, 0, 0), (equal, 0, 3, number[call]), (load, 0, 0, 16),
            (equal, 0, 1, int(argument)) if argument is not None else (equal, 0, 0, 0),
            (give, 0, 0, 0x00050000 | error), (give, 0, 0, 0x7fff0000)]
    program = """
import ctypes, os, struct, sys
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in %r))
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", %d, ctypes.addressof(code)))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter, 0, 0) == 0
os.execvp(sys.argv[1], sys.argv[1:])
""" % (code, len(code))
    return [sys.executable, "-c", program]


# The root folder of a chroot may be no mount: then how mounts below it propagate cannot be changed.
CHROOT = ["--mount", "--propagation", "unchanged"]


def root_is_mounted():
    return any(line.split()[4] == "/" for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines())


def in_own(kind, commands):
    """Words before the program's under which it has a kind of name space of its own, in which these lines of shell ran
    first."""
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    own = CHROOT if kind == "--mount" and not root_is_mounted() else [kind]
    return ["unshare", *rights, *own, "sh", "-ec", f"{commands}\nexec \"$@\"", "sh"]


def in_own_mounts(commands):
    return in_own("--mount", commands)


def in_own_network(commands=""):
    """Its loopback addresses of both families are up, and all ports free."""
    return in_own("--net", f"ip link set lo up\n{commands}")


class Cable:
    """Two machines, as network name spaces, joined by a cable that can fail in several ways. Takes root."""

    near, far = "10.99.0.1", "10.99.0.2"

    def __init__(self):
        if os.geteuid() != 0:
            pytest.skip("only root can join two network name spaces")
        self.holders = [subprocess.Popen([*in_own_network(), "sh", "-c", "echo; exec sleep infinity"],
                                         stdout=subprocess.PIPE) for _ in range(2)]
        for holder in self.holders:
            assert holder.stdout.readline() == b"\n", "no network name space of its own"
        self._ip("near", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self.holders[1].pid)
        for end in ("near", "far"):
            self._ip(end, "address", "add", f"{getattr(self, end)}/24", "dev", "cable")
            self._ip(end, "link", "set", "cable", "up")

    def _name_space(self, end):
        return f"/proc/{self.holders[end == 'far'].pid}/ns/net"

    def _ip(self, end, *words):
        command = [*self.prefix(end), "ip", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, (words, done.stderr)

    def prefix(self, end="near"):
        """Words before those of a program that is to run there."""
        return ["nsenter", f"--net={self._name_space(end)}", "--"]

    def run(self, words, end="far"):
        return subprocess.run([*self.prefix(end), *words], capture_output=True, timeout=LIMIT, check=True).stdout

    def socket(self, end, *kind):
        """A socket there."""
        def make():
            with open(self._name_space(end)) as name_space:
                assert ctypes.CDLL(None, use_errno=True).setns(name_space.fileno(), 0x40000000) == 0
            return socket.socket(*kind)

        return Background(make).result()  # only that thread goes there

    def listener(self, end="far", address=None):
        """A listening socket there, on a free port."""
        made = self.socket(end)
        made.bind((address or getattr(self, end), 0))
        made.listen(1024)
        return made

    # Nothing of what follows is told to a connection.

    def swallow(self):
        """What far sends is thrown away; what it is sent arrives."""
        self._ip("far", "route", "add", "blackhole", f"{self.near}/32")

    def restore(self):
        self._ip("far", "route", "delete", "blackhole", f"{self.near}/32")

    def lose(self):
        """Far has another address now, and answers nobody who asks for the old one."""
        self._ip("far", "address", "delete", f"{self.far}/24", "dev", "cable")

    def unplug(self):
        self._ip("far", "link", "set", "cable", "down")

    def move(self):
        """Near has no way to far any more, and is sent nothing."""
        self._ip("near", "address", "delete", f"{self.near}/24", "dev", "cable")

    def stop(self):
        for holder in self.holders:
            holder.kill()
            holder.wait(LIMIT)
            holder.stdout.close()


# ---- servers ----

def loopback():
    """The families that this machine has, and their addresses."""
    yield socket.AF_INET, "127.0.0.1"
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as s:
        s.bind(("::1", 0))
        yield socket.AF_INET6, "::1"


LOOPBACK = list(loopback())
RESERVED = []  # sockets that hold a port and do not listen


def reserve(address, port=0):
    """Nobody listens there, and nobody will: it is bound for as long as the tests run. The port."""
    RESERVED.append(socket.socket())
    RESERVED[-1].bind((address, port))
    return RESERVED[-1].getsockname()[1]


def closed_port():
    """A port at which nobody listens, on no address."""
    return reserve("")


def unused_port(first=20000, last=32000):
    """A port that is free and stays so until it is used: the kernel gives none of these to who asks for any, and each
    process of tests (see pytest -n) chooses among its own."""
    number = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % 16
    mine = [port for port in range(first, last) if port % 16 == number]
    for port in random.sample(mine, len(mine)):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for family, address in LOOPBACK:
                stack.enter_context(socket.socket(family)).bind((address, port))
            return port
    raise AssertionError(f"no port from {first} to {last} is free")


def localhost():
    """A value of listen: one port at all addresses that `localhost` may lead to. Some clients try but one of them."""
    port = unused_port()
    return ", ".join({socket.AF_INET: f"127.0.0.1:{port}", socket.AF_INET6: f"[::1]:{port}"}[f] for f, _ in LOOPBACK)


class Nginx:
    """A real nginx in the foreground of its own folder, on a port that it inherits: nobody can take it meanwhile."""

    def __init__(self, folder, server, http=""):
        self.folder = pathlib.Path(folder)
        listener = socket.create_server(("127.0.0.1", 0), backlog=511)
        self.port = listener.getsockname()[1]
        temps = "".join(f"{kind}_temp_path {folder}/{kind};\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(f"""
            {user} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log info;
            events {{ worker_connections 4096; }}
            http {{ access_log {folder}/access.log; client_max_body_size 0; {temps} {http}
                    server {{ listen 127.0.0.1:{self.port} {server} }} }}""")
        with listener, open(self.folder / "stderr", "wb") as err:
            self.process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(self.folder / "nginx.conf")],
                                            stderr=err, pass_fds=[listener.fileno()],
                                            env={**os.environ, "NGINX": f"{listener.fileno()};"})
        eventually(self._serves)

    def _serves(self):
        """Its pid file is there when the master has read the configuration; callers wait in the backlog until then."""
        assert self.process.poll() is None, (self.folder / "stderr").read_text()
        return (self.folder / "nginx.pid").exists()

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT)


class Connection:
    """A caller's connection as a scripted server sees it."""

    def __init__(self, sock, raw, number):
        self.sock, self.raw, self.number = sock, raw, number
        self.pending = b""
        self.bytes = b""  # all that was received

    def fill(self):
        data = self.sock.recv(65536)
        self.pending += data
        self.bytes += data
        return bool(data)

    def head(self):
        """One request's head, as bytes; None if the connection ends first. It may rest before the first byte."""
        if not self.pending:
            self.sock.settimeout(None)
        while b"\r\n\r\n" not in self.pending:
            if not self.fill():
                return None
            self.sock.settimeout(LIMIT)
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        return head

    def body(self, n):
        while len(self.pending) < n:
            if not self.fill():
                break
        data, self.pending = self.pending[:n], self.pending[n:]
        return data

    def read_until(self, mark):
        while mark not in self.pending:
            if not self.fill():
                return None
        found, self.pending = self.pending.split(mark, 1)
        return found + mark

    def request(self):
        """Head and body (by Content-Length or chunked, as raw bytes); None at the end."""
        head = self.head()
        if head is None:
            return None
        length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
        if length:
            return head, self.body(int(length.group(1)))
        if re.search(rb"(?im)^transfer-encoding:\s*chunked", head):
            return head, self.read_until(b"0\r\n\r\n")
        return head, b""

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def reply(self, body=b"ok", status="200 OK", fields=""):
        self.send(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body)

    def end(self):
        """Ends in order: close_notify, FIN."""
        with contextlib.suppress(OSError, ssl.SSLError):
            self.sock.settimeout(2)
            self.sock.unwrap() if isinstance(self.sock, ssl.SSLSocket) else None
        self.raw_close()

    def cut(self):
        """FIN without close_notify: a truncation."""
        self.raw_close()

    def raw_close(self):
        with contextlib.suppress(OSError):
            socket.socket.close(self.sock)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.raw_close()

    def at_end(self):
        """Waits until the other side is gone: 'end' in order, 'cut' or 'reset' if not."""
        try:
            while self.fill():
                pass
            return "end"
        except ssl.SSLError as e:
            if not isinstance(e, ssl.SSLEOFError) and e.reason != "UNEXPECTED_EOF_WHILE_READING":
                raise
            return "cut"
        except ConnectionResetError:
            return "reset"

    def peer_cn(self):
        subject = self.sock.getpeercert()["subject"]
        return next(v for rdn in subject for k, v in rdn if k == "commonName")


class Script:
    """A TLS server that demands a client certificate and runs a function for each connection.

    script(connection) gets each one in a thread of its own; what it raises fails the test. Left
    alone, a connection ends in order when the function returns."""

    def __init__(self, pki, script, certificate="server", versions=None, require=True, tls=True,
                 address=("127.0.0.1", 0), tickets=2, listener=None):
        self.script, self.connections, self.errors = script, [], []
        self.new_context = lambda: self._new_context(pki, certificate, versions, require, tickets)
        self.context = self.new_context() if tls else None
        self.listener = listener or socket.create_server(address, backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.stopping = False
        self.threads = []
        self.lock = threading.Lock()
        self.handshake_failures = []
        threading.Thread(target=self._accept, daemon=True).start()

    @staticmethod
    def _new_context(pki, certificate, versions, require, tickets):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki / f"{certificate}.pem", pki / f"{certificate}.key")
        context.num_tickets = tickets
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # else a cut looks like an end
        if require:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(pki / "client-ca.pem")
        if versions:
            context.minimum_version, context.maximum_version = versions
        return context

    def forget_sessions(self):
        """Those of before cannot be resumed."""
        self.context = self.new_context()

    def _accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(raw,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, raw):
        raw.settimeout(LIMIT)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock = raw
        if self.context:
            try:
                sock = self.context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
            except (OSError, ssl.SSLError) as e:
                self.handshake_failures.append(e)
                raw.close()
                return
        with self.lock:
            connection = Connection(sock, raw, len(self.connections))
            self.connections.append(connection)
        try:
            self.script(connection)
            connection.end()
        except Exception as e:  # told at the end of the test
            if not self.stopping:
                self.errors.append(e)
            connection.raw_close()

    def stop(self):
        self.stopping = True
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
            connection.raw_close()
        for thread in self.threads:
            thread.join(LIMIT)
        if self.errors:
            raise self.errors[0]


def answering(reply=lambda c, head, body: c.reply(b"ok")):
    """A script that answers every request of every connection with reply(connection, head, body)."""

    def script(c):
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            while True:
                request = c.request()
                if request is None:
                    return
                reply(c, *request)

    return script


def read_head(raw):
    """First line and fields of a head that the proxy wrote; every line must be `name: value`."""
    first, *lines = raw.decode("latin-1").split("\r\n")
    return first, [re.fullmatch(r"(?a)([!-9;-~]+): (\S|\S[^\r\n\0]*\S)?", line).groups("") for line in lines]


class Seen:
    """One whole request as a server got it."""

    def __init__(self, connection, head, body, trailers):
        self.connection, self.raw_head, self.body, self.trailers = connection, head, body, trailers
        self.line, self.fields = read_head(head)
        self.method, self.target, self.version = self.line.split(" ")

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def names(self):
        return [n.lower() for n, v in self.fields]

    def others(self):
        """The fields that are the caller's: without those that the proxy always writes itself."""
        return [(n, v) for n, v in self.fields if n.lower() not in ("host", "successfactors-companyid")]


class Recorder(Script):
    """A scripted server that keeps every whole request it gets and answers with reply(connection, seen)."""

    def __init__(self, pki, reply=lambda c, seen: c.reply(b"ok"), **kwargs):
        self.seen, self.unfinished, self.reply = [], [], reply
        super().__init__(pki, self._record, **kwargs)

    def _record(self, c):
        start = 0
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            while c.sock.fileno() != -1:
                start = len(c.bytes) - len(c.pending)
                seen = self._read(c)
                if seen is None:
                    break
                start = len(c.bytes) - len(c.pending)
                self.seen.append(seen)
                self.reply(c, seen)
        if len(c.bytes) > start:
            self.unfinished.append(c.bytes[start:])

    def _read(self, c):
        head = c.head()
        if head is None:
            return None
        body, trailers = b"", b""
        length = re.search(rb"(?im)^content-length: (\d+)\r?$", head)
        if re.search(rb"(?im)^transfer-encoding: chunked\r?$", head):
            body, trailers = self._chunked(c)
        elif length:
            body = c.body(int(length.group(1)))
            if len(body) < int(length.group(1)):
                return None
        return None if body is None else Seen(c, head, body, trailers)

    def _chunked(self, c):
        body, trailers = b"", b""
        while True:
            line = c.read_until(b"\r\n")
            if line is None:
                return None, None
            assert re.fullmatch(rb"[0-9a-f]+\r\n", line), line
            size = int(line, 16)
            if size == 0:
                break
            body += c.body(size)
            end = c.body(2)
            if len(end) < 2:
                return None, None
            assert end == b"\r\n", end
        while True:
            line = c.read_until(b"\r\n")
            if line is None:
                return None, None
            if line == b"\r\n":
                return body, trailers
            trailers += line

    def take(self):
        """What was seen since the last time."""
        taken, self.seen[:] = list(self.seen), []
        return taken


def remove_tree(path):
    shutil.rmtree(path, ignore_errors=True)


class Names:
    """What a proxy with this environment finds for names, in place of /etc/hosts and DNS."""

    def __init__(self, folder):
        libraries = glob.glob("/usr/lib/*/libnss_wrapper.so") + glob.glob("/usr/lib64/libnss_wrapper.so")
        assert libraries, "the package libnss-wrapper is missing"
        self.folder, self.hosts = folder, folder / "hosts"
        unjustly_blamed = folder / "tsan.suppressions"
        unjustly_blamed.write_text("mutex:libnss_wrapper\nrace:libnss_wrapper\n")
        self.environment = {"LD_PRELOAD": libraries[0], "NSS_WRAPPER_HOSTS": str(self.hosts),
                            "NSS_WRAPPER_DISABLE_DEEPBIND": "1",  # sanitizers cannot live with it
                            **self.more("ASAN_OPTIONS", "verify_asan_link_order=0"),
                            **self.more("TSAN_OPTIONS", f"suppressions={unjustly_blamed}")}
        self.set()

    @staticmethod
    def more(variable, option):
        return {variable: ":".join(filter(None, [os.environ.get(variable), option]))}

    def set(self, **addresses):
        """set(name=[address, ...]): from now on; _ in a name stands for a dot."""
        lines = [f"{address} {name.replace('_', '.')}\n" for name, found in addresses.items() for address in found]
        self._replace("127.0.0.1 localhost\n" + "".join(lines))

    def _replace(self, text):
        (self.folder / "hosts.new").write_text(text)
        (self.folder / "hosts.new").rename(self.hosts)

    def block(self):
        """No name is answered any more, until the returned function is called: it finds what it found before."""
        before, fifo = self.hosts.read_text(), self.folder / "fifo"
        os.mkfifo(fifo)
        os.link(fifo, self.folder / "hosts.new")
        (self.folder / "hosts.new").rename(self.hosts)

        def release():
            self._replace(before)
            os.close(os.open(fifo, os.O_RDWR))  # whoever waits to read goes on

        return release


def pump(source, sink):
    """Passes bytes on, and the end."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Relay:
    """A port that leads to another one; the first connection gets through only once go_on is set."""

    def __init__(self, port):
        self.target, self.go_on, self.count = port, threading.Event(), 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self.listener.accept()
                self.count += 1
                threading.Thread(target=self._serve, args=(caller, self.count == 1), daemon=True).start()

    def _serve(self, caller, waits):
        if waits:
            happened(self.go_on)
        server = socket.create_connection(("127.0.0.1", self.target))
        threading.Thread(target=pump, args=(server, caller), daemon=True).start()
        pump(caller, server)

    def stop(self):
        self.go_on.set()
        self.listener.close()
