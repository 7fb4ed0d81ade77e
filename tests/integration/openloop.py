"""Calls at a rate that does not depend on the answers: request n goes out n/rate seconds after the first, whether those
before it were answered or not, on a connection that has nothing to do, or on a new one. In a process of its own, until
its standard input ends; then it says what came of them. Its first line says that it has begun.

    python3 openloop.py HOST PORT TARGET RATE"""
import collections
import json
import re
import selectors
import socket
import subprocess
import sys
import time

END = 30  # seconds that the last answers may take


class Connection:
    def __init__(self, address):
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.got, self.due, self.newest = b"", None, 0  # due: when its request was to go out; None: it has none


class Load:
    def __init__(self, address, target, rate):
        self.address, self.rate = address, rate
        self.request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        self.selector, self.idle = selectors.DefaultSelector(), collections.deque()
        self.sent = self.connections = 0
        self.latest = 0.0  # by how much a request left too late
        self.seconds, self.took, self.flaws = collections.Counter(), [], []
        self.serials = {}  # of the certificate that the server saw: in which order they came first
        self.open = 0

    def send(self, due):
        c = self.idle.popleft() if self.idle else self.connect()
        now = time.monotonic()
        c.got, c.due, c.newest = b"", due, len(self.serials) - 1
        self.sent += 1
        self.open += 1
        self.latest = max(self.latest, now - due)
        self.seconds[int(now - self.begun)] += 1
        try:
            c.socket.send(self.request)
        except OSError as e:
            self.fail(c, repr(e))

    def connect(self):
        c = Connection(self.address)
        self.connections += 1
        self.selector.register(c.socket, selectors.EVENT_READ, c)
        return c

    def fail(self, c, flaw):
        if c.due is not None:
            self.open -= 1
            self.flaws.append(flaw)
        self.selector.unregister(c.socket)
        c.socket.close()
        if c in self.idle:
            self.idle.remove(c)

    def receive(self, c):
        try:
            data = c.socket.recv(65536)
        except OSError as e:
            return self.fail(c, repr(e))
        if not data:
            return self.fail(c, f"closed after {c.got!r}")
        c.got += data
        head, found, body = c.got.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\nContent-Length: *(\d+)", head)
        if found and (len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")):  # else it is chunked
            self.take(c, head, body)

    def take(self, c, head, body):
        self.took.append(time.monotonic() - c.due)
        if not head.startswith(b"HTTP/1.1 200 "):
            self.flaws.append(c.got.decode(errors="replace"))
        elif serial := re.search(rb'"serial":"(\w+)"', body):
            if self.serials.setdefault(serial[1], len(self.serials)) < c.newest:
                self.flaws.append(f"{serial[1].decode()} came back, though a newer one had been seen before")
        self.open -= 1
        c.due = None
        self.idle.append(c)
        if len(self.took) == 1:
            print("begun", flush=True)

    def turn(self, wait):
        for key, _ in self.selector.select(max(0, wait)):
            if key.data is None:
                self.over = True
                self.selector.unregister(key.fileobj)
            else:
                self.receive(key.data)

    def run(self, until):
        self.begun, self.over = time.monotonic(), False
        self.selector.register(until, selectors.EVENT_READ, None)
        while not self.over:
            due = self.begun + self.sent / self.rate
            while due <= time.monotonic():
                self.send(due)
                due = self.begun + self.sent / self.rate
            self.turn(due - time.monotonic())
        took = time.monotonic() - self.begun
        while self.open > 0 and time.monotonic() < self.begun + took + END:
            self.turn(0.1)
        return took

    def said(self, took):
        ordered = sorted(self.took) or [0]
        whole = [self.seconds[n] for n in range(int(took))] or [0]
        return {"seconds": took, "sent": self.sent, "rate": self.sent / took, "unanswered": self.open,
                "least_in_a_second": min(whole), "most_in_a_second": max(whole), "latest": self.latest,
                "median": ordered[len(ordered) // 2], "p99": ordered[len(ordered) * 99 // 100], "slowest": ordered[-1],
                "connections": self.connections, "failed": len(self.flaws), "flaws": self.flaws[:5],
                "serials": [s.decode() for s in self.serials]}


class Running:
    """The same for a test: once one is answered, until result()."""

    def __init__(self, port, target, rate):
        self.process = subprocess.Popen([sys.executable, __file__, "127.0.0.1", str(port), target, str(rate)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "begun\n"

    def result(self, limit=60):
        out, _ = self.process.communicate("", timeout=limit)
        assert self.process.returncode == 0
        return json.loads(out)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def main():
    host, port, target, rate = sys.argv[1:]
    load = Load((host, int(port)), target, float(rate))
    json.dump(load.said(load.run(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
