"""Which small errors would the tests not see? Changes one thing at a time, and runs the tests.

    python -m benchmarks.mutations src/mtgan/objectives tests/objectives --sample 20 --seed 0

For files of the first path and tests of the others: of all single changes (another comparison, an
operator or a number, a condition turned round, a statement left out) a random sample is tried, each
in a copy of the repository; a change that no test sees is printed with its place. Some make no
difference (a faster way to the same value): whoever reads the list decides.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
OTHER: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.USub: ast.UAdd,
}


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """The node with one thing changed, in each way in which it can be."""
    for field in ("op", "ops"):
        found = getattr(node, field, None)
        operator = found[0] if isinstance(found, list) else found
        if type(operator) in OTHER:
            other = OTHER[type(operator)]()
            yield changed(node, field, [other, *found[1:]] if isinstance(found, list) else other)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        value = node.value
        yield changed(node, "value", not value if isinstance(value, bool) else value + 1)
    if isinstance(node, ast.If | ast.IfExp | ast.comprehension):
        tests = [node.ifs] if isinstance(node, ast.comprehension) else [node.test]
        if isinstance(tests[0], ast.expr):
            yield changed(node, "test", ast.UnaryOp(ast.Not(), tests[0]))
        elif tests[0]:
            yield changed(node, "ifs", [])
    if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant | ast.Yield):
        yield ast.Pass()
    if isinstance(node, ast.AugAssign):
        yield ast.Pass()


def changed(node: ast.AST, field: str, value: object) -> ast.AST:
    other = copy.copy(node)
    setattr(other, field, value)
    return other


class Replacer(ast.NodeTransformer):
    def __init__(self, number: int, other: ast.AST) -> None:
        self.number, self.other, self.seen = number, other, -1

    def visit(self, node: ast.AST) -> ast.AST:
        self.seen += 1
        return self.other if self.seen == self.number else self.generic_visit(node)


class Walker(ast.NodeVisitor):
    """Nodes in the order in which Replacer numbers them."""

    def __init__(self) -> None:
        self.found: list[ast.AST] = []

    def visit(self, node: ast.AST) -> None:
        self.found.append(node)
        self.generic_visit(node)


def mutants(file: Path) -> Iterator[tuple[str, str]]:
    """(place and what stands there now, the whole text) of every change of a file."""
    source = file.read_text()
    walker = Walker()
    walker.visit(ast.parse(source))
    for number, node in enumerate(walker.found):
        for other in changes(node):
            tree = Replacer(number, other).visit(ast.parse(source))
            text = ast.unparse(ast.fix_missing_locations(tree))
            line = getattr(node, "lineno", 0)
            where = f"{file}:{line}: {ast.unparse(node).splitlines()[0]}"
            yield f"{where}  ->  {ast.unparse(other).splitlines()[0]}", text


def survives(folder: Path, tests: list[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-xq", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=300
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("tests", nargs="+")
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    files = [options.source] if options.source.is_file() else sorted(options.source.rglob("*.py"))
    everything = [(file, *mutant) for file in files for mutant in mutants(file)]
    tried = random.Random(options.seed).sample(everything, min(options.sample, len(everything)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "copy"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "runs")
        shutil.copytree(ROOT, folder, ignore=ignored)
        assert survives(folder, options.tests), "the tests fail before anything is changed"
        left = 0
        for file, place, text in tried:
            target = folder / file
            before = target.read_text()
            target.write_text(text)
            if survives(folder, options.tests):
                left += 1
                print(f"not seen: {place}", flush=True)
            target.write_text(before)
    print(f"{options.source}: {len(tried)} of {len(everything)} tried, {left} not seen")


if __name__ == "__main__":
    main()
