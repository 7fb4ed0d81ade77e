"""What keeps things per tenant, caller and certificate (sessions, rates, places, queues), under reloads of all kinds,
callers that leave, and a server that refuses, waits and closes. The server is the judge: it knows whose each session
is, and counts what comes."""
import collections
import contextlib
import random
import signal
import threading
import time

import pytest

import harness
from harness import Background, eventually, head_lines
from test_callers_file import basic, hashed
from test_manners import Counter, Stalls, TRANSIT, assert_never_more, limits

SECONDS = harness.count(3, 40)
RATE = 40
REFUSAL = b"<html>400 The SSL certificate error</html>"


class Judge(Counter):
    """A server whose sessions belong to a certificate and a user (the first segment of the path)."""

    def __init__(self, pki, started, seed):
        self.random, self.owners, self.wrong, self.carried = random.Random(seed), {}, [], 0
        self.lock, self.refused, self.is_calm = threading.Lock(), set(), False
        super().__init__(pki, started, self._judge)

    def _note(self, c, seen, owner):
        """The session that is set for it, if it came without."""
        with self.lock:
            for pair in "; ".join(seen.all("Cookie")).split("; "):
                if not pair:
                    continue
                self.carried += 1
                if self.owners.get(pair) != owner:
                    self.wrong.append((pair, self.owners.get(pair), owner))
            if seen.all("Cookie") and self.random.random() > 0.1:
                return ""
            pair = f"JSESSIONID={len(self.owners)}"
            self.owners[pair] = owner
            return f"Set-Cookie: {pair}; Path=/; Secure\r\n"

    def _judge(self, c, seen):
        user = seen.target.split("/")[1]
        fields = self._note(c, seen, (c.peer_cn(), user))
        body = f"{seen.target} {len(seen.body)}".encode()
        with self.lock:
            chance = 1.0 if self.is_calm else self.random.random()
        if c.peer_cn() in self.refused:
            c.reply(REFUSAL, "400 Bad Request", "Content-Type: text/html\r\n")
        elif chance < 0.03:
            c.reset()
        elif chance < 0.06:
            c.reply(body, fields=fields + "Connection: close\r\n")
        elif chance < 0.08:
            c.reply(b"no", "403 Forbidden")
        elif chance < 0.09:
            c.reply(b"no", "429 Too Many Requests", "Retry-After: 1\r\n")
        else:
            c.reply(body, fields=fields)


class Caller:
    """Calls until it is told to stop, in all kinds of ways, and checks that each answer is the one to its request."""

    def __init__(self, p, user, seed, over):
        self.p, self.user, self.random, self.over = p, user, random.Random(seed), over
        self.got = collections.Counter()
        self.number = 0

    def _send(self, c):
        self.number += 1
        target = f"/{self.user}/{self.number}"
        if self.random.random() < 0.4:
            n = self.random.choice([1, 3000, 100_000])
            c.send(head_lines("POST", target, ": ".join(basic(self.user, "secret")), f"Content-Length: {n}"))
            c.send(b"x" * n)
        else:
            n = 0
            c.send(head_lines("GET", target, ": ".join(basic(self.user, "secret"))))
        return f"{target} {n}".encode()

    def _read(self, c, expected):
        answer = c.answer()
        assert answer.complete
        self.got[answer.status] += 1
        if answer.status == 200:
            assert answer.body == expected
        return (answer.get("Connection") or "").lower() != "close"

    def __call__(self):
        while not self.over.is_set():
            with self.p.caller() as c, contextlib.suppress(ConnectionError, EOFError):
                for _ in range(self.random.randrange(1, 12)):
                    expected = [self._send(c) for _ in range(self.random.choice([1, 1, 1, 3]))]
                    if self.random.random() < 0.1:
                        c.reset()
                        break
                    if not all(self._read(c, one) for one in expected):
                        break
        return self.got


class Storm:
    """Reloads until it is told to stop: another certificate, fewer connections, no sessions, no certificate-next."""

    def __init__(self, p, server, seed, over):
        self.p, self.server, self.random, self.over = p, server, random.Random(seed), over
        self.text = p.config.read_text()

    def __call__(self):
        while not self.over.wait(self.random.choice([0.02, 0.1, 0.4])):
            kind = self.random.randrange(6)
            if kind == 0:
                self.p.signal(signal.SIGHUP)
            elif kind == 1:
                self.server.refused = set(self.random.choice([[], [], ["acme_user"], ["globex_user"]]))
            else:
                self.p.rewrite(self._changed())
        self.server.refused = set()
        self.p.rewrite(self.text)

    def _changed(self):
        text = self.text
        if self.random.random() < 0.5:
            text = text.replace("acme-all", "other").replace("globex-all", "acme-all").replace("other", "globex-all")
        if self.random.random() < 0.3:
            text = text.replace("session-reuse = on", "session-reuse = off")
        if self.random.random() < 0.3:
            text = "".join(line for line in text.splitlines(True) if not line.startswith("certificate-next"))
        return text + f"max-upstream = {self.random.choice([1, 2, 5])}\n"


def ask_all(p, users, count, what):
    """So many callers, each with a request on its way."""
    callers = [p.caller() for _ in range(count)]
    for i, c in enumerate(callers):
        user = users[i % len(users)]
        c.send(head_lines("GET", f"/{user}/{what}{i}", ": ".join(basic(user, "secret"))))
    return callers


def assert_whole_rate_is_there(p, server, users):
    """No slot is lost: as many as it says go at once, and none of them waits."""
    eventually(lambda: time.monotonic() - server.times()[-1] > 2)  # what was sent before is forgotten, and Retry-After
    for c in ask_all(p, users, RATE, "whole"):
        assert c.answer().status == 200
    lines = eventually(lambda: (found := [line for line in p.log_lines() if "/whole" in line])[RATE - 1:] and found)
    assert not [line for line in lines if " queue-ms=" in line]


def assert_end_answers_all(p, server, users):
    """Also those that wait for their turn, and those that were not accepted yet."""
    seen = len(server.came)
    with harness.frozen(p):
        callers = ask_all(p, users, RATE + 10, "waiting")
    eventually(lambda: len(server.came) > seen)
    with harness.frozen(p):
        callers += ask_all(p, users, 5, "late")
        p.signal(signal.SIGTERM)
    assert [c.answer().status for c in callers] == [200] * len(callers)
    assert p.wait() == 0


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("seed", range(harness.count(1, 6)))
def test_storm_of_reloads_callers_and_faults_is_survived(proxy, tenant, pki, started, tmp_path, workers, seed):
    seed = seed * 2 + (workers > 1)
    users = [f"user{i}" for i in range(4)]
    path = tmp_path / "acme.callers"
    known = hashed("secret")
    path.write_text("".join(f"{user}:{known}\n" for user in users))
    server = Judge(pki, started, seed)
    p = proxy(tenant(server.port, callers_file=path, session_reuse="on", rate=f"/* {RATE}/s",
                     certificate_next=f"{pki}/globex-all.pem"),
              workers=workers, admin="127.0.0.1:0", queue_timeout="20s")
    over, calm = threading.Event(), threading.Event()
    with Stalls() as stalls:
        callers = [Caller(p, users[i % 4], f"{seed} {i}", over) for i in range(8)]
        calls = [Background(caller) for caller in callers]
        storm = Background(Storm(p, server, f"{seed} storm", calm))
        threading.Event().wait(SECONDS)
        eventually(lambda: server.carried > 20)
        calm.set()
        storm.result()
        over.set()
        got = sum((call.result() for call in calls), collections.Counter())
        assert_never_more(server.times(), RATE, stalls)
    assert server.wrong == []
    assert got[200] > 0
    eventually(lambda: limits(p)[0]["waiting"] == 0)
    server.is_calm = True
    assert_whole_rate_is_there(p, server, users)
    assert_end_answers_all(p, server, users)
