"""`certificate-source = destination-service` when things go wrong beside BTP: the clock, a process that is killed, a
store that was left half way, places that are not for a certificate alone."""
import datetime
import os
import pathlib
import shutil
import signal
import threading
import time

import pytest

import harness
import btp
from test_btp_renewal import (CONFINED, DAY, NAME, Fetching, children_of, clock, cloud,  # noqa: F401 (fixtures)
                              environment, fetching, guard_of, is_used, keeper_of, metric, status)


def seconds_to(time_text):
    return datetime.datetime.fromisoformat(time_text).timestamp() - time.time()


def test_the_clock_was_ahead_when_it_was_asked_last(proxy, fetching, cloud, environment):
    """BTP is asked in a minute: neither again and again until that time, nor not before it."""
    mark = fetching.store / ".asked"
    mark.touch(0o600)
    os.utime(mark, (time.time() + 3 * DAY,) * 2)
    cloud.fault = btp.answering(500, token=True)
    p = proxy(fetching.section(), environment, admin="127.0.0.1:0")
    due = harness.eventually(lambda: status(p)["next_look"])
    assert 30 < seconds_to(due) < 300
    assert not cloud.calls


@pytest.mark.skipif(CONFINED, reason="the sandbox lets no other folder be read after a reload")
def test_a_reload_does_not_shorten_what_btp_asks_for(proxy, cloud, tenant, nginx, tmp_path, environment):
    """The second tenant is asked for after the first one was looked at again."""
    one, two = (Fetching(cloud, tenant, nginx.port, tmp_path / "tenants", name) for name in ("acme", "globex"))
    cloud.fault = btp.answering(429, fields=[("Retry-After", "3000")])
    p = proxy(one.section(), environment, admin="127.0.0.1:0")
    p.said("tenant acme: the certificate cannot be fetched: btp-too-many-requests")
    p.rewrite(p.config.read_text() + two.section())
    p.said("tenant globex: the certificate cannot be fetched: btp-too-many-requests")
    assert seconds_to(status(p)["next_look"]) > 2900


def test_an_expired_successor_gives_place_to_the_one_that_is_fetched(proxy, fetching, cloud, environment):
    fetching.seed(cloud.issue(begins=-86 * DAY))
    fetching.seed(cloud.issue(begins=-3 * DAY, lives=2 * DAY), "certificate-next.pem")
    new = cloud.put(NAME, cloud.issue("globex_user"))
    p = proxy(fetching.section(), environment)
    p.said("has a successor with another issuer or subject")
    assert (fetching.store / "certificate-next.pem").read_bytes() == new


def test_a_look_that_was_killed_leaves_nothing_behind(proxy, fetching, cloud, environment):
    """Killed between the two names of a renewed certificate, or while it had a file without a name."""
    old, new = cloud.issue(begins=-86 * DAY), cloud.put(NAME, cloud.issue())
    fetching.seed(old)
    fetching.seed(new, "certificate-next.pem")
    fetching.seed(new, ".sfmtls-1.new")
    os.utime(fetching.store / ".sfmtls-1.new", (time.time() - 3600,) * 2)
    p = proxy(fetching.section(), environment)
    p.said("tenant acme: the certificate was renewed")
    is_used(p, new)
    assert (fetching.store / "certificate.pem").read_bytes() == new
    assert (fetching.store / "certificate-next.pem").read_bytes() == old
    whole = [".asked", "certificate-next.pem", "certificate.pem"]
    harness.eventually(lambda: sorted(os.listdir(fetching.store)) == whole)  # a look may be under way


def test_the_keeper_is_started_again(proxy, fetching, cloud, environment):
    """And asks BTP no sooner for that."""
    cloud.put(NAME, cloud.issue())
    p = proxy(fetching.section(), environment, admin="127.0.0.1:0")
    is_used(p, cloud.certificates["subaccount"][NAME])
    first = keeper_of(p)
    os.kill(first, signal.SIGKILL)
    p.said("the process that renews certificates has ended (signal 9); it is started again")
    harness.eventually(lambda: (now := children_of(guard_of(p))) and now[0] != first)
    is_used(p, cloud.certificates["subaccount"][NAME])
    assert cloud.paths().count("/oauth/token") == 1 and status(p)["failure"] is None


def test_no_process_outlives_a_proxy_that_is_killed(proxy, fetching, cloud, environment):
    cloud.put(NAME, cloud.issue())
    p = proxy(fetching.section(), environment)
    is_used(p, cloud.certificates["subaccount"][NAME])
    processes = guard_of(p), keeper_of(p)
    for pid in processes:
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert sum(name.startswith("socket:") for name in held) == 1, held  # no listener
    p.expected_exit = -signal.SIGKILL
    p.process.kill()
    harness.eventually(lambda: all(map(harness.has_ended, processes)))


def test_a_store_is_for_certificates_alone(fetching, cloud, tenant, nginx, tmp_path):
    """The process that fetches may read and change what is in it: neither the configuration, nor another's store."""
    def tried(config, text):
        config.write_text(text)
        done = harness.run_cli("run", "-t", "-c", str(config))
        assert done.returncode == 2
        return done.stderr

    inside = Fetching(cloud, tenant, nginx.port, fetching.store, "globex")
    words = "make a folder for certificates alone"
    assert words in tried(tmp_path / "a.ini", fetching.section() + inside.section())
    assert words in tried(tmp_path / "b.ini", inside.section() + fetching.section())
    assert words in tried(fetching.store / "sfmtls.ini", fetching.section())


def test_a_look_has_no_passphrase_of_another_tenant(proxy, cloud, tenant, nginx, tmp_path, environment):
    """In its environment, of which it has a copy."""
    cloud.put(NAME, cloud.issue())
    gate = threading.Event()
    cloud.fault = lambda h: gate.wait(harness.LIMIT) and None
    one, two = (Fetching(cloud, tenant, nginx.port, tmp_path / "tenants", name) for name in ("acme", "globex"))
    p = proxy(one.section(passphrase_env="ACME_PASS") + two.section(passphrase_env="GLOBEX_PASS"),
              {**environment, "ACME_PASS": "of-acme", "GLOBEX_PASS": "of-globex"})
    harness.eventually(lambda: cloud.calls)
    [helper] = children_of(keeper_of(p))
    held = pathlib.Path(f"/proc/{helper}/environ").read_bytes()
    gate.set()
    assert (b"of-acme" in held) != (b"of-globex" in held)


def test_a_chain_for_another_key_is_replaced_once_btp_has_the_right_one(proxy, fetching, cloud, pki, environment):
    """It came into an empty store, where nothing tells the process that fetches which key is in private-key."""
    fetching.seed((pki / "globex-chain.pem").read_bytes())
    cloud.put(NAME, (pki / "globex-chain.pem").read_bytes())
    mark = fetching.store / ".asked"
    mark.touch(0o600)
    os.utime(mark, (time.time() - 3 * DAY,) * 2)
    p = proxy(fetching.section(private_key=pki / "acme.key"), environment)
    p.said("btp-certificate-unfit: sfmtls.pem was fetched, but it does not fit the key in private-key; its requests")
    p.stop()
    os.utime(mark, (time.time() - 3 * DAY,) * 2)
    cloud.put(NAME, (pki / "acme-chain.pem").read_bytes())
    p = proxy(fetching.section(private_key=pki / "acme.key"), environment)
    is_used(p, (pki / "acme.pem").read_bytes())
    assert (fetching.store / "certificate.pem").read_bytes() == (pki / "acme-chain.pem").read_bytes()


def test_a_chain_for_the_key_that_is_apart_is_renewed(proxy, fetching, cloud, pki, tmp_path, environment):
    """The one in the store fits the key, so that the next one is for it, too."""
    key = tmp_path / "own" / "key"
    key.parent.mkdir()
    shutil.copy(pki / "acme.key", key)
    old, new = (cloud.issue(begins=begins, key=key) for begins in (-86 * DAY, -60))
    chain = lambda pem: pem[pem.index(b"-----BEGIN CERTIFICATE"):]
    fetching.seed(chain(old))
    cloud.put(NAME, chain(new))
    p = proxy(fetching.section(private_key=key), environment)
    p.said("tenant acme: the certificate was renewed, and the old one is its fallback")
    is_used(p, chain(new))


def test_another_process_fills_the_store_while_btp_refuses(proxy, fetching, cloud, environment):
    """The failure is told together with what is in the store by then."""
    asked, gate = threading.Event(), threading.Event()
    refuse, held = btp.answering(401, token=True), cloud.issue()
    cloud.fault = lambda h: asked.set() or gate.wait(harness.LIMIT) and refuse(h)
    p = proxy(fetching.section(), environment)
    harness.happened(asked)
    fetching.seed(held)
    gate.set()
    assert "the one that is here stays in use" in p.said("the certificate cannot be fetched: btp-token-refused: ")
    is_used(p, held)


def test_the_name_of_btp_is_gone_for_an_hour(proxy, fetching, cloud, environment, clock):
    """The old one serves on; one sentence, not one for each look; then the new one comes without a
    restart, after no more than the longest pause."""
    names = harness.Names(fetching.store)  # where the process that fetches may read
    cloud.service_key(fetching.key, url=f"https://api4.cert.successfactors.com:{cloud.port}")
    old, new = cloud.issue(begins=-86 * DAY), cloud.put(NAME, cloud.issue())
    fetching.seed(old)
    p = proxy(fetching.section(), {**environment, **names.environment, **clock,
                                   "LD_PRELOAD": f"{names.environment['LD_PRELOAD']}:{clock['LD_PRELOAD']}"},
              admin="127.0.0.1:0")
    p.said("tenant acme: the certificate cannot be fetched: btp-unreachable: ")
    an_hour = 7  # failures
    harness.eventually(lambda: metric(p, "sfmtls_certificate_fetch_failures_total").popitem()[1] >= an_hour)
    is_used(p, old)
    shown = status(p)
    last, due = (datetime.datetime.fromisoformat(text) for text in (shown["failure"]["time"], shown["next_look"]))
    assert 3400 < (due - last).total_seconds() < 4200  # a look takes some of these minutes
    names.set(api4_cert_successfactors_com=["127.0.0.1"])
    is_used(p, new)
    p.said("tenant acme: the certificate was renewed")
    p.stop()
    assert p.stderr.count("cannot be fetched") == 1
