"""The modelled kernel. A file is named after its counterpart in mm/, or for what is the model's own.

Steps are ``step_*``, their helpers bear the kernel's names. What is declared once: steps and paths (``steps.py``).
Files that ``COWPATH_STEPS`` names join that before all else.
"""

from . import own as _own
from .jit import loaded as _loaded

_loaded.at_start()
_own.load_named()
