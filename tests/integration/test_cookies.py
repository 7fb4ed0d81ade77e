"""Which cookies reach a server: with one tenant all, with several those that it has set in this run, and no others."""
import random
import re

import pytest

import harness
from harness import count, eventually
from test_tenants import COMPANY, identified


@pytest.fixture
def server(pki, started):
    """Sets the cookies that a request asks for (X-Set)."""
    started.append(identified(pki, lambda c, seen: c.reply(
        b"ok", fields="".join(f"Set-Cookie: {cookie}; Path=/; HttpOnly\r\n" for cookie in seen.all("X-Set")))))
    return started[-1]


def acme(tenant, server, **keys):
    return tenant(server.port, **keys)


def beta(tenant, server, **keys):
    return tenant(server.port, "beta", "BETA", certificate="globex-all.pem", **keys)


def ask(p, server, company, cookies=(), sets=(), **keys):
    """The cookies that reach the server, of a request with these."""
    fields = [(COMPANY, company), *(("Cookie", c) for c in cookies), *(("X-Set", c) for c in sets)]
    server.take()
    assert p.request(fields=fields, **keys).status == 200
    [seen] = server.take()
    return seen.all("Cookie")


def reload(p, text):
    before = p.stderr.count("notice: reloaded")
    p.rewrite(text)
    eventually(lambda: p.stderr.count("notice: reloaded") > before)


@pytest.mark.parametrize("workers", [1, 4])
def test_what_the_server_did_not_set_is_not_sent(proxy, tenant, server, workers):
    p = proxy(acme(tenant, server) + beta(tenant, server), workers=workers)
    ask(p, server, "ACME", sets=["s=a", "common=1"])
    ask(p, server, "BETA", sets=["s=b", "common=1"])
    mixed = "own=1; s=a; s=b; common=1"
    for _ in range(2 * workers):
        assert ask(p, server, "ACME", [mixed]) == ["s=a; common=1"]
        assert ask(p, server, "BETA", [mixed]) == ["s=b; common=1"]
        assert ask(p, server, "ACME", ["own=1", "s=b", "s=a"]) == ["s=a"]
        assert ask(p, server, "BETA", ["own=1", "s=a"]) == []


def test_nothing_is_known_after_a_restart(proxy, tenant, server):
    sections = acme(tenant, server) + beta(tenant, server)
    first = proxy(sections)
    ask(first, server, "ACME", sets=["s=a"])
    assert ask(first, server, "ACME", ["s=a"]) == ["s=a"]
    first.stop()
    second = proxy(sections)
    for company in ("ACME", "BETA"):
        assert ask(second, server, company, ["s=a"]) == []
    ask(second, server, "ACME", sets=["s=a"])
    assert (ask(second, server, "ACME", ["s=a"]), ask(second, server, "BETA", ["s=a"])) == (["s=a"], [])


def test_one_tenant_gets_all(proxy, tenant, server):
    """Also after a restart, and what a script made up."""
    for _ in range(2):
        p = proxy(acme(tenant, server))
        assert ask(p, server, "ACME", ["s=a; own=1", " x "]) == ["s=a; own=1", "x"]
        p.stop()


def test_many_cookies_of_one_tenant_push_out_none_of_another(proxy, tenant, server):
    p = proxy(acme(tenant, server) + beta(tenant, server))
    ask(p, server, "ACME", sets=["s=a"])
    with p.caller() as c:
        for n in range(count(150, 3000)):
            fields = [(COMPANY, "BETA"), *(("X-Set", f"flood={n}-{i}") for i in range(60))]
            assert c.request(fields=fields).status == 200
    last = f"flood={n}-59"
    assert ask(p, server, "ACME", [f"s=a; {last}"]) == ["s=a"]
    assert ask(p, server, "BETA", [f"s=a; {last}; flood=0-0"]) == [last]


def test_second_tenant_by_a_reload(proxy, tenant, server):
    """What was set while there was one tenant is known; then only that goes on. Back to one, all does."""
    p = proxy(acme(tenant, server))
    one = p.config.read_text()
    ask(p, server, "ACME", sets=["s=a"])
    reload(p, one + beta(tenant, server))
    assert ask(p, server, "ACME", ["s=a; own=1"]) == ["s=a"]
    assert ask(p, server, "BETA", ["s=a; own=1"]) == []
    ask(p, server, "BETA", sets=["s=b"])
    reload(p, one)
    assert ask(p, server, "ACME", ["s=a; s=b; own=1"]) == ["s=a; s=b; own=1"]
    reload(p, one + beta(tenant, server))
    assert ask(p, server, "ACME", ["s=a; s=b"]) == ["s=a"]
    assert ask(p, server, "BETA", ["s=a; s=b"]) == [], "forgotten, when it was taken out"


def test_tenant_that_moves_is_another_one(proxy, tenant, server, pki):
    """A new certificate keeps the sessions, another server or company does not get them."""
    p = proxy(acme(tenant, server) + beta(tenant, server))
    text = p.config.read_text()
    ask(p, server, "ACME", sets=["s=a"])
    reload(p, text.replace("acme-all.pem", "globex-all.pem"))
    assert ask(p, server, "ACME", ["s=a"]) == ["s=a"]
    reload(p, text.replace("company-id = ACME", "company-id = ACME2"))
    assert ask(p, server, "ACME2", ["s=a"]) == []
    reload(p, text)
    assert ask(p, server, "ACME", ["s=a"]) == []
    ask(p, server, "ACME", sets=["s=a"])
    reload(p, text.replace(f"server = localhost:{server.port}", "server = localhost:1", 1))
    assert ask(p, server, "ACME", ["s=a"]) == []


def test_both_certificates_are_one_tenant(proxy, tenant, server, pki):
    refuse = b'{"error":{"code":"AuthenticationFailed","details":"[AUTH0032]Invalid client certificate"}}'
    usual, refused = server.reply, set()

    def reply(c, seen):
        if c.peer_cn() in refused:
            seen.cn = c.peer_cn()
            c.reply(refuse, "401 No", "Content-Type: application/json\r\n")
        else:
            usual(c, seen)

    server.reply = reply
    p = proxy(acme(tenant, server, certificate_next=f"{pki}/rsa-chain.pem", private_key_next=f"{pki}/rsa.key")
              + beta(tenant, server))
    ask(p, server, "ACME", sets=["s=a"])
    refused.add("acme_user")
    assert p.request(fields=[(COMPANY, "ACME"), ("Cookie", "s=a; own=1")]).status == 200
    assert [(seen.cn, seen.all("Cookie")) for seen in server.take()] == [("acme_user", ["s=a"]), ("rsa_user", ["s=a"])]


def test_log_says_once_that_cookies_are_left_out(proxy, tenant, server):
    """Of each tenant, and without the cookie."""
    p = proxy(acme(tenant, server) + beta(tenant, server))
    for _ in range(3):
        for company in ("ACME", "BETA"):
            ask(p, server, company, ["secret-name=secret-value"])
    p.wait_for_log(6)
    told = lambda: re.findall(r"notice: tenant (\w+): a cookie was taken out", p.stderr)
    eventually(lambda: len(told()) == 2)
    assert sorted(told()) == ["acme", "beta"] and "secret" not in p.stderr


# ---- the product ----

class Model:
    """What is known of each tenant in this run."""

    def __init__(self):
        self.several, self.known = False, {"ACME": set(), "BETA": set()}

    def sent(self, company, cookies):
        return [c for c in cookies if not self.several or c in self.known[company]]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("seed", range(count(1, 10)))
def test_cookies_by_a_model(proxy, tenant, server, workers, seed):
    """Calls that set cookies and send some of all, reloads that add and take away the second tenant, restarts."""
    choice, model, cookies = random.Random(seed), Model(), [f"c{n % 7}={n}" for n in range(40)]
    sections = {False: acme(tenant, server), True: acme(tenant, server) + beta(tenant, server)}
    p = proxy(sections[False], workers=workers)
    head = p.config.read_text().replace(sections[False], "")
    for _ in range(count(120, 600)):
        what = choice.choices(["call", "reload", "restart"], [90, 8, 2])[0]
        if what == "call":
            company = choice.choice(["ACME", "BETA"]) if model.several else "ACME"
            offered, sets = choice.sample(cookies, choice.randint(0, 8)), choice.sample(cookies, choice.randint(0, 2))
            got = ask(p, server, company, ["; ".join(offered)] if offered else [], sets)
            assert "; ".join(got) == "; ".join(model.sent(company, offered))
            model.known[company] |= set(sets)
        elif what == "reload":
            model.several = not model.several
            reload(p, head + sections[model.several])
            if not model.several:
                model.known["BETA"] = set()
        else:
            p.stop()
            model.known = {"ACME": set(), "BETA": set()}
            p = proxy(sections[model.several], workers=workers)
