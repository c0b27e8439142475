"""Proxy variables of whoever runs the tests: not for lomond, which would use them."""

from __future__ import annotations

import os

#: What was cleared; npm may need it to reach its registry.
CLEARED = {
    name: os.environ.pop(name) for name in list(os.environ) if name.lower().endswith("_proxy")
}
