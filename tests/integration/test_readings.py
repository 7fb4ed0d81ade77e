"""allow, and servers that read a path in ways of their own: whatever passes is covered in each of these readings.

The model is independent of the program: what a lenient server may make of the bytes that it gets, and the rules,
written down anew for text that is decoded."""
import random
import re
import types
import unicodedata

import pytest

import harness
from harness import count

RULES = "allow = GET /pub/*, GET /rest/*/items, GET /key(*)/name\nallow = POST /odata/v2/$batch\n"


def is_covered(path):
    """A GET of that path, all decoded."""
    if any(re.match(r"\$batch(?![\w-])", segment.strip(" "), re.I) for segment in path.split("/")):
        return False
    return path.startswith("/pub/") or bool(re.fullmatch(r"/rest/[^/]*/items|/key\([^/]*\)/name", path, re.S))


# ---- what servers make of bytes ----

def percent_decoded(data):
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), data)


def in_unicode_escapes(data):
    """%uXXXX, as IIS reads it."""
    return re.sub(rb"%[uU]([0-9A-Fa-f]{4})", lambda m: chr(int(m[1], 16)).encode("utf-8", "surrogatepass"), data)


def overlong(data):
    """UTF-8 as decoders read it that check nothing: the low bits of however many bytes the first one announces."""
    out, i = "", 0
    while i < len(data):
        first = data[i]
        n = 1 if first < 0xc0 else 2 if first < 0xe0 else 3 if first < 0xf0 else 4
        code = first & (0xff if n == 1 else 0x7f >> n)
        for c in data[i + 1:i + n]:
            code = code << 6 | c & 0x3f
        out += chr(code) if code < 0x110000 and not 0xd800 <= code < 0xe000 else "\ufffd"
        i += n
    return out


BEST_FIT = dict(zip("\u2044\u2215\u29f8\u2216\u29f5\u00a5\u20a9\u066a", "///\\\\\\\\%"))
BYTES = [lambda d: d, percent_decoded, lambda d: percent_decoded(percent_decoded(d)),
         lambda d: in_unicode_escapes(percent_decoded(d)), lambda d: percent_decoded(in_unicode_escapes(d))]
TEXTS = [lambda d: d.decode("utf-8", "replace"), lambda d: d.decode("utf-8", "ignore"),
         lambda d: d.decode("latin-1"), overlong, lambda d: unicodedata.normalize("NFC", d.decode("utf-8", "ignore")),
         lambda d: unicodedata.normalize("NFKC", d.decode("utf-8", "ignore")),
         lambda d: "".join(BEST_FIT.get(c, c) for c in d.decode("utf-8", "ignore"))]


# ---- and of text ----

def each_segment(change):
    return lambda path: "/".join(map(change, path.split("/")))


def without_dots(path):
    """RFC 3986, 5.2.4."""
    out = []
    for segment in path.split("/"):
        if segment == ".." and len(out) > 1:
            out.pop()
        elif segment not in (".", ".."):
            out.append(segment)
    return "/".join(out)


IGNORED = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
STEPS = [
    lambda p: p.replace("\\", "/"), lambda p: p.replace("+", " "), lambda p: p.partition("\0")[0],
    lambda p: p.partition("?")[0], lambda p: p.partition("#")[0], lambda p: p.translate(dict.fromkeys(range(32))),
    lambda p: IGNORED.sub("", p), each_segment(lambda s: s.partition(";")[0]), each_segment(str.strip),
    each_segment(lambda s: s if s in (".", "..") else s.rstrip(" .")), each_segment(lambda s: s.strip(" ")),
    lambda p: re.sub("/+", "/", p), without_dots,
]


def readings(target, choice):
    """Some of all combinations, each step at most once and in any order."""
    data = target.partition("?")[0].encode("latin-1")
    for to_bytes in BYTES:
        for to_text in TEXTS:
            text = to_text(to_bytes(data))
            yield text
            for _ in range(3):
                read = text
                for step in choice.sample(STEPS, choice.randint(1, 5)):
                    read = step(read)
                yield read


# ---- what callers write ----

PIECES = [piece.encode() if isinstance(piece, str) else piece for piece in [
    ".", "..", "...", "%2e", "%2E%2e", "/", "//", "%2f", "%5C", ";", "%3b", "%00", "%0a", "%09", "%20", "+", "%c2%a0",
    "\u00a0", "%e3%80%80", "\u200b", "%e2%80%8b", "%c2%ad", "%ef%bb%bf", "%c0%ae", b"\xc0\xae", "%e0%80%ae",
    b"\xe0\x80\xaf", "%f0%80%80%af", "%c0%af", "%c1%9c", b"\xc1\x9c", "\uff0e", "%ef%bc%8e", "\uff0f", "%ef%bc%8f",
    "%ef%bc%bc", "\u2024", "\u2025", "\u2044", "%e2%88%95", "\u2216", "%cd%be", "\uff1b", "\ufe52", "%c2%a5",
    "\uff05", "%25", "%252e", "2e", "2f", "u002f", "%u002e", "%u2215", "%25u002f", "$batch", "%24batch", "$BATCH",
    "$b%61tch", "$\uff42atch", "\uff04batch", "%ef%b9%a9batch", "%20$batch", "items", "x", "name", ")", "(", "key(",
    "('a')", "secret", "%3f", "%23", "\u00e9", "%c3%a9", "%ed%a0%80", "%f4%90%80%80", "%c3", b"\xff", "%80", "%85",
    "%e2%80%a8", "%", "%zz", "*", "'", "%27", ",", "=", "%2a", "~", "%7e"]]
BEGINNINGS = [b"/pub/", b"/pub/", b"/pub", b"/rest/", b"/key(", b"/", b"/odata/v2/", b"//", b"/./pub/", b"/pub%2f"]
ENDS = [b"", b"", b"/items", b"/items", b")/name", b")/name", b"/", b"/secret", b"?a=/../b;c"]


def make_target(choice):
    return choice.choice(BEGINNINGS) + b"".join(choice.choices(PIECES, k=choice.randint(0, 4))) + choice.choice(ENDS)


KNOWN = [  # what was found, and its kin
    b"/pub/\xc0\xae\xc0\xae/secret", b"/pub/%c0%ae%c0%ae/secret", b"/pub/%e0%80%ae%e0%80%ae/secret",
    b"/pub/%e0%80%ae\x80\xae/secret", b"/pub/\xc0\xae%c0%ae/x", b"/pub/%20$batch", b"/pub/%20%20$BATCH",
    b"/pub/+$batch", b"/pub/%c2%a0$batch", "/pub/\u200b$batch".encode(), "/pub/$\uff42atch".encode(), b"/pub/$batch%20",
    b"/pub/..%20/secret", b"/pub/%20../secret", b"/pub/%20/secret", b"/rest/%20/items", b"/rest/+/items",
    b"/rest/.../items", b"/rest/x%3f/items", b"/rest/x%23/items", b"/key(a)%3f)/name", b"/pub/%25u002e%25u002e/secret",
    "/pub/\uff0e\uff0e/secret".encode(), b"/pub/%ef%bc%8e%ef%bc%8e%ef%bc%8fsecret", "/rest/a\u2215b/items".encode(),
    "/pub/\u2025/secret".encode(), "/rest/a\u037e/items".encode(), "/pub/.\u034f./secret".encode(),
    b"/pub/%c2%85../secret", b"/pub/%ed%a0%80", b"/pub/%f4%90%80%80", b"/pub/%c3", b"/pub/%a9",
]


@pytest.fixture(scope="module")
def ruled(pki, tenant, tmp_path_factory):
    server = harness.Recorder(pki)
    try:
        proxy = harness.Proxy(tmp_path_factory.mktemp("readings"),
                              "[proxy]\nlisten = 127.0.0.1:0\n" + tenant(server.port) + RULES)
        yield types.SimpleNamespace(proxy=proxy, server=server)
        proxy.stop()
    finally:
        server.stop()


def ask_all(ruled, targets):
    """Asks for each; those that passed, as the server saw them."""
    ruled.server.take()
    c, passed = ruled.proxy.caller(), 0
    for target in targets:
        c.send(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = c.answer()
        passed += answer.status == 200
        if answer.status != 200:
            assert answer.token in ("path-ambiguous", "not-allowed-by-rule", "request-target"), target
        if answer.get("Connection") == "close":
            c.close()
            c = ruled.proxy.caller()
    c.close()
    seen = [seen.target for seen in ruled.server.take()]
    assert len(seen) == passed
    return seen


def check_readings(seen, choice):
    for target in seen:
        for read in readings(target, choice):
            assert is_covered(read), f"{target} passed, and can be read as {read!r}"


@pytest.mark.parametrize("target", KNOWN, ids=ascii)
def test_known_way_around_a_rule(ruled, target):
    choice = random.Random(31)
    for _ in range(20):
        check_readings(ask_all(ruled, [target]), choice)


def test_no_reading_of_what_passes_leaves_the_rules(ruled):
    choice = random.Random(3110)
    seen = ask_all(ruled, [make_target(choice) for _ in range(count(4000, 200_000))])
    check_readings(seen, choice)
    assert len(seen) > count(200, 10_000) and any("%" in target for target in seen)


def is_syntax(character):
    """Does it become one of the characters that paths are made of?"""
    forms = {unicodedata.normalize(form, character) for form in ("NFC", "NFKC")} | {BEST_FIT.get(character, "")}
    return any(c in form for form in forms for c in "./\\;?#%$")


def test_every_character_that_becomes_syntax_is_refused(ruled):
    codes = [c for c in map(chr, [*range(0xa0, 0xd800), *range(0xe000, 0x20000)]) if is_syntax(c)]
    assert len(codes) > 60
    assert ask_all(ruled, [f"/pub/a{c}b".encode() for c in codes]) == []
    names = ["Müller", "山田　太郎", "Ａ１", "naïve", "½", "Ωmega", "\U0001f600", "e\u0301"]
    assert len(ask_all(ruled, [f"/pub/{name}".encode() for name in names])) == len(names)
