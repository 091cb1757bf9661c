"""Does a session fit a kernel? Its kernel has the version of cgroups whose names it uses, and the files."""

from __future__ import annotations

from cowpath.errors import InputError
from cowpath.kernels import memcg_files, profile
from cowpath.kernels.chosen import interface_of
from cowpath.kernels.profile import Kernel
from cowpath.session import cgroup1, cgroup2
from cowpath.session.cgroupfs import ALL
from cowpath.session.plan import Plan

INTO_CGROUP = (5, 7)  # ef2c41cf38a7
SAME = {"v1": cgroup1.SAME_IN_V1, "v2": cgroup2.SAME_IN_V2}


def check(plan: Plan, kernel: Kernel) -> None:
    """Raise InputError, at the word that means what the kernel has not."""
    for version in sorted(plan.interfaces - set(kernel.interface)):
        raise _no_version(plan, kernel, version)
    if plan.cloned_into is not None and kernel.release < INTO_CGROUP:
        since = ".".join(map(str, INTO_CGROUP))
        hint = f"it came with Linux {since}; CMD in it: cgexec -g memory:{plan.cloned_into.text} CMD"
        raise plan.cloned_into.error(f"{kernel.name} has no CLONE_INTO_CGROUP", hint)
    if interface_of(kernel, plan.interfaces) != "v2":
        return
    there = memcg_files.load(kernel.name).files
    for text in plan.texts:
        for name in text.files:
            if name != ALL and name not in there:
                raise InputError(f"{kernel.name} has no {name}", file=plan.name, line=text.line or None,
                                 hint=f"it came with Linux {cgroup2.FILES[name].since}")  # fmt: skip


def _no_version(plan: Plan, kernel: Kernel, version: str) -> InputError:
    """The kernel has no such cgroups."""
    others = [name for name in profile.names() if version in profile.load(name).interface]
    kernels = f"--design {others[-1]} has it" if others else "no kernel has it"
    have = " and ".join(kernel.interface)
    word = dict(plan.meant).get(version)
    if word is None:
        problem = f"{kernel.name} has cgroup {have}, and [machine] says {version}"
        return InputError(problem, file=plan.name, hint=kernels)
    same = SAME[kernel.interface[-1]].get(word.text.rpartition("/")[2])
    hint = f"cgroup {have} calls it {same}; {kernels}" if same else kernels
    return word.error(f"{word.text!r} is of cgroup {version}, and {kernel.name} has {have}", hint)
