"""Which version of cgroups a session means: by the names that only one of them has."""

from __future__ import annotations

from cowpath.errors import InputError
from cowpath.words import Word

VERSIONS = ("v1", "v2")


class Uses(dict[str, Word]):
    """The first word of the session that means each version."""

    def note(self, version: str | None, word: Word) -> None:
        """This word means a version, or could mean any."""
        if version is not None:
            self.setdefault(version, word)

    def check(self, machine: str | None) -> InputError | None:
        """What is wrong if words mean both versions, or another than the table's ``[machine]`` has."""
        for version in VERSIONS:
            if machine is not None and machine != version and version in self:
                return self[version].error(
                    f"{self[version].text!r} is of cgroup {version}, and the machine has {machine}",
                    f'[machine] cgroup = "{version}", or names of {machine}',
                )
        if len(self) < len(VERSIONS):
            return None
        first, second = self.values()
        of = dict(zip(self.values(), self, strict=True))
        return second.error(
            f"{second.text!r} is of cgroup {of[second]}, and {first.text!r} in line {first.place.line} of {of[first]}",
            "a machine has one of them: all names of one kind",
        )
