"""Cookies of a server that speaks https, kept by callers who came without TLS (RFC 6265bis)."""
import json
import os
import pathlib
import subprocess

import pytest

import harness

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT, MODULES = ROOT / "tests/integration/clients/cookies.mjs", ROOT / "build/npm/node_modules"

# What the server sets, and what a caller without TLS gets.
CASES = [
    # Secure goes, and with it all that browsers take from secure cookies only (5.7, CHIPS).
    ("plain=1", "plain=1"),
    ("secure=1; Secure; Path=/", "secure=1; Path=/"),
    ("none=1; Secure; SameSite=None", "none=1"),
    ("order=1; SameSite=None; HttpOnly; Secure; Path=/", "order=1; HttpOnly; Path=/"),
    ("case=1; sEcUrE; sAMEsITE=nONE; pARTITIONED", "case=1"),
    ("blanks=1 ;\t Secure ; SameSite \t= None\t; Path=/", "blanks=1 ; Path=/"),
    ("valued=1; Secure=yes; Partitioned=no; Path=/", "valued=1; Path=/"),
    ("tight=1;Secure;SameSite=None;Path=/", "tight=1;Path=/"),
    ("partitioned=1; Path=/; Secure; SameSite=None; Partitioned", "partitioned=1; Path=/"),
    ("chips=1; Secure; Partitioned; Path=/", "chips=1; Path=/"),
    # SameSite that does not need Secure stays.
    ("lax=1; Secure; SameSite=Lax", "lax=1; SameSite=Lax"),
    ("strict=1; Secure; SameSite=Strict; Partitioned", "strict=1; SameSite=Strict"),
    ('quoted=1; Secure; SameSite="None"', 'quoted=1; SameSite="None"'),
    ("unknown=1; Secure; SameSite=nonesuch", "unknown=1; SameSite=nonesuch"),
    ("empty=1; Secure; SameSite=; SameSite", "empty=1; SameSite=; SameSite"),
    # The last of several counts (5.7): where that is None, none of the others may come to count.
    ("last=1; SameSite=Strict; Secure; SameSite=None", "last=1"),
    ("first=1; SameSite=None; Secure; SameSite=Lax", "first=1; SameSite=Lax"),
    # Without Secure nothing is taken out: what browsers refuse from the server they refuse here.
    ("bare=1; SameSite=None", "bare=1; SameSite=None"),
    ("alone=1; Partitioned", "alone=1; Partitioned"),
    # A name with a prefix says what the cookie has: without it, it would be refused (5.7, whatever the case).
    ("__Host-a=1; Path=/; Secure; SameSite=None", "__Host-a=1; Path=/; Secure; SameSite=None"),
    ("__Secure-a=1; Secure; SameSite=None; Partitioned", "__Secure-a=1; Secure; SameSite=None; Partitioned"),
    ("__host-b=1; Secure; Path=/", "__host-b=1; Secure; Path=/"),
    ("__SECURE-b =1; Secure", "__SECURE-b =1; Secure"),
    ("__Http-a=1; Secure; HttpOnly", "__Http-a=1; Secure; HttpOnly"),
    ("__Host-Http-a=1; Secure; HttpOnly; Path=/", "__Host-Http-a=1; Secure; HttpOnly; Path=/"),
    ("__Host-d=1; Path=/; Secure; Domain=.sf.com", "__Host-d=1; Path=/; Secure; Domain=.sf.com"),
    ("x__Host-=1; Secure; Path=/", "x__Host-=1; Path=/"),
    ("__Hosta=1; Secure", "__Hosta=1"),
    # Attributes are what stands behind the first semicolon, whatever the value looks like (5.6).
    ("Secure=Secure; Path=/", "Secure=Secure; Path=/"),
    ("v=SameSite=None, Secure; Path=/; Secure", "v=SameSite=None, Secure; Path=/"),
    ('q="a; Secure"; Path=/', 'q="a; Secure"; Path=/'),
    ('q="a;Secure;b"; Path=/', 'q="a;b"; Path=/'),
    ("e=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Secure", "e=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT"),
    ("s=1;; ;Secure;", "s=1;; ;"),
    ("end=1;", "end=1;"),
    ("nameless; Secure", "nameless"),
    ("=valueonly; Secure", "=valueonly"),
    # A Domain that is not the caller's host goes; the cookie is the host's own then (5.7).
    ("d=1; Domain=.successfactors.com; Path=/", "d=1; Path=/"),
    ("d=1; domain = LOCALHOST", "d=1; domain = LOCALHOST"),
    ("d=1; Domain=.localhost", "d=1; Domain=.localhost"),
    ("d=1; Domain=host", "d=1"),
    ("d=1; Domain", "d=1"),
    ("d=1; Domain=successfactors.com; Secure; SameSite=None; Path=/", "d=1; Path=/"),
]


@pytest.fixture(scope="module")
def path(recorded_by):
    return recorded_by(lambda c, seen: c.reply(
        b"<!doctype html><link rel=icon href=data:,>",
        fields="Content-Type: text/html\r\n" + "".join(f"Set-Cookie: {v}\r\n" for v in seen.all("X-Set"))))


@pytest.mark.parametrize("value, want", CASES)
def test_without_tls(path, value, want):
    answer = path.proxy.request(fields=[("X-Set", value)], host=f"localhost:{path.proxy.port}")
    assert answer.all("Set-Cookie") == [want]


@pytest.mark.parametrize("host, value, want", [
    ("127.0.0.1:8080", "d=1; Domain=127.0.0.1", "d=1; Domain=127.0.0.1"),
    ("127.0.0.1:8080", "d=1; Domain=0.0.1", "d=1"),
    ("[::1]:8080", "d=1; Domain=[::1]", "d=1; Domain=[::1]"),
    ("[::1]", "d=1; Domain=::1; Secure", "d=1"),
])
def test_addresses_have_no_domain(path, host, value, want):
    answer = path.proxy.request(fields=[("X-Set", value)], host=host)
    assert answer.all("Set-Cookie") == [want]


def test_several_at_once(path):
    values = [value for value, _ in CASES]
    answer = path.proxy.request(fields=[("X-Set", v) for v in values], host=f"localhost:{path.proxy.port}")
    assert answer.all("Set-Cookie") == [want for _, want in CASES]


def test_early_hints_are_no_exception(script, proxy, tenant):
    server = script(harness.answering(lambda c, *_: c.send(
        "HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=1; Secure; SameSite=None\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")))
    p = proxy(tenant(server.port))
    with p.caller() as c:
        c.send(harness.head_lines())
        assert b"\r\nSet-Cookie: a=1\r\n" in c.read_until(b"\r\n\r\nok")


# What a browser and curl send back to http://localhost: name=value of all that they kept.
KEPT = {
    "n=1; Secure; SameSite=None; Path=/": True,
    "m=1; Secure; SameSite=None; Partitioned; Path=/": True,
    "l=1; Secure; SameSite=Lax; Path=/; HttpOnly": True,
    "o=1; SameSite=Strict; Secure; SameSite=None; Path=/": True,
    "p=1; Secure; Path=/; Domain=.successfactors.com": True,
    "__Secure-s=1; Secure; Path=/": True,
    "__Host-h=1; Secure; Path=/": True,
    "r=1; SameSite=None; Path=/": False,
    "t=1; Partitioned; Path=/": False,
}


def names_sent(fields):
    return {pair.strip().partition("=")[0] for field in fields for pair in field.split(";") if pair.strip()}


def ask_for(names):
    return [("X-Set", value) for value in names]


def test_a_browser_keeps_them(path):
    """Chromium, at http://localhost: sent back with the next page."""
    url = f"http://localhost:{path.proxy.port}/"
    path.server.take()
    environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    done = subprocess.run(["node", SCRIPT], input=json.dumps({"url": url, "set": list(KEPT)}), capture_output=True,
                          text=True, timeout=90, env={**environment, "MODULES": str(MODULES)})
    assert done.returncode == 0, done.stderr
    last = [seen for seen in path.server.take() if seen.target == "/again"][-1]
    assert names_sent(last.all("Cookie")) == {v.partition("=")[0] for v, kept in KEPT.items() if kept}


def test_a_jar_of_curl_keeps_them(path, tmp_path):
    """It knows neither SameSite nor Partitioned."""
    path.server.take()
    common = ["curl", "-sSf", "-o", "/dev/null", "-b", tmp_path / "jar", "-c", tmp_path / "jar", "--noproxy", "*"]
    set_all = [argument for value in KEPT for argument in ("-H", f"X-Set: {value}")]
    for more in (set_all, []):
        subprocess.run([*common, *more, f"http://localhost:{path.proxy.port}/"], check=True)
    assert names_sent(path.server.take()[-1].all("Cookie")) == {v.partition("=")[0] for v in KEPT}
