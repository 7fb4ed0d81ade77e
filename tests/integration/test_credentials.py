"""authorization, and Basic credentials that servers read in ways of their own: no request travels to a tenant with
credentials that name another company, in whichever of these readings."""
import base64
import contextlib
import random
import re
import types
import unicodedata
import urllib.parse

import pytest

import harness
from harness import count
from test_readings import overlong
from test_tenants import COMPANY, basic, identified


# ---- what servers make of the field ----

def values(fields):
    """The fields' values, one or all of them, and the parts of a list."""
    yield from fields
    yield ", ".join(fields)
    for field in fields:
        yield from field.split(",")


SCHEMES = [lambda v: re.fullmatch(r"(?i)basic[ \t]+(.*)", v), lambda v: re.fullmatch(r"(?is)\W*basic\b\W*?(\S*)\W*", v),
           lambda v: re.fullmatch(r"(?i)basic.(.*)", v), lambda v: re.fullmatch(r"(?i)basic(.*)", v),
           lambda v: re.search(r"(?i)\bbasic\s+(\S+)", v), lambda v: re.fullmatch(r"(?i)\s*basic\s+(\S*).*", v)]


def padded(text):
    return text + "=" * (-len(text) % 4)


def in_parts(text):
    """Each part that ends with its padding, by itself."""
    return b"".join(base64.b64decode(padded(part)) for part in re.findall(r"[^=]+=*", text))


BASE64 = [base64.b64decode, lambda t: base64.b64decode(padded(re.sub(r"[^A-Za-z0-9+/]", "", t))),
          lambda t: base64.urlsafe_b64decode(padded(t)), lambda t: base64.b64decode(padded(t.split("=")[0])),
          lambda t: base64.b64decode(padded(urllib.parse.unquote(t))), in_parts]
TEXTS = [lambda d: d.decode("utf-8", "replace"), lambda d: d.decode("latin-1"), overlong,
         lambda d: d.decode("utf-8", "ignore"), lambda d: d.split(b"\0")[0].decode("latin-1"),
         lambda d: unicodedata.normalize("NFKC", d.decode("utf-8", "ignore")),
         lambda d: urllib.parse.unquote(d.decode("utf-8", "replace")),
         lambda d: "".join(c for c in d.decode("utf-8", "ignore") if c.isprintable())]
USERS = [lambda t: t.split(":")[0], lambda t: t.split(":")[0].strip(), lambda t: t.split(":")[0].rstrip("@"),
         lambda t: t.split("\n")[0].split(":")[0]]


def companies(fields):
    """All that a server could think is named; "" for none."""
    for value in values(fields):
        for scheme in SCHEMES:
            found = scheme(value)
            for decode in BASE64 if found else []:
                try:
                    data = decode(found[1])
                except ValueError:
                    continue
                yield from (user(text(data)).rpartition("@")[2] if "@" in user(text(data)) else ""
                            for text in TEXTS for user in USERS)


# ---- what callers write ----

def encoded(user, password="pw"):
    data = user.encode() if isinstance(user, str) else user
    return base64.b64encode(data + b":" + password.encode()).decode()


MINE, OTHER = encoded("u@ACME"), encoded("u@GLOBEX")
WAYS = {  # to name GLOBEX so that the proxy might not see it
    "not base64": [f"Basic {OTHER}!"], "a blank in it": [f"Basic {OTHER[:8]} {OTHER[8:]}"],
    "a tab in it": [f"Basic {OTHER[:8]}\t{OTHER[8:]}"], "a quote": [f'Basic "{OTHER}"'],
    "url-safe": ["Basic " + base64.urlsafe_b64encode(b"\xff\xfe~?u@GLOBEX:pw").decode()],
    "too much padding": [f"Basic {OTHER}===="], "padding in it": ["Basic dT1A=" + OTHER],
    "two parts": ["Basic eDo=" + OTHER], "percent-encoded": ["Basic " + OTHER.replace("=", "%3D")],
    "bits at the end": ["Basic " + base64.b64encode(b"u@GLOBEX:p").decode().rstrip("=")[:-1] + "B="],
    "one character too many": [f"Basic {OTHER.rstrip('=')}" + "A" * (5 - len(OTHER.rstrip("=")) % 4)],
    "no colon": ["Basic " + base64.b64encode(b"u@GLOBEX").decode()],
    "scheme with a colon": [f"Basic: {OTHER}"], "scheme without a blank": [f"Basic{OTHER}"],
    "scheme with an equals sign": [f"Basic={OTHER}"], "scheme behind a blank": [f"\xa0Basic {OTHER}"],
    "scheme and a no-break space": [f"Basic\xa0{OTHER}"], "scheme in quotes": [f'"Basic" {OTHER}'],
    "a list": [f"Bearer x, Basic {OTHER}"], "a list of two": [f"Basic {MINE}, Basic {OTHER}"],
    "a list without a blank": [f"Bearer x,basic {OTHER}"], "a list that begins empty": [f",Basic {OTHER}"],
    "two fields": ["Bearer x", f"Basic {OTHER}"], "two fields of two": [f"Basic {MINE}", f"Basic {OTHER}"],
    "two fields, one of them broken": [f"Basic {MINE}", f"Basic {OTHER}*"],
    "NUL behind the company": ["Basic " + encoded("u@GLOBEX\0x@ACME")],
    "NUL before the company": ["Basic " + encoded("u@ACME\0@GLOBEX")],
    "line end": ["Basic " + encoded("u@GLOBEX\n:@ACME")], "tab": ["Basic " + encoded("u@GLOBEX\t@")],
    "nothing behind the @": ["Basic " + encoded("u@GLOBEX@")],
    "overlong @": ["Basic " + encoded(b"u\xc1\x80GLOBEX")],
    "overlong @ of three": ["Basic " + encoded(b"u\xe0\x81\x80GLOBEX")],
    "fullwidth @": ["Basic " + encoded("u\uff20GLOBEX")], "small @": ["Basic " + encoded("u\ufe6bGLOBEX")],
    "percent-encoded @": ["Basic " + encoded("u%40GLOBEX")],
    "percent-encoded company": ["Basic " + encoded("u@%47LOBEX")],
    "fullwidth company": ["Basic " + encoded("u@\uff27LOBEX")],
    "fullwidth colon": ["Basic " + encoded("u@GLOBEX\uff1a@ACME")],
    "no UTF-8": ["Basic " + encoded(b"u@GLOBEX\xff")], "half a character": ["Basic " + encoded(b"u\xe3@GLOBEX")],
    "invisible": ["Basic " + encoded("u@GLO\u200bBEX")], "blank": ["Basic " + encoded("u@GLOBEX ")],
}


@pytest.fixture(scope="module")
def offices(pki, tenant, tmp_path_factory):
    """Listeners of acme, which keeps and which strips, beside globex; and of acme alone."""
    with contextlib.ExitStack() as stack:
        server = identified(pki)
        stack.callback(server.stop)

        def start(name, *sections):
            proxy = harness.Proxy(tmp_path_factory.mktemp(name), "".join(sections))
            stack.callback(proxy.stop)
            return proxy

        globex = tenant(server.port, "globex", "GLOBEX", "globex-all.pem")
        own = {how: tenant(server.port, authorization=how, listen="127.0.0.1:0") for how in ("keep", "strip")}
        yield types.SimpleNamespace(server=server, keep=start("keep", own["keep"], globex), strip=start(
            "strip", own["strip"], globex), alone=start("alone", own["strip"]), kept=start("kept", own["keep"]))


def sent(offices, proxy, fields):
    """Calls acme with these Authorization fields: the answer, and those that reached the server."""
    offices.server.take()
    answer = proxy.request(fields=[("Authorization", value) for value in fields])
    seen = offices.server.take()
    assert len(seen) == (answer.status == 200)
    assert answer.status == 200 or (answer.status, answer.token) in [
        (400, "request-malformed"), (403, "tenant-unknown")], answer.raw_head
    return answer, seen[0].all("Authorization") if seen else None


@pytest.mark.parametrize("proxy", ["keep", "kept"])
@pytest.mark.parametrize("way", WAYS)
def test_what_can_name_another_company_is_not_kept(offices, way, proxy):
    _, seen = sent(offices, getattr(offices, proxy), WAYS[way])
    assert seen is None


UNREADABLE = ["not base64", "a blank in it", "a quote", "url-safe", "too much padding", "padding in it", "two parts",
              "percent-encoded", "bits at the end", "one character too many", "no colon", "scheme with a colon",
              "scheme without a blank", "a list", "a list of two", "a list without a blank", "a list that begins empty",
              "scheme behind a blank", "two fields, one of them broken"]


@pytest.mark.parametrize("way", UNREADABLE)
def test_credentials_that_cannot_be_read_choose_no_tenant(offices, way):
    """Though they would be taken out: they may name another one. With a single tenant there is none."""
    answer, _ = sent(offices, offices.strip, WAYS[way])
    assert (answer.status, answer.token) == (400, "request-malformed")
    assert "Authorization" in answer.json()["detail"]
    answer, seen = sent(offices, offices.alone, WAYS[way])
    assert answer.status == 200 and seen == []


READABLE = ["", "Bearer x", "Bearer eyJ.abc-_~+/=", "garbage", "Negotiate YII=", f"Basic {MINE}", f"bASIC  {MINE}",
            "Basic " + encoded("u"), "Basic " + encoded(""), "Basic " + encoded("@ACME"),
            "Basic " + encoded("\u00e4@ACME"),
            "Basic " + encoded("u@ACME", "p\0\n\u00e4:@GLOBEX"), "Basic " + encoded("me@example.com@ACME"),
            'Digest username="basic", realm="Basic x", uri="/"', "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host",
            "x Basic"]


@pytest.mark.parametrize("value", READABLE)
def test_what_can_be_read_in_one_way_is_kept(offices, value):
    answer, seen = sent(offices, offices.keep, [value])
    assert answer.status == 200 and seen == [value]


@pytest.mark.parametrize("value", [f"Basic\t{MINE}", "Basic " + encoded("me@ACME").rstrip("="),
"Basic " + encoded(b"Zo\xeb@ACME")])
def test_old_ways_to_write_credentials_choose_a_tenant_and_are_not_kept(offices, value):
    """What is taken out needs no server to agree with: tabs, no padding, Latin-1."""
    assert sent(offices, offices.strip, [value])[0].status == 200
    assert sent(offices, offices.keep, [value])[0].token == "request-malformed"


def test_proxys_credentials_are_not_looked_at(offices):
    """They never travel."""
    for value in (f"Basic {OTHER}", f"Basic {OTHER}*"):
        offices.server.take()
        assert offices.keep.request(fields=[("Proxy-Authorization", value)]).status == 200
        [seen] = offices.server.take()
        assert seen.others() == []


def make_value(choice):
    """One field's value, or two: credentials of either company, damaged in some way."""
    company, other = choice.sample(["ACME", "GLOBEX"], 2)
    at = choice.choice(["@", "@", "@", "%40", "\uff20", "@@", "\0@", "@\n", "\u00ad@", "\x7f@"])
    user = choice.choice(["u", "\u00e4", "", "u:", f"u@{other}", "u\0"]) + at + company
    user = (user + choice.choice(["", "", "", " ", "\0", "\t", "@", f"\0@{other}", "\u200b", "\r\n"])).encode()
    user = choice.choice([user, user, user.replace(b"@", b"\xc1\x80"), user + b"\xff", b"\xe3" + user])
    token = encoded(user, choice.choice(["pw", "", "p@X", "a:b"]))
    token = choice.choice([token, token, token.rstrip("="), token + "=", token + "==", token.replace("=", ""),
                           token + "*",
                           token[:5] + " " + token[5:], token[:-2], "eDo=" + token, token + "eDo=", f'"{token}"',
                           token.translate(str.maketrans("+/", "-_"))])
    scheme = choice.choice(["Basic ", "Basic ", "basic ", "BASIC  ", "Basic\t", "Basic", "Basic:", "\xa0Basic ",
                            "Basic=",
                            "Basic\xa0", "xBasic ", "Basic, Basic ", "Bearer x, Basic ", ", basic ", "Bearer x,Basic "])
    return scheme + token + choice.choice(["", "", "", ",", ", Bearer x", ";", " x"])


def test_no_reading_of_what_is_kept_names_another_company(offices):
    choice, kept = random.Random(30), 0
    with offices.keep.caller() as c:
        for _ in range(count(2000, 50_000)):
            fields = [make_value(choice) for _ in range(choice.choice([1, 1, 1, 2]))]
            answer = c.request(fields=[("Authorization", value) for value in fields])
            kept += answer.status == 200
            assert answer.status == 200 or answer.token in ("request-malformed", "tenant-unknown")
    seen = offices.server.take()
    assert len(seen) == kept > count(20, 500)
    for request in seen:
        assert (request.cn, request.company) == ("acme_user", "ACME")
        named = set(companies(request.all("Authorization")))
        assert named <= {"", "ACME"}, f"{request.all('Authorization')} can name {named}"


def test_header_and_unreadable_credentials(offices):
    """The company that a field names is not enough beside credentials that may name another one."""
    for proxy in (offices.strip, offices.keep):
        answer = proxy.request(fields=[(COMPANY, "ACME"), ("Authorization", f"Basic {OTHER}*")])
        assert (answer.status, answer.token) == (400, "request-malformed")
        assert proxy.request(fields=[(COMPANY, "ACME"), basic("u@ACME")]).status == 200
