"""What is kept on disk is named by what is compiled: an edit of that, and of nothing else, compiles anew."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import itertools
import os
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import pytest

import cowpath
from cowpath.kernel.jit import sources
from cowpath.kernel.jit.sources import bytes_of_all, sources_of_compiled, what_is_compiled

PACKAGE = Path(cowpath.__file__).parent
OUTSIDE = ("clock", "costs", "exhausted", "foresight", "machine", "ready", "verdict")
TINY = '''"""An entry point, whose constant is another module's."""

from cowpath.kernel import names as n
from cowpath.kernel.compiled import entry_point


@entry_point
def asked(x):
    """Say it."""
    return n.PAGE_SIZE + x
'''
ASK = (
    "from cowpath.engine.tiny import asked; from cowpath.kernel.compiled import cache_folder;"
    "print(asked(1), sum(asked.stats.cache_hits.values()), cache_folder())"
)


class ParsedOnce:
    """``ast``, which here is asked for the same few hundred texts again and again, of which one is edited."""

    parse = staticmethod(functools.cache(ast.parse))
    dump = staticmethod(functools.cache(ast.dump))

    def __getattr__(self, name: str) -> Any:
        return getattr(ast, name)


@pytest.fixture(scope="module", autouse=True)
def _each_text_is_parsed_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "ast", ParsedOnce())
        yield


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package without its data, and with a small module."""
    package = tmp_path_factory.mktemp("copied") / "cowpath"
    shutil.copytree(PACKAGE, package, ignore=lambda folder, names: [n for n in names if "." in n and n[-3:] != ".py"])
    (package / "engine" / "tiny.py").write_text(TINY)
    return package


@pytest.fixture(scope="module")
def before(copied: Path) -> str:
    return what_is_compiled(copied)


TIMES = itertools.count(1_000_000_000)


def write_at_a_time_of_its_own(source: Path, text: str) -> None:
    """Two edits of one size within one second are one to Python, which compares size and second with its ``.pyc``'s."""
    source.write_text(text)
    os.utime(source, (time := next(TIMES), time))


class Edited:
    """A source with some of its text replaced, for the time of a block."""

    def __init__(self, source: Path, old: str, new: str) -> None:
        self.source, self.text = source, source.read_text()
        assert old in self.text
        self.edited = self.text.replace(old, new, 1)

    def __enter__(self) -> None:
        write_at_a_time_of_its_own(self.source, self.edited)

    def __exit__(self, *_: object) -> None:
        write_at_a_time_of_its_own(self.source, self.text)


COMPILED_ANEW = {
    "a constant": ("kernel/names.py", "OP_CREAT = 36", "OP_CREAT = 37"),
    "a row of the steps' table": ("kernel/steps.py", "takes=H_VMA_READ", "takes=H_VMA_READ, needs=0"),
    "a row of the policies' table": ("kernel/policies.py", "Policy(", "Policy(*(), "),
    "a field's text": ("kernel/records.py", "bits & PTE_PRESENT", "bits & PTE_PRESENT != 0"),
    "how a record is laid out": ("kernel/layout.py", '"i4": "i2"', '"i4": "i4"'),
    "how code is made": ("engine/renaming.py", "continue", "pass"),
    "a kernel function": ("kernel/lru.py", "return", "pass\n    return"),
    "a vector": ("engine/vector.py", "WIDTH = 16", "WIDTH = 8"),
    "the lanes": ("observe/lanes.py", "@kept\n", "@kept  \n@str\n"),
    "the first compiled function in a module": (
        "engine/clock.py", "\n\n\n", "\n\n\nfrom cowpath.kernel.compiled import driver\n\n",
    ),
}  # fmt: skip
NOTHING_TO_COMPILE = {
    "a comment": ("kernel/lru.py", "\n\n\n", "\n\n\n# a comment that moves all below\n\n"),
    "a docstring": ("engine/loop.py", '"""', '"""Another one. '),
    "what stands like a docstring": ("engine/invariants_ranges.py", '"""OK, or', '"""All right, or'),
    "a module that only asks for progress": ("cli/checks.py", "STATUS = {", "STATUS = {'x': 9, "),
} | {f"engine/{name}.py": (f"engine/{name}.py", "\n\n\n", "\n\n\nNEW = 5\n\n\n") for name in OUTSIDE}  # fmt: skip


@pytest.mark.parametrize("what", COMPILED_ANEW)
def test_an_edit_of_what_is_compiled_changes_the_key(copied: Path, before: str, what: str) -> None:
    name, old, new = COMPILED_ANEW[what]
    with Edited(copied / name, old, new):
        assert what_is_compiled(copied) != before


@pytest.mark.parametrize("what", NOTHING_TO_COMPILE)
def test_an_edit_of_anything_else_does_not(copied: Path, before: str, what: str) -> None:
    name, old, new = NOTHING_TO_COMPILE[what]
    as_it_stood = bytes_of_all(copied)
    with Edited(copied / name, old, new):
        assert what_is_compiled(copied) == before
        assert bytes_of_all(copied) != as_it_stood  # the note of the key is not that of other sources


def ask(copied: Path, **more: str) -> tuple[int, int, str]:
    environment = os.environ | {"PYTHONPATH": str(copied.parent), "COWPATH_CACHE": str(copied.parent / "cache"), **more}
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer, hits, folder = done.stdout.split()
    return int(answer), int(hits), folder


def test_what_was_kept_is_found_again_and_nothing_stale(copied: Path) -> None:
    """Line numbers and stamps do not come in between: Numba's index would name a function by its line."""
    answer, hits, folder = ask(copied)
    assert (answer, hits) == (4097, 0)
    assert ask(copied) == (4097, 1, folder)
    with Edited(copied / "engine" / "tiny.py", "@entry_point", "# above\n\n\n@entry_point"):
        assert ask(copied) == (4097, 1, folder)
    with Edited(copied / "kernel" / "names.py", "PAGE_SIZE = 4096", "PAGE_SIZE = 8192"):
        answer, hits, other = ask(copied)
        assert (answer, hits) == (8193, 0) and other != folder
    assert ask(copied) == (4097, 1, folder)


OTHER_BOUNDS = {"NUMBA_BOUNDSCHECK": str(int(not numba.config.BOUNDSCHECK))}  # type: ignore[attr-defined]


@pytest.mark.parametrize("setting", [{"NUMBA_OPT": "1"}, {"NUMBA_DEBUGINFO": "1"}, OTHER_BOUNDS])
def test_settings_that_change_the_code_change_the_key(copied: Path, setting: dict[str, str]) -> None:
    assert ask(copied, **setting)[2] != ask(copied)[2]


@pytest.mark.parametrize("setting", [{"NUMBA_NUM_THREADS": "1"}, {"NUMBA_COLOR_SCHEME": "dark_bg"}])
def test_settings_that_do_not_change_it_do_not(copied: Path, setting: dict[str, str]) -> None:
    assert ask(copied, **setting)[2] == ask(copied)[2]


def compiled_functions() -> dict[str, set[str]]:
    """The names of all compiled functions there are, by module."""
    found: dict[str, set[str]] = {}
    for info in pkgutil.walk_packages([str(PACKAGE)], "cowpath."):
        if info.name.startswith(("cowpath.kernel.", "cowpath.engine.", "cowpath.observe.", "cowpath.checker.")):
            module: Any = importlib.import_module(info.name)
            for name, value in vars(module).items():
                if hasattr(value, "py_func"):
                    found.setdefault(value.py_func.__module__, set()).add(name)
    return found


def test_each_module_with_a_compiled_function_is_in_the_key() -> None:
    covered = set(sources_of_compiled(PACKAGE))
    functions = compiled_functions()
    assert len(functions) > 60
    for module in functions:
        assert Path(str(sys.modules[module].__file__)) in covered, module


def test_what_is_in_the_key_reads_nothing_but_python() -> None:
    """A constant that comes from a file or from the environment would not be seen."""
    reading = ("read_text(", "read_bytes(", " = open(", "with open(", "environ", "import_module(", "resources.")
    may = {"own.py", "dispatch.py"}  # of the user's own steps, which are hashed; the kernel's files, all in the key
    for source in sources_of_compiled(PACKAGE):
        if source.parent.name != "jit" and source.name not in may:
            assert not [word for word in reading if word in source.read_text()], source


# --- what is kept is made from what the key says
def program(copied: Path, cache: Path, code: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(copied.parent), "COWPATH_CACHE": str(cache), **more}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_what_was_edited_after_it_was_loaded_is_not_kept_as_the_edited(copied: Path, tmp_path: Path) -> None:
    """In a notebook: imported, edited, run. The next process must not get the old code for the new source."""
    names = copied / "kernel" / "names.py"
    edit = (
        "from cowpath.engine.tiny import asked; from pathlib import Path; import os\n"
        f"names = Path({str(names)!r}); names.write_text(names.read_text().replace('= 4096', '= 8192', 1))\n"
        "os.utime(names, (1, 1));"
        "print(asked(1), asked(1.5))"
    )
    with Edited(names, "PAGE_SIZE = 4096", "PAGE_SIZE = 4096"):
        done = program(copied, tmp_path, edit)
        assert done.stdout == "4097 4097.5\n"
        assert len(done.stderr.splitlines()) == 1 and "edited since they were loaded" in done.stderr
        assert not list(tmp_path.rglob("*.nbc"))
        done = program(copied, tmp_path, ASK)
        assert (done.stdout.split()[:2], done.stderr) == (["8193", "0"], "")
    assert program(copied, tmp_path, ASK).stdout.split()[:2] == ["4097", "0"]


def test_what_python_takes_for_a_files_is_not_kept(copied: Path, tmp_path: Path) -> None:
    """A file that was replaced by one of the same size and time: Python runs the old one, and goes on doing so."""
    names = copied / "kernel" / "names.py"
    assert program(copied, tmp_path / "first", ASK).stdout.split()[:2] == ["4097", "0"]
    stood = names.stat()
    with Edited(names, "PAGE_SIZE = 4096", "PAGE_SIZE = 8192"):
        os.utime(names, ns=(stood.st_atime_ns, stood.st_mtime_ns))
        done = program(copied, tmp_path / "second", ASK)
        assert done.returncode == 1 and "InputError" in done.stderr
        assert "names.py: Python runs another version" in done.stderr and "rm " in done.stderr
        assert not list((tmp_path / "second").rglob("*.nbc"))
        Path(importlib.util.cache_from_source(str(names))).unlink()
        assert program(copied, tmp_path / "second", ASK).stdout.split()[:2] == ["8193", "0"]
    Path(importlib.util.cache_from_source(str(names))).unlink(missing_ok=True)


def test_python_without_asserts_has_a_key_of_its_own(copied: Path) -> None:
    assert ask(copied, PYTHONOPTIMIZE="1")[2] != ask(copied)[2]


def test_what_a_file_of_ones_own_imports_is_in_the_key(copied: Path, tmp_path: Path) -> None:
    """A constant that a step takes from a module beside it, and one from that module's own."""
    (tmp_path / "mine.py").write_text("import helping\nfrom json import dumps\n")
    (tmp_path / "helping.py").write_text("from further import N\n")
    folders = []
    for number in (1, 2, 1):
        (tmp_path / "further.py").write_text(f"N = {number}\n")
        os.utime(tmp_path / "further.py", (number, number))
        done = program(
            copied, tmp_path / "cache", ASK, COWPATH_STEPS=str(tmp_path / "mine.py"),
            PYTHONPATH=f"{copied.parent}{os.pathsep}{tmp_path}",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        folders.append(done.stdout.split()[1:])
    assert folders[0][1] == folders[2][1] != folders[1][1]
    assert [hits for hits, _ in folders] == ["0", "0", "1"]
