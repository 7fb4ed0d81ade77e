"""BTP behind a company's proxy: `cert fetch`, `run` and `check` go through `parent-proxy`."""
import json
import re
import shutil
import socket

import pytest

import btp
import harness
from test_btp_fetch import certificates, fetch, is_silent_of_secrets  # noqa: F401 (fixtures)
from test_btp_renewal import (DAY, NAME, clock, cloud, environment, fetching, is_used,  # noqa: F401 (fixtures)
                              status)
from test_parent import (OK, Parent, answer_of, basic, challenge, is_right, parent,  # noqa: F401 (fixtures)
                         secrets, tunnel)
from test_parent_real import kdc, needs_kdc, needs_squid, negotiate, open_folder, squid  # noqa: F401 (fixtures)

WHO = answer_of(b"407 Who", fields=b'Proxy-Authenticate: Basic realm="x"\r\n')
AUTH = "btp-proxy-auth: XSUAA .* because the parent proxy 127.0.0.1:{port} ({at}) refused the user anna (407)"


@pytest.fixture
def key(cloud, certificates, tmp_path):
    cloud.put(NAME, certificates["fine"])
    cloud.key = cloud.service_key(tmp_path / "key.json")
    return cloud.key


def words_of(up, **secret):
    """On a command line."""
    return ["--parent-proxy", up.url, *(w for n, v in secret.items() for w in (f"--{n.replace('_', '-')}", v))]


def shown(text, **parts):
    """A pattern for that sentence."""
    return re.escape(text.format(**parts)).replace(r"\.\*", ".*")


# ---- cert fetch ----

def test_fetch_through_the_parent_proxy(cloud, key, parent, tmp_path):
    """Basic at once; what the environment says does not count; what is for BTP alone is not told to the proxy."""
    up = parent(OK)
    env = {"https_proxy": f"http://127.0.0.1:{harness.closed_port()}", "no_proxy": "*"}
    done = fetch(cloud, *words_of(up, **secrets(tmp_path)), env=env)
    assert done.returncode == 0, done.stderr
    assert set(up.all("Proxy-Authorization")) == {basic()} and up.all("Authorization") == [None] * up.count
    assert fetch(cloud, "--parent-proxy", "none", env={**env, "no_proxy": ""}).returncode == 0


def test_fetch_by_digest_and_by_what_is_offered(cloud, key, parent, tmp_path):
    for auth in ("digest", "auto"):
        up = parent(challenge('Digest realm="r", nonce="n", qop="auth"'), OK)
        done = fetch(cloud, *words_of(up, **secrets(tmp_path, auth)))
        assert done.returncode == 0 and is_right(up.all("Proxy-Authorization")[1], f"localhost:{cloud.port}"), done
    up = parent(WHO)
    done = fetch(cloud, *words_of(up, **secrets(tmp_path, "auto")))
    assert done.returncode == 1 and basic() not in up.all("Proxy-Authorization"), "in the clear, unasked"
    assert "Basic is used only with parent-proxy-auth = basic" in done.stderr


def test_fetch_without_a_ticket_goes_the_next_way(cloud, key, parent, tmp_path):
    """Negotiate is offered, too, but there is no ticket: Digest is taken, with the user that is there."""
    both = answer_of(b"407 Who", fields=b'Proxy-Authenticate: Negotiate\r\n'
                                        b'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n')

    def answer(c, head):
        known = b"Proxy-Authorization: Digest " in head
        c.send(OK if known else both)
        if known:
            tunnel(c, f"localhost:{cloud.port}")
        return known

    up = parent(answer)
    done = fetch(cloud, *words_of(up, **secrets(tmp_path, "auto")), env={"KRB5CCNAME": f"FILE:{tmp_path}/none"})
    assert done.returncode == 0, done.stderr
    assert is_right(up.all("Proxy-Authorization")[-1], f"localhost:{cloud.port}")


def test_fetch_that_the_proxy_refuses(cloud, key, parent, tmp_path):
    """Each with a sentence of its own, without the password."""
    keys, port = secrets(tmp_path), harness.closed_port()
    for up, more, words in (
            (parent(WHO), keys, AUTH), (parent(WHO), {}, "btp-proxy-auth: .*parent-proxy-user is not set"),
            (parent(answer_of(b"403 No")), keys, "btp-proxy-refused: .*answered CONNECT with 403. Have the proxy"),
            (parent("close"), keys, "btp-proxy-unreachable: ")):
        done = fetch(cloud, *words_of(up, **more))
        assert done.returncode == 1 and re.search(shown(words, port=up.port, at="--parent-proxy"), done.stderr)
        assert "s3cret" not in done.stderr
        is_silent_of_secrets(done)
    done = fetch(cloud, "--parent-proxy", f"http://127.0.0.1:{port}")
    assert re.search(shown("btp-proxy-unreachable: .*because the parent proxy 127.0.0.1:{port} ({at}) made no",
                           port=port, at="--parent-proxy"), done.stderr), done.stderr
    done = fetch(cloud, "--parent-proxy", "http://proxy.invalid:3128")
    assert "btp-proxy-unreachable: " in done.stderr, done.stderr
    done = fetch(cloud, env={"https_proxy": f"http://anna:wrong@127.0.0.1:{parent(WHO).port}", "no_proxy": ""})
    assert "btp-proxy-auth: " in done.stderr and "the proxy of https_proxy" in done.stderr, done.stderr
    assert "wrong" not in done.stderr and not cloud.calls


@pytest.mark.parametrize("words, told", [
    (["--parent-proxy", "ftp://x"], "--parent-proxy: "), (["--parent-proxy-auth", "kerberos"], "--parent-proxy-auth: "),
    (["--parent-proxy", "http://x:1", "--parent-proxy-user", "anna"], "--parent-proxy-user: "),
    (["--parent-proxy", "http://x:1", "--parent-proxy-user", "anna", "--parent-proxy-password-file", "/nonexistent"],
     "--parent-proxy: /nonexistent: ")])
def test_fetch_by_options_that_are_wrong(cloud, key, words, told):
    done = fetch(cloud, *words)
    assert done.returncode == 2 and done.stderr.startswith(f"sfmtls: {told}"), done.stderr


# ---- run ----

@pytest.fixture
def directly(fetching):
    """A section that fetches, with more in it; its requests go through no proxy."""
    fetching.seed(fetching.cloud.issue(begins=-86 * DAY))
    return fetching


def test_renewal_through_the_parent_proxy(proxy, directly, cloud, parent, environment, pki):
    """Of [proxy], by Basic; also confined, where the password is in a folder with other secrets."""
    up, new = parent(OK), cloud.put(NAME, cloud.issue())
    p = proxy(directly.section(), {**environment, "no_proxy": "*"}, parent_proxy=up.url, **secrets(pki))
    is_used(p, new)
    targets = [head.split()[1].decode() for _, head in up.heads]
    assert f"localhost:{cloud.port}" in targets and set(up.all("Proxy-Authorization")) == {basic()}
    assert not [head for _, head in up.heads if btp.TOKEN.encode() in head]


@pytest.mark.parametrize("tickets", ["krb5cc", "./krb5cc", "FILE:krb5cc", "KCM:", "/nowhere/krb5cc"])
def test_renewal_wherever_the_tickets_are(proxy, directly, cloud, parent, environment, pki, tickets):
    """A name without a type is that of a file, and none of them ends the process that fetches."""
    cloud.put(NAME, cloud.issue())
    up = parent(OK)
    section = directly.section(parent_proxy=up.url, parent_proxy_auth="negotiate")
    p = proxy(section, {**environment, "KRB5CCNAME": tickets})
    is_used(p, cloud.certificates["subaccount"][NAME])
    assert "btp-helper" not in p.stderr


def test_renewal_of_a_tenant_with_none(proxy, directly, cloud, parent, environment):
    """Its own word comes first; and the environment does not count."""
    up, new = parent(OK), cloud.put(NAME, cloud.issue())
    p = proxy(directly.section(parent_proxy="none"),
              {**environment, "https_proxy": f"http://127.0.0.1:{harness.closed_port()}"}, parent_proxy=up.url)
    is_used(p, new)
    assert not up.count


@pytest.mark.parametrize("setting", [None, "system"])
def test_renewal_by_the_environment(proxy, directly, cloud, parent, environment, setting):
    up, new = parent(OK), cloud.put(NAME, cloud.issue())
    p = proxy(directly.section(), {**environment, "https_proxy": up.url, "no_proxy": "127.0.0.1"},
              parent_proxy=setting)
    is_used(p, new)
    assert f"localhost:{cloud.port}" in [head.split()[1].decode() for _, head in up.heads]


def test_proxy_that_refuses_and_gives_way(proxy, directly, cloud, parent, environment, pki, clock):
    """One sentence while it lasts; once the proxy lets it through, the certificate is renewed without a restart."""
    up, new = parent(WHO), cloud.put(NAME, cloud.issue())
    p = proxy(directly.section(parent_proxy=up.url, **secrets(pki, password="wrong")), {**environment, **clock},
              admin="127.0.0.1:0")
    line = p.said("tenant acme: the certificate cannot be fetched: btp-proxy-auth: ")
    assert re.search(shown(AUTH, port=up.port, at=f"{p.config}:.*"), line)
    assert "the one that is here stays in use" in line and "wrong" not in p.stderr
    harness.eventually(lambda: up.count >= 4)
    assert not cloud.calls
    assert status(p)["failure"]["code"] == "btp-proxy-auth"
    up.answers = [OK]
    is_used(p, new)
    harness.eventually(lambda: status(p)["failure"] is None)
    p.stop()
    assert p.stderr.count("cannot be fetched") == 1


def test_proxy_that_goes_and_comes_back(proxy, directly, cloud, started, environment, pki, clock):
    """Neither a refused connection nor one that is closed at once is BTP's fault."""
    new, port = cloud.put(NAME, cloud.issue()), harness.unused_port()
    p = proxy(directly.section(parent_proxy=f"http://127.0.0.1:{port}", **secrets(pki)), {**environment, **clock})
    p.said("tenant acme: the certificate cannot be fetched: btp-proxy-unreachable: ")
    Parent(started, [OK], listener=socket.create_server(("127.0.0.1", port)))
    is_used(p, new)
    p.stop()
    assert p.stderr.count("cannot be fetched") == 1


# ---- check ----

def test_check_says_which_proxy(directly, cloud, parent, environment):
    cloud.put(NAME, cloud.issue())
    up, config = parent(OK), directly.config
    config.write_text(directly.section(parent_proxy=up.url, **secrets(directly.config.parent)))
    checked = lambda: {s["step"]: s for s in json.loads(harness.run_cli(
        "check", "-c", str(config), "--json", env=environment).stdout)["tenants"][0]["steps"]}["btp-token"]
    said = checked()
    assert said["result"] == "ok" and f"through the parent proxy 127.0.0.1:{up.port} ({config}:" in said["sentence"]
    up.answers = [WHO]
    said = checked()
    assert (said["result"], said["code"]) == ("fail", "btp-proxy-auth") and "the user anna (407)" in said["sentence"]


# ---- Kerberos ----

@needs_squid
@needs_kdc
@pytest.mark.parametrize("program", ["tested", "released"])
@pytest.mark.parametrize("by", ["ccache", "keytab"])
def test_renewal_by_kerberos(program, by, proxy, directly, cloud, squid, kdc, environment, tmp_path, release):
    """A real proxy, which wants a ticket; the released program, too, which is confined. The ticket is in a file that
    the tenant names, or got by its keytab."""
    new, s = cloud.put(NAME, cloud.issue()), squid(negotiate(kdc), kdc.of_clients)
    (tmp_path / "tickets").mkdir()
    if by == "ccache":
        kdc.kinit(tmp_path / "tickets/krb5cc")
        keys = {"parent_proxy_ccache": f"FILE:{tmp_path}/tickets/krb5cc"}
    else:
        keys = {"parent_proxy_keytab": shutil.copy(kdc.folder / "anna.keytab", tmp_path / "tickets")}
    p = proxy(directly.section(parent_proxy=f"http://localhost:{s.port}", parent_proxy_auth="negotiate", **keys),
              {**environment, **kdc.of_clients}, process={"binary": release if program == "released" else None})
    is_used(p, new)
    p.stop()
    assert harness.eventually(s.served) == {"anna@SFMTLS.TEST"}
