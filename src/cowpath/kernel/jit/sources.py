"""Which sources compiled code is made from, and a hash of what they say.

Those are the modules that have functions compiled, and what these import within the package, at whatever depth:
compiled code takes its constants from there. Comments, docstrings and empty lines say nothing to a compiler.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

# who imports one of these from one of those, or one of those as a whole, has functions compiled
DOORS = ("compiled", "generated")
COMPILING = frozenset("* apart compile_source compiled driver entry_point generated inlined intrinsic kept".split()) | {
    ""
}


def every_source(package: Path) -> list[str]:
    """All Python files of a package, in an order of their names. Plain text: this is on the way of each command."""
    found = []
    for folder, within, names in os.walk(package):
        within[:] = sorted(name for name in within if name != "__pycache__")
        found += [f"{folder}{os.sep}{name}" for name in sorted(names) if name.endswith(".py")]
    return found


def bytes_of_all(package: Path) -> str:
    """A hash of all of the package's sources as they stand, which is read off in milliseconds."""
    digest = hashlib.sha256()
    skipped = len(str(package)) + 1
    for source in every_source(package):
        with open(source, "rb", buffering=0) as file:  # noqa: PTH123
            _take(digest, source[skipped:], file.read())
    return digest.hexdigest()


def digest_of(source: Path) -> str:
    """A hash of one file as it stands."""
    return hashlib.sha256(source.read_bytes()).hexdigest()


def loaded_along(source: Path, package: str) -> set[Path]:
    """The files of the user's own that have been loaded because this one imports them, at whatever depth."""
    found: set[Path] = set()
    waiting = {source}
    while waiting:
        file = waiting.pop()
        found.add(file)
        for name in _top_levels(ast.parse(file.read_bytes())) - sys.stdlib_module_names - {package}:
            for each, module in list(sys.modules.items()):
                path = getattr(module, "__file__", None)
                if each.partition(".")[0] == name and path and path.endswith(".py") and "site-packages" not in path:
                    waiting |= {Path(path).resolve()} - found
    return found - {source}


def _top_levels(tree: ast.Module) -> set[str]:
    names = [each.name for node in _statements(tree) if isinstance(node, ast.Import) for each in node.names]
    names += [node.module or "" for node in _statements(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def note_of(standing: str) -> str:
    """The name of the note in which the next hash stands, of sources that stand so."""
    return f"{standing}-{sys.implementation.cache_tag}"


def what_is_compiled(package: Path) -> str:
    """A hash of what the sources say that compiled code is made from."""
    digest = hashlib.sha256()
    for source, tree in sources_of_compiled(package).items():
        _take(digest, str(source.relative_to(package)), ast.dump(_without_docstrings(tree)).encode())
    return digest.hexdigest()


def sources_of_compiled(package: Path) -> dict[Path, ast.Module]:
    """The sources of the modules that have functions compiled, and of all that these import within the package."""
    modules = {_module(package, source): source for source in map(Path, every_source(package))}
    doors = {f"{package.name}.kernel.{door}" for door in DOORS}
    found: dict[str, ast.Module] = {}
    for name, source in modules.items():
        text = source.read_bytes()
        if not any(door.encode() in text for door in DOORS):  # most have nothing to do with it
            continue
        tree = ast.parse(text)
        if any(each in doors and what in COMPILING for each, what in _imported(name, tree, modules)):
            _follow(name, tree, modules, found)
    return {modules[name]: found[name] for name in sorted(found)}


def _follow(name: str, tree: ast.Module, modules: dict[str, Path], found: dict[str, ast.Module]) -> None:
    waiting = {name: tree} if name not in found else {}
    while waiting:
        name, tree = waiting.popitem()
        found[name] = tree
        for each, _ in _imported(name, tree, modules):
            if each not in found and each not in waiting:
                waiting[each] = ast.parse(modules[each].read_bytes())


def _take(digest: hashlib._Hash, name: str, content: bytes) -> None:
    digest.update(f"{name.replace(os.sep, '/')} {len(content)} ".encode() + content)


def _module(package: Path, source: Path) -> str:
    parts = source.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(name: str, tree: ast.Module, modules: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """The modules of the package that a module imports, wherever in it, each with what it takes from there."""
    package = name if modules[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from ((each.name, "") for each in node.names if each.name in modules)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: None if node.level < 2 else 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for each in node.names:
                found = next((path for path in (f"{source}.{each.name}", source) if path in modules), None)
                if found is not None:
                    yield found, each.name


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """All statements, also those within others, and no expressions, of which there are ten times as many."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        within = waiting.pop()
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(within, part, ())
            waiting += inner if isinstance(inner, list) else ()
        if isinstance(within, ast.stmt):
            yield within


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in [tree, *_statements(tree)]:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    """A docstring, or what stands like one below an assignment."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
