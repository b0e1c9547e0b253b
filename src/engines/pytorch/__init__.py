"""The Python engine: PyTorch's compilers that exist in Python only.

The twin of src/engine (protocol, charges, sample, serve) and an engine built with it.

What PYTHONPATH names comes last in the search for modules: the user's are found there, none takes
the place of torch or of another of ours.
"""

import os
import sys

_THEIRS = {os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path}
sys.path.sort(key=lambda path: os.path.abspath(path) in _THEIRS)
