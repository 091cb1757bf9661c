"""sysctl, and what is written to /proc/sys: settings of the machine."""

from __future__ import annotations

import re

from cowpath.session import commands as c
from cowpath.session.expand import Expanded
from cowpath.session.live import is_live, refuse
from cowpath.session.options import flags
from cowpath.session.scope import Scope
from cowpath.words import Word

NO_EFFECT = ("kernel.hung_task_timeout_secs", "kernel.printk", "kernel.sysrq", "kernel.core_pattern")
DROP_CACHES = ("1", "3")  # 2 drops the slab's objects alone
SYSCTL_REASONS = {
    "vm.overcommit_memory": "address space is never short", "vm.panic_on_oom": "the machine never panics",
    "vm.drop_caches": "1 or 3: the page cache; the slab's objects stay",
}  # fmt: skip
MOST_SWAPPINESS = 200


def sysctl(simple: Expanded, scope: Scope) -> c.Action:
    """sysctl [-w] [-q] NAME=VALUE."""
    words, _ = flags(simple, ("-w", "-q", "-qw", "-wq"))
    actions = []
    for word in words:
        name, equals, value = word.text.partition("=")
        if not equals:
            raise word.error(f"the value of {name} is not shown here", "sysctl -w vm.swappiness=10")
        actions.append(sysctl_set(simple.name, Word(name.replace("/", "."), word.place), Word(value, word.place)))
    if not actions:
        raise simple.name.error("sysctl needs NAME=VALUE", "sysctl -w vm.swappiness=10")
    return actions[0] if len(actions) == 1 else c.Several(simple.name, tuple(actions))


def sysctl_set(command: Word, name: Word, value: Word) -> c.Action:
    """A setting of the machine."""
    if is_live(value.text):
        raise refuse(value)
    if name.text == "vm.swappiness":
        if re.fullmatch("[0-9]{1,3}", value.text) is None or int(value.text) > MOST_SWAPPINESS:
            raise value.error(f"{value.text!r} is not a value of vm.swappiness", f"0 to {MOST_SWAPPINESS}")
        return c.Sysctl(command, name.text, int(value.text))
    if name.text == "vm.drop_caches" and value.text in DROP_CACHES:
        run = c.Run(Word("drop_caches", command.place), ())
        note = "vm.drop_caches: dirty pages are sent to the disk, and the slab's objects stay"
        return c.Noted(command, run, note)
    if name.text in NO_EFFECT:
        return c.Noted(command, c.Nothing(command), f"{name.text}: no effect on memory")
    reason = SYSCTL_REASONS.get(name.text, "of the machine's settings vm.swappiness and vm.drop_caches can be written")
    raise name.error(f"{name.text} = {value.text!r} is not modelled", reason)
