#!/usr/bin/env python3
"""A newer Python than the machine has, from Debian's newer suites, in a folder of its own.

As a script: `python3 tools/newer_python.py 3.14` (or another version) prints where the interpreter
is, in `.cache/python-3.14`. Nothing of the system changes: apt has its lists and packages in there
too, and the interpreter brings the C library and all others that it needs. A folder that is there
is used again; remove it for a newer one. Exits with 77 where that Python can't be had.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".cache"
STATUS_UNAVAILABLE = 77  # what automake and meson call a skipped test

SUITES = ("forky", "testing", "sid")  # the first that has it gives all of it
SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))
KEYS = [Path("/usr/share/keyrings/debian-archive-keyring" + end) for end in (".gpg", ".pgp")]
TOOLS = ("apt-get", "apt-cache", "dpkg-deb")
SECONDS = 240.0  # for one command: a registry that does not answer is none

# What the tests need of it: TLS, compression, the headers, and processes of its own.
WORKS = """
import ctypes, lzma, multiprocessing, os, ssl, subprocess, sys, sysconfig, zlib
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
assert subprocess.run([sys.executable, "-c", "import ssl"]).returncode == 0
print(sys.version.split()[0])
"""


class UnavailableError(Exception):
    """That Python can't be had here."""


def run(*command: str | Path, environ: dict[str, str] | None = None) -> str:
    """Return what a command prints. Raises UnavailableError: it failed."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, env=environ, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{command[0]}: {type(error).__name__}") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        # Without the registry's address, which is the machine's own business.
        last = re.sub(r"\w+://\S+", "the registry", said[-1]) if said else "no word"
        raise UnavailableError(f"{command[0]} failed: {last}")
    return done.stdout


def archive() -> str:
    """Return where this machine has its Debian packages from."""
    files = [SOURCES[0], *sorted(SOURCES[1].glob("*.list")), *sorted(SOURCES[1].glob("*.sources"))]
    for path in files:
        for line in path.read_text().splitlines() if path.is_file() else ():
            words = [word for word in line.split() if not word.startswith("#")]
            is_binary = line.startswith(("deb ", "URIs:"))
            for word in words if is_binary else ():
                if re.fullmatch(r"\w+:.*/debian/?", word):
                    return word
    raise UnavailableError("no source of Debian's packages is named in /etc/apt")


class Apt:
    """apt with everything of its own: lists, packages, and a system where nothing is installed."""

    def __init__(self, home: Path, suite: str) -> None:
        lists = home / "lists"
        packages = home / "packages"
        for directory in (lists / "partial", packages / "partial"):
            directory.mkdir(parents=True, exist_ok=True)
        sources = home / "sources.list"
        keys = [path for path in KEYS if path.is_file()]
        if not keys:
            raise UnavailableError("the keys of Debian's archive are not here")
        sources.write_text(f"deb [signed-by={keys[0]}] {archive()} {suite} main\n")
        settings = {
            "Dir::State::lists": lists,
            "Dir::State::status": "/dev/null",
            "Dir::State::extended_states": home / "extended_states",
            "Dir::Cache": home,
            "Dir::Cache::archives": packages,
            "Dir::Etc::sourcelist": sources,
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Log": home,
            "Acquire::http::Timeout": "20",
            "Acquire::Languages": "none",
            "Acquire::Retries": "1",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",  # the folder need not be readable for another user
            "APT::Keep-Downloaded-Packages": "true",
            "Debug::NoLocking": "true",
        }
        self._options = [
            part for item in settings.items() for part in ("-o", "=".join(map(str, item)))
        ]
        self.packages = packages

    def update(self) -> None:
        """Get the lists."""
        run("apt-get", *self._options, "--error-on=any", "update")

    def has(self, package: str) -> bool:
        """Whether the suite has it."""
        try:
            return bool(run("apt-cache", *self._options, "show", package))
        except UnavailableError:
            return False

    def download(self, *names: str) -> list[Path]:
        """Get the packages and all that they need."""
        run("apt-get", *self._options, "--yes", "--download-only", "install", *names)
        return sorted(self.packages.glob("*.deb"))


def unpack(version: str, home: Path) -> Path:
    """Put the interpreter and all that it needs into the folder; where it is."""
    reason = f"none of Debian's suites {', '.join(SUITES)} has python{version}"
    for suite in SUITES:
        apt = Apt(home / "apt", suite)
        try:
            apt.update()
        except UnavailableError as error:  # of this suite, or of all
            reason = str(error)
            continue
        if apt.has(f"python{version}"):
            break
    else:
        raise UnavailableError(reason)
    print(f"Python {version} of Debian's {suite} goes to {home}", file=sys.stderr)
    # The tool that names the C library in a program comes from there too.
    for package in apt.download(f"python{version}", f"libpython{version}-dev", "patchelf"):
        run("dpkg-deb", "--extract", package, home)
    python = home / "usr" / "bin" / f"python{version}"
    adapt(python, home)
    (headers,) = (home / "usr" / "include").glob(f"*-linux-*/python{version}/pyconfig.h")
    # What lies there says only where the system has this one.
    shutil.copy(headers, home / "usr" / "include" / f"python{version}" / "pyconfig.h")
    return python


def adapt(python: Path, home: Path) -> None:
    """Have the interpreter take the C library of the folder, and all others before the system's."""
    (libraries,) = {path.parent for path in (home / "usr" / "lib").glob("*-linux-*/libc.so.6")}
    (loader,) = libraries.glob("ld-linux*.so.*")
    patchelf = [loader, "--library-path", libraries, home / "usr" / "bin" / "patchelf"]
    # Unlike the newer kind of path, this one holds for what the libraries need in their turn.
    run(*patchelf, "--force-rpath", "--set-rpath", libraries, python)
    run(*patchelf, "--set-interpreter", loader, python)


def provide(version: str, home: Path) -> Path:
    """Return the interpreter, which may be there from before. Raises UnavailableError."""
    python = home / "usr" / "bin" / f"python{version}"
    done = home / "done"
    # The paths of the folder are in the program: one that was moved is made anew.
    if not done.is_file() or done.read_text() != str(home):
        if sys.platform != "linux" or (missing := [t for t in TOOLS if shutil.which(t) is None]):
            what = ", ".join(missing) if sys.platform == "linux" else platform.system()
            raise UnavailableError(f"it takes apt, of a Debian; here is {what}")
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        try:
            python = unpack(version, home)
        except UnavailableError:
            shutil.rmtree(home)
            raise
        shutil.rmtree(home / "apt")
    exact = run(python, "-c", WORKS, environ={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}).strip()
    done.write_text(str(home))
    print(f"Python {exact}", file=sys.stderr)
    return python


def main() -> int:
    """Run as a script; return the status."""
    if len(sys.argv) != 2 or not re.fullmatch(r"3\.\d+", sys.argv[1]):
        print(__doc__, file=sys.stderr)
        return 2
    version = sys.argv[1]
    try:
        print(provide(version, CACHE / f"python-{version}"))
    except UnavailableError as reason:
        print(f"Python {version} can't be had here: {reason}", file=sys.stderr)
        return STATUS_UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
