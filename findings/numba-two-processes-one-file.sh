#!/usr/bin/env bash
# numba 0.68.1: @njit(cache=True) in two processes at once, the function called with an int here and with a float there. Each
# reads the index, finds no file taken, and takes the name ...1.nbc for its own overload; index and data are written one after
# the other, without a lock. If the float's process writes its index last and the int's its data last, the index says
# "float64: 1.nbc", and in 1.nbc is the code for int64. From then on every process that asks for the float gets the int's code,
# without a word: the float is cut off to an int first, and the statistics call it a cache hit. Nothing ever mends it.
# One would guess: files are replaced atomically (they are, each by itself), so at worst something is compiled twice; or that what
# is loaded is compared with what was asked for. It is not.
# Here the two processes wait for each other at the four writes, so that it happens each time. Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numba==0.68.1 llvmlite==0.50.0 numpy==2.4.6
cd "$work"
cat > halved.py <<'PYTHON'
from numba import njit


@njit(cache=True)
def half(x):
    return x / 2
PYTHON
cat > asks.py <<'PYTHON'
import sys
import time
from pathlib import Path

from halved import half
from numba.core.caching import IndexDataCacheFile

me, other = sys.argv[1:3]
save_index, save_data = IndexDataCacheFile._save_index, IndexDataCacheFile._save_data


def wait_for(what):
    while not Path(what).exists():
        time.sleep(0.01)


def index(self, overloads):
    Path(f"{me}.has-read").touch()
    wait_for(f"{other}.has-read")
    if me == "float":
        wait_for("int.index")
    save_index(self, overloads)
    Path(f"{me}.index").touch()


def data(self, name, overload):
    if me == "int":
        wait_for("float.data")
    save_data(self, name, overload)
    Path(f"{me}.data").touch()


IndexDataCacheFile._save_index, IndexDataCacheFile._save_data = index, data
print(f"{me}'s process: half({3 if me == 'int' else 3.5}) =", half(3 if me == "int" else 3.5))
PYTHON
"$work/venv/bin/python" asks.py int float & first=$!
"$work/venv/bin/python" asks.py float int
wait "$first"
ls __pycache__ | grep nbc
found=$("$work/venv/bin/python" -c "
from halved import half
print('a later process: half(3.5) =', half(3.5), dict(half.stats.cache_hits), half.signatures)")
echo "$found"
[ "$found" = "a later process: half(3.5) = 1.5 {(float64,): 1} [(int64,)]" ]
