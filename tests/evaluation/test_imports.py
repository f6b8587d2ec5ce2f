"""Evaluation imports data alone, so that it can judge anyone's samples."""

import ast
from pathlib import Path

import mtgan.evaluation

ALLOWED = ("mtgan.data", "mtgan.errors", "mtgan.evaluation")


def test_evaluation_imports_point_up():
    for path in Path(mtgan.evaluation.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                if name.split(".")[0] == "mtgan":
                    assert name.startswith(ALLOWED), f"{path} imports {name}"
