"""Options whose value is taken as it stands: those that are not given, and plain words.

Typer has pydantic make each value what its annotation says. To load that is a tenth of a small check's time, and of
most there is nothing to be made.
"""

from __future__ import annotations

from typing import Any

NOT_THERE = object()


def spare_pydantic(param: Any) -> None:
    """Have Typer ask for pydantic only where something is to be made. A Typer that has none is left as it is."""
    if getattr(param, "_runtime_param", NOT_THERE) is None:
        param._runtime_param = AsItStands()


class AsItStands:
    """Stands where Typer keeps what makes a parameter's value."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value, if it is one already; else what Typer makes of it."""
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        if param.type_descriptor.parameter_info.parser is None and is_plain(value, param.type_descriptor.annotation):
            return value if isinstance(value, str) else list(value)
        param._runtime_param = None
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def is_plain(value: Any, kind: Any) -> bool:
    """A text where one is wanted, or several, without what could not be one: a byte of another encoding."""
    if kind == list[str]:
        return isinstance(value, (list, tuple)) and all(is_plain(each, str) for each in value)
    return kind is str and isinstance(value, str) and value.isascii()
