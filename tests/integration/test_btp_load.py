"""Renewals while much else happens: a load, storms of reloads, another process at the same store."""
import contextlib
import json
import os
import signal
import threading

import pytest

import harness
import openloop
from test_btp_renewal import (DAY, FULL, NAME, clock, cloud, environment, fetching,  # noqa: F401 (fixtures)
                              is_used, serial)

HOUR = 3600
# A machine that is busy with something else may serve nothing for seconds: then requests wait, and are not turned away.
PATIENT = {"queue": 50000, "queue_timeout": "60s"}


def number(pem):
    return int(serial(pem), 16)


def deliver(cloud, certificates, each):
    """BTP has the next one after so many have asked."""
    asked = [0]

    def next_one(h):
        if h.path.endswith(NAME):
            with cloud.lock:
                cloud.put(NAME, certificates[min(asked[0] // each, len(certificates) - 1)])
                asked[0] += 1

    cloud.fault = next_one


def young(cloud, count):
    """Each is younger than the one before, and is due to be renewed, so that BTP is asked after the shortest pause."""
    return [cloud.issue(begins=-86 * DAY + n * HOUR) for n in range(count)]


@pytest.fixture
def load(started):
    def start(p, rate):
        started.append(openloop.Running(p.port_of(), "/who", rate))
        return started[-1]

    return start


def check_load(said, rate, serials):
    """Nothing failed, the rate was kept, and the server saw those in this order."""
    assert not said["failed"] and not said["unanswered"], said
    assert abs(said["sent"] - rate * said["seconds"]) < rate, said  # at most those of the last second are missing
    assert [int(s, 16) for s in said["serials"]] == serials, said


class Watch:
    """Reads the files of a store all the time: the certificates (from this list) that each had, in turn."""

    FILES = ("certificate.pem", "certificate-next.pem")

    def __init__(self, store, certificates):
        self.store, self.certificates, self.over = store, certificates, threading.Event()
        self.had, self.torn = {name: [] for name in self.FILES}, []
        self.job = harness.Background(self.read)

    def read(self):
        while not self.over.wait(0.001):
            for name in self.FILES:
                with contextlib.suppress(FileNotFoundError):
                    self.note(name, (self.store / name).read_bytes())

    def note(self, name, content):
        if content not in self.certificates:
            self.torn.append(content)
        elif self.had[name][-1:] != [self.certificates.index(content)]:
            self.had[name].append(self.certificates.index(content))

    def stop(self):
        self.over.set()
        self.job.result()


def test_two_processes_at_one_store(proxy, fetching, cloud, environment, clock, started):
    """Both renew at the same moments, ten times. No file is torn, the certificate in use is never an older one again,
    its predecessor is beside it, and both processes end with the last one."""
    made = young(cloud, 11)
    fetching.seed(made[0])
    deliver(cloud, made[1:], each=2)
    give, both = cloud.fault, threading.Barrier(2)

    def together(h):
        give(h)
        if h.path.endswith(NAME):
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait(1)
            both.reset()

    cloud.fault = together
    watch = Watch(fetching.store, made)
    started.append(watch)
    processes = [proxy(fetching.section(), {**environment, **clock}) for _ in range(2)]
    for p in processes:
        is_used(p, made[-1])
    watch.stop()
    assert not watch.torn
    used = watch.had["certificate.pem"]
    assert used == sorted(used) and used[-1] == 10, watch.had
    # one of them may still be looking, with a file on its way
    whole = [".asked", "certificate-next.pem", "certificate.pem"]
    harness.eventually(lambda: sorted(os.listdir(fetching.store)) == whole)
    held = [(fetching.store / name).read_bytes() for name in Watch.FILES]
    assert held == [made[10], made[9]]
    for p in processes:
        assert p.request(target="/who").status == 200


@harness.one_worker
def test_storm_of_reloads(proxy, fetching, cloud, environment, clock, load):
    """SIGHUP and another configuration by turns, each 100 ms: no request fails, and no certificate comes back once the
    server has seen a newer one."""
    made = young(cloud, harness.count(4, 11))
    fetching.seed(cloud.put(NAME, made[0]))
    p = proxy(fetching.section(), {**environment, **clock}, **PATIENT)
    is_used(p, made[0])
    rate = harness.count(50, 1000)
    calls, over, text = load(p, rate), threading.Event(), p.config.read_text()

    def storm():
        turns = 0
        while not over.wait(0.1):
            turns += 1
            p.rewrite(f"{text}; {turns}\n") if turns % 2 else p.signal(signal.SIGHUP)
        return turns

    stormy = harness.Background(storm)
    for pem in made[1:]:
        cloud.put(NAME, pem)
        is_used(p, pem)
    over.set()
    assert stormy.result() > 1
    said, known = calls.result(), [number(pem) for pem in made]
    seen = [int(s, 16) for s in said["serials"]]
    check_load(said, rate, [s for s in known if s in seen])
    assert len(seen) > 1, said


@pytest.mark.skipif(not FULL, reason="ten renewals take a quarter of an hour")
def test_ten_renewals_under_load(proxy, fetching, cloud, environment, load):
    """Certificates of two minutes, which BTP renews in time: of exactly 1,000 requests a second none fails."""
    made = [cloud.put(NAME, cloud.issue(begins=0, lives=120))]
    p = proxy(fetching.section(), environment, admin="127.0.0.1:0", **PATIENT)
    is_used(p, made[0])
    calls, served = load(p, 1000), [number(made[0])]
    pause = threading.Event()
    while len(served) < 11 and calls.process.poll() is None:
        pause.wait(15)
        now = int(p.request(target="/who").json()["serial"], 16)
        if now != served[-1]:
            served.append(now)
        cloud.put(NAME, cloud.issue(begins=0, lives=120))
    said = calls.result()
    print(json.dumps(said))
    check_load(said, 1000, served)
    assert sum(path == "/oauth/token" for path in cloud.paths()) >= 11
    p.said("tenant acme: the certificate was renewed")
