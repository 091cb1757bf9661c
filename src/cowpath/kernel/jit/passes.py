"""Passes of Numba's over a function that the kernel's code has no need of: they take a tenth of the time.

There are no closures in it, no ``with``, no array expressions, no overloads that are to be inlined, nothing to be
unrolled by type, and what LLVM prunes need not be pruned before it. A function that did need one would not compile.
"""

from __future__ import annotations

from typing import Any

from numba.core import typed_passes, untyped_passes

NAMES = (
    "AnnotateTypes", "DeadBranchPrune", "DumpParforDiagnostics", "FindLiterallyCalls", "InlineClosureLikes",
    "InlineInlinables", "InlineOverloads", "LiteralPropagationSubPipelinePass", "LiteralUnroll",
    "MakeFunctionToJitFunction", "NoPythonSupportedFeatureValidation", "NopythonRewrites", "RewriteDynamicRaises",
    "RewriteSemanticConstants", "WithLifting",
)  # fmt: skip


def _found() -> frozenset[Any]:
    """Those that this Numba has."""
    each = (getattr(home, name, None) for home in (typed_passes, untyped_passes) for name in NAMES)
    return frozenset(found for found in each if found is not None)


NOT_NEEDED = _found()
