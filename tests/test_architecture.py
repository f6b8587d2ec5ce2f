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
    "renamed",
    "limits",
    "plugins",
    "registry",
    "parts",
    "text",
    "progress",
    "files",
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
    "testing",
    "classification",
    "runs",
    "exporting",
    "augmenting",
    "doctor",
    "analysis",
    "surveys",
    "studies",
    "reports",
    "reproduction",
    "web",
    "api",
    "cli",
]
EVALUATION_MAY_IMPORT = {*ORDER[: ORDER.index("data") + 1], "evaluation"}


def names_imported(file: Path, types: bool = False) -> set[str]:
    """What a file imports anywhere, with what it takes from there; for type checking alone, too,
    where `types` is true."""
    tree = ast.parse(file.read_text())
    skipped = (
        set()
        if types
        else {
            id(node)
            for branch in ast.walk(tree)
            if isinstance(branch, ast.If) and getattr(branch.test, "id", "") == "TYPE_CHECKING"
            for node in ast.walk(branch)
        }
    )
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
    """The rooms of mtgan that a file imports, be it for type checking alone."""
    names = names_imported(file, types=True)
    return {name.split(".")[1] for name in names if name.startswith("mtgan.")} & ROOMS


def module_of(file: Path) -> str:
    parts = ("mtgan", *file.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# These name the types of what is above them: lazy names of the package, and registries whose names
# are known without importing what they hold.
NAME_TYPES_ABOVE = {"mtgan", "mtgan.parts", "mtgan.studies.kinds"}


def import_graph(types: bool = False) -> dict[str, set[str]]:
    """The modules of the package that each of them imports, inside of functions, too."""
    files = {module_of(file): file for file in SOURCE.rglob("*.py")}
    graph = {}
    for module, file in files.items():
        names = names_imported(file, types and module not in NAME_TYPES_ABOVE)
        found = {name if name in files else name.rpartition(".")[0] for name in names}
        graph[module] = (found & files.keys()) - {module}
    return graph


# Files and the network are reached by way of mtgan.files alone.
ONLY_IN_FILES = {
    *("yaml", "filelock", "fcntl", "platformdirs", "tempfile", "urllib.request", "http.client"),
    *("os.replace", "os.rename", "os.fsync"),
}


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def machines_of(file: Path) -> set[str]:
    """What of ONLY_IN_FILES a file imports or calls, and whether it asks for the cache's place."""
    tree = ast.parse(file.read_text())
    used = {dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {name for found in names_imported(file) for name in (found, found.rpartition(".")[0])}
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return used & ONLY_IN_FILES | constants & {"MTGAN_CACHE", "XDG_CACHE_HOME"}


def test_files_are_reached_by_way_of_one_package() -> None:
    elsewhere = {
        module_of(file): found
        for file in SOURCE.rglob("*.py")
        if SOURCE / "files" not in file.parents and (found := machines_of(file))
    }
    assert elsewhere == {}
    inside = set().union(*map(machines_of, (SOURCE / "files").glob("*.py")))
    assert inside >= {"yaml", "filelock", "platformdirs", "tempfile", "os.replace", "MTGAN_CACHE"}


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
    for types in (False, True):
        tuple(TopologicalSorter(import_graph(types)).static_order())  # CycleError names a circle


REGISTRY_NAMES = {
    node.target.id
    for file in SOURCE.rglob("*.py")
    for node in ast.parse(file.read_text()).body
    if isinstance(node, ast.AnnAssign) and "Registry[" in ast.unparse(node.annotation)
}


def reads_registries(node: ast.AST, functions: dict[str, ast.AST]) -> bool:
    """Whether code that runs asks a registry what it has, itself or by a function of its file."""
    calls = [dotted(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)]
    reads = {f"{name}.{verb}" for name in REGISTRY_NAMES for verb in ("get", "names", "items")}
    own = [functions[name] for name in calls if name in functions and functions[name] is not node]
    return not reads.isdisjoint(calls) or any(reads_registries(code, functions) for code in own)


def test_no_registry_is_read_while_a_file_is_imported() -> None:
    """What is registered later would be missed."""
    kinds = (ast.FunctionDef, ast.ClassDef, ast.If)
    for file in SOURCE.rglob("*.py"):
        body = ast.parse(file.read_text()).body
        functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
        for node in body:
            if not isinstance(node, kinds):
                assert not reads_registries(node, functions), (file, node.lineno)


def test_nobody_pays_for_the_contracts_who_does_not_ask() -> None:
    assert not [module for module, found in import_graph().items() if "mtgan.testing" in found]


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
