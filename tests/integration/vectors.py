"""Request vectors: bytes as adversaries (and odd but honest callers) write them, and what has to become of them.

They are written in origin-form for Host localhost; in_form() turns each into the other two forms. A vector's outcome
is a list, one entry for each answer that the caller gets: a token, if the proxy answers that itself, or a Passed, if
exactly this request reaches the server. Where the sources disagree with each other, the strictest of them holds, for
what is ambiguous is refused; the facts are from

  RFC 9110, 9112, 9113 3.4, 3986        what is a request, and what bounds it
  PortSwigger                           HTTP Desync Attacks (2019: CL.TE, TE.CL, TE.TE), Browser-Powered Desync
                                        (2022: CL.0), HTTP/1.1 Must Die (2025: 0.CL, Expect)
  TE.0 (2024), Funky Chunks (2025)      a body that only one side reads; TERM.EXT, EXT.TERM, TERM.SPILL, SPILL.TERM
  HTTP Garden, llhttp, http-parser      line ends, blanks, sizes, versions, where real servers differ
  CVE-2020-8287, -2021-22959, -2021-22960, -2022-32213, -2022-32214, -2022-32215, -2022-35256
"""
import re
from typing import NamedTuple

HOST = b"Host: localhost\r\n"
FORMS = ["origin", "absolute", "inside"]


class Passed(NamedTuple):
    """A request as the server gets it; fields without Host and company ID, which are checked for every one."""
    line: str
    fields: list = []
    body: bytes = b""
    trailers: bytes = b""


class Vector(NamedTuple):
    name: str
    raw: bytes
    want: list
    source: str
    other: dict = {}  # outcomes that differ by form

    def wanted(self, form):
        return self.other.get(form, self.want)


def in_form(form, raw, port):
    """The bytes for that form; a target that is no path stays what it is."""
    raw = raw.replace(b"@PORT@", b"%d" % port)
    if form != "absolute":
        return raw
    path = re.match(rb"(?:\r\n)*[^\r\n]*?[ \t](?=/)", raw)
    return raw if path is None else path.group() + b"http://localhost:%d" % port + raw[path.end():]


def each(raw):
    return [bytes([c]) for c in raw]


def get(fields=b"", line=b"GET / HTTP/1.1"):
    return line + b"\r\n" + HOST + fields + b"\r\n"


def post(fields, body=b"", version=b"HTTP/1.1"):
    return b"POST / " + version + b"\r\n" + HOST + fields + b"\r\n" + body


def chunked(body):
    return post(b"Transfer-Encoding: chunked\r\n", body)


# ---- requests that are refused ----

SMUGGLED = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

AMBIGUOUS = [  # (name, bytes): 400 request-ambiguous
    ("CL, then TE", post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", SMUGGLED)),
    ("TE, then CL", post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", SMUGGLED)),
    ("CL 0 and TE", post(b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", SMUGGLED)),
    ("bad TE and CL", post(b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n", SMUGGLED)),
    ("two CL that differ", post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!")),
    ("two CL that agree", post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello")),
    ("two CL in two cases", post(b"Content-Length: 5\r\ncontent-length: 6\r\n", b"hello!")),
    ("two CL on one line", post(b"Content-Length: 5, 5\r\n", b"hello")),
    ("CL with a sign", post(b"Content-Length: +5\r\n", b"hello")),
    ("CL below zero", post(b"Content-Length: -5\r\n", b"hello")),
    ("CL below zero by nothing", post(b"Content-Length: -0\r\n")),
    ("CL in hex", post(b"Content-Length: 0x5\r\n", b"hello")),
    ("CL with a letter", post(b"Content-Length: 5a\r\n", b"hello")),
    ("CL with a fraction", post(b"Content-Length: 5.0\r\n", b"hello")),
    ("CL with an exponent", post(b"Content-Length: 1e1\r\n", b"hello")),
    ("CL in two words", post(b"Content-Length: 5 5\r\n", b"hello")),
    ("CL with an underscore", post(b"Content-Length: 1_0\r\n", b"hello")),
    ("CL with a parameter", post(b"Content-Length: 5;\r\n", b"hello")),
    ("CL in quotes", post(b"Content-Length: \"5\"\r\n", b"hello")),
    ("CL empty", post(b"Content-Length:\r\n", b"hello")),
    ("CL blank", post(b"Content-Length:  \t\r\n", b"hello")),
    ("CL with a full-width digit", post(b"Content-Length: \xef\xbc\x95\r\n", b"hello")),
    ("CL with a no-break space", post(b"Content-Length: \xa05\r\n", b"hello")),
    ("CL of 2^63", post(b"Content-Length: 9223372036854775808\r\n", b"hello")),
    ("CL of 2^64 + 5", post(b"Content-Length: 18446744073709551621\r\n", b"hello")),
    ("CL of 30 digits", post(b"Content-Length: 999999999999999999999999999999\r\n", b"hello")),
    ("CL on GET, bad", get(b"Content-Length: x\r\n")),
    ("TE chunked, identity", post(b"Transfer-Encoding: chunked, identity\r\n", SMUGGLED)),
    ("TE identity, chunked", post(b"Transfer-Encoding: identity, chunked\r\n", SMUGGLED)),
    ("TE gzip, chunked", post(b"Transfer-Encoding: gzip, chunked\r\n", SMUGGLED)),
    ("TE junk, chunked", post(b"Transfer-Encoding: JUNK,chunked\r\n", SMUGGLED)),
    ("TE chunked, chunked", post(b"Transfer-Encoding: chunked, chunked\r\n", SMUGGLED)),
    ("TE chunked and a comma", post(b"Transfer-Encoding: chunked,\r\n", SMUGGLED)),
    ("TE a comma and chunked", post(b"Transfer-Encoding: ,chunked\r\n", SMUGGLED)),
    ("TE xchunked", post(b"Transfer-Encoding: xchunked\r\n", SMUGGLED)),
    ("TE chunkedx", post(b"Transfer-Encoding: chunkedx\r\n", SMUGGLED)),
    ("TE identity", post(b"Transfer-Encoding: identity\r\n", SMUGGLED)),
    ("TE gzip", post(b"Transfer-Encoding: gzip\r\n", SMUGGLED)),
    ("TE empty", post(b"Transfer-Encoding:\r\n", SMUGGLED)),
    ("TE with a parameter", post(b"Transfer-Encoding: chunked;q=1\r\n", SMUGGLED)),
    ("TE in quotes", post(b"Transfer-Encoding: \"chunked\"\r\n", SMUGGLED)),
    ("TE in two words", post(b"Transfer-Encoding: chunked chunked\r\n", SMUGGLED)),
    ("TE with a long s", post(b"Transfer-Encoding: chun\xe2\x84\xaaed\r\n", SMUGGLED)),
    ("two TE chunked", post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", SMUGGLED)),
    ("two TE, identity first", post(b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", SMUGGLED)),
    ("two TE, identity last", post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", SMUGGLED)),
    ("two TE, the second empty", post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n", SMUGGLED)),
    ("two TE in two cases", post(b"Transfer-Encoding: chunked\r\ntransfer-encoding: x\r\n", SMUGGLED)),
    ("TE in HTTP/1.0", post(b"Transfer-Encoding: chunked\r\n", SMUGGLED, b"HTTP/1.0")),
    ("TE and CL in HTTP/1.0", post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", SMUGGLED, b"HTTP/1.0")),
    ("Transfer_Encoding beside CL", post(b"Content-Length: 5\r\nTransfer_Encoding: chunked\r\n", SMUGGLED)),
    ("Content_Length beside TE", post(b"Transfer-Encoding: chunked\r\nContent_Length: 5\r\n", SMUGGLED)),
    ("a name that begins like TE", get(b"Transfer-Encoding-X: chunked\r\n")),
    ("a name that begins like TE, beside CL", post(b"Content-Length: 5\r\nTransfer-EncodingX: chunked\r\n", SMUGGLED)),
    ("TE on GET", get(b"Transfer-Encoding: cow\r\n")),
]

MALFORMED = [  # (name, bytes): 400 request-malformed
    # field lines
    ("blank before the colon of TE", post(b"Transfer-Encoding : chunked\r\n", SMUGGLED)),
    ("tab before the colon of TE", post(b"Transfer-Encoding\t: chunked\r\n", SMUGGLED)),
    ("blank before the colon of CL", post(b"Content-Length : 5\r\n", b"hello")),
    ("blank before the colon of Host", b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n"),
    ("blank in a name", get(b"X Y: z\r\n")),
    ("first field line begins with a blank", b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n"),
    ("first field line begins with a tab", b"GET / HTTP/1.1\r\n\tHost: localhost\r\n\r\n"),
    ("folded TE", post(b"Transfer-Encoding:\r\n chunked\r\n", SMUGGLED)),
    ("TE folded with a tab", post(b"Transfer-Encoding:\r\n\tchunked\r\n", SMUGGLED)),
    ("TE hidden in a fold", post(b"X: y\r\n Transfer-Encoding: chunked\r\n", SMUGGLED)),
    ("folded CL", post(b"Content-Length: 1\r\n 0\r\n", b"0123456789")),
    ("folded field", get(b"X: a\r\n b\r\n")),
    ("fold of nothing", get(b"X: a\r\n \r\n")),
    ("no colon", get(b"X\r\n")),
    ("no colon, but TE in the next words", post(b"X Transfer-Encoding chunked\r\n", SMUGGLED)),
    ("empty name", get(b": x\r\n")),
    ("only a colon", get(b":\r\n")),
    *((f"{c!r} in a name", get(b"X%cY: z\r\n" % c))
      for c in each(b"\0\1\x0b\x0c\x1f\"(),/;<=>?@[\\]{}\x7f\x80\xff")),
    *((f"{c!r} in a value", get(b"X: a%cb\r\n" % c)) for c in each(b"\0\1\x08\x0b\x0c\x0e\x1b\x1f\x7f")),
    *((f"{c!r} ends TE", post(b"Transfer-Encoding: chunked%c\r\n" % c, SMUGGLED)) for c in each(b"\0\x0b\x0c")),
    # line ends
    ("LF everywhere", get().replace(b"\r\n", b"\n") + b"\r\n\r\n"),
    ("LF ends the request line", b"GET / HTTP/1.1\nHost: localhost\r\n\r\n"),
    ("LF ends a field", get(b"X: a\nY: b\r\n")),
    ("LF hides TE", post(b"X: a\nTransfer-Encoding: chunked\r\n", SMUGGLED)),
    ("LF ends the head", b"GET / HTTP/1.1\r\nHost: localhost\r\n\n"),
    ("LF CR LF ends the head", b"GET / HTTP/1.1\r\nHost: localhost\n\r\n"),
    ("LF CR", b"GET / HTTP/1.1\r\nHost: localhost\n\r\n\r"),
    ("LF before the request", b"\n" + get()),
    ("CR in a value", get(b"X: a\rb\r\n")),
    ("CR hides TE", post(b"X: a\rTransfer-Encoding: chunked\r\n", SMUGGLED)),
    ("CR CR LF", get(b"X: a\r\r\n")),
    ("CR CR LF ends the head", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\r\n\r\n"),
    ("CR in a name", get(b"X\rY: b\r\n")),
    ("CR before the request", b"\r" + get()),
    ("CR behind the version", get(line=b"GET / HTTP/1.1\r")),
    ("many empty lines before the request", b"\r\n" * 1000 + get()),
    # request lines
    ("only a method", get(line=b"GET")),
    ("only a blank", get(line=b" ")),
    ("HTTP/0.9", b"GET /\r\n\r\n"),
    ("HTTP/0.9 with a blank", b"GET / \r\n\r\n"),
    ("blank behind the version", get(line=b"GET / HTTP/1.1 ")),
    ("blank before the method", get(line=b" GET / HTTP/1.1")),
    ("tab for a blank", get(line=b"GET\t/\tHTTP/1.1")),
    ("tab before the version", get(line=b"GET /\tHTTP/1.1")),
    ("no target", get(line=b"GET HTTP/1.1")),
    ("no blank before the version", get(line=b"GET /HTTP/1.1")),
    ("version without a dot", get(line=b"GET / HTTP/1")),
    ("version with two digits", get(line=b"GET / HTTP/1.10")),
    ("version with junk", get(line=b"GET / HTTP/1.1x")),
    ("version of another protocol", get(line=b"GET / ICY/1.1")),
    ("version in lower case", get(line=b"GET / http/1.1")),
    ("version in mixed case", get(line=b"GET / HttP/1.1")),
    ("version with a blank", get(line=b"GET / HTTP/ 1.1")),
    ("version with a comma", get(line=b"GET / HTTP/1,1x")),
    ("NUL in the method", get(line=b"G\0T / HTTP/1.1")),
    ("comma in the method", get(line=b"GET,POST / HTTP/1.1")),
    ("colon in the method", get(line=b"GET: / HTTP/1.1")),
    ("bytes of another protocol", b"\0\1\2\3" + get()),
    ("SSH would be", b"\x80SSH-2.0\r\n\r\n"),
]

VERSIONS = [  # (name, bytes): 400 request-version
    *((f"version {v}", get(line=b"GET / HTTP/" + v.encode())) for v in ("0.0", "0.9", "1.2", "1.9", "2.0", "3.0",
        "9.9")),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
]

TARGETS = [  # (name, bytes): 400 request-target
    ("two blanks before the target", get(line=b"GET  / HTTP/1.1")),
    ("two blanks behind the target", get(line=b"GET /  HTTP/1.1")),
    ("blank in the target", get(line=b"GET /a b HTTP/1.1")),
    ("a request line in the target", get(line=b"GET / HTTP/1.1 /b HTTP/1.1")),
    ("CR in the request line", get(line=b"GET /\r HTTP/1.1")),
    ("tab in the target", get(line=b"GET /a\tb HTTP/1.1")),
    ("fragment", get(line=b"GET /a#b HTTP/1.1")),
    ("only a fragment", get(line=b"GET # HTTP/1.1")),
    ("fragment in the query", get(line=b"GET /a?b#c HTTP/1.1")),
    ("fragment in absolute-form", get(line=b"GET http://localhost/#c HTTP/1.1")),
    ("backslash", get(line=b"GET /a\\b HTTP/1.1")),
    ("backslash for a slash", get(line=b"GET \\a HTTP/1.1")),
    ("backslash in absolute-form", get(line=b"GET http:\\\\localhost\\ HTTP/1.1")),
    *((f"{c!r} in the target", get(line=b"GET /a%cb HTTP/1.1" % c)) for c in each(b"\0\1\x0b\x0c\x1b\x7f")),
    ("asterisk for GET", get(line=b"GET * HTTP/1.1")),
    ("asterisk and more", get(line=b"OPTIONS *a HTTP/1.1")),
    ("authority-form without a port", get(line=b"CONNECT localhost HTTP/1.1")),
    ("CONNECT with a path", get(line=b"CONNECT /a HTTP/1.1")),
    ("CONNECT with a URL", get(line=b"CONNECT http://localhost:443/ HTTP/1.1")),
    ("another scheme", get(line=b"GET ftp://localhost/ HTTP/1.1")),
    ("empty authority", get(line=b"GET http:/// HTTP/1.1")),
    ("only a port", get(line=b"GET http://:80/ HTTP/1.1")),
    ("user info", get(line=b"GET http://user@localhost/ HTTP/1.1")),
    ("user info that looks like the host", get(line=b"GET http://localhost:80@example.com/ HTTP/1.1")),
    ("port 65536", get(line=b"GET http://localhost:65536/ HTTP/1.1")),
    ("port with letters", get(line=b"GET http://localhost:80a/ HTTP/1.1")),
    ("two ports", get(line=b"GET http://localhost:80:80/ HTTP/1.1")),
    ("IPv6 without an end", get(line=b"GET http://[::1/ HTTP/1.1")),
    ("IPv6 that is none", get(line=b"GET http://[zz]/ HTTP/1.1")),
    ("two dots at the end of the host", get(line=b"GET http://localhost../ HTTP/1.1")),
    ("percent in the host", get(line=b"GET http://local%68ost/ HTTP/1.1")),
]

FORMLESS = [  # (name, bytes): 400; a path, a URL or nothing that can be read at all
    ("no slash", get(line=b"GET a HTTP/1.1")),
    ("only a query", get(line=b"GET ?a HTTP/1.1")),
    ("authority-form for GET", get(line=b"GET localhost:80 HTTP/1.1")),
    ("no scheme", get(line=b"GET ://localhost/ HTTP/1.1")),
    ("one slash", get(line=b"GET http:/localhost/ HTTP/1.1")),
    ("no authority", get(line=b"GET http:// HTTP/1.1")),
]


def with_host(*values, line=b"GET / HTTP/1.1"):
    return line + b"\r\n" + b"".join(b"Host: " + v + b"\r\n" for v in values) + b"\r\n"


HOSTS = [  # (name, bytes): 400 request-host
    ("no Host", with_host()),
    ("no Host beside absolute-form", with_host(line=b"GET http://localhost/ HTTP/1.1")),
    ("two Hosts", with_host(b"localhost", b"example.com")),
    ("two equal Hosts", with_host(b"localhost", b"localhost")),
    ("two Hosts in two cases", b"GET / HTTP/1.1\r\nHost: localhost\r\nhOST: localhost\r\n\r\n"),
    ("two Hosts in HTTP/1.0", with_host(b"localhost", b"localhost", line=b"GET / HTTP/1.0")),
    ("two Hosts beside absolute-form", with_host(b"localhost", b"localhost", line=b"GET http://localhost/ HTTP/1.1")),
    *((f"Host {v!r}", with_host(v)) for v in (
        b"", b"localhost localhost", b"localhost,localhost", b"localhost/", b"localhost/a", b"http://localhost",
        b"user@localhost", b"localhost?", b"localhost#", b"localhost\\", b"local%68ost", b"localhost:x",
        b"localhost:65536", b"localhost:-1", b"localhost:80:80", b"[::1", b"[zz]", b"[::1]x", b"[::1]:x", b"::1",
        b"local\xc3\xb6st", b".", b"..", b"local..host", b":80", b"\"localhost\"", b"a" * 300)),
    ("Host invalid beside absolute-form", with_host(b"a/b", line=b"GET http://localhost/ HTTP/1.1")),
    ("Host invalid in HTTP/1.0", with_host(b"a/b", line=b"GET / HTTP/1.0")),
]

BODIES = [  # (name, bytes behind the head of a chunked request): 400 request-body
    ("junk behind a chunk", b"5\r\nhelloXX\r\n0\r\n\r\n"),
    ("junk for CR LF", b"5\r\nhelloXX0\r\n\r\n"),
    ("a byte for CR behind a chunk", b"5\r\nhelloX\n0\r\n\r\n"),
    ("a byte for LF behind a chunk", b"5\r\nhello\rX0\r\n\r\n"),
    ("LF LF behind a chunk", b"5\r\nhello\n\n0\r\n\r\n"),
    ("LF behind a chunk", b"5\r\nhello\n0\r\n\r\n"),
    ("CR behind a chunk", b"5\r\nhello\r0\r\n\r\n"),
    ("CR CR LF behind a chunk", b"5\r\nhello\r\r\n0\r\n\r\n"),
    ("nothing behind a chunk", b"5\r\nhello0\r\n\r\n"),
    ("LF behind a size", b"5\nhello\r\n0\r\n\r\n"),
    ("a byte for LF behind a size", b"5\rXhello\r\n0\r\n\r\n"),
    ("LF LF behind a size", b"5\n\nhello\r\n0\r\n\r\n"),
    ("CR behind a size", b"5\rhello\r\n0\r\n\r\n"),
    ("CR CR LF behind a size", b"5\r\r\nhello\r\n0\r\n\r\n"),
    ("LF behind the last size", b"5\r\nhello\r\n0\n\r\n"),
    ("LF ends the body", b"5\r\nhello\r\n0\r\n\n"),
    ("a byte for LF ends the body", b"5\r\nhello\r\n0\r\n\rX"),
    ("a byte for LF behind a trailer", b"5\r\nhello\r\n0\r\nX: y\rX\r\n\r\n"),
    ("no size", b"\r\nhello\r\n0\r\n\r\n"),
    ("no size but an extension", b";a=b\r\nhello\r\n0\r\n\r\n"),
    ("size with 0x", b"0x5\r\nhello\r\n0\r\n\r\n"),
    ("size with a plus", b"+5\r\nhello\r\n0\r\n\r\n"),
    ("size below zero", b"-5\r\nhello\r\n0\r\n\r\n"),
    ("size that is none", b"g\r\nhello\r\n0\r\n\r\n"),
    ("size behind a blank", b" 5\r\nhello\r\n0\r\n\r\n"),
    ("size behind a tab", b"\t5\r\nhello\r\n0\r\n\r\n"),
    ("size with an underscore", b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
    ("size in quotes", b"\"5\"\r\nhello\r\n0\r\n\r\n"),
    ("size in two words", b"1 foo\r\nh\r\n0\r\n\r\n"),
    ("size in two numbers", b"5 5\r\nhello\r\n0\r\n\r\n"),
    ("size with NUL", b"5\0\r\nhello\r\n0\r\n\r\n"),
    ("size with a full-width digit", b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n"),
    ("size of 2^63", b"8000000000000000\r\nhello\r\n0\r\n\r\n"),
    ("size of 2^64 - 1", b"FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"),
    ("size of 2^64", b"10000000000000000\r\nhello\r\n0\r\n\r\n"),
    ("size of 2^64 + 5", b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("size of 2^32 * 2^64 + 5", b"1000000000000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("extension with LF", b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
    ("extension that LF ends", b"5;a\nhello\r\n0\r\n\r\n"),
    ("extension with CR", b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
    ("extension with NUL", b"5;a\0b\r\nhello\r\n0\r\n\r\n"),
    ("extension with a control character", b"5;a=\"\1\"\r\nhello\r\n0\r\n\r\n"),
    ("extension in quotes with CR LF", b"5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n"),
    ("extension without an end", b"5;" + b"a" * 70000),
    ("extension on the last chunk with LF", b"5\r\nhello\r\n0;a\nb\r\n\r\n"),
    ("folded trailer", b"0\r\nX: a\r\n b\r\n\r\n"),
    ("trailer begins with a blank", b"0\r\n X: a\r\n\r\n"),
    ("trailer without a colon", b"0\r\nX\r\n\r\n"),
    ("trailer with a blank before the colon", b"0\r\nX : a\r\n\r\n"),
    ("trailer without a name", b"0\r\n: a\r\n\r\n"),
    ("trailer with NUL", b"0\r\nX: \0\r\n\r\n"),
    ("trailer with DEL", b"0\r\nX: \x7f\r\n\r\n"),
    ("trailer with LF", b"0\r\nX: a\nY: b\r\n\r\n"),
    ("trailer with CR", b"0\r\nX: a\rY: b\r\n\r\n"),
    ("trailer section without an end", b"0\r\n" + b"X: a\r\n" * 12000),
    ("trailer section with too many fields", b"0\r\n" + b"X: a\r\n" * 201 + b"\r\n"),
]


# ---- requests that pass, in canonical form ----

CHUNKED = [("Transfer-Encoding", "chunked")]
OBS_TEXT = bytes(range(0x80, 0x100))

PASSED = [  # (name, bytes, request line, fields but Host and company, body, trailers)
    ("plain", get(), "GET / HTTP/1.1", [], b"", b""),
    ("an empty line before it", b"\r\n" + get(), "GET / HTTP/1.1", [], b"", b""),
    ("CL 0", post(b"Content-Length: 0\r\n"), "POST / HTTP/1.1", [("Content-Length", "0")], b"", b""),
    ("CL with zeros before it", post(b"Content-Length: 00005\r\n", b"hello"), "POST / HTTP/1.1",
     [("Content-Length", "5")], b"hello", b""),
    ("CL between blanks", post(b"Content-Length: \t 5  \r\n", b"hello"), "POST / HTTP/1.1",
     [("Content-Length", "5")], b"hello", b""),
    ("CL without a blank", post(b"content-length:5\r\n", b"hello"), "POST / HTTP/1.1",
     [("content-length", "5")], b"hello", b""),
    ("CL on GET", get(b"Content-Length: 5\r\n") + b"hello", "GET / HTTP/1.1", [("Content-Length", "5")], b"hello", b""),
    ("CL in HTTP/1.0", post(b"Content-Length: 5\r\n", b"hello", b"HTTP/1.0"), "POST / HTTP/1.1",
     [("Content-Length", "5")], b"hello", b""),
    ("body that looks like chunks", post(b"Content-Length: 5\r\n", b"0\r\n\r\n"), "POST / HTTP/1.1",
     [("Content-Length", "5")], b"0\r\n\r\n", b""),
    ("body that looks like a request", post(b"Content-Length: %d\r\n" % len(get()), get()), "POST / HTTP/1.1",
     [("Content-Length", str(len(get())))], get(), b""),
    ("blanks around values", get(b"X:a\r\nY: \t b c\t \r\nZ:\r\nZ: \r\n"), "GET / HTTP/1.1",
     [("X", "a"), ("Y", "b c"), ("Z", ""), ("Z", "")], b"", b""),
    ("tab and obs-text in a value", get(b"X: a\tb " + OBS_TEXT + b"\r\n"), "GET / HTTP/1.1",
     [("X", "a\tb " + OBS_TEXT.decode("latin-1"))], b"", b""),
    ("every character of a name", get(b"!#$%&'*+-.^_`|~09azAZ: x\r\n"), "GET / HTTP/1.1",
     [("!#$%&'*+-.^_`|~09azAZ", "x")], b"", b""),
    ("colons in a value", get(b"X:: :y\r\n"), "GET / HTTP/1.1", [("X", ": :y")], b"", b""),
    ("one chunk", chunked(b"5\r\nhello\r\n0\r\n\r\n"), "POST / HTTP/1.1", CHUNKED, b"hello", b""),
    ("no chunk", chunked(b"0\r\n\r\n"), "POST / HTTP/1.1", CHUNKED, b"", b""),
    ("TE in capitals", post(b"TRANSFER-ENCODING: CHUNKED\r\n", b"5\r\nhello\r\n0\r\n\r\n"), "POST / HTTP/1.1",
     [("TRANSFER-ENCODING", "chunked")], b"hello", b""),
    ("many chunks", chunked(b"1\r\nh\r\n1\r\ne\r\n003\r\nllo\r\n00\r\n\r\n"), "POST / HTTP/1.1",
     CHUNKED, b"hello", b""),
    ("sizes in both cases", chunked(b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), "POST / HTTP/1.1",
     CHUNKED, b"01234567890123456789", b""),
    ("line ends in a chunk", chunked(b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"), "POST / HTTP/1.1",
     CHUNKED, b"\r\n0\r\n\r\n", b""),
    ("extensions", chunked(b"5;a;b=c;d=\"e;f\xff\"\r\nhello\r\n0;last\r\n\r\n"), "POST / HTTP/1.1",
     CHUNKED, b"hello", b""),
    ("extension behind a blank", chunked(b"5 ; a\r\nhello\r\n0\r\n\r\n"), "POST / HTTP/1.1",
     CHUNKED, b"hello", b""),
    ("trailers", chunked(b"5\r\nhello\r\n0\r\nX-Sum:1\r\nx-other:  2 \r\n\r\n"), "POST / HTTP/1.1",
     CHUNKED, b"hello", b"X-Sum: 1\r\nx-other: 2\r\n"),
    ("trailers that were announced",
     post(b"Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n", b"0\r\nX-Sum: 1\r\n\r\n"),
     "POST / HTTP/1.1", [("Trailer", "X-Sum"), ("Transfer-Encoding", "chunked")], b"", b"X-Sum: 1\r\n"),
    ("chunks on GET", get(b"Transfer-Encoding: chunked\r\n") + b"1\r\nx\r\n0\r\n\r\n", "GET / HTTP/1.1",
     CHUNKED, b"x", b""),
]


# ---- more of chunked bodies ----

MORE_BODIES = [  # (name, bytes behind the head of a chunked request): 400 request-body
    ("TERM.EXT: LF ends the extension, a chunk in it", b"2;\nxx\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("EXT.TERM: LF behind a bare extension", b"5;a\n\r\nhello\r\n0\r\n\r\n"),
    ("EXT.TERM: CR behind a bare extension", b"5;a\r\rhello\r\n0\r\n\r\n"),
    ("TERM.SPILL: a byte too many, LF", b"5\r\nhelloA\n0\r\n\r\n"),
    ("SPILL.TERM: two bytes for CR LF, then a size", b"5\r\nhelloAA2\r\n45\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
    ("ONE.TWO: one byte for CR LF", b"5\r\nhello;0\r\n\r\n"),
    ("TWO.ONE: LF CR behind a chunk", b"5\r\nhello\n\r0\r\n\r\n"),
    ("ZERO.TWO: nothing behind the last size", b"5\r\nhello\r\n0GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("extension with VT", b"5;a\x0bb\r\nhello\r\n0\r\n\r\n"),
    ("extension with DEL", b"5;a\x7f\r\nhello\r\n0\r\n\r\n"),
    ("extension of 2 KiB", b"5;" + b"a" * 2048 + b"\r\nhello\r\n0\r\n\r\n"),
    ("size behind NUL", b"\x005\r\nhello\r\n0\r\n\r\n"),
    ("size behind VT", b"\x0b5\r\nhello\r\n0\r\n\r\n"),
    ("size before VT", b"5\x0b\r\nhello\r\n0\r\n\r\n"),
    ("size before FF", b"5\x0c\r\nhello\r\n0\r\n\r\n"),
    ("size with a comma", b"5,5\r\nhello\r\n0\r\n\r\n"),
    ("size with a dot", b"5.0\r\nhello\r\n0\r\n\r\n"),
    ("size with 0X", b"0X5\r\nhello\r\n0\r\n\r\n"),
    ("size with h", b"5h\r\nhello\r\n0\r\n\r\n"),
    ("size as a word", b"five\r\nhello\r\n0\r\n\r\n"),
    ("size of 20 zeros and 5", b"0" * 20 + b"5\r\nhello\r\n0\r\n\r\n"),
    ("size below zero by nothing", b"-0\r\n\r\n"),
    ("no body at all, but a request", b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("last chunk, then a request for trailers", b"0\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("second trailer without a colon", b"0\r\nX: a\r\nY\r\n\r\n"),
    ("trailer folded with a tab", b"0\r\nX: a\r\n\tb\r\n\r\n"),
    ("trailer with a quote in its name", b"0\r\n\"X\": a\r\n\r\n"),
]

# ---- more of heads that are refused ----

MORE_AMBIGUOUS = [  # 400 request-ambiguous
    *((f"TE {v!r}", post(b"Transfer-Encoding: " + v + b"\r\n", SMUGGLED)) for v in (
        b"x chunked", b"chun ked", b"[chunked]", b"'chunked'", b"chunked=1", b"chunked, cow", b"cow, chunked",
        b"deflate, chunked", b"compress", b"identity, identity", b"chunked\tx", b"chunked;", b"; chunked",
        b"\xefchunked", b"chunked\xa0", b"\xc2\xa0chunked", b"chunked/1", b"chunked\\", b"chunkeds", b"chunke",
        b"CHUNKED, identity", b"x, chunked, y", b",", b"trailers", b"*", b"1", b"br")),
    ("two TE, apart", post(b"Transfer-Encoding: chunked\r\nX: y\r\nTransfer-Encoding: chunked\r\n", SMUGGLED)),
    ("two TE, the first empty", post(b"Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", SMUGGLED)),
    ("two TE, neither known", post(b"Transfer-Encoding: x\r\nTransfer-Encoding: y\r\n", SMUGGLED)),
    ("three TE", post(b"Transfer-Encoding: chunked\r\n" * 3, SMUGGLED)),
    *((f"CL {v!r}", post(b"Content-Length: " + v + b"\r\n", b"hello")) for v in (
        b"5,", b",5", b"0, 5", b"5;5", b"0b101", b"0o5", b"05h", b"5.", b"1e0", b"\"5", b"five", b"~5", b"5\t5",
        b"+0", b"0-", b"5\xa0", b"\xc2\xb2", b"18446744073709551616", b"9" * 100, b"NaN", b"()", b"*")),
    ("0.CL: CL 0, then CL", post(b"Content-Length: 0\r\nContent-Length: 44\r\n", SMUGGLED)),
    ("CL, then CL 0", post(b"Content-Length: 44\r\nContent-Length: 0\r\n", SMUGGLED)),
    ("two CL, the second empty", post(b"Content-Length: 5\r\nContent-Length:\r\n", b"hello")),
    ("three CL", post(b"Content-Length: 5\r\n" * 3, b"hello")),
    ("only Content_Length", post(b"Content_Length: 5\r\n", b"hello")),
    ("only CONTENT_LENGTH", post(b"CONTENT_LENGTH: 5\r\n", b"hello")),
    ("only Transfer_Encoding", post(b"Transfer_Encoding: chunked\r\n", SMUGGLED)),
    ("Content_Length beside CL", post(b"Content-Length: 5\r\nContent_Length: 0\r\n", b"hello")),
    ("Transfer_Encoding beside TE", post(b"Transfer-Encoding: chunked\r\ntransfer_encoding: x\r\n", SMUGGLED)),
    ("Transfer_Encoding on GET", get(b"Transfer_Encoding: chunked\r\n")),
    ("TE on HEAD, bad", get(b"Transfer-Encoding: x\r\n", b"HEAD / HTTP/1.1")),
    ("TE in HTTP/1.0 with keep-alive", post(b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", SMUGGLED,
                                            b"HTTP/1.0")),
    ("bad TE in HTTP/1.0", post(b"Transfer-Encoding: identity\r\n", SMUGGLED, b"HTTP/1.0")),
    ("TE and CL on GET", get(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + SMUGGLED),
    ("TE and CL with Expect", post(b"Expect: 100-continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                                   SMUGGLED)),
]

MORE_MALFORMED = [  # 400 request-malformed
    *((f"{c!r} before chunked", post(b"Transfer-Encoding: %cchunked\r\n" % c,
                                     SMUGGLED)) for c in each(b"\0\x0b\x0c\r")),
    *((f"{c!r} before TE", post(b"X: y\r\n%cTransfer-Encoding: chunked\r\n" % c, SMUGGLED))
      for c in each(b"\0\x0b\x0c\r\n\x08\x7f")),
    *((f"{c!r} behind the name TE", post(b"Transfer-Encoding%c: chunked\r\n" % c, SMUGGLED))
      for c in each(b"\0\x0b\x0c\r\n\x7f\xa0")),
    *((f"{c!r} before a CL", post(b"Content-Length: %c5\r\n" % c, b"hello")) for c in each(b"\0\x0b\x0c\r")),
    *((f"{c!r} behind a CL", post(b"Content-Length: 5%c\r\n" % c, b"hello")) for c in each(b"\0\x0b\x0c\r")),
    # the RFC lets these two pass; http-parser, the second opinion, does not
    ("a tab behind TE chunked", post(b"Transfer-Encoding: chunked\t\r\n", b"5\r\nhello\r\n0\r\n\r\n")),
    ("LF for CR LF behind TE", post(b"Transfer-Encoding: chunked\n", SMUGGLED)),
    ("LF hides CL", post(b"X: y\nContent-Length: 5\r\n", b"hello")),
    ("CR hides CL", post(b"X: y\rContent-Length: 5\r\n", b"hello")),
    ("LF LF ends the head early", b"GET / HTTP/1.1\r\nHost: localhost\n\nGET /smuggled HTTP/1.1\r\n\r\n"),
    ("CR CR ends the head early", b"GET / HTTP/1.1\r\nHost: localhost\r\rGET /smuggled HTTP/1.1\r\n\r\n"),
    ("folded Host", b"GET / HTTP/1.1\r\nHost:\r\n localhost\r\n\r\n"),
    ("Host behind a fold", b"GET / HTTP/1.1\r\nX: y\r\n Host: evil.example\r\nHost: localhost\r\n\r\n"),
    ("a blank line with a blank", b"GET / HTTP/1.1\r\nHost: localhost\r\n \r\n\r\n"),
    ("a blank line with a tab", b"GET / HTTP/1.1\r\nHost: localhost\r\n\t\r\n\r\n"),
    ("NUL in Host", b"GET / HTTP/1.1\r\nHost: local\0host\r\n\r\n"),
    ("NUL ends Host", b"GET / HTTP/1.1\r\nHost: localhost\0.evil.example\r\n\r\n"),
    ("tab before the colon of Host", b"GET / HTTP/1.1\r\nHost\t: localhost\r\n\r\n"),
    ("a second request line for a field", get(b"GET /smuggled HTTP/1.1\r\n")),
    ("a request line with a colon", get(b"GET http://localhost/ HTTP/1.1\r\n")),
    ("non-ASCII name", get("X-Grüße: 1\r\n".encode())),
    ("quoted name", get(b"\"X\": y\r\n")),
    ("name in brackets", get(b"[X]: y\r\n")),
    *((f"version {v.decode()!r}", get(line=b"GET / " + v)) for v in (
        b"HTTP/1.", b"HTTP/.1", b"HTTP/11", b"HTTP/1.1.1", b"HTTP/01.1", b"HTTP/1.01", b"HTTP/+1.1", b"HTTP/-1.1",
        b"HTTP /1.1", b"HTTP\\1.1", b"HTTP1.1", b"HTTPS/1.1", b"XHTTP/1.1", b"Http/1.1", b"HTTP/1.1;", b"HTTP/1.1,",
        b"RTSP/1.0", b"SIP/2.0", b"HTTP//1.1", b"1.1", b"HTTP/0x1.1")),
    ("method in quotes", get(line=b"\"GET\" / HTTP/1.1")),
    ("method with a slash", get(line=b"GET/ / HTTP/1.1")),
    ("method with an umlaut", get(line=b"G\xc4T / HTTP/1.1")),
    ("method behind NUL", b"\0" + get()),
    ("method behind a BOM", b"\xef\xbb\xbf" + get()),
    ("no method", get(line=b"/ HTTP/1.1")),
    ("FF for a blank", get(line=b"GET\x0c/ HTTP/1.1")),
    ("VT for a blank", get(line=b"GET\x0b/ HTTP/1.1")),
    ("CR for a blank", get(line=b"GET\r/ HTTP/1.1")),
    ("SOCKS 5", b"\x05\x01\x00"),
    ("SOCKS 4", b"\x04\x01\x00\x50\x7f\0\0\1\0"),
    ("PROXY protocol 2", b"\r\n\r\n\0\r\nQUIT\n" + bytes(16)),
    ("a TLS alert", b"\x15\x03\x01\0\x02\x01\0"),
    ("JSON", b"{\"method\": \"GET\"}\r\n\r\n"),
    ("Connection names Host", get(b"Connection: host\r\n")),
    ("Connection names Content-Length", post(b"Connection: content-length\r\nContent-Length: 5\r\n", b"hello")),
    ("Connection names TE", post(b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
                                 b"5\r\nhello\r\n0\r\n\r\n")),
    ("Connection names Cookie", get(b"Cookie: a=b\r\nConnection: close, cookie\r\n")),
    ("Connection names the company ID", get(b"Connection: successfactors-companyid\r\n")),
    ("Connection names the company ID with _", get(b"Connection: successfactors_companyid\r\n")),
    ("a second Connection names Host", get(b"Connection: close\r\nconnection:x,\tHost\r\n")),
]

MORE_VERSIONS = [  # 400 request-version
    *((f"HTTP/{v}", get(line=b"GET / HTTP/" + v.encode())) for v in ("1.3", "4.0", "5.5", "1.x", "a.b")),
    ("PRI of HTTP/1.1 with its body", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
]

MORE_TARGETS = [  # 400 request-target
    *((f"absolute {v.decode()}", get(line=b"GET " + v + b" HTTP/1.1")) for v in (
        b"http://localhost:@PORT@@evil.example/", b"http://localhost:@PORT@.evil.example/",
        b"http://localhost:@PORT@:80/", b"http://localhost:/", b"http://localhost:0/", b"http://localhost:-1/",
        b"http://localhost:+80/", b"http://localhost:000080/", b"http://localhost%00.evil.example/",
        b"http://localhost%2eevil.example/", b"http://localhost,evil.example/", b"http://[::1]evil.example/",
        b"http://[::1]:x/", b"http://[fe80::1%25eth0]/", b"http://.localhost/", b"http://local..host/",
        b"http://@localhost/", b"http://:@localhost/", b"http://a:b@localhost:@PORT@/",
        b"http://localhost;evil.example/", b"http://local_host;/", b"http://l\xc3\xb6calhost/", b"http://%/",
        b"https:///", b"https://:443/", b"ws://localhost/", b"wss://localhost/", b"file:///etc/passwd",
        b"gopher://localhost/")),
    ("empty target between two blanks", get(line=b"GET   HTTP/1.1")),
    ("asterisk for POST", post(b"Content-Length: 0\r\n").replace(b"POST /", b"POST *")),
    ("asterisk with a query", get(line=b"OPTIONS *?a HTTP/1.1")),
    ("slash asterisk is no path in authority-form", get(line=b"CONNECT /* HTTP/1.1")),
    *((f"CONNECT {v.decode()}", get(line=b"CONNECT " + v + b" HTTP/1.1")) for v in (
        b"localhost:", b"localhost:0", b"localhost:x", b"localhost:65536", b":443", b"localhost:443/",
        b"user@localhost:443", b"localhost:443:443", b"[::1]", b"localhost:443?x", b"*", b"https://localhost:443")),
]

MORE_FORMLESS = [
    *((v.decode(), get(line=b"GET " + v + b" HTTP/1.1")) for v in (
        b"https://", b"javascript:alert(1)", b"data:text/plain,x", b"urn:x:y", b"about:blank")),
    ("a host and a path", get(line=b"GET localhost/a HTTP/1.1")),
    ("dots", get(line=b"GET ../a HTTP/1.1")),
    ("a query of nothing", get(line=b"GET ? HTTP/1.1")),
    ("a semicolon", get(line=b"GET ;a HTTP/1.1")),
    ("a percent sign", get(line=b"GET %2fa HTTP/1.1")),
    ("scheme without slashes", get(line=b"GET http:localhost HTTP/1.1")),
    ("scheme-relative without a scheme", get(line=b"GET :80/ HTTP/1.1")),
]

MORE_HOSTS = [  # 400 request-host
    *((f"Host {v!r}", with_host(v)) for v in (
        b"localhost:", b"localhost:0", b"localhost:+80", b"localhost:8 0", b"localhost:080808", b"localhost;",
        b"localhost, evil.example", b"evil.example,localhost", b"localhost%00", b"localhost%2eevil", b"@localhost",
        b"a:b@localhost", b"[]", b"[[::1]]", b"::1]", b"[::1]80", b"[::1%25lo]", b"[127.0.0.1]", b"localhost]",
        b"(localhost)", b"<localhost>", b"*", b"local*host", b"localhost^", b"localhost|", b"`localhost`", b"$host",
        b"local\thost", b"//localhost", b"localhost//", b"\xff", b"\xe2\x84\xaaocalhost", b"localhost&", b"'",
        b"localhost=")),
    ("Host empty in HTTP/1.0", with_host(b"", line=b"GET / HTTP/1.0")),
    ("Host far from the first",
     b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 50 + b"Host: evil.example\r\n\r\n"),
    ("the foreign Host first", with_host(b"evil.example", b"localhost")),
    ("an empty Host behind the good one", with_host(b"localhost", b"")),
    ("an empty Host before the good one", with_host(b"", b"localhost")),
]

# ---- refused for what they ask, by a proxy that knows where they end ----

INNER = get(line=b"GET /smuggled HTTP/1.1")
FOREIGN = [b"evil.example", b"localhost.evil.example", b"127.0.0.1.nip.example", b"0.0.0.0", b"169.254.169.254",
           b"2130706433", b"127.1", b"0x7f000001", b"017700000001", b"[::ffff:127.0.0.1]", b"[::]",
           b"localhost.localdomain",
           b"xn--lclhost-n4a", b"evil.example:@PORT@", b"api4.successfactors.com", b"10.0.0.1", b"a", b"localhostx",
           b"xlocalhost", b"128.0.0.1", b"[fe80::1]", b"_"]
LOOPBACK = [b"127.0.0.1", b"127.0.0.1:1", b"127.255.255.254", b"[::1]", b"[::1]:8080", b"[0:0:0:0:0:0:0:1]",
            b"a.localhost",
            b"A.B.LocalHost", b"app.localhost.:80"]
GET_LINE = "GET / HTTP/1.1"
OWN = [b"LOCALHOST", b"localhost.", b"localhost:1", b"localhost:65535", b"LocalHost.:@PORT@"]

REFUSED = [  # (name, bytes, outcome, outcome by form)
    *((f"Host {v.decode()}", with_host(v), ["host-not-served"], {"absolute": [Passed(GET_LINE)]}) for v in FOREIGN),
    *((f"page of {v!r}", get(b"Origin: " + v + b"\r\n"), ["foreign-origin"]) for v in (
        b"http://evil.example", b"null", b"", b"http://localhost:1", b"https://localhost", b"http://localhost/",
        b"http://localhost@evil.example", b"http://localhost.evil.example", b"http://127.0.0.1:1", b"file://", b"*",
        b"http://localhost, http://localhost", b"chrome-extension://a", b"HTTP://EVIL.example", b"localhost",
        b"http://", b"http://user@localhost", b"http://[::1")),
    *((f"Sec-Fetch-Site {v.decode()}", get(b"Sec-Fetch-Site: " + v + b"\r\n"), ["foreign-origin"])
      for v in (b"cross-site", b"same-site", b"Cross-Site", b"x", b"", b"none, cross-site", b"SAME-ORIGIN")),
    ("two Sec-Fetch-Site", get(b"Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n"), ["foreign-origin"]),
    ("two Origins", get(b"Origin: http://localhost\r\nOrigin: http://evil.example\r\n"), ["foreign-origin"]),
    ("preflight", get(b"Origin: http://evil.example\r\nAccess-Control-Request-Method: PUT\r\n", b"OPTIONS / HTTP/1.1"),
     ["foreign-origin"]),
    ("preflight for a private network", get(b"Origin: http://evil.example\r\nAccess-Control-Request-Method: GET\r\n"
                                            b"Access-Control-Request-Private-Network: true\r\n", b"OPTIONS / HTTP/1.1"),
     ["foreign-origin"]),
    *((f"company ID {v!r}", get(b"successfactors-companyid: " + v + b"\r\n"), ["tenant-unknown"])
      for v in (b"OTHER", b"acme", b"ACME2", b"", b"ACME,OTHER", b"ACME, ACME", b"\"ACME\"", b"ACME\tx",
                b"\xc3\x84CME")),
    *((f"{a.decode()} and {b.decode()}", get(a + b": ACME\r\n" + b + b": ACME\r\n"), ["company-repeated"]) for a, b in (
        (b"successfactors-companyid", b"successfactors-companyid"),
        (b"successfactors-companyid", b"SuccessFactors_CompanyID"),
        (b"successfactors_companyid", b"successfactors_companyid"),
        (b"SUCCESSFACTORS-COMPANYID", b"successfactors-companyid"))),
    ("another company with _", get(b"successfactors_companyid: OTHER\r\n"), ["tenant-unknown"]),
    ("credentials of another company", get(b"Authorization: Basic dUBPVEhFUjpw\r\n"), ["tenant-unknown"]),
    ("two credentials that disagree",
     get(b"Authorization: Basic dUBPVEhFUjpw\r\nAuthorization: Basic dUBBQ01FOnA=\r\n"), ["tenant-unknown"]),
    *((f"to {v.decode()}", get(line=b"GET " + v + b" HTTP/1.1"), ["tenant-unknown"], {"inside": [inside]})
      for v, inside in (
          (b"http://evil.example/", "host-not-served"), (b"http://127.0.0.1:@PORT@/", "host-not-served"),
          (b"https://evil.example:@PORT@/", "host-not-served"), (b"http://localhost.evil.example/", "host-not-served"),
          (b"http://169.254.169.254/latest/meta-data", "host-not-served"), (b"http://[::1]:@PORT@/", "host-not-served"),
          (b"http://a.localhost:@PORT@/", "host-not-served"))),
    ("to another port of the server", get(line=b"GET http://localhost:1/ HTTP/1.1"), ["tenant-unknown"],
     {"inside": [Passed(GET_LINE)]}),
    *((f"Upgrade {v.decode()}", get(b"Connection: Upgrade\r\nUpgrade: " + v + b"\r\nSec-WebSocket-Version: 13\r\n"
                                    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"), ["websocket-not-served"])
      for v in (b"websocket", b"WebSocket", b"websocket/13", b"h2c, websocket", b"WEBSOCKET,h2c")),
    ("Upgrade without Connection", get(b"Upgrade: websocket\r\n"), ["websocket-not-served"]),
    *((f"Expect {v!r}", post(b"Expect: " + v + b"\r\nContent-Length: %d\r\n" % len(INNER), INNER),
       ["expectation-unknown"])
      for v in (b"x", b"100-continue, x", b"y 100-continue", b"100-continue;q=1", b"\"100-continue\"", b"100",
                b"200-ok",
                b"100-continued", b"=", b"100_continue")),
    ("two Expect", post(b"Expect: 100-continue\r\nExpect: z\r\nContent-Length: 5\r\n", b"hello"),
     ["expectation-unknown"]),
    ("TRACE", get(line=b"TRACE / HTTP/1.1"), ["method-not-allowed"]),
    ("TRACE with a body", get(b"Content-Length: %d\r\n" % len(INNER), b"TRACE / HTTP/1.1") + INNER,
     ["method-not-allowed"]),
    ("TRACE with Max-Forwards", get(b"Max-Forwards: 0\r\n", b"TRACE / HTTP/1.1"), ["method-not-allowed"]),
    *((f"method {v.decode()}", get(line=v + b" / HTTP/1.1"), ["method-unknown"]) for v in (
        b"get", b"Get", b"gET", b"GETT", b"GE", b"G", b"FOO", b"QUERY", b"TRACK", b"DEBUG", b"!", b"G.T", b"GET-",
        b"GET0",
        b"post", b"A" * 100, b"Trace", b"connect", b"HTTP", b"~", b"BREW")),
    ("unknown method with a request for its body", post(b"Content-Length: %d\r\n" % len(INNER), INNER).replace(
        b"POST", b"QUERY"), ["method-unknown"]),
    ("CONNECT elsewhere", get(line=b"CONNECT evil.example:443 HTTP/1.1"), ["connect-not-allowed"]),
    ("CONNECT to the machine", get(line=b"CONNECT 127.0.0.1:22 HTTP/1.1"), ["connect-not-allowed"]),
    ("CONNECT to metadata", get(line=b"CONNECT 169.254.169.254:80 HTTP/1.1"), ["connect-not-allowed"]),
    ("CONNECT by IPv6", get(line=b"CONNECT [::1]:443 HTTP/1.1"), ["connect-not-allowed"]),
    ("CONNECT to another port of the server", get(line=b"CONNECT localhost:22 HTTP/1.1"), ["tenant-unknown"],
     {"inside": ["connect-not-allowed"]}),
    ("CONNECT with CL", get(b"Content-Length: %d\r\n" % len(INNER), b"CONNECT localhost:443 HTTP/1.1") + INNER,
     ["request-ambiguous"], {"inside": ["connect-not-allowed"]}),
    ("CONNECT with CL 0", get(b"Content-Length: 0\r\n", b"CONNECT localhost:443 HTTP/1.1"),
     ["request-ambiguous"], {"inside": ["connect-not-allowed"]}),
    ("CONNECT with chunks", get(b"Transfer-Encoding: chunked\r\n", b"CONNECT localhost:443 HTTP/1.1") + SMUGGLED,
     ["request-ambiguous"], {"inside": ["connect-not-allowed"]}),
    ("CONNECT by a page", get(b"Origin: http://evil.example\r\n", b"CONNECT localhost:443 HTTP/1.1"),
     ["foreign-origin"], {"inside": ["connect-not-allowed"]}),
    ("CONNECT with a bad Host", with_host(b"a/b", line=b"CONNECT localhost:443 HTTP/1.1"),
     ["request-host"], {"inside": ["connect-not-allowed"]}),
]

LIMITED = [  # (name, bytes, outcome): at the default max-head 64k, max-fields 200, max-target 16k
    ("a method without an end", b"A" * 70000, ["target-too-long"]),
    ("a target of 17 KiB", get(line=b"GET /" + b"a" * 17000 + b" HTTP/1.1"), ["target-too-long"]),
    ("a target without an end", b"GET /" + b"a" * 70000, ["target-too-long"]),
    ("a query of 17 KiB", get(line=b"GET /?" + b"a" * 17000 + b" HTTP/1.1"), ["target-too-long"]),
    ("a version of 17 KiB", get(line=b"GET / HTTP/1." + b"1" * 17000), [("request-malformed", "target-too-long")]),
    ("a name of 70 KiB", get(b"X" * 70000 + b": y\r\n"), ["head-too-large"]),
    ("a value of 70 KiB", get(b"X: " + b"y" * 70000 + b"\r\n"), ["head-too-large"]),
    ("a Host of 70 KiB", with_host(b"a" * 70000), ["head-too-large"]),
    ("a TE of 70 KiB", post(b"Transfer-Encoding: chunked" + b" " * 70000 + b"\r\n", SMUGGLED), ["head-too-large"]),
    ("blanks for 70 KiB", get(b"X:" + b" " * 70000 + b"y\r\n"), ["head-too-large"]),
    ("201 fields", get(b"X: y\r\n" * 200), ["head-too-large"]),
    ("201 empty fields", get(b"X:\r\n" * 200), ["head-too-large"]),
    ("10000 fields", get(b"X:\r\n" * 10000), ["head-too-large"]),
    ("a CL of 70 KiB of zeros", post(b"Content-Length: " + b"0" * 70000 + b"5\r\n", b"hello"), ["head-too-large"]),
    ("a field without an end", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 70000, ["head-too-large"]),
]

# ---- more that passes ----

POST_LINE = "POST / HTTP/1.1"


def passes(name, fields, kept, line=GET_LINE):
    """GET with these field lines, of which the server gets those that are kept."""
    raw = get(fields, line.encode())
    return name, raw, [Passed(line, kept)]


def targeted(name, path, sent=None):
    return name, get(line=b"GET " + path + b" HTTP/1.1"), [Passed(f"GET {(sent or path).decode()} HTTP/1.1")]


def one(name, raw, *passed):
    return name, raw, [Passed(*passed)]


MORE_PASSED = [  # (name, bytes, outcome, outcome by form)
    *(one(f"TE spelled {v!r}", post(v + b"\r\n", b"5\r\nhello\r\n0\r\n\r\n"), POST_LINE,
          [(v.split(b":")[0].decode(), "chunked")], b"hello") for v in (
              b"Transfer-Encoding:chunked", b"Transfer-Encoding:\tchunked", b"Transfer-Encoding:  chunked  ",
              b"transfer-encoding:  cHuNkEd", b"tRaNsFeR-eNcOdInG: Chunked")),
    one("CL.0: a body that is a request", post(b"Content-Length: %d\r\n" % len(INNER), INNER), POST_LINE,
        [("Content-Length", str(len(INNER)))], INNER),
    one("TE.0: a chunk that is a request", chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (len(INNER), INNER)), POST_LINE, CHUNKED,
        INNER),
    one("0.CL: GET with a body that is a request", get(b"Content-Length: %d\r\n" % len(INNER)) + INNER, GET_LINE,
        [("Content-Length", str(len(INNER)))], INNER),
    one("OPTIONS with a body that is a request",
        get(b"Content-Length: %d\r\n" % len(INNER), b"OPTIONS / HTTP/1.1") + INNER, "OPTIONS / HTTP/1.1",
        [("Content-Length", str(len(INNER)))], INNER),
    one("DELETE with chunks that are a request", get(b"Transfer-Encoding: chunked\r\n", b"DELETE / HTTP/1.1")
        + b"%x\r\n%b\r\n0\r\n\r\n" % (len(INNER), INNER), "DELETE / HTTP/1.1", CHUNKED, INNER),
    one("chunk of 17 digits' size, zeros", chunked(b"000000000000005\r\nhello\r\n0\r\n\r\n"), POST_LINE, CHUNKED,
        b"hello"),
    one("many zeros end it", chunked(b"5\r\nhello\r\n0000000000\r\n\r\n"), POST_LINE, CHUNKED, b"hello"),
    one("extension with a quoted semicolon", chunked(b"5;a=\";\\\"\"\r\nhello\r\n0\r\n\r\n"), POST_LINE, CHUNKED,
        b"hello"),
    one("extension that looks like a size", chunked(b"5;10\r\nhello\r\n0;5\r\n\r\n"), POST_LINE, CHUNKED, b"hello"),
    one("extension with a tab", chunked(b"5;\ta\r\nhello\r\n0\r\n\r\n"), POST_LINE, CHUNKED, b"hello"),
    one("a chunk that ends like one", chunked(b"8\r\n\r\n0\r\n\r\n5\r\n0\r\n\r\n"), POST_LINE, CHUNKED,
        b"\r\n0\r\n\r\n5"),
    passes("Content-Encoding is no framing", b"Content-Encoding: chunked\r\n", [("Content-Encoding", "chunked")]),
    passes("a name that ends like CL", b"X-Content-Length: 5\r\n", [("X-Content-Length", "5")]),
    passes("a name short of TE", b"Transfer-Encodin: chunked\r\n", [("Transfer-Encodin", "chunked")]),
    passes("a name without its dash", b"TransferEncoding: chunked\r\nContentLength: 5\r\n",
           [("TransferEncoding", "chunked"), ("ContentLength", "5")]),
    passes("TE is hop by hop", b"TE: trailers\r\nX: y\r\n", [("X", "y")]),
    passes("TE gzip, chunked", b"TE: gzip, chunked\r\nConnection: TE\r\n", []),
    passes("Keep-Alive", b"Keep-Alive: timeout=5\r\nConnection: keep-alive\r\n", []),
    passes("Connection names its fields", b"Connection: X-A, x-b\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n", [("X-C", "3")]),
    passes("Connection names fields before it", b"X-A: 1\r\nX-C: 3\r\nConnection: x-a\r\n", [("X-C", "3")]),
    passes("Connection of commas", b"Connection: ,,X-A,,\r\nX-A: 1\r\n", []),
    passes("Connection names what is not there", b"Connection: x\r\nY: z\r\n", [("Y", "z")]),
    passes("Connection cannot save a field", b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
           []),
    passes("Proxy-Connection", b"Proxy-Connection: Keep-Alive\r\n", []),
    passes("Proxy_Connection", b"Proxy_Connection: close\r\n", []),
    passes("Proxy-Authorization", b"Proxy-Authorization: Basic eDp5\r\nProxy_Authorization: x\r\n", []),
    passes("Proxy-Status", b"Proxy-Status: sfmtls; error=dns_error\r\n", []),
    passes("X-CLIENT-CERT", b"X-CLIENT-CERT: MIIB\r\nX: y\r\n", [("X", "y")]),
    passes("X_CLIENT_CERT", b"X_CLIENT_CERT: MIIB\r\nx-client_cert: MIIB\r\nX_Client-Cert: MIIB\r\n", []),
    passes("Authorization", b"Authorization: Bearer x\r\n", []),
    passes("two Authorizations", b"Authorization: Bearer x\r\nauthorization: Negotiate y\r\n", []),
    passes("credentials of the company", b"Authorization: Basic dUBBQ01FOnA=\r\n", []),
    passes("the company ID", b"successfactors-companyid: ACME\r\n", []),
    passes("the company ID with _ and capitals", b"SuccessFactors_CompanyId:  ACME \r\n", []),
    passes("method override", b"X-HTTP-Method-Override: DELETE\r\nX-HTTP-Method: PUT\r\nX-Method-Override: PATCH\r\n",
           [("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "PUT"), ("X-Method-Override", "PATCH")]),
    passes("the navigation of a user", b"Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n",
           [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate")]),
    passes("h2c", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", []),
    passes("Upgrade to TLS", b"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n", []),
    passes("Upgrade with TE in Connection", b"Connection: Upgrade, TE\r\nUpgrade: h2c\r\nTE: trailers\r\n", []),
    passes("empty Expect", b"Expect:\r\n", [("Expect", "")]),
    passes("Max-Forwards", b"Max-Forwards: 0\r\n", [("Max-Forwards", "0")]),
    passes("199 fields more", b"X: y\r\n" * 199, [("X", "y")] * 199),
    one("Expect with a body", post(b"Expect: 100-continue\r\nContent-Length: 5\r\n", b"hello"), POST_LINE,
        [("Expect", "100-continue"), ("Content-Length", "5")], b"hello"),
    one("Expect in capitals", post(b"expect: 100-CONTINUE\r\nContent-Length: 5\r\n", b"hello"), POST_LINE,
        [("expect", "100-CONTINUE"), ("Content-Length", "5")], b"hello"),
    one("Expect in HTTP/1.0", post(b"Expect: x\r\nContent-Length: 5\r\n", b"hello", b"HTTP/1.0"), POST_LINE,
        [("Content-Length", "5")], b"hello"),
    one("WebSocket in HTTP/1.0", get(b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"GET / HTTP/1.0"), GET_LINE),
    one("HTTP/1.0 without Host", b"GET / HTTP/1.0\r\n\r\n", GET_LINE),
    one("HTTP/1.0 without a field, with a body of no length", b"POST / HTTP/1.0\r\n\r\nhello", POST_LINE),
    one("CONNECTION: CLOSE", get(b"CONNECTION: CLOSE\r\n") + INNER, GET_LINE),
    one("close among others", get(b"Connection: x, Close ,y\r\n") + INNER, GET_LINE),
    one("HTTP/1.0 ends, whatever follows", get(line=b"GET / HTTP/1.0") + INNER, GET_LINE),
    *((f"Host {v.decode()}", with_host(v), [Passed(GET_LINE)], {"inside": ["host-not-served"]}) for v in LOOPBACK),
    *(one(f"Host {v.decode()}", with_host(v), GET_LINE) for v in OWN),
    *(one(f"method {v.decode()}", get(b"Content-Length: 0\r\n", v + b" / HTTP/1.1"), v.decode() + " / HTTP/1.1",
          [("Content-Length", "0")]) for v in (
              b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"MERGE", b"PROPFIND", b"MKCOL", b"LOCK", b"PURGE", b"M-SEARCH",
              b"REPORT", b"COPY", b"LINK")),
    *(targeted(f"path {v.decode('latin-1')}", v) for v in (
        b"//evil.example/a", b"///", b"/..", b"/a/../b", b"/./a", b"/a//b", b"/a;b=c", b"/%2e%2e/a", b"/%2F", b"/%00",
        b"/%0d%0aX:y",
        b"/%zz", b"/%", b"/a:b@c", b"/http://evil.example/", b"/*", b"/?", b"/??", b"/?a=/../b&c=%26",
        b"/a?b=http://evil.example/",
        b"/User('a''b')", b"/User(x='1',y=2)/z", b"/$batch", b"/odata/v2/User?$filter=a%20eq%20'b'", b"/~user",
        b"/,!*+",
        b"/HTTP/1.1", b"/" + b"a" * 4000)),
    *(targeted(f"encoded {v!r}", v, sent) for v, sent in (
        (b"/\xc3\xa9", b"/%C3%A9"), (b"/\xff", b"/%FF"), (b"/a\"b", b"/a%22b"), (b"/<script>", b"/%3Cscript%3E"),
        (b"/{a}", b"/%7Ba%7D"), (b"/a|b", b"/a%7Cb"), (b"/`", b"/%60"), (b"/^", b"/%5E"),
        (b"/?a=\"b\"", b"/?a=%22b%22"),
        (b"/\x80\x81", b"/%80%81"), (b"/%41\xc3", b"/%41%C3"))),
    *(one(f"absolute {v.decode()}", get(line=b"GET " + v + b" HTTP/1.1"), sent) for v, sent in (
        (b"http://localhost:@PORT@/a?b", "GET /a?b HTTP/1.1"), (b"HTTP://LOCALHOST:@PORT@/", GET_LINE),
        (b"https://localhost:@PORT@/", GET_LINE), (b"http://localhost:@PORT@", GET_LINE),
        (b"http://localhost:@PORT@?x", "GET /?x HTTP/1.1"), (b"http://localhost./", GET_LINE),
        (b"http://localhost/", GET_LINE), (b"https://localhost/", GET_LINE),
        (b"http://localhost:80/", GET_LINE), (b"https://localhost:443/", GET_LINE),
        (b"http://localhost//evil.example/", "GET //evil.example/ HTTP/1.1"),
        (b"http://localhost/http://evil.example/", "GET /http://evil.example/ HTTP/1.1"))),
    ("absolute, and Host of another", with_host(b"evil.example", line=b"GET http://localhost:@PORT@/ HTTP/1.1"),
     [Passed(GET_LINE)], {"inside": ["host-not-served"]}),
    one("absolute OPTIONS", get(line=b"OPTIONS http://localhost:@PORT@ HTTP/1.1"), "OPTIONS * HTTP/1.1"),
    one("OPTIONS *", get(line=b"OPTIONS * HTTP/1.1"), "OPTIONS * HTTP/1.1"),
    one("an empty line before it, twice", b"\r\n\r\n" + get(), GET_LINE),
]

# ---- several requests on one connection ----

BAD = get(b"X : y\r\n")
INNER_LENGTH = b"Content-Length: %d\r\n" % len(INNER)
PIPELINED = [
    ("two", get() + get(line=b"GET /2 HTTP/1.1"), [Passed(GET_LINE), Passed("GET /2 HTTP/1.1")]),
    ("three with bodies", post(b"Content-Length: 5\r\n", b"hello") + chunked(b"2\r\nhi\r\n0\r\n\r\n") + get(),
     [Passed(POST_LINE, [("Content-Length", "5")], b"hello"), Passed(POST_LINE, CHUNKED, b"hi"), Passed(GET_LINE)]),
    ("an empty line between them", post(b"Content-Length: 2\r\n", b"hi\r\n") + get(),
     [Passed(POST_LINE, [("Content-Length", "2")], b"hi"), Passed(GET_LINE)]),
    ("CL short by one", post(b"Content-Length: 4\r\n", b"hello") + get(),
     [Passed(POST_LINE, [("Content-Length", "4")], b"hell"), ("method-unknown", "request-malformed")]),
    ("a bad one behind a good one", get() + BAD + INNER, [Passed(GET_LINE), "request-malformed"]),
    ("a smuggling one behind a good one",
     get() + post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", SMUGGLED),
     [Passed(GET_LINE), "request-ambiguous"]),
    ("a good one behind a bad one", BAD + INNER, ["request-malformed"]),
    ("a good one behind an ambiguous one", post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello") + INNER,
     ["request-ambiguous"]),
    ("a good one behind an unknown method", get(line=b"QUERY / HTTP/1.1") + INNER, ["method-unknown"]),
    ("a good one behind another version", get(line=b"GET / HTTP/2.0") + INNER, ["request-version"]),
    ("a good one behind two Hosts", with_host(b"localhost", b"localhost") + INNER, ["request-host"]),
    ("a good one behind a bad body", chunked(b"5\r\nhelloXX0\r\n\r\n") + INNER, ["request-body"]),
    ("a good one behind a foreign page", get(b"Origin: http://evil.example\r\n") + get(),
     ["foreign-origin", Passed(GET_LINE)]),
    ("a foreign page's body is a request", post(b"Origin: http://evil.example\r\n" + INNER_LENGTH, INNER) + get(),
     ["foreign-origin"]),
    ("a WebSocket, then a frame", get(b"Connection: Upgrade\r\nUpgrade: websocket\r\n") + b"\x81\x05hello",
     ["websocket-not-served", "request-malformed"]),
    ("h2c, then the preface", get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n")
     + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [Passed(GET_LINE), "request-version"]),
    ("TRACE, then a good one", get(line=b"TRACE / HTTP/1.1") + get(), ["method-not-allowed", Passed(GET_LINE)]),
    ("a response for a request", get() + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     [Passed(GET_LINE), ("method-unknown", "request-malformed")]),
    *((f"an empty line of {v!r} behind a good one", get() + v + get(), [Passed(GET_LINE), "request-malformed"])
      for v in (b"\n", b"\r", b" \r\n", b"\0", b"\r\r\n", b"\n\r\n")),
    ("another company behind the right one", get(b"successfactors-companyid: ACME\r\n")
     + get(b"successfactors-companyid: OTHER\r\n"), [Passed(GET_LINE), "tenant-unknown"]),
    ("keep-alive of HTTP/1.0", get(b"Connection: keep-alive\r\n", b"GET / HTTP/1.0") + get(), [Passed(GET_LINE)] * 2),
]

# ---- all of them ----

FRAMING = "RFC 9112 6; PortSwigger CL.TE, TE.CL, TE.TE, 0.CL; CVE-2022-32213, -35256; HTTP Garden"
CHUNKS = "RFC 9112 7.1; Funky Chunks; CVE-2020-8287, CVE-2021-22960; HTTP Garden"
SYNTAX = "RFC 9112 2.2, 3, 5; CVE-2021-22959, CVE-2022-32214, -32215; llhttp; HTTP Garden"
URLS = "RFC 9112 3.2; RFC 3986 3.2"
NAMES = "RFC 9110 7.2; RFC 9112 3.2"


def vectors_of(source, want, *tables):
    """Rows (name, bytes), all with one outcome, or rows that bear their own."""
    return [Vector(row[0], row[1], row[2] if len(row) > 2 else want, source, row[3] if len(row) > 3 else {})
            for table in tables for row in table]


VECTORS = [
    *vectors_of(FRAMING, ["request-ambiguous"], AMBIGUOUS, MORE_AMBIGUOUS),
    *vectors_of(SYNTAX, ["request-malformed"], MALFORMED, MORE_MALFORMED),
    *vectors_of("RFC 9112 2.3; RFC 9113 3.4", ["request-version"], VERSIONS, MORE_VERSIONS),
    *vectors_of(URLS, ["request-target"], TARGETS, MORE_TARGETS),
    *vectors_of(URLS, [("request-target", "request-malformed")], FORMLESS, MORE_FORMLESS),
    *vectors_of(NAMES, ["request-host"], HOSTS, MORE_HOSTS),
    *vectors_of(CHUNKS, ["request-body"],
                [(name, chunked(body)) for name, body in BODIES + MORE_BODIES]),
    *vectors_of("RFC 9110 7.2, 7.8, 9, 10.1.1; Fetch; DNS rebinding; Local Network Access", None, REFUSED),
    *vectors_of("RFC 9110 4.1, 15.5.15; RFC 6585 5", None, LIMITED),
    *vectors_of("RFC 9112; RFC 9110 5, 7.6.1; CL.0, TE.0", None,
                [(name, raw, [Passed(*want)]) for name, raw, *want in PASSED], MORE_PASSED),
    *vectors_of("RFC 9112 9.3.2; PortSwigger", None, PIPELINED),
]
