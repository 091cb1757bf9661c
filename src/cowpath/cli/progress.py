"""How far a long command is: bars on stderr if that is a terminal, else one line when the kernel has to be compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import typer

COMPILING = "compiling the modelled kernel (once after each change of it)"


class Progress:
    """Without a terminal: nothing, but for the word that the kernel is being compiled."""

    def __init__(self) -> None:
        self.said = False

    def __call__(self, name: str) -> Callable[[int], None] | None:
        """What the run of this name is to call with the time that it has reached."""
        return None

    def many(self, total: int) -> Callable[[int, str], None]:
        """What a command with so many runs is to call: how many are done, and what the next one is."""
        return lambda done, doing: None

    def checking(self) -> Callable[[int, int, str, Any], None]:
        """What a command that explores is to call: how many cases are done, of how many, which runs, how far it is."""
        return lambda done, total, doing, step: None

    def searching(self) -> Callable[[int, int, int], None]:
        """What a search is to call: orders done, of how many, how many of them are safe."""
        return lambda done, total, safe: None

    def reading(self, total: int) -> Callable[[int], None]:
        """What a command that reads a large file is to call: how many bytes it has read."""
        return lambda done: None

    def looking(self) -> Callable[[str], None]:
        """What a command that does not know how much there is to do is to call: what it does now."""
        return lambda doing: None

    def compiling(self, done: int, total: int) -> None:
        """So many functions of so many are compiled."""
        if not self.said:
            self.said = True
            typer.echo(f"cowpath: {COMPILING}: {total} functions, a minute or two", err=True)


class Bars(Progress):
    """On a terminal: a bar for the compiler and one for each run."""

    def __init__(self, bars: Any, until_ns: int | None) -> None:
        super().__init__()
        self.bars = bars
        self.until_ns = until_ns
        self.compiler: Any = None

    def __call__(self, name: str) -> Callable[[int], None]:
        """A bar for the run of this name."""
        from cowpath.observe.text import duration

        bar = self.bars.add_task(name, total=self.until_ns, reached="")

        def reached(now_ns: int) -> None:
            self.bars.update(bar, completed=now_ns, reached=f"{duration(now_ns)} of the machine's time")

        return reached

    def many(self, total: int) -> Callable[[int, str], None]:
        """One bar for all runs."""
        bar = self.bars.add_task("", total=total, reached="")

        def reached(done: int, doing: str) -> None:
            self.bars.update(bar, completed=done, description=doing, reached=f"{done} of {total} runs")

        return reached

    def checking(self) -> Callable[[int, int, str, Any], None]:
        """One bar for all cases, with states, rate, depth and frontier of the one that is explored."""
        bar = self.bars.add_task("", total=None, reached="")

        def reached(done: int, total: int, doing: str, step: Any) -> None:
            far = f"{done} of {total}"
            if step is not None:
                rate = step.states / max(step.seconds, 1e-9)
                far += (f": {step.states:,} states, {rate:,.0f} a second, depth {step.depth}, "
                        f"frontier {step.frontier:,}")  # fmt: skip
            self.bars.update(bar, total=total, completed=done, description=doing, reached=far)

        return reached

    def searching(self) -> Callable[[int, int, int], None]:
        """One bar for all orders."""
        bar = self.bars.add_task("orders", total=None, reached="")

        def reached(done: int, total: int, safe: int) -> None:
            self.bars.update(bar, total=total, completed=done, reached=f"{done:,} of {total:,}, {safe:,} safe")

        return reached

    def reading(self, total: int) -> Callable[[int], None]:
        """A bar for a file."""
        from cowpath.observe.text import size

        bar = self.bars.add_task("reading", total=total, reached="")

        def reached(done: int) -> None:
            self.bars.update(bar, completed=done, reached=f"{size(done)} of {size(total)}")

        return reached

    def looking(self) -> Callable[[str], None]:
        """A bar without an end."""
        bar = self.bars.add_task("", total=None, reached="")
        return lambda doing: self.bars.update(bar, description=doing)

    def compiling(self, done: int, total: int) -> None:
        """Move the compiler's bar."""
        if self.compiler is None:
            self.compiler = self.bars.add_task(COMPILING, total=total, reached="")
        self.bars.update(self.compiler, completed=done, reached=f"{done} of {total} functions")


@contextmanager
def progress_bars(until_ns: int | None) -> Iterator[Progress]:
    """Progress on stderr while the block runs."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Progress()
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[reached]}"))
    with RichProgress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        yield Bars(bars, until_ns)


def reading_bar(path: Path) -> AbstractContextManager[Iterable[str]]:
    """A text's lines, as ``reading.sniff.open_text`` gives them, with a bar on stderr while they are read."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import open as opened

    console = Console(stderr=True)
    what = f"reading {escape(path.name)}"
    return opened(path, "r", encoding="utf-8", errors="replace", description=what, console=console, transient=True,
                  disable=not console.is_terminal)  # fmt: skip
