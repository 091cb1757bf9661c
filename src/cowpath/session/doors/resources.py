"""What containers request and may have at most, and the QoS class that makes of them.

As in Kubernetes: pkg/apis/core/v1/helper/qos (GetPodQOS), component-helpers/resource (PodRequests, PodLimits),
pkg/kubelet/qos (GetContainerOOMScoreAdjust), pkg/kubelet/kuberuntime (memory.high).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from cowpath.session import sizes
from cowpath.session.doors.written import Written
from cowpath.session.doors.yaml_text import Value
from cowpath.words import nearest

GUARANTEED, BURSTABLE, BEST_EFFORT = "Guaranteed", "Burstable", "BestEffort"
COUNTED = ("cpu", "memory")  # what the QoS class goes by
OTHERS = ("ephemeral-storage", "hugepages-2Mi", "hugepages-1Gi", "storage", "pods")
THROTTLING = 0.9  # memoryThrottlingFactor
PAGE = 4096  # defaultPageSize
GUARANTEED_ADJ, BEST_EFFORT_ADJ = -997, 1000
MOST = 1 << 60  # bytes
CPU = "cpu: requests and limits of CPU time are not modelled; all tasks have the same share"
Amounts = dict[str, Fraction]


@dataclass(frozen=True)
class Resources:
    """``resources:`` of a container or a pod; what is not requested is what it may have at most."""

    requests: Amounts = field(default_factory=dict)
    limits: Amounts = field(default_factory=dict)
    said: bool = False  # there is something

    @property
    def request(self) -> int:
        """Bytes of memory; 0 is none."""
        return math.ceil(self.requests.get("memory", 0))

    @property
    def limit(self) -> int:
        """Bytes of memory; 0 is no limit."""
        return math.ceil(self.limits.get("memory", 0))


def read(value: Value | None, written: Written) -> Resources:
    """``resources:``. What is wrong in it is put by."""
    found: dict[str, dict[str, Fraction]] = {"requests": {}, "limits": {}}
    if value is None:
        return Resources()
    errors = value.source.errors
    with errors.kept():
        parts = value.mapping(("requests", "limits", "claims"))
        for part in found:
            if part in parts:
                with errors.kept():
                    found[part] = _amounts(parts[part], written)
        for name, most in found["limits"].items():
            asked = found["requests"].setdefault(name, most)
            if 0 < most < asked:
                what = parts["requests"].mapping()[name]
                errors.add(what.error(f"{name}: more is requested than the limit", "at most the limit"))
    return Resources(found["requests"], found["limits"], bool(found["requests"] or found["limits"]))


def _amounts(value: Value, written: Written) -> Amounts:
    found: Amounts = {}
    for name, each in value.mapping().items():
        with value.source.errors.kept():
            if name == "cpu":
                written.note(CPU)
            elif name != "memory":
                if "/" not in name and name not in OTHERS and not name.startswith("hugepages-"):
                    raise each.key.error(f"no such resource: {name!r}", nearest(name, COUNTED, "cpu, memory"))
                written.note(f"{name}: not modelled")
                continue
            amount = each.place.of(sizes.quantity, (word := each.word()).text)
            if name == "memory" and amount.denominator != 1:
                raise word.error(f"{word.text!r} is a part of a byte", "64Mi (binary), 64M (decimal), 1e6")
            if amount > MOST:
                raise word.error(f"{word.text!r} is out of range", f"at most {MOST >> 30}Gi")
            found[name] = amount
    return found


def overhead(value: Value, written: Written) -> int:
    """``overhead:`` of a pod: bytes of memory."""
    return math.ceil(_amounts(value, written).get("memory", 0))


def together(one: Amounts, other: Amounts) -> Amounts:
    """Both at once."""
    return {name: one.get(name, Fraction(0)) + other.get(name, Fraction(0)) for name in {**one, **other}}


def qos_class(each: Iterable[Resources]) -> str:
    """Of all containers, those of the beginning too; or of the pod's own resources alone."""
    requests: Amounts = {}
    limits: Amounts = {}
    guaranteed = True
    for one in each:
        asked = {name: amount for name, amount in one.requests.items() if name in COUNTED and amount > 0}
        most = {name: amount for name, amount in one.limits.items() if name in COUNTED and amount > 0}
        requests, limits = together(requests, asked), together(limits, most)
        guaranteed = guaranteed and set(most) == set(COUNTED)
    if not requests and not limits:
        return BEST_EFFORT
    return GUARANTEED if guaranteed and requests == limits else BURSTABLE


def memory_high(request: int, limit: int, allocatable: int) -> int | None:
    """The memory.high of a container by memory QoS: in bytes; None is none."""
    if request == limit:
        return None
    high = math.floor((request + ((limit or allocatable) - request) * THROTTLING) / PAGE) * PAGE
    return high if high > request else None


def oom_score_adj(qos: str, request: int, capacity: int) -> int:
    """Of what a container runs, on a machine with ``capacity`` bytes."""
    if qos == GUARANTEED:
        return GUARANTEED_ADJ
    if qos == BEST_EFFORT:
        return BEST_EFFORT_ADJ
    adj = BEST_EFFORT_ADJ - BEST_EFFORT_ADJ * request // capacity
    return min(max(adj, BEST_EFFORT_ADJ + GUARANTEED_ADJ), BEST_EFFORT_ADJ - 1)


def most_at_once(
    begins: Iterable[tuple[Resources, bool]], mains: Iterable[Resources], of: Callable[[Resources], int]
) -> int:
    """Of the containers that run at the same time the sum of ``of``, at its most: ``begins`` run one after the other,
    but for those (True) that go on beside the others.
    """
    beside = peak = 0
    for each, goes_on in begins:
        if goes_on:
            beside += of(each)
        peak = max(peak, beside + (0 if goes_on else of(each)))
    return max(peak, beside + sum(of(each) for each in mains))
