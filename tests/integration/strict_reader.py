"""An HTTP/1.1 answer read as strictly as RFC 9112 lets a caller read it.

Written from the RFC, and from nothing else: what the proxy sends is held against it. Whatever is not exactly as the RFC
demands raises Flaw."""
import re

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [\t \x21-\x7e\x80-\xff]*")
FIELD_LINE = re.compile(rb"(%s): ?((?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)" % TOKEN)
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")


class Flaw(Exception):
    """The bytes are no sound answer; or the connection ended in the middle of one (.body: what had come)."""

    def __init__(self, what, body=b""):
        super().__init__(what)
        self.body = body


class Message:
    """A status line and its fields; then how its body was delimited: none, length, chunked or close."""

    def __init__(self, head):
        lines = head.split(b"\r\n")
        found = STATUS_LINE.fullmatch(lines[0])
        if not found:
            raise Flaw(f"status line {lines[0]!r}")
        self.status, self.fields = int(found.group(1)), []
        self.body, self.trailers, self.framing = b"", [], "none"
        for line in lines[1:]:
            self.fields.append(field_of(line))

    def all(self, name):
        return [value for n, value in self.fields if n.lower() == name.lower()]

    def options(self):
        """Of Connection (RFC 9110, 7.6.1)."""
        return {option.strip().lower() for value in self.all("Connection") for option in value.split(",")}


def field_of(line):
    """RFC 9112, 5: no blank before the colon, no folding, no control character."""
    found = FIELD_LINE.fullmatch(line)
    if not found:
        raise Flaw(f"field line {line!r}")
    return found.group(1).decode(), found.group(2).decode("latin-1")


class Reader:
    """Reads answers from receive(), which returns the next bytes, b"" at the end of the connection."""

    def __init__(self, receive):
        self.receive, self.pending = receive, b""

    def _fill(self):
        data = self.receive()
        self.pending += data
        return bool(data)

    def _until(self, mark):
        while mark not in self.pending:
            if not self._fill():
                raise Flaw(f"the connection ended behind {self.pending!r}")
        found, self.pending = self.pending.split(mark, 1)
        return found

    def _exactly(self, n):
        while len(self.pending) < n:
            if not self._fill():
                raise Flaw(f"the connection ended {n - len(self.pending)} bytes early", self.pending)
        found, self.pending = self.pending[:n], self.pending[n:]
        return found

    def message(self, method, version="HTTP/1.1"):
        """The next one, an interim one too; behind it nothing has been read."""
        m = Message(self._until(b"\r\n\r\n"))
        length = self._framing_of(m, method, version)
        try:
            if m.framing == "length":
                m.body = self._exactly(length)
            elif m.framing == "chunked":
                self._chunked(m)
            elif m.framing == "close":
                while self._fill():
                    pass
                m.body, self.pending = self.pending, b""
        except (Flaw, ConnectionResetError) as e:
            raise Flaw(f"{e!r} in the body of {m.status}", m.body or getattr(e, "body", b"")) from e
        return m

    @staticmethod
    def _framing_of(m, method, version):
        """RFC 9112, 6.3, and what 6.1 and RFC 9110, 8.6 forbid to send; the length, if there is one."""
        lengths, codings = m.all("Content-Length"), m.all("Transfer-Encoding")
        bodiless = m.status < 200 or m.status == 204
        if len(lengths) > 1 or len(codings) > 1 or (lengths and codings):
            raise Flaw(f"{lengths} beside {codings}")
        if bodiless and (lengths or codings):
            raise Flaw(f"{m.status} with {lengths} {codings}")
        if codings and (codings != ["chunked"] or version == "HTTP/1.0"):
            raise Flaw(f"Transfer-Encoding: {codings[0]} to {version}")
        if lengths and not re.fullmatch("0|[1-9][0-9]*", lengths[0]):
            raise Flaw(f"Content-Length: {lengths[0]}")
        if bodiless or method == "HEAD" or m.status == 304:
            return 0
        m.framing = "chunked" if codings else "length" if lengths else "close"
        if m.framing == "close" and "close" not in m.options():
            raise Flaw("neither a length nor chunks, and the connection is to go on")
        return int(lengths[0]) if lengths else 0

    def _chunked(self, m):
        while True:
            size = self._until(b"\r\n")
            if not CHUNK_SIZE.fullmatch(size):
                raise Flaw(f"chunk size {size!r}")
            if int(size, 16) == 0:
                break
            try:
                m.body += self._exactly(int(size, 16))
            except Flaw as e:
                m.body += e.body
                raise
            if self._exactly(2) != b"\r\n":
                raise Flaw("no CRLF behind a chunk")
        while line := self._until(b"\r\n"):
            m.trailers.append(field_of(line))


def goes_on(m, version, options=()):
    """May another request follow on this connection (RFC 9112, 9.3)? options: of the request's Connection."""
    if m.framing == "close" or "close" in m.options() or "close" in options:
        return False
    return version == "HTTP/1.1" or ("keep-alive" in m.options() and "keep-alive" in options)
