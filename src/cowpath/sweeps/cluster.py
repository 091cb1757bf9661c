"""Points that are played on a Dask cluster which somebody already has: ``--cluster tcp://ADDRESS``.

The scheduler plays the points of a worker that it has lost once more, on another. All workers have to have the same
cowpath as this process, to the last line, or their points would be others: each says which one it has before it plays
anything. The first worker of each machine compiles the modelled kernel, or loads it, before the others want it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future
from types import TracebackType
from typing import Any

from cowpath.errors import InputError
from cowpath.identity import version

from .executors import Ended, Given
from .point import Parcel, Played, Task, play_all

TIMEOUT_S = 10
KEPT = 8  # parcels that the scheduler is asked to remember


class Cluster(Given):
    """A cluster, as a context manager. Raises InputError where it is not there, or is not of this version."""

    replaces = True

    def __init__(self, address: str) -> None:
        self.address = address
        self.version = version()

    def __enter__(self) -> Cluster:
        try:
            import distributed
        except ImportError:
            raise InputError("a cluster is Dask's, which is not here", hint="pip install 'cowpath[cluster]'") from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is an error of ours
        try:
            begin: Any = distributed.Client
            self._client: Any = begin(self.address, timeout=TIMEOUT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"--cluster {self.address}: no scheduler answers: {error}", hint=_HINT) from None
        try:
            self._check()
        except BaseException:
            self._client.close(timeout=TIMEOUT_S)
            raise
        self._kept: deque[Any] = deque(maxlen=KEPT)
        self._prepared = False
        self.executor = self._client.get_executor(pure=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._client.close(timeout=TIMEOUT_S)

    def _workers(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return found

    def _check(self) -> None:
        workers = self._workers()
        if not workers:
            raise InputError(f"--cluster {self.address}: it has no workers", hint="dask worker tcp://ADDRESS")
        self.count = sum(int(worker["nthreads"]) for worker in workers.values())
        try:
            found: dict[str, str] = self._client.run(version)
        except Exception as error:
            raise InputError(f"--cluster {self.address}: its workers cannot load cowpath: {error}",
                             hint=f"they need cowpath {self.version}") from None  # fmt: skip
        for worker, its in sorted(found.items()):
            if its != self.version:
                raise InputError(other_version(worker, its, self.version), hint=_SAME)

    def send(self, parcel: Parcel) -> Any:
        """To the scheduler, which has it made again where the worker that held it is lost."""
        if not self._prepared:
            self._prepared = True
            hosts = {worker["host"]: address for address, worker in self._workers().items()}
            self._client.run(prepare, parcel, workers=list(hosts.values()))
        sent = self._client.submit(Parcel, parcel.digest, parcel.content, key=f"cowpath-{parcel.digest}")
        self._kept.append(sent)
        return sent

    def play(self, sent: Any, tasks: Sequence[Task]) -> Ended:
        """Play points of it."""
        made = Ended()
        done = self.executor.submit(play_as, self.version, sent, list(tasks))
        done.add_done_callback(lambda done: _hand_on(done, made))
        return made


_HINT = "the address that dask scheduler prints: tcp://127.0.0.1:8786"
_SAME = "the same cowpath on all machines"


def other_version(worker: str, its: str, ours: str) -> str:
    """Both versions."""
    return f"the worker {worker} has cowpath {its}, and this is {ours}: their points are not the same"


def _hand_on(done: Future[list[Played]], to: Ended) -> None:
    """What Dask says of a task that has ended too many workers is what a pool says of a process that has ended."""
    from distributed import KilledWorker

    if done.cancelled():
        to.set_exception(BrokenExecutor("the cluster has gone"))
        return
    error = done.exception()
    if error is None:
        to.set_result(done.result())
    else:
        to.set_exception(BrokenExecutor(str(error)) if isinstance(error, KilledWorker) else error)


def play_as(wanted: str, parcel: Parcel, tasks: Sequence[Task]) -> list[Played]:
    """What a worker does; one that has joined meanwhile says its version, too. Raises InputError."""
    if version() != wanted:
        raise InputError(other_version("that has joined", version(), wanted), hint=_SAME)
    return play_all(parcel, tasks)


def prepare(parcel: Parcel) -> None:
    """What has to be compiled on a machine is, by one worker of it."""
    from cowpath import api
    from cowpath.engine.ready import ready

    work = parcel.open()
    design = next(iter(work.designs.values()))
    ready(api.build_machine(work.plan.on(design), design, work.options, work.costs))
