"""A load of an exact number of requests: what is counted must not depend on how fast it went.

Each caller sends its next request when it has the whole answer to the one before. All callers of a
round send before the first answer is read, so a round looks the same to the proxy every time.
"""
import contextlib
import pathlib
import re
import resource
import socket
import sys
import threading
import time

LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)\r\n")


class Caller:
    def __init__(self, port):
        self.port = port
        self.socket = None

    def send(self, request):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), 120)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)

    def receive(self, closes):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._some(65536)
        head, _, body = head.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        empty = head.startswith(b"HTTP/1.1 204 ")
        if not head.startswith(b"HTTP/1.1 2") or (length is None and not empty):
            sys.exit(f"a wrong answer under load: {head[:300]!r}")
        left = 0 if empty else int(length.group(1)) - len(body)
        while left > 0:
            left -= len(self._some(left))
        if closes:
            self.close()

    def _some(self, most):
        data = self.socket.recv(min(most, 1 << 20))
        if not data:
            sys.exit("a connection ended under load")
        return data

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None


def connections_to(port):
    """How many connections of this machine lead to that port of the loopback."""
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[2:4] == [f"0100007F:{port:04X}", "01"] for line in lines)


def warm(port, origin, callers):
    """Makes the proxy open a connection to the origin for each caller: each sends a request without its
    last byte, and gets that byte when all connections are there."""
    before = connections_to(origin)
    crowd = [Caller(port) for _ in range(callers)]
    for number, caller in enumerate(crowd):
        caller.send((f"PUT /put/{number} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                     "Connection: close\r\nContent-Length: 2\r\n\r\na").encode())
    end = time.monotonic() + 120
    while connections_to(origin) - before < callers:
        if time.monotonic() > end:
            sys.exit(f"{connections_to(origin) - before} connections to the server in place of {callers}")
        threading.Event().wait(0.01)
    for caller in crowd:
        caller.send(b"b")
        caller.receive(True)


@contextlib.contextmanager
def others(port, number, at_once=64):
    """Callers that had an answer each, so many at once, and stay, without another request."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, number + 512)), hard))
    crowd = [Caller(port) for _ in range(number)]
    request = f"GET /1k HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    for begin in range(0, number, at_once):
        play_round(crowd[begin:begin + at_once], request, False)
    yield
    for caller in crowd:
        caller.close()


def run(port, path, callers, rounds, closes, observer=contextlib.nullcontext()):
    """rounds requests of each caller; closes: each on a connection of its own. The observer is entered
    after one more round, by which all connections are there, and left before they are closed."""
    request = (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
               "Authorization: Basic c2ZhcGlAQUNNRTpwdw==\r\n"
               + ("Connection: close\r\n" if closes else "") + "\r\n").encode()
    crowd = [Caller(port) for _ in range(callers)]
    play_round(crowd, request, closes)
    with observer:
        for _ in range(rounds):
            play_round(crowd, request, closes)
    for caller in crowd:
        caller.close()


def play_round(crowd, request, closes):
    for caller in crowd:
        caller.send(request)
    for caller in crowd:
        caller.receive(closes)
