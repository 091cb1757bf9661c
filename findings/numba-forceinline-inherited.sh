#!/usr/bin/env bash
# numba 0.68.1: @njit(forceinline=True) is not about the function that it stands on alone. Whatever that function calls and
# has not been compiled yet is compiled with it too (LLVM: alwaysinline), and whatever that calls, all the way down. A
# function that has been called by itself before keeps its own setting. So what is inlined depends on who called first, and one
# mark near the top of a large program makes a single huge function of all below it.
# One would guess: the option says how this function is compiled. To keep it there, every callee says forceinline=False.
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numba==0.68.1 llvmlite==0.50.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from numba import njit


def chain(**leaf_options):
    @njit(**leaf_options)
    def leaf(x):
        return x * 3 + 1

    @njit
    def middle(x):
        return leaf(x) + leaf(x + 1)

    @njit(forceinline=True)
    def marked(x):
        return middle(x)

    @njit
    def top(x):
        return marked(x)

    return leaf, middle, marked, top


def inlined(*functions):
    return [any("alwaysinline" in text for text in each.inspect_llvm().values()) for each in functions]


leaf, middle, marked, top = chain()
top(1)
first = inlined(leaf, middle, marked, top)
print("first called through the marked one: leaf, middle, marked, top are always inlined:", first)
assert first == [True, True, True, False], first

leaf, middle, marked, top = chain()
leaf(1), middle(1), top(1)
alone = inlined(leaf, middle, marked, top)
print("called by themselves before:                                                      ", alone)
assert alone == [False, False, True, False], alone

leaf, middle, marked, top = chain(forceinline=False)
top(1)
said = inlined(leaf, middle, marked, top)
print("the leaf says forceinline=False:                                                  ", said)
assert said == [False, True, True, False], said
PYTHON
