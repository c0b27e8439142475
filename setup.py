"""Builds the compiled twin: by Cython, of the modules that src/lomond/twin.py names, as they are.

Without Cython or a C compiler the package is installed pure, and says so. LOMOND_COMPILED=1 has the
build fail instead, LOMOND_PURE=1 has nothing compiled. All else is in pyproject.toml.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
ROOT = HERE / "src"
MADE = HERE / "build" / "cython"
TWIN = runpy.run_path(str(ROOT / "lomond" / "twin.py"))
IS_PURE, IS_COMPILED = TWIN["is_asked"]("LOMOND_PURE"), TWIN["is_asked"]("LOMOND_COMPILED")
DIRECTIVES = {"language_level": 3, "annotation_typing": False}

if IS_PURE and IS_COMPILED:
    sys.exit("lomond: LOMOND_PURE and LOMOND_COMPILED are both set; unset one of them")


class BuildTwin(build_ext):
    """Cythonizes, compiles, and does without where that can't be done."""

    def run(self) -> None:
        self.parallel = self.parallel or True
        self._list().unlink(missing_ok=True)
        if IS_PURE:
            self._leave_out()
            return
        try:
            self._cythonize()
            super().run()
            self._write_list()
        except BaseException as error:
            if IS_COMPILED or isinstance(error, KeyboardInterrupt):
                raise
            self._leave_out()
            reason = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
            print(
                f"lomond: no compiled twin ({reason}); the pure one is installed, which does the "
                "same and is slower. A C compiler and Python's headers would help (Debian: gcc, "
                "python3-dev).",
                file=sys.stderr,
            )

    def _leave_out(self) -> None:
        self.extensions = self.ext_modules = self.distribution.ext_modules = []

    def _cythonize(self) -> None:
        from Cython.Build import cythonize

        # From there the names that tracebacks will tell are those under which users have the files.
        with contextlib.chdir(ROOT):
            self.extensions = cythonize(
                [
                    Extension(f"lomond.{name}", [str(path.relative_to(ROOT))])
                    for name, path in TWIN["sources"](ROOT / "lomond").items()
                ],
                build_dir=str(MADE),
                compiler_directives=DIRECTIVES,
                force=True,
                quiet=True,
            )
        for extension in self.extensions:
            extension.sources = [os.path.relpath(source, HERE) for source in extension.sources]
            extension._needs_stub = False

    def _list(self) -> Path:
        suffix = self.get_ext_filename("")
        package = ROOT if self.inplace else Path(self.build_lib)
        return package / "lomond" / TWIN["LIST"].format(suffix)

    def _write_list(self) -> None:
        """Say beside the modules what they are, and what they were made of."""
        lines = [TWIN["fingerprint"](ROOT / "lomond")]
        for extension in self.extensions:
            name = extension.name.partition(".")[2]
            source = ROOT.joinpath(*extension.name.split(".")).with_suffix(".py")
            built = Path(self.get_ext_fullpath(extension.name))
            lines.append(f"{name} {built.stat().st_size} {source.stat().st_size}")
        self._list().write_text("\n".join(lines) + "\n")


setup(
    # The real list is made when it is needed; one that is not empty has the command run.
    ext_modules=[Extension("lomond.protocol.connection", ["setup.py"])],
    cmdclass={"build_ext": BuildTwin},
)
