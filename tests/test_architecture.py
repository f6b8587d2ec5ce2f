"""The shape of the package: imports in one direction, quick start, names that users see."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import mtgan

SOURCE = Path(mtgan.__file__).parent
# Every package may import those before it. Evaluation stands apart: it judges anyone's samples.
ORDER = [
    "errors",
    "limits",
    "plugins",
    "registry",
    "parts",
    "files",
    "text",
    "lettering",
    "markup",
    "correction",
    "processes",
    "data",
    "nets",
    "objectives",
    "recipes",
    "training",
    "evaluation",
    "classification",
    "runs",
    "analysis",
    "studies",
    "reports",
    "api",
    "cli",
]
EVALUATION_MAY_IMPORT = {*ORDER[: ORDER.index("data") + 1], "evaluation"}


def names_imported(file: Path) -> set[str]:
    """What a file imports anywhere, with what it takes from there; type checking left out."""
    tree = ast.parse(file.read_text())
    skipped = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and getattr(branch.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    names = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imports_of(file: Path) -> set[str]:
    """The rooms of mtgan that a file imports."""
    names = names_imported(file)
    return {name.split(".")[1] for name in names if name.startswith("mtgan.")} & ROOMS


def module_of(file: Path) -> str:
    parts = ("mtgan", *file.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_graph() -> dict[str, set[str]]:
    """The modules of the package that each of them imports, inside of functions, too."""
    files = {module_of(file): file for file in SOURCE.rglob("*.py")}
    graph = {}
    for module, file in files.items():
        names = names_imported(file)
        found = {name if name in files else name.rpartition(".")[0] for name in names}
        graph[module] = (found & files.keys()) - {module}
    return graph


ROOMS = {path.stem for path in SOURCE.iterdir() if path.stem.isidentifier()}
FILES = [file for file in sorted(SOURCE.rglob("*.py")) if len(file.relative_to(SOURCE).parts) > 1]


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_imports_point_one_way(file: Path) -> None:
    package = file.relative_to(SOURCE).parts[0]
    allowed = set(ORDER[: ORDER.index(package) + 1])
    if package == "evaluation":
        allowed = EVALUATION_MAY_IMPORT
    assert imports_of(file) <= allowed


def test_no_module_imports_itself_by_way_of_others() -> None:
    tuple(TopologicalSorter(import_graph()).static_order())  # CycleError names a circle


def test_every_package_has_its_place() -> None:
    assert {file.relative_to(SOURCE).parts[0] for file in FILES} <= set(ORDER)


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["recipes", "list"], ["data", "list"], ["train", "--help"]],
)
def test_what_needs_no_torch_does_not_import_it(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom mtgan.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert run(code).returncode == 0


def test_the_public_names_are_there() -> None:
    for name in mtgan.__all__:
        assert getattr(mtgan, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        mtgan.trian  # noqa: B018


METRICS = """
frechet_distance kernel_distance inception_score precision_recall density_coverage prd_curve
ms_ssim geometry_score vendi_score memorization_fid authenticity
"""


@pytest.mark.parametrize("name", METRICS.split())
def test_the_metric_functions_are_there(name: str) -> None:
    import mtgan.evaluation as evaluation

    assert callable(getattr(evaluation, name))
