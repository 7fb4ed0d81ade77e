"""log-level: what the program says about itself, up to a trace of each exchange."""
import re
import threading

import pytest

import harness
from test_overlap import SF_SAYS as REFUSAL


def lines_of(p, answer_id):
    """The steps of one exchange, in order, without time and id."""
    found = re.findall(rf"(?m)^\S+ debug: exchange {answer_id}:? (.*)$", p.stderr)
    return found


CLOSED = "debug: connection 1 to acme is closed: "


def over(p):
    """The steps of the first exchange, once it is over."""
    found = re.search(r"id=([0-9a-f]{16})", p.stderr)
    steps = lines_of(p, found[1]) if found else []
    return steps if any(step.endswith("-> over") for step in steps) else []


def the_id(p, count=1):
    return re.search(r"id=([0-9a-f]{16})", p.wait_for_log(count)[count - 1])[1]


@harness.one_worker
def test_steps_of_an_exchange(proxy, nginx):
    """From its id in the log: what it went through, on which connection, and what became of that."""
    p = proxy(nginx.port, log_level="debug")
    with p.caller() as c:
        assert c.request(target="/who").status == c.request(target="/who").status == 200
    first, second = the_id(p), the_id(p, 2)
    harness.eventually(lambda: lines_of(p, second)[-1:] == ["stream -> over"])
    assert lines_of(p, first) == ["judge -> acquire", "waits for a connection to acme", "acquire -> send",
                                  "has new connection 1 to acme", "send -> stream", "stream -> over"]
    assert lines_of(p, second) == ["judge -> acquire", "acquire -> send", "has kept connection 1 to acme",
                                   "send -> stream", "stream -> over"]
    p.said("debug: connection 1 to acme is being made, with its certificate")
    p.said("debug: connection 1 to acme rests")


@harness.one_worker
def test_why_a_request_was_repeated(script, proxy):
    """The server closes a kept connection as the request comes."""
    def run(c):
        if c.number == 0:
            c.request()
            c.reply(b"0")
            c.request()
            c.reset()
        else:
            c.request()
            c.reply(b"1")

    p = proxy(script(run).port, log_level="debug")
    with p.caller() as c:
        assert c.request(host=f"localhost:{p.port}").body == b"0"
        assert c.request(host=f"localhost:{p.port}").body == b"1"
    steps = lines_of(p, the_id(p, 2))
    reason = "is to be repeated: .* closed the connection before it answered"
    assert any(re.match(reason, step) for step in steps), steps
    assert steps.count("send -> acquire") == 1 and "has new connection 2 to acme" in steps, steps
    p.said(CLOSED + "The server closed the connection before it answered.")


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"


@harness.one_worker
@pytest.mark.parametrize("answer, reason", [
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "the server speaks HTTP/1.0"),
    (OK + b"Connection: close\r\n\r\nok", "the server's answer says Connection: close"),
    (b"HTTP/1.1 200 OK\r\n\r\nok", "the server has ended it"),
    (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", "the server's answer has no content, but says a length"),
    (OK + b"\r\nokHTTP/1.1", "the server sent more than its answer"),
    (OK + b"Keep-Alive: timeout=0\r\n\r\nok", "it must not rest (pool-idle, or the server's Keep-Alive)"),
    (OK + b"A B: c\r\n\r\nok", None),
    (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", None),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", None),
    (OK + b"\r\no", None),
])
def test_why_a_connection_was_closed_after_an_answer(script, proxy, answer, reason):
    """None: what the exchange failed with."""
    def run(c):
        c.request()
        c.send(answer)
        if b"Content-Length" not in answer or answer.endswith(b"\no"):
            c.end()
        else:
            c.at_end()

    p = proxy(script(run).port, log_level="debug")
    with p.caller() as c:
        c.send(harness.head_lines("GET", "/").encode())
        failed = [step for step in harness.eventually(lambda: over(p)) if step.startswith("fails: ")]
    assert (len(failed) == 1) == (reason is None)
    p.said(CLOSED + (reason or failed[0].removeprefix("fails: ")))


@harness.one_worker
def test_why_a_connection_was_closed_before_the_request_was_sent(script, proxy):
    def run(c):
        c.head()
        c.reply(b"early")
        c.at_end()

    p = proxy(script(run).port, log_level="debug")
    with p.caller() as c:
        c.send(harness.head_lines("POST", "/", "Content-Length: 9").encode() + b"part")
        assert c.answer().body == b"early"
    p.said(CLOSED + "the answer came before the whole request was sent")


@harness.one_worker
def test_why_a_connection_was_closed_when_the_caller_left(script, proxy):
    asked = threading.Event()

    def run(c):
        c.request()
        asked.set()
        c.at_end()

    p = proxy(script(run).port, log_level="debug")
    with p.caller() as c:
        c.send(harness.head_lines("GET", "/").encode())
        harness.happened(asked)
        c.reset()
    assert p.last_log()["error"] == "caller-gone"
    p.said(CLOSED + "The caller closed the connection")


@harness.one_worker
def test_why_a_kept_connection_was_closed(script, proxy):
    p = proxy(script(harness.answering(lambda c, *_: c.reply(b"%d" % c.number))).port, log_level="debug", pool_age="1s")
    harness.eventually(lambda: p.request().body != b"0")
    p.said(CLOSED + "it is too old (pool-age)")


@harness.one_worker
def test_why_a_request_for_a_part_was_repeated(proxy, recorded_by):
    """Each repetition has its reason in the trace."""
    def answer(c, seen):
        part = seen.all("range") != []
        c.reply(b"{}", "206 Partial Content" if part else "200 OK", "Content-Type: application/json\r\n" +
                ("Content-Range: bytes 0-1/9\r\n" if part else ""))

    p = recorded_by(answer, log_level="debug").proxy
    assert p.request(fields=[("Range", "bytes=0-1")]).status == 200
    steps = lines_of(p, the_id(p))
    reason = "is to be repeated: localhost:.* answered 206, for a part of a content that is rewritten as a whole"
    assert [step for step in steps if re.fullmatch(reason, step)] and "is repeated" in steps, steps
    p.said(CLOSED + "its answer is for a part of the content")


@harness.one_worker
def test_why_a_request_was_repeated_with_the_other_certificate(script, proxy, tenant, pki):
    def answer(c, head, body):
        if c.peer_cn() == "acme_user":
            c.reply(REFUSAL, "401 Unauthorized", "Content-Type: application/json\r\n")
        else:
            c.reply(b"ok")

    server = script(harness.answering(answer))
    p = proxy(tenant(server.port, certificate_next=f"{pki}/globex-all.pem"), log_level="debug")
    assert p.request().status == 200
    steps = lines_of(p, the_id(p))
    reason = "is to be repeated: localhost:.* refused the certificate"
    assert [step for step in steps if re.fullmatch(reason, step)] and "is repeated" in steps, steps
    p.said(CLOSED + "the server refused its certificate")


def test_trace_begins_and_ends_with_a_reload(proxy, nginx):
    p = proxy(nginx.port)
    text = p.config.read_text()
    assert p.request(target="/who").status == 200
    p.wait_for_log(1)
    assert "debug:" not in p.stderr
    p.rewrite(text.replace("[proxy]\n", "[proxy]\nlog-level = debug\n"))
    p.said("debug: reload: 1 tenants, 1 listeners")

    def traces():
        before = p.stderr.count("-> over")
        count = len(p.log_lines())
        assert p.request(target="/who").status == 200
        p.wait_for_log(count + 1)
        return p.stderr.count("-> over") > before

    harness.eventually(traces)
    p.rewrite(text)
    harness.eventually(lambda: not traces())


@pytest.mark.parametrize("level, said", [("error", []), ("warning", ["warning"]), ("notice", ["warning", "notice"]),
                                         ("debug", ["warning", "notice", "debug"])])
def test_log_level_decides_what_is_logged(proxy, nginx, level, said):
    """A family of localhost that is left free is warned of; the lines of exchanges are written at every level."""
    p = proxy(nginx.port, listen=f"127.0.0.1:{harness.unused_port()}", log_level=level)
    assert p.request(target="/who").status == 200
    p.wait_for_log(1)
    p.stop()
    found = set(re.findall(r"(?m)^\d\S+ (error|warning|notice|debug): ", p.stderr))
    assert found == set(said), p.stderr


def test_trace_as_json(proxy, nginx):
    p = proxy(nginx.port, log_level="debug", log_format="json")
    assert p.request(target="/who").status == 200
    assert '"level":"debug"' in p.said("judge -> acquire")
