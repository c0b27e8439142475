"""Node's ws package, installed with npm on first use into a cache of this checkout."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from proxies import CLEARED
from real import launches
from real.launches import ServerUnavailableError

VERSION = "8.23.0"
CACHE = launches.CACHE / "node"
INSTALL_SECONDS = 60.0
NPM_OPTIONS = [
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--loglevel=error",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
]


def node_ws_environment() -> dict[str, str]:
    """Return the variable that lets `require("ws")` find the package, installing it if need be."""
    if shutil.which("node") is None:
        raise ServerUnavailableError("Node is not installed")
    installed = CACHE / f"ws-{VERSION}"
    if not installed.exists():
        _install(installed)
    return {"NODE_PATH": str(installed / "node_modules")}


def _install(target: Path) -> None:
    """Install beside `target` and rename, so that half an installation is never used."""
    npm = shutil.which("npm")
    if npm is None:
        raise ServerUnavailableError("npm is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=CACHE))
    try:
        subprocess.run(
            [npm, "install", *NPM_OPTIONS, "--prefix", str(directory), f"ws@{VERSION}"],
            check=True,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            env=os.environ | CLEARED,
        )
        os.rename(directory, target)
    except subprocess.CalledProcessError as error:
        complaint = error.stderr.strip().partition("\n")[0]
        raise ServerUnavailableError(f"npm could not install ws {VERSION}: {complaint}") from error
    except subprocess.TimeoutExpired as error:
        raise ServerUnavailableError(f"npm did not install ws {VERSION} in time") from error
    except OSError as error:
        if not target.exists():  # another session may have been faster
            raise ServerUnavailableError(f"ws {VERSION} could not be installed: {error}") from error
    finally:
        shutil.rmtree(directory, ignore_errors=True)
