"""Builds the compiled twin: by Cython, of the modules that src/lomond/twin.py names, as they are.

Without Cython, a C compiler or Python's headers the package is built pure, says so, and fits every
Python 3. That is found out first, by compiling a small file; what fails later fails the build.
LOMOND_COMPILED=1 has it fail where there is no compiler too, LOMOND_PURE=1 has nothing compiled,
LOMOND_BUILD_JOBS bounds how many modules are compiled at a time. All else is in pyproject.toml.
"""

from __future__ import annotations

import contextlib
import os
import re
import runpy
import sys
import tempfile
from functools import cache
from pathlib import Path

from setuptools import Distribution, Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
ROOT = HERE / "src"
MADE = HERE / "build" / "cython"
TWIN = runpy.run_path(str(ROOT / "lomond" / "twin.py"))
JOBS = runpy.run_path(str(HERE / "tools" / "jobs.py"))
IS_PURE, IS_COMPILED = TWIN["is_asked"]("LOMOND_PURE"), TWIN["is_asked"]("LOMOND_COMPILED")
#: What mostly calls others, or does little for a message: compiled to be small, not to be fast.
SMALL_ONES = frozenset(
    f"lomond.{name}"
    for name in (
        "compression",
        "gathering",
        "io.asyncio_loop.driver",
        "io.asyncio_loop.pausing",
        "io.asyncio_loop.watching",
        "io.outward",
        "io.turns",
        "protocol.connection",
        "protocol.events",
        "protocol.extensions.deflate",
        "protocol.extensions.extension",
        "protocol.frames",
        "protocol.loading",
        "protocol.messages",
        "protocol.parsing",
        "protocol.parts",
        "protocol.watched",
        "system.layers",
        "system.need",
        "system.pipe",
    )
)
#: What -O2 makes slower than Python's own -O3: masks by 1 % of the instructions of a round trip.
FAST_ONES = frozenset(
    f"lomond.{name}"
    for name in (
        "io.driving",
        "io.looping",
        "protocol.mask",
    )
)
# Of what is compiled only events are pickled, and they say themselves how: no code is made for it.
# Functions are as those of built-in types, which makes a wheel an eighth smaller; but those of
# events, which say so in their first line, for users ask these for their arguments.
DIRECTIVES = {
    "language_level": 3, "annotation_typing": False, "auto_pickle": False, "binding": False,
}  # fmt: skip
PROBE = "#include <Python.h>\nPyMODINIT_FUNC PyInit_small(void) { return NULL; }\n"


class BuildLean(build_ext):
    """Compiles without debug information, unless that is asked for (--debug, or -g in CFLAGS)."""

    def build_extensions(self) -> None:
        is_lean = not self.debug and "-g" not in os.environ.get("CFLAGS", "").split()
        if is_lean and self.compiler.compiler_type == "unix":
            for extension in self.extensions:
                extension.extra_compile_args.append("-g0")  # behind Python's own -g, and -O3
                # -O3 makes modules 3 to 16 % larger: what is not named is hardly faster for it.
                if extension.name not in FAST_ONES:
                    level = "-Os" if extension.name in SMALL_ONES else "-O2"
                    extension.extra_compile_args.append(level)
                if sys.platform != "darwin":  # Apple's linker knows no such option
                    extension.extra_link_args.append("-Wl,-s")
                if sys.platform == "linux":
                    # What tells a debugger of callers, where no debug information does.
                    extension.extra_compile_args.append("-fno-asynchronous-unwind-tables")
                    # Gaps between the parts of a module.
                    extension.extra_link_args.append("-Wl,-z,noseparate-code")
        super().build_extensions()


@cache
def hindrance() -> str | None:
    """Why nothing is compiled here; None if all is."""
    if IS_PURE:
        return "LOMOND_PURE is set"
    if sys.implementation.name != "cpython":
        return f"{sys.implementation.name} runs the sources"
    try:
        import Cython  # noqa: F401  # whether it is here

        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "small.c")
            source.write_text(PROBE)
            command = BuildLean(Distribution({"ext_modules": [Extension("small", [str(source)])]}))
            command.build_lib = command.build_temp = folder
            command.ensure_finalized()
            command.run()
    except Exception as error:
        return f"{type(error).__name__}: {error}".strip().partition("\n")[0]
    return None


class Package(Distribution):
    """Has compiled modules where they can be compiled: that decides for which Pythons it is."""

    def has_ext_modules(self) -> bool:
        return hindrance() is None


class Build(build):
    """Always runs build_ext, which also takes away what an earlier build made."""

    sub_commands = tuple(
        (name, None if name == "build_ext" else wanted) for name, wanted in build.sub_commands
    )


class BuildTwin(BuildLean):
    """Cythonizes and compiles, where that can be done."""

    def run(self) -> None:
        self.parallel = min(self.parallel or sys.maxsize, JOBS["jobs"]())
        self._clear()
        reason = hindrance()
        if reason is not None:
            self._leave_out(reason)
            return
        print(f"lomond: compiling; modules at a time: {self.parallel}", file=sys.stderr)
        try:
            self._cythonize()
            super().run()
            self._write_list()
        except Exception:
            print("lomond: it can't be compiled here; LOMOND_PURE=1 does without", file=sys.stderr)
            raise

    def _leave_out(self, reason: str) -> None:
        self.extensions = self.ext_modules = self.distribution.ext_modules = []
        if IS_PURE:
            return
        if IS_COMPILED:
            sys.exit(f"lomond: LOMOND_COMPILED is set, but nothing can be compiled ({reason})")
        print(
            f"lomond: no compiled twin ({reason}); the pure one is installed, which does the "
            "same and is slower. A C compiler and Python's headers would help (Debian: gcc, "
            "python3-dev).",
            file=sys.stderr,
        )

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

    def _clear(self) -> None:
        """Take away what an earlier build made: a module of it may have another name by now."""
        listed = self._list()
        if listed.exists():
            for line in listed.read_text(errors="replace").splitlines()[1:]:
                for name in line.split()[:1]:
                    Path(self.get_ext_fullpath(f"lomond.{name}")).unlink(missing_ok=True)
            listed.unlink()

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


if IS_PURE and IS_COMPILED:
    sys.exit("lomond: LOMOND_PURE and LOMOND_COMPILED are both set; unset one of them")


def description() -> str:
    """README as an index shows it, which has none of the files beside it: words without links."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    return re.sub(r"!?\[([^\]]*)\]\((?!https://|#)[^)]*\)", r"\1", text)


setup(
    long_description=description(),
    long_description_content_type="text/markdown",
    distclass=Package,
    # The real list is made when it is needed.
    ext_modules=[Extension("lomond.protocol.connection", ["setup.py"])],
    cmdclass={"build": Build, "build_ext": BuildTwin},
)
