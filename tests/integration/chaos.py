"""The two sides of test_chaos.py, each a process of its own: a TLS server that fails in every way, and callers that
do. A caller asks for a fault by name, knows what may come of it, and writes down what came, one JSON line each.

    chaos.py origin PKI SEED                           prints its port; told to end, what it found wrong
    chaos.py callers PORT SEED NUMBER FIRST COUNT      makes COUNT exchanges, their tags from FIRST on
"""
import asyncio
import json
import pathlib
import random
import signal
import socket
import ssl
import sys

CALLERS = 64  # at the same time
LIMIT = 60  # seconds after which an exchange counts as hung
LINGER = b"\1\0\0\0\0\0\0\0"

# What may be told of any exchange: the server ends one connection in a hundred before it has served anything.
COMMON = {"upstream-closed", "tls-failed", "handshake-timeout", "answer-timeout"}
WHOLE, BROKEN, REFUSED = "whole", "broken", "refused"
FAULTS = {  # what the server does: the outcomes beside a problem of COMMON, and further tokens
    "none": ({WHOLE}, set()),
    "drip": ({WHOLE}, set()),
    "interim": ({WHOLE}, set()),
    "extra": ({WHOLE}, set()),
    "close-behind": ({WHOLE}, set()),
    "reset-behind": ({WHOLE, BROKEN}, set()),
    "reset": (set(), set()),
    "cut": (set(), set()),
    "close": (set(), set()),
    "stall": (set(), {"answer-timeout"}),
    "half-head": (set(), set()),
    "half-head-stall": (set(), {"answer-timeout"}),
    "garbage": (set(), {"bad-answer"}),
    "bad-head": (set(), {"bad-answer"}),
    "large-head": (set(), {"answer-head-too-large"}),
    "upgrade": (set(), {"unexpected-upgrade"}),
    "short": ({BROKEN}, set()),
    "short-chunks": ({BROKEN}, set()),
    "bad-chunks": ({BROKEN}, {"bad-answer"}),
    "body-stall": ({BROKEN}, {"answer-timeout"}),
    "garbage-on-the-wire": ({BROKEN}, set()),
    "alert": ({BROKEN}, {"client-certificate-refused"}),
    "early": ({WHOLE, BROKEN}, set()),
}


def content(tag, size):
    """So many bytes that no other exchange has."""
    text = f"{tag};".encode()
    return (text * (size // len(text) + 1))[:size]


# ---- the server ----

class Origin(asyncio.Protocol):
    """One connection: TLS through memory, so that it can be broken anywhere."""
    context = seed = None
    count, wrong = 0, []

    def connection_made(self, transport):
        Origin.count += 1
        self.random = random.Random(f"{self.seed} {Origin.count}")
        self.transport = transport
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.shaken, self.over, self.pending = False, False, b""
        self.in_handshake = self.random.choice(["close", "reset", "alert", "garbage", "stall"]) \
            if self.random.random() < 0.01 else None

    def connection_lost(self, why):
        self.over = True

    def data_received(self, data):
        if self.over:
            return
        if self.in_handshake is not None:
            return self.fail_in_handshake()
        self.incoming.write(data)
        try:
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
            while data := self.tls.read(65536):
                self.pending += data
                self.serve()
            self.end("close")  # close_notify
        except ssl.SSLWantReadError:
            self.flush()
        except ssl.SSLError:
            self.end("cut")

    def fail_in_handshake(self):
        if self.in_handshake == "alert":
            self.transport.write(b"\x15\x03\x03\0\x02\x02" + bytes([self.random.choice([40, 47, 70, 80])]))
        elif self.in_handshake == "garbage":
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif self.in_handshake == "stall":
            return
        self.end("reset" if self.in_handshake == "reset" else "cut")

    def flush(self):
        if not self.over and (data := self.outgoing.read()):
            self.transport.write(data)

    def send(self, data):
        if self.over:
            return
        try:
            self.tls.write(data)
        except ssl.SSLError:
            return self.end("cut")
        self.flush()

    def end(self, how):
        """close: in order; cut: without close_notify; reset: with a RST."""
        if self.over:
            return
        if how == "close":
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass
            self.flush()
        self.over = True
        if how == "reset":
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            self.transport.abort()
        else:
            self.transport.close()

    def end_somehow(self):
        self.end(self.random.choice(["close", "cut", "reset"]))

    def serve(self):
        while b"\r\n\r\n" in self.pending and not self.over:
            head, rest = self.pending.split(b"\r\n\r\n", 1)
            fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
            fault, tag = fields[b"X-Fault"].decode(), int(fields[b"X-Tag"])
            if fault == "early":
                self.pending = b""
                self.answer(tag, fields, head)
                return self.end("close")
            body, rest = self.body(fields, rest)
            if body is None:
                return
            self.pending = rest
            if body != content(tag, int(fields[b"X-Sends"])) or head.split(b" ")[1] != b"/t/%d" % tag:
                Origin.wrong.append(f"{head} {body[:80]}")
            self.perform(fault, tag, fields, head)

    @staticmethod
    def body(fields, rest):
        """A whole body and what stands behind it; None if it is not whole."""
        if b"Content-Length" in fields:
            n = int(fields[b"Content-Length"])
            return (rest[:n], rest[n:]) if len(rest) >= n else (None, None)
        if b"Transfer-Encoding" not in fields:
            return b"", rest
        body = b""
        while b"\r\n" in rest:
            size, rest = rest.split(b"\r\n", 1)
            n = int(size, 16)
            if len(rest) < n + 2:
                break
            body, rest = body + rest[:n], rest[n + 2:]
            if n == 0:
                return body, rest
        return None, None

    def pieces(self, tag, fields):
        """Head and body of a good answer, in the shape that was asked for."""
        size, shape = int(fields[b"X-Wants"]), fields[b"X-Shape"].decode()
        body = content(tag, size)
        head = f"HTTP/1.1 200 OK\r\nX-Tag: {tag}\r\nX-Size: {size}\r\n"
        if shape == "length":
            head += f"Content-Length: {size}\r\n"
        elif shape == "chunks":
            head += "Transfer-Encoding: chunked\r\n"
            cut = self.random.randrange(size + 1)
            body = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (body[:cut], body[cut:]) if p) + b"0\r\n\r\n"
        return head.encode() + b"\r\n", body

    def answer(self, tag, fields, head):
        start, body = self.pieces(tag, fields)
        self.send(start + (b"" if head.startswith(b"HEAD ") else body))
        if fields[b"X-Shape"] == b"end":
            self.end("close")

    def perform(self, fault, tag, fields, head):
        start, body = self.pieces(tag, fields)
        if fault == "none":
            self.answer(tag, fields, head)
        elif fault == "drip":
            self.drip(start + body, fields[b"X-Shape"] == b"end")
        elif fault == "interim":
            self.send(b"HTTP/1.1 103 Early Hints\r\nX-Tag: 0\r\n\r\n" * self.random.randrange(1, 5))
            self.answer(tag, fields, head)
        elif fault == "extra":
            self.send(start + body + self.random.choice([b"\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"]))
        elif fault in ("close-behind", "reset-behind"):
            self.send(start + body)
            self.end(fault[:5])
        elif fault in ("reset", "cut", "close"):
            self.end(fault)
        elif fault in ("stall", "half-head-stall", "body-stall"):
            self.send({"s": b"", "h": start[:20], "b": start + body[:-7]}[fault[0]])
        elif fault == "half-head":
            self.send(start[:self.random.randrange(1, len(start) - 2)])
            self.end_somehow()
        elif fault == "garbage":
            self.send(bytes([self.random.choice(b"\0\x16\x80<h{")]) + self.random.randbytes(200))
        elif fault == "bad-head":
            field = self.random.choice([b"Content-Length : 5", b"Content-Length: 5\r\nContent-Length: 6", b" X: y",
                                        b"Transfer-Encoding: x"])
            self.send(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n\r\nhello")
        elif fault == "large-head":
            self.send(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n")
        elif fault == "upgrade":
            self.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")
        elif fault in ("short", "short-chunks"):
            self.send(start + body[:-self.random.randrange(1, 7)])
            self.end_somehow()
        elif fault == "bad-chunks":
            self.send(start + body[:-5] + self.random.choice([b"x\r\n", b"-1\r\n", b"5\nhello\r\n0\r\n\r\n"]))
        elif fault == "garbage-on-the-wire":
            self.send(start + body[:-7])
            if not self.over:
                self.transport.write(self.random.randbytes(100))
        elif fault == "alert":
            self.send(start + body[:-7])
            if not self.over:
                self.transport.write(b"\x15\x03\x03\0\x02\x02\x28")
            self.end("cut")
        else:
            raise ValueError(fault)

    def drip(self, data, ends, at=0):
        step = len(data) // 8 + 1
        self.send(data[at:at + step])
        if at + step < len(data):
            asyncio.get_running_loop().call_later(0.005, self.drip, data, ends, at + step)
        elif ends:
            self.end("close")


async def serve(pki, seed):
    pki = pathlib.Path(pki)
    Origin.seed = seed
    Origin.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Origin.context.load_cert_chain(pki / "server.pem", pki / "server.key")
    Origin.context.verify_mode = ssl.CERT_REQUIRED
    Origin.context.load_verify_locations(pki / "client-ca.pem")
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    server = await asyncio.get_running_loop().create_server(Origin, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await over.wait()
    print(json.dumps(Origin.wrong[:5]), flush=True)


# ---- the callers ----

class Gone(Exception):
    """The caller left: whatever comes of it, nobody sees it."""


class Wrong(Exception):
    """The proxy did what it must not do."""


class Exchange:
    def __init__(self, rng, tag):
        self.tag, self.random = tag, rng
        self.fault = rng.choice(list(FAULTS)) if rng.random() < 0.3 else "none"
        self.shape = rng.choice(["length", "length", "chunks", "chunks", "end"])
        self.wants = rng.choice([1, 10, 1000, 1000, 20000, 100000])
        self.sends = rng.choice([0, 0, 0, 1, 1000, 20000, 100000])
        if "chunks" in self.fault:
            self.shape, self.wants = "chunks", self.wants + 9
        elif self.fault in ("short", "body-stall", "garbage-on-the-wire", "alert", "extra"):
            self.shape, self.wants = "length", self.wants + 9
        self.method = "GET" if self.sends == 0 else rng.choice(["POST", "POST", "PUT"])
        if self.fault == "none" and self.sends == 0 and rng.random() < 0.1:
            self.method = "HEAD"
        self.chunked = self.sends > 0 and rng.random() < 0.5

    def head(self, *more):
        fields = [f"{self.method} /t/{self.tag} HTTP/1.1", "Host: localhost", f"X-Tag: {self.tag}",
                  f"X-Fault: {self.fault}", f"X-Shape: {self.shape}", f"X-Wants: {self.wants}",
                  f"X-Sends: {self.sends}", *more]
        if self.chunked:
            fields.append("Transfer-Encoding: chunked")
        elif self.sends > 0:
            fields.append(f"Content-Length: {self.sends}")
        return "\r\n".join([*fields, "", ""]).encode()

    def body(self):
        data = content(self.tag, self.sends)
        if not self.chunked:
            return data
        cut = self.random.randrange(self.sends + 1)
        return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (data[:cut], data[cut:]) if p) + b"0\r\n\r\n"

    def request(self, *more):
        return self.head(*more) + self.body()

    def judge(self, status, fields, body, complete, known):
        """(outcome, token) of an answer to a caller who has done nothing wrong."""
        if b"Proxy-Status" in fields:
            return REFUSED, self.judge_problem(status, fields, body, known)
        if status != 200 or fields.get(b"X-Tag") != b"%d" % self.tag:
            raise Wrong(f"not the answer to {self.tag}: {status} {fields}")
        whole = b"" if self.method == "HEAD" else content(self.tag, self.wants)
        if body != whole[:len(body)] or (complete and len(body) < len(whole)):
            raise Wrong(f"not the body of {self.tag}: {len(body)} of {len(whole)} bytes")
        outcome = WHOLE if complete else BROKEN
        if outcome not in FAULTS[self.fault][0]:
            raise Wrong(f"{self.fault} led to an answer that is {outcome}")
        return outcome, None

    def judge_problem(self, status, fields, body, known):
        if self.method == "HEAD":
            return None
        problem = json.loads(body)
        token = problem["token"]
        if fields[b"Content-Type"] != b"application/problem+json" or known.get(token) != status:
            raise Wrong(f"{self.tag}: {status} {token}")
        if token not in COMMON | FAULTS[self.fault][1]:
            raise Wrong(f"{self.fault} led to {token}: {problem['detail']}")
        return token


async def read_answer(reader, method):
    """Status, fields, body, whether it is complete, whether the connection goes on. None: there was none."""
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return None
        status = int(head.split(b" ", 2)[1])
        if status >= 200:
            break
    fields = dict(line.split(b": ", 1) for line in head[:-4].split(b"\r\n")[1:])
    goes_on = fields.get(b"Connection") != b"close"
    if method == "HEAD":
        return status, fields, b"", True, goes_on
    body = b""
    try:
        if b"Content-Length" in fields:
            n = int(fields[b"Content-Length"])
            while len(body) < n:
                part = await reader.read(n - len(body))
                if not part:
                    return status, fields, body, False, False
                body += part
            return status, fields, body, True, goes_on
        while True:
            size = int(await reader.readuntil(b"\r\n"), 16)
            body += (await reader.readexactly(size + 2))[:-2]
            if size == 0:
                return status, fields, body, True, goes_on
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return status, fields, body, False, False


class Caller:
    def __init__(self, port, rng, known, write):
        self.port, self.random, self.known, self.write = port, rng, known, write
        self.reader = self.writer = None

    async def open(self):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    def leave(self, reset):
        if self.writer is not None:
            if reset:
                self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
                self.writer.transport.abort()
            else:
                self.writer.close()
        self.reader = self.writer = None

    async def slowly(self, data, pieces=6):
        """The pauses are this caller's pace; nothing is waited for by them."""
        step = len(data) // pieces + 1
        for i in range(0, len(data), step):
            self.writer.write(data[i:i + step])
            await asyncio.sleep(0.003)

    async def take(self, x):
        """Reads the answer to x and writes down what it was."""
        got = await read_answer(self.reader, x.method)
        if got is None:
            raise Wrong(f"no answer to {x.tag} ({x.fault})")
        *answer, goes_on = got
        outcome, token = x.judge(*answer, self.known)
        self.write(x.tag, outcome, token)
        if not goes_on:
            if outcome != BROKEN and await self.reader.read(1) != b"":
                raise Wrong(f"something came behind the last answer, to {x.tag}")
            self.leave(False)
        return goes_on

    # ways to make exchanges; each returns how many it took of those it was given

    async def plainly(self, x, *_):
        self.writer.write(x.request())
        await self.take(x)
        return 1

    async def in_pieces(self, x, *_):
        await self.slowly(x.request())
        await self.take(x)
        return 1

    async def in_a_pipeline(self, *exchanges):
        for x in exchanges:
            self.writer.write(x.request())
        for i, x in enumerate(exchanges):
            if not await self.take(x):
                return i + 1
        return len(exchanges)

    async def half_closing(self, x, *_):
        self.writer.write(x.request())
        self.writer.write_eof()
        await self.take(x)
        self.leave(False)
        return 1

    async def reading_slowly(self, x, *_):
        self.writer.write(x.request())
        await asyncio.sleep(0.05)
        await self.take(x)
        return 1

    async def vanishing(self, x, *_):
        self.writer.write(x.request())
        await asyncio.sleep(self.random.choice([0, 0, 0.001, 0.01]))
        self.write(x.tag, "gone", None)
        raise Gone

    async def vanishing_in_the_request(self, x, *_):
        data = x.request()
        self.writer.write(data[:self.random.randrange(1, len(data))])
        await asyncio.sleep(self.random.choice([0, 0.001, 0.01]))
        self.write(x.tag, "gone", None)
        raise Gone

    async def vanishing_in_the_answer(self, x, *_):
        self.writer.write(x.request())
        await self.reader.read(self.random.randrange(1, 2000))
        self.write(x.tag, "gone", None)
        raise Gone

    async def with_garbage(self, x, *_):
        self.writer.write(self.random.choice([
            b"\0", b"\x16\x03\1\2\0", b"GET / HTTP/1.1\nX: y\n\n", b"GET  / HTTP/1.1\r\n\r\n", b"{}\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", b"POST / HTTP/1.1\r\nHost: localhost\r\nX\r\n\r\n"]))
        got = await read_answer(self.reader, "GET")
        if got is None or got[0] != 400 or got[4] or self.known.get(json.loads(got[2])["token"]) != 400:
            raise Wrong(f"{x.tag}: garbage was answered by {got}")
        if await self.reader.read(1) != b"":
            raise Wrong(f"something came behind the answer to garbage, {x.tag}")
        self.leave(False)
        self.write(x.tag, "garbage", None)
        return 1

    WAYS = [plainly] * 30 + [in_pieces] * 3 + [in_a_pipeline] * 4 + [
        half_closing, half_closing, reading_slowly, vanishing, vanishing_in_the_request, vanishing_in_the_answer,
        with_garbage]

    async def run(self, way, exchanges):
        """How many were made. What breaks the caller's own writing is judged by what it reads."""
        await self.open()
        try:
            return await asyncio.wait_for(way(self, *exchanges), LIMIT)
        except Gone:
            self.leave(self.random.random() < 0.5)
            return 1
        except asyncio.TimeoutError:
            raise Wrong(f"{way.__name__} of {exchanges[0].tag} ({exchanges[0].fault}) hangs") from None


async def call(port, seed, number, first, count, known):
    left, lines = iter(range(first, first + count)), []

    def write(tag, outcome, token):
        lines.append(json.dumps([tag, outcome, token]))

    async def one(i):
        rng = random.Random(f"{seed} {number} {i}")
        caller, waiting = Caller(port, rng, known, write), []
        while True:
            way = rng.choice(Caller.WAYS)
            while len(waiting) < (rng.randrange(2, 6) if way is Caller.in_a_pipeline else 1):
                tag = next(left, None)
                if tag is None:
                    break
                waiting.append(Exchange(rng, tag))
            if not waiting:
                return caller.leave(False)
            made = await caller.run(way, waiting if way is Caller.in_a_pipeline else waiting[:1])
            waiting = waiting[made:]

    await asyncio.gather(*(one(i) for i in range(CALLERS)))
    print("\n".join(lines))


if __name__ == "__main__":
    if sys.argv[1] == "origin":
        asyncio.run(serve(sys.argv[2], sys.argv[3]))
    else:
        asyncio.run(call(int(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:7]), json.load(sys.stdin)))
