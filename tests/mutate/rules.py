"""Proposes mutants by rule: one condition negated, one bound moved, one call or assignment dropped, one constant
changed. Only where decisions are made: lines that write text, check assumptions or free memory are left out.
"""
import re

NO_DECISION = re.compile(r"\b(buf_add\w*|log_\w+|diag_\w+|load_note|failure_(set|plain)|assert|snprintf|\w*free\w*|"
                         r"\w+_unref|abort|NEW|_Static_assert|OPENSSL_cleanse|\w+_wipe|explicit_bzero|\w+_explain|"
                         r"clock_text|strerror|add_word|add_comment|\w+_destroy)\(")
DECLARATION = re.compile(r"^(static|const|struct|enum|extern|typedef|#|/\*|\*|//|case |default:|\")")
CALL = re.compile(r"^(\(void\))?[a-z_][\w>.\-\[\]]*\([^;]*\);$")
ASSIGNMENT = re.compile(r"^[a-z_*][\w>.\-\[\]]* [|&+\-]?= [^;]*;$|^[\w>.\-]+(\+\+|--);$")
SWAPS = [  # rule, pattern, replacement
    ("boundary", r" < ", " <= "), ("boundary", r" <= ", " < "), ("boundary", r" > ", " >= "),
    ("boundary", r" >= ", " > "),
    ("comparison", r" == ", " != "), ("comparison", r" != ", " == "),
    ("boolean", r" && ", " || "), ("boolean", r" \|\| ", " && "), ("boolean", r"(?<=[( ])!(?=[a-z(])", ""),
    ("boolean", r"\breturn true;", "return false;"), ("boolean", r"\breturn false;", "return true;"),
    ("boolean", r" = true;", " = false;"), ("boolean", r" = false;", " = true;"),
    ("constant", r" \+ 1\b", ""), ("constant", r" - 1\b", ""), ("constant", r" \+ 2\b", " + 1"),
    ("constant", r"(?<= [/%*] )(\d+)\b", r"(\1 + 1)"), ("constant", r"(?<= [<>] )([2-9]|\d\d+)\b", r"(\1 * 2)"),
]


def statements(lines):
    """Lines of code inside functions, without their indentation: (the line before, the line)."""
    inside, before = False, ""
    for raw in lines:
        line = raw.strip()
        if raw in ("{", "}"):
            inside = raw == "{"
        elif inside and line and not DECLARATION.match(line) and not NO_DECISION.search(line):
            yield before, line
        before = line or before


def begins(before):
    """Whether a statement begins after this line."""
    return before.endswith((";", "{", "}", ":", "*/")) or before.startswith(("if ", "else", "} else", "for ", "while "))


def propose(text):
    """Yields (rule, old line, new line or None) for lines that occur once in the file."""
    lines = text.split("\n")
    stripped = [line.strip() for line in lines]
    for before, line in statements(lines):
        if stripped.count(line) != 1:
            continue
        for rule, pattern, replacement in SWAPS:
            for found in re.finditer(pattern, line):
                yield rule, line, line[:found.start()] + found.expand(replacement) + line[found.end():]
        if CALL.match(line) and begins(before):
            yield "dropped call", line, None
        elif ASSIGNMENT.match(line) and begins(before):
            yield "dropped assignment", line, None
