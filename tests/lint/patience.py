"""Rules for tests, so that none depends on how busy the machine is: what another thread or process does is waited
for."""
import ast
import re

RUNNING = ("p", "proxy", "d")  # what tests call a program that runs: p, s.p, t.proxy, a Demo's d
TEXTS = ("stderr", "log_lines")  # what it writes, and when it likes


def running(node):
    """The source of the object if that is a program that runs."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
    return ast.unparse(node) if name in RUNNING else None


def read_once(test):
    """Programs and logs that an assertion looks into for what has to be there; what must not be there is another
    matter."""
    for node in ast.walk(test):
        if isinstance(node, ast.Lambda) or isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotIn):
            for child in ast.walk(node):
                child.skipped = True
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    for node in ast.walk(test):
        if isinstance(node, ast.Attribute) and node.attr in TEXTS and not getattr(node, "skipped", negated):
            if name := running(node.value):
                yield name
        if isinstance(node, ast.Attribute) and node.attr == "read_text" and not getattr(node, "skipped", negated):
            if "log" in ast.unparse(node.value):
                yield ast.unparse(node.value)


def ended(function):
    """The programs of which a function waits for the end, with the line of that."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("wait", "stop"):
            yield re.sub(r"\.process$", "", ast.unparse(node.func.value)), node.lineno


def check_asserts(function):
    over = list(ended(function))
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            for name in read_once(node.test):
                if not any(line <= node.lineno and (name == other or "log" in name) for other, line in over):
                    yield node.lineno, f"{name} is still written: wait with said(), or for the program's end"


def check_calls(tree):
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called in ("eventually", "harness.eventually") and len(node.args) + len(node.keywords) > 1:
            yield node.lineno, "eventually() needs no limit of its own: it returns as soon as it can"
        if called in ("time.sleep", "sleep"):
            yield node.lineno, "wait for what is to happen, not for a time"
        if called.endswith(".config.write_text"):
            yield node.lineno, "half of this could be loaded: use rewrite()"
        if called.endswith(".signal") and ast.unparse(node.args[0]) == "signal.SIGSTOP":
            yield node.lineno, "it may take a moment until all threads stand still: use frozen()"


def check(path):
    """(line, flaw) of each in a file of tests."""
    tree = ast.parse(path.read_text())
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            yield from check_asserts(function)
    yield from check_calls(tree)
