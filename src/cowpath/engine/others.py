"""What tasks do that a machine has besides those of its plan: they take the place of what CPUs have kept for these."""

from __future__ import annotations

from cowpath.kernel.compiled import driver
from cowpath.kernel.kmem import drain_obj_stock


@driver
def others_run(k):
    """Tasks of other groups run on every CPU, which has then kept no objects of a group of the plan."""
    for c in range(k.state.n_cpus):
        drain_obj_stock(k, c)
