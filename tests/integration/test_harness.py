"""The tests' own tools: what they promise to the other files."""
import subprocess
import sys

import pytest

import harness

HERE = harness.pathlib.Path(__file__).parent
SHOW = """
import sys
sys.path.insert(0, sys.argv[1])
import conftest, subprocess
print(subprocess.run(["grep", "Sig[IB]", "/proc/self/status"], capture_output=True, text=True).stdout)
"""


@pytest.mark.parametrize("ignored", ["", "INT QUIT", "HUP", "TERM USR1 CONT TSTP WINCH PIPE"])
def test_what_tests_start_finds_its_signals_as_at_a_terminal(ignored):
    """However the tests were started: `&` leaves INT and QUIT ignored, nohup HUP."""
    shell = f"trap '' {ignored}; " * bool(ignored) + 'exec "$@"'
    shown = subprocess.run(["/bin/sh", "-c", shell, "sh", sys.executable, "-c", SHOW, HERE], capture_output=True,
                           text=True, check=True).stdout
    masks = {line.split(":")[0]: int(line.split(":")[1], 16) for line in shown.splitlines() if line}
    assert masks == {"SigIgn": 0, "SigBlk": 0}, shown


def test_half_a_line_is_none(tmp_path):
    (tmp_path / "log").write_text("one\ntw")
    assert harness.whole_lines(tmp_path / "log") == "one\n"
    (tmp_path / "log").write_text("tw")
    assert harness.whole_lines(tmp_path / "log") == ""


def test_frozen_process_stands_still_and_goes_on(proxy, nginx):
    """All threads stand still, and go on behind it."""
    p = proxy(nginx.port, workers=4)
    with harness.frozen(p):
        state = lambda task: (task / "stat").read_text().rsplit(")", 1)[1].split()[0]
        tasks = list(harness.pathlib.Path(f"/proc/{p.process.pid}/task").iterdir())
        assert len(tasks) > 4 and {state(task) for task in tasks} == {"T"}
    assert p.request(target="/1k").status == 200
