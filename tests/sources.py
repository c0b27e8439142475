"""The sources of lomond, loaded a second time under another name: they run whichever twin does."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import lomond

NAME = "lomond_sources"


def source(name: str) -> ModuleType:
    """A module of theirs, by its name in the package."""
    if NAME not in sys.modules:
        spec = spec_from_file_location(NAME, lomond.__file__)
        assert spec is not None
        assert spec.loader is not None
        package = sys.modules[NAME] = module_from_spec(spec)
        spec.loader.exec_module(package)
    return import_module(f"{NAME}.{name}")
