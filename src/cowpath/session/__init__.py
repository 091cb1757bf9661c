"""Sessions: a shell script and its program table become a plan for the machine."""

from __future__ import annotations

from cowpath.session.load import list_programs, load_session, plan_session
from cowpath.session.plan import FilePlan, HostText, MachineSettings, Plan, Start
from cowpath.session.programs import Row

__all__ = [
    "FilePlan",
    "HostText",
    "MachineSettings",
    "Plan",
    "Row",
    "Start",
    "list_programs",
    "load_session",
    "plan_session",
]
