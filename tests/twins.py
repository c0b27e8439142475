"""All tests run on the twin of this process, whose modules stand for those of lomond.protocol."""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules

import lomond.protocol
from lomond.engine import engine

#: The modules as they are, whichever twin runs.
PURE = {
    name: import_module(f"lomond.protocol.{name}")
    for _, name, _ in iter_modules(lomond.protocol.__path__)
}

if engine.name == "compiled":
    for name in PURE:
        module = import_module(f"lomond.compiled.{name}")
        sys.modules[f"lomond.protocol.{name}"] = module
        setattr(lomond.protocol, name, module)
