"""Who may use whom, judged by the symbols that object files define and want: what an include alone does not show."""
import collections
import pathlib
import re
import subprocess

PROXY = pathlib.Path(__file__).resolve().parents[2] / "proxy"

# The layers of proxy/, from the ground up, each with those that it may use.
BELOW = ["base", "http", "tls", "net", "sf", "config"]
LAYERS = {
    "base": [],
    "http": ["base"],
    "tls": ["base"],
    "sf": ["base"],
    "net": ["base", "tls"],
    "btp": ["base", "tls", "sf"],
    "config": ["base", "http", "tls", "net", "sf"],
    "policy": BELOW,
    "upstream": [*BELOW, "policy"],
    "caller": [*BELOW, "policy"],
    "exchange": [*BELOW, "policy", "upstream", "caller"],
    "process": [*BELOW, "policy", "upstream", "caller", "exchange"],
    "ops": [*BELOW, "btp", "policy", "upstream", "caller", "exchange", "process"],
    "cli": [*BELOW, "btp", "policy", "upstream", "caller", "exchange", "process", "ops"],
    "main.c": ["cli"],
}


def objects(build):
    """(source below proxy/, object file); not of sources that are gone."""
    for path in pathlib.Path(build).glob("CMakeFiles/sfmtls*.dir/proxy/**/*.o"):
        source = re.sub(r".*/proxy/", "", str(path)).removesuffix(".o")
        if (PROXY / source).exists():
            yield source, path


def symbols(path):
    """What an object file defines for others, and what it wants of them."""
    defined, wanted = set(), set()
    for line in subprocess.run(["nm", "-g", path], capture_output=True, text=True, check=True).stdout.splitlines():
        *_, kind, name = line.split()
        (wanted if kind == "U" else defined).add(name)
    return defined, wanted


def uses(build):
    """{source: {source it uses: a symbol}}"""
    found = {source: symbols(path) for source, path in objects(build)}
    home = {name: source for source, (defined, _) in found.items() for name in defined}
    return {source: {home[name]: name for name in sorted(wanted) if home.get(name, source) != source}
            for source, (_, wanted) in found.items()}


def layer(source):
    return source.split("/")[0]


def circles(graph):
    """Groups of sources that use each other in a circle (Tarjan)."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        on_stack.add(v)
        for w in graph.get(v, ()):
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in on_stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            group = []
            while not group or group[-1] != v:
                group.append(stack.pop())
                on_stack.discard(group[-1])
            if len(group) > 1:
                found.append(sorted(group))

    for v in graph:
        if v not in index:
            visit(v)
    return found


def check(build):
    graph = uses(build)
    if not graph:
        yield f"{build}: no object files; build it first: cmake --build {build}"
    for source, used in graph.items():
        for other, name in used.items():
            if layer(other) not in (layer(source), *LAYERS[layer(source)]):
                yield f"proxy/{source}: {layer(source)} may not use {name}() of proxy/{other}"
    for group in circles(graph):
        inside = collections.defaultdict(list)
        for source in group:
            for other in group:
                if other in graph[source]:
                    inside[source].append(f"{other} ({graph[source][other]})")
        yield "a circle of files: " + "; ".join(f"{source} uses {', '.join(o)}" for source, o in inside.items())
