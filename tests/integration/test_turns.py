"""Whose turn it is: answer-timeout is the server's time and body-timeout the caller's, each only while that side has
something to do."""
import contextlib
import queue
import threading

import pytest

import harness
from harness import Background, head_lines
from test_bodies import fill_until_stopped, is_stopped, read_on

BULK = 48 << 20  # more than all queues between the two ends hold
LAST = b"last"  # what is sent in the end


@pytest.fixture
def path(proxy, script):
    """path(**keys): a caller (.c) and its server's connection (.s), both in the test's hands; .accept() waits for it,
    .anew() begins with another caller. .up and .down are the ports that bytes pass."""
    over, connections = threading.Event(), queue.SimpleQueue()

    def wait(s):
        connections.put(s)
        assert over.wait(3 * harness.LIMIT)

    class Path:
        def __init__(self, p, port):
            self.p, self.port, self.c = p, port, stack.enter_context(p.caller())
            self.size = BULK

        def accept(self):
            self.s = connections.get(timeout=harness.LIMIT)
            assert self.s.head()
            here, there = self.c.sock.getsockname()[1], self.s.sock.getpeername()[1]
            self.up = (here, self.p.port), (there, self.port)
            self.down = (self.port, there), (self.p.port, here)

        def anew(self):
            self.c.reset()
            self.c = stack.enter_context(self.p.caller())

    with contextlib.ExitStack() as stack:
        def start(**keys):
            server = script(wait)
            return Path(proxy(server.port, **keys), server.port)

        yield start
        over.set()


# ---- how it comes to a turn, and how it goes on ----

def reach_expecting(x):
    x.c.send(head_lines("POST", "/", f"Content-Length: {len(LAST)}", "Expect: 100-continue"))
    x.accept()


def reach_told_to_go_on(x):
    reach_expecting(x)
    x.s.send("HTTP/1.1 100 Continue\r\n\r\n")
    assert x.c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"


def reach_told_twice(x):
    """In one read."""
    words = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    reach_expecting(x)
    x.s.send(words)
    assert x.c.read_exactly(len(words)) == words


def reach_part_of_upload(x):
    x.c.send(head_lines("PUT", "/", f"Content-Length: {5 + len(LAST)}") + "begin")
    x.accept()
    assert x.s.body(5) == b"begin"


def reach_hint(x):
    reach_part_of_upload(x)
    x.s.send("HTTP/1.1 102 Processing\r\n\r\n")
    assert x.c.read_until(b"\r\n\r\n") == b"HTTP/1.1 102 Processing"


def reach_whole_upload(x):
    reach_part_of_upload(x)
    x.c.send(LAST)
    assert x.s.body(len(LAST)) == LAST


def reach_blocked_upload(x):
    x.c.send(head_lines("PUT", "/", f"Content-Length: {BULK + len(LAST)}"))
    x.accept()
    x.sent = fill_until_stopped(x.c.sock)
    assert x.sent < BULK


def reach_drained_upload(x):
    reach_blocked_upload(x)
    read_on(x.s, x.sent)


def reach_blocked_download(x):
    x.c.send(head_lines())
    x.accept()
    x.s.send(f"HTTP/1.1 200 OK\r\nContent-Length: {BULK + len(LAST)}\r\n\r\n")
    x.sending = Background(x.s.send, bytes(BULK))
    harness.eventually(lambda: is_stopped(x.s.sock))
    assert x.sending.runs()


def reach_drained_download(x):
    reach_blocked_download(x)
    take(x)


def take(x):
    """The caller takes all that was sent."""
    x.c.read_until(b"\r\n\r\n")
    read_on(x.c, BULK)
    x.sending.result()


def begin_upload(x, size, more=0):
    """So many bytes of a body that has more."""
    x.anew()
    x.c.send(head_lines("PUT", "/", f"Content-Length: {size + more}"))
    x.accept()
    x.sending = Background(x.c.send, bytes(size))
    return len(x.s.pending), *x.up


def overfill_upload(x, more=0):
    x.size = harness.overfill(lambda size: begin_upload(x, size, more), x.size)
    x.sending.result()
    return x.size


def reach_exactly_drained_upload(x):
    """Nothing was left for another read."""
    size = overfill_upload(x, len(LAST))
    read_on(x.s, size)


def overfill_download(x, more=0, *fields):
    """An answer that has more, of which its caller takes nothing; how much of it was sent."""
    def begin(size):
        x.anew()
        x.c.send(head_lines("GET", "/", *fields))
        x.accept()
        x.s.send(f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {size + more}\r\n\r\n")
        x.sending = Background(x.s.send, bytes(size))
        return 0, *x.down

    size = harness.overfill(begin, BULK)
    x.sending.result()
    return size


def reach_exactly_drained_download(x):
    size = overfill_download(x, len(LAST))
    x.c.read_until(b"\r\n\r\n")
    read_on(x.c, size)


def answer(x):
    x.s.reply(b"done")
    assert x.c.answer().body == b"done"


def send_last(x):
    x.c.send(LAST)
    assert x.s.body(len(LAST)) == LAST
    answer(x)


def upload(x):
    send_rest(x, x.sent)


def upload_rest(x):
    send_rest(x, 0)


def send_rest(x, unread):
    reading = Background(read_on, x.s, unread + BULK - x.sent)
    x.c.send(bytes(BULK - x.sent))
    reading.result()
    send_last(x)


def download(x):
    take(x)
    download_rest(x)


def download_rest(x):
    x.s.send(LAST)
    assert x.c.read_exactly(len(LAST)) == LAST


TURNS = {  # how it comes to it: whose turn it is then, how it goes on, what is said of whoever does nothing
    reach_expecting: ("server", answer, "answer-timeout"),
    reach_told_to_go_on: ("caller", send_last, "request-timeout"),
    reach_told_twice: ("caller", send_last, "request-timeout"),
    reach_part_of_upload: ("caller", send_last, "request-timeout"),
    reach_hint: ("caller", send_last, "request-timeout"),
    reach_whole_upload: ("server", answer, "answer-timeout"),
    reach_blocked_upload: ("server", upload, "answer-timeout"),
    reach_drained_upload: ("caller", upload_rest, "request-timeout"),
    reach_blocked_download: ("caller", download, "caller-stalled"),
    reach_drained_download: ("server", download_rest, "answer-timeout"),
    reach_exactly_drained_upload: ("caller", send_last, "request-timeout"),
    reach_exactly_drained_download: ("server", download_rest, "answer-timeout"),
}
TIMEOUT = {"server": "answer_timeout", "caller": "body_timeout"}
OTHER = {"server": "caller", "caller": "server"}
every_turn = pytest.mark.parametrize("reach", TURNS, ids=lambda reach: reach.__name__[6:])


@every_turn
def test_whoever_does_nothing_is_cut_off(path, reach):
    whose, _, error = TURNS[reach]
    x = path(**{TIMEOUT[whose]: "2s", TIMEOUT[OTHER[whose]]: "1h"})
    reach(x)
    harness.eventually_logged(x.p, f" error={error} ")


def time_of_the_other(reach):
    """Seconds. It is the other one's turn while it is measured how much is under way, which takes its time."""
    return 8 if reach in (reach_exactly_drained_upload, reach_exactly_drained_download) else 2


@every_turn
def test_whoever_has_nothing_to_do_is_not_cut_off(path, reach):
    whose, go_on, _ = TURNS[reach]
    other_has = time_of_the_other(reach)
    x = path(**{TIMEOUT[whose]: "1h", TIMEOUT[OTHER[whose]]: f"{other_has}s"})
    reach(x)
    threading.Event().wait(other_has + 2)
    go_on(x)
    harness.eventually_logged(x.p, "(?m) status=200 (?!.* error=)")


def test_words_of_the_server_give_a_caller_no_time(path):
    """It has to send, whatever the server says meanwhile."""
    x = path(body_timeout="2s")
    reach_part_of_upload(x)
    with contextlib.suppress(OSError):
        while not x.p.log_lines():
            x.s.send("HTTP/1.1 102 Processing\r\n\r\n")
            threading.Event().wait(0.1)
    assert x.p.last_log()["error"] == "request-timeout"


# ---- when something ends while a part of an upload is queued ----

def test_connection_that_has_an_upload_queued_is_not_used_again(path):
    """The server has answered early, and need not read the rest soon: the next request does not wait behind that."""
    x = path()
    overfill_upload(x)
    x.s.reply(b"early")
    assert x.c.answer().body == b"early"
    first, x.sending = x.s, Background(x.c.request)
    x.accept()
    assert x.s is not first
    x.s.reply(b"next")
    assert x.sending.result().body == b"next"


# ---- when the server is done and a part of the answer is queued ----

@pytest.mark.parametrize("fields, seconds", [((), 3), (("Connection: close",), 12)], ids=["", "the last answer"])
def test_caller_that_pauses_before_the_end_of_its_answer(path, fields, seconds):
    """body-timeout is its time. The proxy would wait for the next request, or for the end of the connection, for less
    than half of what it pauses."""
    x = path(body_timeout="1h", idle_timeout="1s", head_timeout="1s")
    size = overfill_download(x, 0, *fields)
    threading.Event().wait(seconds)
    x.c.read_until(b"\r\n\r\n")
    read_on(x.c, size)


@pytest.mark.parametrize("fields", [(), ("Connection: close",)], ids=["", "the last answer"])
def test_caller_that_does_not_take_the_end_of_its_answer(path, fields):
    x = path(body_timeout="5s", idle_timeout="1h")
    size = overfill_download(x, 0, *fields)
    x.p.wait_for_log()
    harness.eventually(lambda: harness.is_ended_by(*x.down[1]))
    assert len(x.c.read_to_end()) < size
