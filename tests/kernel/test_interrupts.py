"""Ctrl-C in a callback of a C library's is lost; while LLVM works it is kept, and comes at the end."""

from __future__ import annotations

import ctypes
import signal

import pytest

from cowpath.kernel.jit.interrupts import ctrl_c_waits


@ctypes.CFUNCTYPE(None)
def called_back() -> None:
    signal.raise_signal(signal.SIGINT)


def test_it_comes_at_the_end() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), ctrl_c_waits():
        called_back()
        reached.append("behind the callback")
    assert reached == ["behind the callback"]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_what_is_blocked_already_stays_so() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with ctrl_c_waits():
            pass
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
