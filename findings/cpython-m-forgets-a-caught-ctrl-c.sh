#!/usr/bin/env bash
# CPython 3.11.7: a Ctrl-C that has passed through exec() of a text and was caught then still ends "python -m": with SIGINT,
# whatever status the program chose by sys.exit(). The same program as a script ends with its status, and so does one that
# calls eval() or exec() of another text in between. Data classes and named tuples are made so, hence most imports.
# One would guess: a KeyboardInterrupt that is caught is over, and sys.exit(130) ends with 130.
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/caught.py" <<'PYTHON'
import os
import signal
import sys

try:
    exec("os.kill(os.getpid(), signal.SIGINT)")
except KeyboardInterrupt:
    if sys.argv[1:]:
        eval("None")
    sys.exit(130)
PYTHON
cd "$work"
python3 - <<'PYTHON'
import subprocess
import sys

found = {}
for words in (["-m", "caught"], ["caught.py"], ["-m", "caught", "and evaluate"]):
    found[" ".join(words)] = subprocess.run([sys.executable, *words]).returncode
    print(f"python {' '.join(words)}: status {found[' '.join(words)]}")
assert found == {"-m caught": -2, "caught.py": 130, "-m caught and evaluate": 130}
PYTHON
