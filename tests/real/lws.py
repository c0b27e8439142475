"""The echo server on libwebsockets, compiled on first use into a cache of this checkout."""

import os
import shutil
import subprocess
import tempfile
from hashlib import sha256

from real.launches import CACHE, SERVERS, Launch, ServerUnavailableError, Site, files_of

SOURCE = SERVERS / "lws_echo.c"
COMPILE_SECONDS = 60.0


def launch_lws(site: Site) -> Launch:
    """Compile the server if need be; raises `ServerUnavailableError` where that can't be."""
    compiled = CACHE / f"lws_echo-{sha256(SOURCE.read_bytes()).hexdigest()[:16]}"
    if not compiled.exists():
        compiler = shutil.which("cc")
        if compiler is None:
            raise ServerUnavailableError("there is no C compiler for the server on libwebsockets")
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as directory:
            target = f"{directory}/lws_echo"
            done = subprocess.run(
                [compiler, "-O1", "-o", target, str(SOURCE), "-lwebsockets"],
                capture_output=True,
                text=True,
                timeout=COMPILE_SECONDS,
                check=False,
            )
            if done.returncode:
                complaint = done.stderr.strip().partition("\n")[0]
                raise ServerUnavailableError(
                    f"the server on libwebsockets can't be compiled, {complaint}; "
                    "Debian: apt-get install gcc libwebsockets-dev"
                )
            os.rename(target, compiled)
    return Launch([str(compiled), *files_of(site.certificate)], {})
