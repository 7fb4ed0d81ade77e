"""What /status reports of calls: when the last one succeeded or failed, why, and what to do."""
import json

import pytest

import harness
from test_admin import certificates, status
from test_hints import CODES, hint_of
from test_overlap import Server


@pytest.fixture
def server(pki, started):
    """It answers as .answer says: status line, fields, body."""
    recorder = harness.Recorder(pki, lambda c, seen: c.reply(recorder.answer[2], *recorder.answer[:2]))
    recorder.answer = "200 OK", "", b""
    started.append(recorder)
    return recorder


def acme(p):
    return status(p)["tenants"][0]


def test_status_of_a_tenant_that_nobody_has_used(proxy, server):
    told = acme(proxy(server.port, admin="127.0.0.1:0"))
    assert (told["state"], told["calls"], told["last_success"], told["last_failure"], told["last_hint"]) == (
        "unused", 0, None, None, None)


def test_calls_are_counted(proxy, server):
    p = proxy(server.port, admin="127.0.0.1:0", workers="4")
    for _ in range(12):
        assert p.request().status == 200
    server.answer = CODES["lgn0002"]
    for _ in range(8):
        cause = hint_of(p.request())[1]
    p.wait_for_log(20)
    told = acme(p)
    assert (told["calls"], told["succeeded"], told["failed"], told["hinted"]) == (20, 12, 0, 8)
    assert told["state"] == "failing" and told["last_success"]
    last = told["last_hint"]
    assert told["last_failure"] == last == status(p)["failures"][0]
    assert (last["code"], last["token"], last["count"], last["status"], last["hint"]) == ("lgn0002", None, 8, 403, True)
    history = " This certificate worked until"
    assert last["sentence"].split(history)[0] == cause.split(history)[0]
    assert last["first"] <= last["time"] and last["cure"]
    server.answer = "200 OK", "", b""
    assert p.request().status == 200
    p.wait_for_log(21)
    told = acme(p)
    assert told["state"] == "working" and told["last_failure"]["code"] == "lgn0002"


@pytest.mark.parametrize("hints", ["on", "off"])
def test_refused_certificate_is_not_called_valid(proxy, server, hints):
    p = proxy(server.port, admin="127.0.0.1:0", hints=hints)
    assert p.request().status == 200
    p.wait_for_log(1)
    assert certificates(p)[0]["state"] == "valid" and certificates(p)[0]["last_success"]
    server.answer = CODES["auth0032"]
    assert p.request().status == 401
    p.wait_for_log(2)
    told = acme(p)
    assert (told["state"], told["certificates"][0]["state"]) == ("failing", "refused")
    assert (told["last_failure"]["token"], told["last_failure"]["code"]) == ("client-certificate-refused", "auth0032")
    assert (told["last_hint"] is not None) == (hints == "on")
    server.answer = "200 OK", "", b""
    assert p.request().status == 200
    p.wait_for_log(3)
    assert certificates(p)[0]["state"] == "valid"


def test_failures_of_the_proxy(proxy, tenant):
    p = proxy(tenant(harness.closed_port()) + tenant(harness.closed_port(), "globex", "GLOBEX"), admin="127.0.0.1:0")
    company = lambda name: [("successfactors-companyid", name)]
    answers = []
    for name in ("ACME", "ACME", "GLOBEX", "INITECH"):
        answers.append(p.request(fields=company(name)))
        p.wait_for_log(len(answers))  # workers that overlap have no order
    told = status(p)
    problems = [a.json() for a in answers]
    for failure, problem, owner, count in zip(told["failures"], problems[:0:-1], (None, "globex", "acme"), (1, 1, 2)):
        assert (failure["tenant"], failure["count"], failure["hint"]) == (owner, count, False)
        assert (failure["token"], failure["code"], failure["sentence"], failure["cure"], failure["status"]) == (
            problem["token"], problem["code"], problem["detail"], problem["cure"], problem["status"])
    assert len(told["failures"]) == 3
    assert [t["state"] for t in told["tenants"]] == ["failing", "failing"]
    assert [t["failed"] for t in told["tenants"]] == [2, 1]


def test_failures_survive_a_reload(proxy, server):
    server.answer = CODES["lgn0002"]
    p = proxy(server.port, admin="127.0.0.1:0")
    p.request()
    p.wait_for_log(1)
    p.rewrite(p.config.read_text() + "max-upstream = 5\n")
    p.said("notice: reloaded")
    told = acme(p)
    assert (told["connections"]["limit"], told["last_hint"]["code"], told["hinted"]) == (5, "lgn0002", 1)


def test_both_certificates(pki, started, proxy, tenant):
    server = Server(pki)
    started.append(server)
    p = proxy(tenant(server.port, certificate_next=f"{pki}/globex-all.pem"), admin="127.0.0.1:0")
    assert p.request().body == b"globex_user"
    p.wait_for_log(1)
    told = {c["option"]: c for c in certificates(p)}
    assert told["certificate-next"]["in_use"] and told["certificate-next"]["last_success"]
    assert json.dumps(told["certificate"]["last_success"]) == "null"
