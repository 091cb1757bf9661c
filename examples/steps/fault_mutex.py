"""A lock in a file of one's own: a mutex of each file, which faults on its mappings hold (docs/steps.md).

The design beside this file charges under it: whoever else has a fault on the same file waits for the group's memory.
``check`` finds that:

    cowpath check --steps examples/steps/fault_mutex.py --design examples/steps/fault-mutex.toml -c commit -p isolation
"""

from cowpath.kernel import own

W_FAULT_MUTEX, H_FAULT_MUTEX = own.mutex("fault_mutex", of="file", order=25)  # before all else: the records hold it

from cowpath.kernel.mutex import mutex_lock, mutex_unlock  # noqa: E402


@own.step(takes=H_FAULT_MUTEX, fault=True, cost_ns=25)
def step_fault_mutex_lock(k, t):
    """mutex_lock"""
    return mutex_lock(k, t, W_FAULT_MUTEX)


@own.step(needs=H_FAULT_MUTEX, gives=H_FAULT_MUTEX, fault=True, cost_ns=25)
def step_fault_mutex_unlock(k, t):
    """mutex_unlock"""
    return mutex_unlock(k, t, W_FAULT_MUTEX)
