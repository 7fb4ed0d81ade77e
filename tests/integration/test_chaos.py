"""Many exchanges in which servers and callers fail in every way, at random: nobody gets a wrong answer, every failure
has its token, and nothing is left behind. SFMTLS_CHAOS_SEED repeats a run, SFMTLS_CHAOS_COUNT says how many."""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import harness

CHAOS = pathlib.Path(__file__).with_name("chaos.py")
SEED = harness.setting("CHAOS_SEED") or os.urandom(4).hex()
COUNT = int(harness.setting("CHAOS_COUNT") or harness.count(1500, 100_000))
PROCESSES = 2  # of callers
PATIENCE = f"{harness.count(10, 5)}s"  # of the proxy; a server on a busy machine answers within it
GROWTH_KIB = 6 * 1024  # what memory may grow by between the warm-up and the end


class Origin:
    def __init__(self, pki):
        self.process = subprocess.Popen([sys.executable, CHAOS, "origin", pki, SEED], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.terminate()
        out, _ = self.process.communicate(timeout=harness.LIMIT)
        assert self.process.returncode == 0
        assert json.loads(out) == [], "requests that no caller sent"


def known_tokens():
    """Token to status, as `sfmtls help errors` tells them; 0: no answer bears it."""
    text = harness.run_cli("help", "errors").stdout
    found = {token: int(status or 0) for token, status in re.findall(r"(?m)^([a-z0-9-]+) \((?:(\d{3}), )?.*\)$", text)}
    assert found["bad-answer"] == 502 and "caller-gone" in found
    return found


def call(port, first, count, known):
    """Makes that many exchanges; [(tag, outcome, token)]."""
    share = count // PROCESSES
    processes = [subprocess.Popen([sys.executable, CHAOS, "callers", str(port), SEED, str(n), str(first + n * share),
                                   str(share)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                 for n in range(PROCESSES)]
    for process in processes:
        process.stdin.write(json.dumps(known))
        process.stdin.close()
    made = [json.loads(line) for process in processes for line in process.stdout]
    assert [process.wait() for process in processes] == [0] * PROCESSES, f"SFMTLS_CHAOS_SEED={SEED}"
    assert sorted(tag for tag, *_ in made) == list(range(first, first + share * PROCESSES))
    return made


def check_log(lines, made, known):
    """One line for each exchange, with the token of its failure, and none for what went well."""
    logged = {}
    for line in lines:
        error = re.search(r" error=(\S+)", line)
        error = error and error.group(1)
        assert error is None or error in known, line
        if tag := re.search(r" /t/(\d+) ", line):
            assert int(tag.group(1)) not in logged, line
            logged[int(tag.group(1))] = error
    for tag, outcome, token in made:
        if outcome == "whole":
            assert logged[tag] is None, (tag, logged[tag])
        elif outcome == "broken":
            assert logged[tag] is not None, f"{tag} was cut off, but the log does not say so"
        elif outcome == "refused":
            assert logged[tag] is not None and token in (None, logged[tag]), (tag, token, logged[tag])
    return collections.Counter(error for error in logged.values() if error)


def test_chaos_leads_to_no_wrong_answer(proxy, pki, started):
    """No crash, no leak, no wrong answer, no failure without its token."""
    known = known_tokens()
    started.append(Origin(pki))
    p = proxy(started[-1].port, answer_timeout=PATIENCE, handshake_timeout=PATIENCE, body_timeout="10s",
              head_timeout="10s", pool_idle="1s")
    at_rest = p.descriptors()
    begun = time.monotonic()
    made = call(p.port, 0, COUNT // 5 * 2, known)
    warm = p.rss_kib()
    made += call(p.port, COUNT // 5 * 2, COUNT - COUNT // 5 * 2, known)
    seconds = time.monotonic() - begun
    harness.eventually(lambda: p.descriptors() <= at_rest)
    grown = p.rss_kib() - warm
    p.stop()  # what is still to be logged is logged now
    tokens = check_log(p.log_lines(), made, known)
    outcomes = collections.Counter(outcome for _, outcome, _ in made)
    print(f"\nseed {SEED}: {len(made)} exchanges in {seconds:.0f} s, {dict(outcomes)}, {dict(tokens)}, "
          f"{warm} KiB when warm, {grown} KiB more at the end")
    assert outcomes["whole"] > COUNT // 2
    assert {"upstream-closed", "answer-timeout", "bad-answer", "answer-truncated", "caller-gone"} <= set(tokens)
    if harness.setting("BUILD") == "release":
        assert grown < GROWTH_KIB, f"SFMTLS_CHAOS_SEED={SEED}"
