"""Thousands of connections that send a byte of a head now and then: they may take nothing from the others, and are
thrown out. On the release build; the numbers are printed (pytest -s)."""
import contextlib
import json
import signal
import subprocess
import sys
import time

import pytest

import harness
from harness import LIMIT, count
from test_process import kib, many_descriptors  # noqa: F401 (a fixture)

pytestmark = pytest.mark.usefixtures("many_descriptors")
MANY = count(400, 5000)

SLOW = """
import json, resource, select, socket, sys, time
port, n, pause = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
poll, callers, ends, answers = select.epoll(), {}, [], {}
for _ in range(n):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nX-Slow: ")
    callers[s.fileno()] = s, time.monotonic()
    poll.register(s, select.EPOLLIN)
print("connected", flush=True)
turn = 0
while callers:
    begun = time.monotonic()
    for i, (s, _) in enumerate(callers.values()):
        try:
            s.send(b"a")
        except OSError:
            pass
        if i % 100 == 0:  # not all at once
            time.sleep(pause * 100 / n)
    for fd, _ in poll.poll(max(0, begun + pause - time.monotonic()), n):
        s, since = callers.pop(fd)
        poll.unregister(fd)
        status = s.recv(4096)[9:12].decode() or "none"
        ends.append(time.monotonic() - since)
        answers[status] = answers.get(status, 0) + 1
        s.close()
print(json.dumps({"answers": answers, "first": min(ends), "last": max(ends)}), flush=True)
"""


class Slow:
    """A process with that many connections; each sends a byte of its head every pause seconds."""

    def __init__(self, port, n, pause=1):
        self.process = subprocess.Popen([sys.executable, "-c", SLOW, str(port), str(n), str(pause)],
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "connected\n"

    def signal(self, number):
        self.process.send_signal(number)

    def result(self):
        """When all of them have been thrown out."""
        return json.loads(self.process.communicate(timeout=LIMIT)[0])

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def p99(caller, n):
    """In milliseconds, over n requests on a connection."""
    times = []
    for _ in range(n):
        begun = time.perf_counter()
        assert caller.request(target="/1k").status == 200
        times.append(time.perf_counter() - begun)
    return sorted(times)[n * 99 // 100] * 1000


def rounds_of(kinds, rounds):
    """Each kind's measure once in every round; what each measured."""
    found = [[] for _ in kinds]
    for _ in range(rounds):
        for measured, measure in zip(found, kinds):
            measured.append(measure())
    return found


@pytest.mark.parametrize("fresh", [False, True], ids=["one connection", "a connection for each call"])
def test_others_do_not_notice(fresh, release, proxy, nginx, started):
    """A caller's p99 stays below twice of what it is at a proxy that nobody torments, while nobody does. Of several
    rounds side by side the best counts: what else the machine does makes some of them slower, and none faster."""
    attacked, calm = (proxy(nginx.port, process={"binary": release}, head_timeout="1h") for _ in range(2))
    slow = Slow(attacked.port, MANY)
    started.append(slow)

    def measure(p, number):
        slow.signal(number)
        if fresh:
            times = []
            for _ in range(300):
                begun = time.perf_counter()
                assert p.request(target="/1k").status == 200
                times.append(time.perf_counter() - begun)
            return sorted(times)[297] * 1000
        with p.caller() as c:
            assert c.request(target="/1k").status == 200
            return p99(c, 1000)

    for _ in range(5):  # another program of the machine may disturb one half only, but hardly five times
        calm_ms, attacked_ms = rounds_of([lambda: measure(calm, signal.SIGSTOP),
                                          lambda: measure(attacked, signal.SIGCONT)], count(7, 15))
        unloaded, loaded = min(calm_ms), min(attacked_ms)
        print(f"\nslowloris, {MANY} connections: p99 {loaded:.3f} ms, without them {unloaded:.3f} ms: "
              f"{loaded / unloaded:.2f} times")
        if loaded < 2 * unloaded:
            return
    raise AssertionError((attacked_ms, calm_ms))


def test_they_are_thrown_out(release, proxy, nginx, started):
    """When head-timeout has passed since the first byte, whatever came since. What they cost comes back: the next ones
    cost nothing more."""
    p = proxy(nginx.port, process={"binary": release}, head_timeout="3s")
    assert p.request(target="/1k").status == 200
    harness.eventually(lambda: p.descriptors() < 40)
    descriptors, memory = p.descriptors(), [kib(p, "RssAnon")]
    for _ in range(2):
        slow = Slow(p.port, MANY, pause=0.5)
        started.append(slow)
        harness.eventually(lambda: p.descriptors() > MANY / 2)
        worst = 0
        with p.caller() as c:
            while p.descriptors() > descriptors + MANY / 50:
                begun = time.perf_counter()
                assert c.request(target="/1k").status == 200
                worst = max(worst, time.perf_counter() - begun)
        found = slow.result()
        harness.eventually(lambda: p.descriptors() <= descriptors + 2)
        memory.append(kib(p, "RssAnon"))
        print(f"\nslowloris, {MANY} thrown out after {found['first']:.1f} to {found['last']:.1f} s with "
              f"{found['answers']}; another caller's slowest call meanwhile took {worst * 1000:.1f} ms; "
              f"memory so far {memory} KiB")
        assert found["answers"] == {"408": MANY}
        assert 2.9 < found["first"]  # and the last one before result() gives up, while its bytes would go on
    assert memory[1] - memory[0] < 512 + MANY * 2
    assert memory[2] - memory[1] < 512 + MANY // 10


@harness.one_worker
def test_memory_of_callers_that_left_is_given_back(release, proxy, nginx, started):
    """Those that were served and stayed, as a pool of connections does; then they leave at once."""
    n = count(2000, 9000)
    p = proxy(nginx.port, process={"binary": release}, max_connections=n + 1)
    assert p.request(target="/1k").status == 200
    before = kib(p, "RssAnon")
    with contextlib.ExitStack() as callers:
        for _ in range(n):
            assert callers.enter_context(p.caller()).request(target="/1k").status == 200
        grown = kib(p, "RssAnon") - before
    print(f"\n{n} callers took {grown} KiB")
    harness.eventually(lambda: kib(p, "RssAnon") - before < 256 + grown / 4)
    assert p.request(target="/1k").status == 200
