from __future__ import annotations

import sys
from pathlib import Path

# `result_samples.py` is shared by these tests; import mode "importlib" does not put it on the path.
sys.path.insert(0, str(Path(__file__).parent))
