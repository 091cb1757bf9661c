"""What is played, or checked, on a Dask cluster which somebody already has: ``--cluster tcp://ADDRESS``.

The scheduler gives what a worker that it has lost was at to another. All workers have to have the same cowpath as this
process, to the last line, or what they find would be something else: each says which one it has before it does
anything. One worker of each machine compiles the modelled kernel, or loads it, before the others want it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

from cowpath.checker.workers import gone_is_told
from cowpath.errors import InputError, WorkerError
from cowpath.identity import version

from .executors import Ended, Given
from .point import Parcel, Task, play_all

T = TypeVar("T")

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
            self.first(prepare, parcel)
        sent = self._client.submit(Parcel, parcel.digest, parcel.content, key=f"cowpath-{parcel.digest}")
        self._kept.append(sent)
        return sent

    def play(self, sent: Any, tasks: Sequence[Task]) -> Ended:
        """Play points of it."""
        return self.submit(play_all, sent, list(tasks))

    def submit(self, function: Callable[..., T], /, *arguments: Any, **where: Any) -> Future[T]:
        """A call, by a worker of this version; ``where``: as Dask's ``Client.submit`` takes it."""
        made: Future[T] = Future()
        done = self.executor.submit(call_as, self.version, function, *arguments, **where)
        done.add_done_callback(lambda done: _hand_on(done, made))
        return made

    def first(self, function: Callable[..., T], /, *arguments: Any) -> T:
        """A call, by one worker of each machine; another does it where that one is lost."""
        hosts = {worker["host"]: address for address, worker in self._workers().items()}
        calls = [
            self.submit(function, *arguments, workers=[address], allow_other_workers=True) for address in hosts.values()
        ]
        results = [call.result() for call in calls]
        return results[0]


_HINT = "the address that dask scheduler prints: tcp://127.0.0.1:8786"
_SAME = "the same cowpath on all machines"


def other_version(worker: str, its: str, ours: str) -> str:
    """Both versions."""
    return f"the worker {worker} has cowpath {its}, and this is {ours}: what they find is not the same"


@contextmanager
def workers_on(address: str) -> Iterator[Cluster]:
    """A cluster for what is no sweep: cases, orders. Raises InputError as ``Cluster`` does, and WorkerError."""
    why = f"--cluster {address}: several workers have ended over the same task (killed, or no memory left)"
    with gone_is_told(why), Cluster(address) as cluster:
        yield cluster


def _hand_on(done: Future[T], to: Future[T]) -> None:
    """What Dask says of a task that has ended too many workers is what a pool says of a process that has ended."""
    from distributed import KilledWorker

    if not to.set_running_or_notify_cancel():
        return  # nobody wants it any more
    if done.cancelled():
        to.set_exception(WorkerError("the cluster has gone: not finished; the same command goes on"))
        return
    error = done.exception()
    if error is None:
        to.set_result(done.result())
    else:
        to.set_exception(BrokenExecutor(str(error)) if isinstance(error, KilledWorker) else error)


def call_as(wanted: str, function: Callable[..., T], *arguments: Any) -> T:
    """What a worker does; one that has joined meanwhile says its version, too. Raises InputError."""
    if version() != wanted:
        raise InputError(other_version("that has joined", version(), wanted), hint=_SAME)
    return function(*arguments)


def prepare(parcel: Parcel) -> None:
    """What has to be compiled on a machine is, by one worker of it."""
    from cowpath import api
    from cowpath.engine.ready import ready

    work = parcel.open()
    design = next(iter(work.designs.values()))
    ready(api.build_machine(work.plan.on(design), design, work.options, work.costs))
