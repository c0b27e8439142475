"""All tests run on the twin of this process, whose modules stand for those of lomond.protocol."""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import walk_packages

import lomond.protocol
from lomond.engine import engine

#: The modules as they are, whichever twin runs.
PURE = {
    name.removeprefix("lomond.protocol."): import_module(name)
    for _, name, _ in walk_packages(lomond.protocol.__path__, "lomond.protocol.")
}

if engine.name == "compiled":
    for name in PURE:
        module = import_module(f"lomond.compiled.{name}")
        sys.modules[f"lomond.protocol.{name}"] = module
        room, _, last = f"lomond.protocol.{name}".rpartition(".")
        setattr(sys.modules[room], last, module)
