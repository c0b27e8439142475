"""Builds the compiled twin: protocol/*.py and the path of the bytes through io/, by Cython as they
are, with the types of compiled/**/*.pxd.

Without Cython or a C compiler the package is installed pure, and says so; with
LOMOND_REQUIRE_COMPILED=1 the build fails instead. All else is in pyproject.toml.
"""

from __future__ import annotations

import os
import runpy
import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
COMPILED = HERE / "src" / "lomond" / "compiled"
STAGE = HERE / "build" / "twin"
IS_REQUIRED = os.environ.get("LOMOND_REQUIRE_COMPILED") == "1"
TWIN = runpy.run_path(str(COMPILED / "fingerprint.py"))
DIRECTIVES = {"language_level": 3, "annotation_typing": False}


def sources() -> dict[str, Path]:
    """The source of each module of the twin: a kernel written by hand stands for the pure one."""
    found: dict[str, Path] = TWIN["sources"](COMPILED.parent)
    return found | {path.stem: path for path in COMPILED.glob("*.pyx")}


def stage() -> None:
    """Put the sources where Cython finds them under the names of the twin."""
    shutil.rmtree(STAGE, ignore_errors=True)
    types = {".".join(path.relative_to(COMPILED).parts): path for path in COMPILED.rglob("*.pxd")}
    for name, path in sources().items():
        copy(path, staged(name, path))
    for name, path in types.items():
        copy(path, staged(name.removesuffix(".pxd"), path))


def staged(name: str, path: Path) -> Path:
    """Where the source of that module lies."""
    return (STAGE / "lomond" / "compiled").joinpath(*name.split(".")).with_suffix(path.suffix)


def copy(path: Path, target: Path) -> None:
    """Copy into a package, which is made on the way."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for directory in target.relative_to(STAGE).parents[:-1]:
        (STAGE / directory / "__init__.py").touch()
    shutil.copy(path, target)


class BuildTwin(build_ext):
    """Cythonizes, compiles, and does without where that can't be done."""

    def run(self) -> None:
        self.parallel = self.parallel or True
        try:
            self._cythonize()
            super().run()
            self._sign()
        except BaseException as error:
            if IS_REQUIRED or isinstance(error, KeyboardInterrupt):
                raise
            self.extensions = self.ext_modules = self.distribution.ext_modules = []
            reason = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
            print(
                f"lomond: no compiled twin ({reason}); the pure one is installed, which does the "
                "same and is slower. A C compiler and Python's headers would help (Debian: gcc, "
                "python3-dev).",
                file=sys.stderr,
            )

    def _cythonize(self) -> None:
        from Cython.Build import cythonize

        stage()
        modules = [
            Extension(f"lomond.compiled.{name}", [str(staged(name, path).relative_to(HERE))])
            for name, path in sources().items()
        ]
        self.extensions = cythonize(
            modules,
            include_path=[str(STAGE)],
            compiler_directives=DIRECTIVES,
            force=True,
            quiet=True,
        )
        for extension in self.extensions:
            extension._needs_stub = False

    def _sign(self) -> None:
        """Say beside the modules what they were made of, for the tests."""
        target = COMPILED if self.inplace else Path(self.build_lib) / "lomond" / "compiled"
        target.mkdir(parents=True, exist_ok=True)
        made = TWIN["fingerprint"](COMPILED.parent)
        (target / "fingerprint.txt").write_text(made)


setup(
    # The real list is made when it is needed; one that is not empty has the command run.
    ext_modules=[Extension("lomond.compiled.connection", ["setup.py"])],
    cmdclass={"build_ext": BuildTwin},
)
