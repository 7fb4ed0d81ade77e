"""The page of the admin listener: what it shows, to whom, and that nothing in it is more than text."""
import html.parser
import re

import pytest

import harness
from test_admin import ask
from test_operate import BEARER, token_files
from test_parent import OK, answer_of, parent, secrets

VOID = {"meta", "link"}
MAY_BE_LEFT_OPEN = {"th"}


class Page(html.parser.HTMLParser):
    """The elements of a document; each is ended, in order, but for those that HTML lets stay open."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID | MAY_BE_LEFT_OPEN:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(p):
    answer = ask(p, "/")
    assert (answer.status, answer.get("Content-Type")) == (200, "text/html; charset=utf-8")
    return Page(answer.body.decode())


def test_fresh_process_has_a_page(proxy, tenant):
    page = page_of(proxy(tenant(harness.closed_port()), admin="127.0.0.1:0"))
    for words in ("ready", "The certificate that ends first", "acme: ", "What failed last", "Nothing so far", "unused",
                  "none since the start"):
        assert words in page.text, words
    assert "Last failures" not in page.text and len(page.all("meter")) == 1


def test_what_matters(proxy, pki, tenant):
    """The certificate that ends first, and what failed last with its cure, come before all else."""
    p = proxy(tenant(harness.closed_port()) +
              tenant(harness.closed_port(), "globex", "GLOBEX", "expired-chain.pem", private_key=f"{pki}/expired.key"),
              admin="127.0.0.1:0")
    before = p.request(fields=[("successfactors-companyid", "ACME")])
    p.wait_for_log(1)
    answer = p.request(fields=[("successfactors-companyid", "GLOBEX")])
    p.wait_for_log(2)
    p.rewrite(p.config.read_text() + "colour = red\n")
    p.said("not reloaded")
    text = page_of(p).text
    first = text[:text.index("Tenants")]
    for words in ("tenants with a valid certificate: 1 of 2", "globex: expired", "ended on 20",
                  "globex: client-certificate-expired", answer.json()["cure"].replace("`", ""),
                  "The last reload was refused", "unknown key colour"):
        assert words in first, (words, first)
    failures = text[text.index("Last failures"):]
    assert failures.index("client-certificate-expired") < failures.index(before.json()["code"])


def test_many_tenants(proxy, tenant):
    """Failures are not below fifty rows."""
    p = proxy("".join(tenant(harness.closed_port(), f"t{i}", f"C{i}") for i in range(50)), admin="127.0.0.1:0")
    p.request(fields=[("successfactors-companyid", "C7")])
    p.wait_for_log(1)
    text = page_of(p).text
    assert text.index("Last failures") < text.index("Tenants\n") and all(f"C{i} at " in text for i in range(50))


def test_parent_proxy(proxy, nginx, tenant, parent, tmp_path):
    """Its name, without what it asks for; a failure on the way through it is shown as others are."""
    up = parent(OK, answer_of(b"407 Who", fields=b'Proxy-Authenticate: Basic realm="x"\r\n'))
    environment = {"https_proxy": "http://berta:letmein@proxy.test:3128"}
    p = proxy(tenant(nginx.port, parent_proxy=up.url, **secrets(tmp_path))
              + tenant(harness.closed_port(), "globex", "GLOBEX", parent_proxy="system")
              + tenant(harness.closed_port(), "direct", "DIRECT"), environment, admin="127.0.0.1:0")
    assert p.request(target="/who", fields=[("successfactors-companyid", "ACME")]).status == 200
    names = f"through the parent proxy 127.0.0.1:{up.port}", "through the parent proxy proxy.test:3128"
    text = page_of(p).text
    assert [text.count(words) for words in (*names, "parent proxy")] == [1, 1, 2]
    assert not re.search("anna|s3cret|berta|letmein", text)
    p.rewrite(p.config.read_text().replace("company-id = ACME", "company-id = ANOTHER"))  # with connections of its own
    p.said("notice: reloaded")
    answer = p.request(target="/who", fields=[("successfactors-companyid", "ANOTHER")])
    assert answer.token == "parent-proxy-auth-failed"
    p.wait_for_log(2)
    text = page_of(p).text
    first, failures = text[:text.index("Tenants\n")], text[text.index("Last failures"):]
    problem = answer.json()
    assert f"acme: {problem['code']}" in first and problem["cure"].replace("`", "") in first
    assert problem["detail"].replace("`", "") in failures and "s3cret" not in text
    done = harness.run_cli("status", "-c", str(p.config), "--set", f"admin={p.ready['admin']}", env=environment)
    assert all(words in done.stdout for words in names), done


HOSTILE = "<script>alert(1)</script>&amp;\"'`<b>"


def test_what_callers_say_is_text(proxy, tenant):
    p = proxy(tenant(harness.closed_port()), admin="127.0.0.1:0")
    p.request(fields=[("successfactors-companyid", HOSTILE)])
    p.wait_for_log(1)
    page = page_of(p)
    assert "<script>alert(1)</script>&amp;\"'" in page.text
    assert not page.all("script") and len(page.all("b")) == 3


def test_nothing_is_loaded_but_the_style_sheet(proxy, tenant):
    p = proxy(tenant(harness.closed_port()), admin="127.0.0.1:0")
    answer, style = ask(p, "/"), ask(p, "/style.css")
    for one in answer, style:
        policy = dict(part.strip().split(" ", 1) for part in one.get("Content-Security-Policy").split(";"))
        assert policy == {"default-src": "'none'", "style-src": "'self'", "base-uri": "'none'",
                          "form-action": "'none'", "frame-ancestors": "'none'"}
        assert one.get("X-Content-Type-Options") == "nosniff"
        assert one.get("Cross-Origin-Resource-Policy") == "same-origin"
        assert (one.get("Cache-Control"), one.get("X-Frame-Options")) == ("no-store", "DENY")
    page = Page(answer.body.decode())
    assert [link["href"] for link in page.all("link")] == ["/style.css"]
    assert not re.search(r"<script|<img|<iframe|<form|style=|\son\w+=|javascript:", answer.body.decode())
    assert style.get("Content-Type") == "text/css; charset=utf-8" and b"prefers-color-scheme:dark" in style.body
    assert not re.search(rb"url\(|@import", style.body)


@pytest.mark.parametrize("site, code", [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)])
def test_who_asks(proxy, tenant, site, code):
    p = proxy(tenant(harness.closed_port()), admin="127.0.0.1:0")
    assert ask(p, "/", fields=[("Sec-Fetch-Site", site)]).status == code
    assert ask(p, "/", host="evil.test").status == 421


def test_token_is_needed_for_the_page_but_not_for_its_style(proxy, tenant, token_files):
    p = proxy(tenant(harness.closed_port()), admin="127.0.0.1:0", **token_files)
    assert ask(p, "/").token == "admin-token-missing" and ask(p, "/style.css").status == 200
    assert ask(p, "/", fields=BEARER).status == 200
