"""This machine: what runs, what compresses, and whom it trusts."""

from __future__ import annotations

import os
import platform
import re
import ssl
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from ... import constants, twin

if TYPE_CHECKING:
    from .case import Case

_EXTRA = re.compile(r"""([A-Za-z0-9][\w.-]*).*extra\s*==\s*['"]([\w-]+)['"]""")
_OF_DEVELOPERS = ("dev",)
_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def tell(case: Case) -> None:
    """Say what there is here."""
    _tell_library(case)
    _tell_certificates(case)
    case.report.ok("extras", _extras())
    python = f"{platform.python_implementation()} {platform.python_version()}"
    case.report.ok("python", f"{python} on {platform.platform(terse=True)} ({sys.platform})")


def _tell_library(case: Case) -> None:
    from ...compression import chosen_backend

    library = f"lomond {constants.__version__} ({twin.running})"
    try:
        case.report.ok("library", f"{library}, compresses by {chosen_backend().name}")
    except (ValueError, ImportError) as error:
        case.report.warn("library", f"{library}, can't compress", str(error))


def _tell_certificates(case: Case) -> None:
    """Say where those come from that it trusts."""
    if case.given.ca is not None:
        measured = f"{ssl.OPENSSL_VERSION}; trusts {case.given.ca} (--ca)"
        case.report.ok("trust", measured)
        return
    measured = f"{ssl.OPENSSL_VERSION}; trusts {_store()}"
    missing = [
        f"{name} names {path}, which is not there: correct it, or unset it"
        for name in _VARIABLES
        if (path := os.environ.get(name)) and not os.path.exists(path)
    ]
    if missing:
        case.report.warn("trust", measured, missing[0])
        return
    directory = ssl.get_default_verify_paths().capath
    count = ssl.create_default_context().cert_store_stats()["x509"]
    if not count and not (directory and os.path.isdir(directory) and os.listdir(directory)):
        advice = "there are none: install the system's (the package ca-certificates), or give --ca"
        case.report.warn("trust", measured, advice)
    else:
        case.report.ok("trust", measured)


def _store() -> str:
    """Where the system's certificates are, and who says so."""
    paths = ssl.get_default_verify_paths()
    named = [f"{path} ({name})" for name in _VARIABLES if (path := os.environ.get(name))]
    if named:
        return ", ".join(named)
    places = [path for path in (paths.cafile, paths.capath) if path]
    return ", ".join(places) if places else f"nobody ({paths.openssl_cafile} is not there)"


def _extras() -> str:
    """Which extras are installed, and which are not."""
    try:
        wanted = metadata.requires("lomond") or []
    except metadata.PackageNotFoundError:
        return "not known: lomond is not installed as a package"
    by_extra: dict[str, list[str]] = {}
    for line in wanted:
        found = _EXTRA.match(line)
        if found is not None and found[2] not in _OF_DEVELOPERS:
            by_extra.setdefault(found[2], []).append(found[1])
    here = [name for name, packages in by_extra.items() if all(map(_is_here, packages))]
    absent = [name for name in by_extra if name not in here]
    said = [f"installed: {', '.join(here)}" if here else "none installed"]
    return "; ".join(said + ([f"not installed: {', '.join(absent)}"] if absent else []))


def _is_here(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False
