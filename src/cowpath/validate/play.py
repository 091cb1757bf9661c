"""Plays a scenario on the model, and gives what came of it as a row of the same schema as the real one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from errno import ENOENT
from typing import TYPE_CHECKING, Any

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernels import memcg_files
from cowpath.validate import counters
from cowpath.validate.commands import NotModelled
from cowpath.validate.compile import FINISH, Compiled, compile_scenario
from cowpath.validate.ctl import fatal_signal
from cowpath.validate.player import Player, S, Told
from cowpath.validate.scenario import CTL, Scenario, Step

if TYPE_CHECKING:
    from cowpath.designs import Design

__all__ = ["NotModelled", "play"]

READ_NS = {"v1": 0, "v2": 4_000_000}  # after a step that is waited for: its answer is read first (long in an emulator)
TURN_NS = 5_000_000  # between two steps
BURIED_NS = 20_000_000  # until a death shows of which ctl does not hear as a parent does; and after the last one
DYING_NS = S  # how long a fatal signal is given
SETTLE_NS = {"v1": 2_400_000_000, "v2": 2_300_000_000}  # after which memory.stat is read again
LOOKS = 20  # of a command that waits whether something happens
EXTRA: dict[str, Callable[[Told, dict[int, int]], str]] = {  # by command: what a worker says besides
    "mmaploop": lambda _, asleep: f"max_ns={max(asleep.values(), default=0)}",
    "ptr": lambda told, asleep: "" if told.status else f"stopsig=19 wait_ns={sum(asleep.values())}",
    "uffdcopy": lambda told, _: f"copy={told.returned * n.PAGE_SIZE or -told.status}",
}
REMOVED = "removed"  # instead of a group's counters
Row = dict[str, Any]


def play(scenario: Scenario, design: Design, seed: int = 0) -> Row:
    """A scenario on a kernel. ``result``, ``settled``, ``events`` and ``oom_killed`` are as in the real row.

    Where a task waits stands in ``waits`` (the model's name of the wait) and ``paths`` (its paths, the innermost
    first), not in ``wchan`` and ``stack``. Raises InputError for what is wrong in the scenario, NotModelled for what
    the model does not have.
    """
    if scenario.interface not in design.kernel.interface:
        raise NotModelled(f"{design.kernel.name} has no cgroup {scenario.interface}")
    return _Playing(compile_scenario(scenario), design, seed).row()


@dataclass
class _Playing:
    compiled: Compiled
    design: Design
    seed: int
    player: Player = field(init=False)

    def __post_init__(self) -> None:
        scenario = self.compiled.scenario
        try:
            self.player = Player(self.compiled, self.design, self.seed)
        except InputError as error:  # more groups, files, ... than a machine has
            raise scenario.place.error(error.problem, error.hint) from None
        self.keys = memcg_files.load(self.design.kernel.name) if scenario.interface == "v2" else None
        self.pending: dict[str, int] = {}  # by task: the step that it has been given and that nobody has waited for

    def row(self) -> Row:
        """All of it, step by step."""
        player, scenario = self.player, self.compiled.scenario
        player.boot()
        results = [{"step": "start", "groups": self.groups()}]
        for number, step in enumerate(scenario.steps):
            result = self.commanded(number, step) if step.who == CTL else self.worked(number, step)
            self.turn(0 if "async" in result else READ_NS[scenario.interface])
            if "died" in result and step.who not in self.compiled.leaders:
                self.turn(BURIED_NS)
            results.append({"step": f"{step.who} {step.text}", **result, "groups": self.groups()})
            self.turn(TURN_NS)
        self.turn(SETTLE_NS[scenario.interface])
        settled = [{"step": results[-1]["step"], "groups": self.groups(settled=True)}]
        oom_killed = player.oom_killed()
        player.tell(CTL, FINISH)
        player.until_all_dead()
        self.turn(BURIED_NS)
        results.append({"step": "after_exit_of_all_tasks", "groups": self.groups()})
        self.turn(SETTLE_NS[scenario.interface])
        settled.append({"step": "after_exit_of_all_tasks", "groups": self.groups(settled=True)})
        row: Row = {"result": results, "settled": settled, "oom_killed": oom_killed}
        if scenario.interface == "v1":
            player.tell(CTL, FINISH + 1)
            row["events"] = {group: counters.vm_events(player.k, at) for group, at in self.compiled.groups.items()}
        return row

    def turn(self, ns: int) -> None:
        """Time passes between two looks. The machine of v1 had other groups (a container's, a system's services), whose
        tasks run meanwhile; that of v2 had none.
        """
        self.player.sleep(ns)
        if self.keys is None:
            self.player.others()

    def groups(self, settled: bool = False) -> dict[str, Any]:
        """The counters of all groups that are there. When things have settled, tasks of other groups have taken the
        place of what CPUs kept of charges, on the machine that had such (it was measured in runs of their own).
        """
        k = self.player.k
        return {
            group: counters.of_group(k, at, self.keys, settled) if k.state.groups[at].alive else REMOVED
            for group, at in self.compiled.groups.items()
        }

    # --- workers

    def worked(self, number: int, step: Step) -> Row:
        """A worker's step."""
        if not self.player.alive(step.who):
            return {"dead": True}
        if not step.waits:
            self.pending[step.who] = number
            self.player.start(step.who, number)
            return {"async": True}
        done = self.player.tell(step.who, number)
        return self.outcome(step.who, number, done)

    def outcome(self, task: str, number: int, done: bool) -> Row:
        """What has become of a step: a value, or that the task has died in it, or where it waits."""
        player = self.player
        step = self.compiled.scenario.steps[number]
        if not done and player.alive(task):
            return {"blocked": True, "progress": player.progress(task), **player.place(task)}
        told = player.told[task, number] if done else player.dead[task]
        row: Row = {"minflt": told.minflt, "majflt": told.majflt}
        if done:
            row["value"] = player.value(told, step)
        else:
            row |= {"died": True, "exit": told.exit, "progress": told.progress}
        if done and step.command in EXTRA:
            row["extra"] = EXTRA[step.command](told, player.asleep(task, number))
        slow = player.slow(task, number)
        return row | ({"slow": slow} if slow else {})

    # --- ctl

    def commanded(self, number: int, step: Step) -> Row:
        """A step of ctl: one that a task does, or a look."""
        looks: dict[str, Callable[[Step], Row]] = {
            "sleep": self.sleep, "wait": self.wait, "stack": self.stack, "sample": self.sample, "alive": self.who_lives,
            "rootstat": self.rootstat, "cat": self.cat, "locked": self.locked, "gets_on": self.gets_on,
            "kills": self.kills, "copies": self.copies,
        }  # fmt: skip
        if step.command in looks:
            try:
                return looks[step.command](step)
            except (IndexError, ValueError, KeyError):
                raise step.place.error(f"step {step.text!r} lacks a word, or has a wrong one") from None
        if step.command == "fork":
            parent = step.words[1]
            if not self.player.alive(parent):
                return {"dead": True}
            done = self.player.tell(parent, number)
            return self.outcome(parent, number, done)
        if step.command == "kill" and (how := fatal_signal(step)) is not None:
            self.player.signals[step.words[1]] = how
        done = self.player.tell(CTL, number)
        if not done:
            return {"blocked": True, **self.player.place(CTL)}
        status = self.player.told[CTL, number].status
        row: Row = {"rc": -status} if self.keys is None else {"value": -status}
        if step.command == "kill":
            if fatal_signal(step) is not None:
                self.player.until_dead(step.words[1], DYING_NS)
            row = {"dead": not self.player.alive(step.words[1]), "progress": self.player.progress(step.words[1])}
        if step.command == "rmdir":
            row["cgroup.stat"] = {"nr_dying_descendants": self.dying_with(self.compiled.groups[step.words[1]])}
        return row

    def dying_with(self, group: int) -> int:
        """Removed groups that are still there when one has just been removed: it is itself until some grace periods of
        RCU have passed.
        """
        k = self.player.k
        return counters.dying(k) + int(not k.state.groups[group].alive and not counters.is_dying(k, group))

    def sleep(self, step: Step) -> Row:
        self.player.sleep(round(float(step.words[1]) * S))
        return {}

    def wait(self, step: Step) -> Row:
        """Until a task's step has ended, or for so many seconds."""
        task, seconds = step.words[1], float(step.words[2])
        if task not in self.pending:
            return {"done": "before"}
        number = self.pending[task]
        done = self.player.wait(task, number, round(seconds * S))
        if done or not self.player.alive(task):
            del self.pending[task]
        return {"of": self.compiled.scenario.steps[number].text, **self.outcome(task, number, done)}

    def stack(self, step: Step) -> Row:
        task = step.words[1]
        return {"progress": self.player.progress(task), **self.player.place(task)}

    def sample(self, step: Step) -> Row:
        """How often a task was seen where."""
        task, times, ms = step.words[1], int(step.words[2]), float(step.words[3])
        seen: dict[str, int] = {}
        for _ in range(times):
            where = self.player.place(task)
            words = " ".join([where["state"], where["waits"], "<".join(where["paths"])]).strip()
            seen[words] = seen.get(words, 0) + 1
            self.player.sleep(round(ms * 1_000_000))
        return {"progress": self.player.progress(task), "histogram": seen}

    def who_lives(self, _: Step) -> Row:
        self.player.sleep(BURIED_NS)
        living = {task: self.player.lives_on(task) for task in self.compiled.slots if self.player.was_there(task)}
        return {"alive": living if self.keys is None else [task for task, lives in living.items() if lives]}

    def rootstat(self, _: Step) -> Row:
        return {"cgroup.stat": {"nr_dying_descendants": counters.dying(self.player.k)}}

    def cat(self, step: Step) -> Row:
        from cowpath.session.cgroupfs import read_file

        group = self.compiled.groups[step.words[1]]
        if not self.player.k.state.groups[group].alive:
            return {"value": -ENOENT}
        return {"text": read_file(self.player.k, group, step.words[2], self.keys)}

    def locked(self, step: Step) -> Row:
        """Pages of a file that are locked at a time; of many looks the most."""
        file, times, ms = step.words[1].removeprefix("@"), int([*step.words, "1"][2]), float([*step.words, "1", "0"][3])
        most = self.player.locked(file)
        for _ in range(times - 1):
            self.player.sleep(round(ms * 1_000_000))
            most = max(most, self.player.locked(file))
        return {"locked": most} if times == 1 else {"locked_most": most}

    def gets_on(self, step: Step) -> Row:
        """Whether an access or a call of a task ends within so many seconds."""
        task = step.words[1]
        before = self.player.done(task)
        return {"gets_on": self._within(float(step.words[2]), lambda: self.player.done(task) != before)}

    def kills(self, step: Step) -> Row:
        """Whether the OOM killer kills somebody in a group within so many seconds."""
        books = self.player.k.books.groups[self.compiled.groups[step.words[1]]]
        before = int(books.counters[n.C_OOM_KILLS])
        return {"kills": self._within(float(step.words[2]), lambda: int(books.counters[n.C_OOM_KILLS]) > before)}

    def _within(self, seconds: float, so: Callable[[], bool]) -> bool:
        """Whether something comes to be so within so many seconds; all of them pass."""
        found = False
        for _ in range(LOOKS):
            self.player.sleep(round(seconds * S / LOOKS))
            found = found or so()
        return found

    def copies(self, step: Step) -> Row:
        """Pages that have been copied on write in a group."""
        books = self.player.k.books.groups[self.compiled.groups[step.words[1]]]
        return {"copies": int(books.counters[n.C_COW])}
