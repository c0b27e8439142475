"""Makes the modules of the conformance runner, which are scripts, importable."""

import sys
from pathlib import Path

RUNNER = Path(__file__).resolve().parents[2] / "conformance"

sys.path.insert(0, str(RUNNER))
