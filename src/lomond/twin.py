"""Which twin runs: the sources, or what was compiled of some of them. It is chosen once a process.

A compiled module lies beside its source under the same name. The build lists what it has made; what
is not on that list, or not as it says, is never loaded. Knows nothing of lomond: the build runs it.
"""

from __future__ import annotations

import os
import sys
import warnings
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    ExtensionFileLoader,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from importlib.util import spec_from_file_location
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

_NAME = "lomond"  # under another one the modules of a second copy would be mixed with ours
_SUFFIX = next(iter(EXTENSION_SUFFIXES), "")  # of this very Python
#: Beside the package's modules, for each Python that they were compiled for.
LIST = "compiled{}.txt"

#: The twin of this process: ``"compiled"`` or ``"pure"``.
running = "pure"


class _Compiled(ExtensionFileLoader):
    """Loads a module of the list."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        try:
            return super().create_module(spec)
        except (ImportError, SystemError) as error:
            raise self._unfit(error) from error

    def exec_module(self, module: ModuleType) -> None:
        try:
            super().exec_module(module)
        except ImportError as error:
            if error.name is not None:  # of another module, or a package that is not here
                raise
            raise self._unfit(error) from error
        except (AttributeError, SystemError, TypeError, ValueError) as error:
            # So it ends where another compiled module is not the one that it was built with.
            raise self._unfit(error) from error

    def get_source(self, fullname: str) -> str | None:  # type: ignore[override]  # of a .so
        """The lines that its tracebacks name."""
        source = _source_of(self.path)
        for path in (source + "x", source):  # of a kernel by hand, or else of the plain module
            try:
                with open(path, encoding="utf-8") as file:
                    return file.read()
            except OSError:
                pass
        return None

    def _unfit(self, error: Exception) -> ImportError:
        said = f"{self.path} can't be loaded ({error}); install lomond again, or set LOMOND_PURE=1"
        return ImportError(said, name=self.name, path=self.path)


class _Finder:
    """Finds the modules of a package whose sources are here, or that are to be compiled ones.

    Arguments:
        package: Its name.
        compiled: The names of the modules that are.
    """

    def __init__(self, package: str, compiled: frozenset[str]) -> None:
        self._within = package + "."
        self._compiled = compiled

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None or not name.startswith(self._within):
            return None
        for folder in path:
            here = os.path.join(folder, name.rpartition(".")[2])
            if name in self._compiled:
                here += _SUFFIX
                return spec_from_file_location(name, here, loader=_Compiled(name, here))
            here += ".py"
            if os.path.isfile(here):
                return spec_from_file_location(name, here, loader=SourceFileLoader(name, here))
        return None


def install(package: str, folder: str) -> None:
    """Choose the twin, and have its modules imported from now on.

    Arguments:
        package: The name of the package here.
        folder: Where it lies.

    Raises:
        ImportError: What the environment asks for is not here.
    """
    global running
    compiled = _chosen(folder) if package == _NAME else frozenset[str]()
    running = "compiled" if compiled else "pure"
    at = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else 0
    sys.meta_path.insert(at, _Finder(package, compiled))


def is_asked(variable: str) -> bool:
    """Whether the environment says so."""
    return os.environ.get(variable, "0") not in ("", "0")


def _chosen(folder: str) -> frozenset[str]:
    """The names of the modules that are to be compiled ones: all of the list, or none."""
    asks_pure, asks_compiled = is_asked("LOMOND_PURE"), is_asked("LOMOND_COMPILED")
    if asks_pure and asks_compiled:
        raise ImportError("LOMOND_PURE and LOMOND_COMPILED are both set; unset one of them")
    path = os.path.join(folder, LIST.format(_SUFFIX))
    try:
        with open(path, encoding="ascii") as file:
            rows = map(str.split, file.readlines()[1:])
        listed = [(name, int(size), int(source_size)) for name, size, source_size in rows]
    except ValueError:
        listed = []  # it is damaged
    except (FileNotFoundError, NotADirectoryError):  # the package may lie in an archive
        if asks_compiled:
            raise ImportError(
                f"LOMOND_COMPILED is set, but lomond was installed without compiled modules "
                f"({path} is missing); install it again with LOMOND_COMPILED=1, which tells why"
            ) from None
        return frozenset()
    said = "LOMOND_PURE is set"
    if not asks_pure:
        unfit = _unfit(folder, listed) if listed else path
        if unfit is None:
            return frozenset(f"{_NAME}.{name}" for name, _, _ in listed)
        said = f"{unfit} is not what lomond was built with"
    if asks_compiled:
        raise ImportError(f"LOMOND_COMPILED is set, but {said}; install lomond again")
    if listed and not _has_sources(folder, listed):
        source = _source_of(_path(folder, listed[0][0]))
        raise ImportError(f"{said}, but this program has no sources of lomond ({source})")
    if not asks_pure:
        warnings.warn(
            f"{said}: all of it runs as plain Python, which is slower; install lomond again, "
            "or set LOMOND_PURE=1",
            RuntimeWarning,
            stacklevel=4,
        )
    return frozenset()


def _unfit(folder: str, listed: list[tuple[str, int, int]]) -> str | None:
    """The first file that is not as the list says."""
    is_frozen = hasattr(sys, "frozen")  # what freezes a program may strip its modules
    has_sources = _has_sources(folder, listed)  # they may have been left out, all of them
    for name, size, source_size in listed:
        path = _path(folder, name)
        if _size(path) != size and not (is_frozen and os.path.isfile(path)):
            return path
        source = _source_of(path)
        if has_sources and _size(source) != source_size:
            return source
    return None


def _has_sources(folder: str, listed: list[tuple[str, int, int]]) -> bool:
    return any(os.path.isfile(_source_of(_path(folder, name))) for name, _, _ in listed)


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _path(folder: str, name: str) -> str:
    return os.path.join(folder, *name.split(".")) + _SUFFIX


def _source_of(path: str) -> str:
    return path.removesuffix(_SUFFIX) + ".py"


# For those who build, and test what was built


def sources(folder: Path) -> dict[str, Path]:
    """What is compiled, by the names of the modules in the package: what has a .pxd or .pyx beside
    it. A kernel written by hand stands for the plain module of its name.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        kernel = path.with_suffix(".pyx")
        if kernel.exists() or path.with_suffix(".pxd").exists():
            found[name] = kernel if kernel.exists() else path
    return found


def built_from(folder: Path) -> str | None:
    """The fingerprint of the sources that were compiled; None if none were.

    Arguments:
        folder: Of the package.
    """
    try:
        return (folder / LIST.format(_SUFFIX)).read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return None


def fingerprint(folder: Path) -> str:
    """A text that changes with every file that is compiled, or read on the way.

    Arguments:
        folder: Of the package's sources.
    """
    from hashlib import sha256

    digest = sha256()
    for name, path in sources(folder).items():
        for suffix in (".py", ".pxd", ".pyx"):
            file = path.with_suffix(suffix)
            if file.exists():
                digest.update(f"{name}{suffix}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()
