"""Soak lomond in a bad network: `python soak/run.py [--seconds 600] [--quick]`.

The exit status is 0 if everything that must be 0 is, 1 if something is not, and 77 where trustme,
which makes the certificates, is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import report

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent / "src"
QUICK_SECONDS = 15.0
LAST_WORDS = 180.0  # seconds for the clients to end, then they hang

STATUS_BROKEN = 1
STATUS_UNAVAILABLE = 77


def certificates(folder: str) -> list[str]:
    """Files of an authority, and of a server's chain and key. Raises ImportError."""
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    files = [f"{folder}/{name}.pem" for name in ("ca", "chain", "key")]
    authority.cert_pem.write_to_path(files[0])
    issued.cert_chain_pems[0].write_to_path(files[1])
    issued.private_key_pem.write_to_path(files[2])
    return files


def started(script: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A process of ours, which ends when its input does."""
    return subprocess.Popen(
        [sys.executable, str(HERE / script), *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    """The next line of it."""
    stream: IO[str] | None = process.stdout
    assert stream is not None
    return stream.readline().strip()


@contextlib.contextmanager
def network(folder: str, seed: int, faults: Counter[str]) -> Iterator[dict[str, Any]]:
    """The servers and the relay before them: ports by the kind of connection, and the authority."""
    ca, *files = certificates(folder)
    servers = [started("echo_server.py"), started("echo_server.py", *files)]
    relay = started("relay.py", str(seed), *map(said, servers))
    try:
        kind, cruel, kind_tls, cruel_tls = map(int, said(relay).split())
        yield {
            "ca": ca,
            "ports": {
                "plain": {"kind": kind, "cruel": cruel},
                "tls": {"kind": kind_tls, "cruel": cruel_tls},
            },
        }
    finally:
        told, _ = relay.communicate()
        faults.update(json.loads(told) if told.strip() else {})
        for server in servers:
            server.communicate()


def has_compiled() -> bool:
    """Whether the compiled twin is here."""
    code = "import sys; from lomond import twin; sys.exit(twin.running != 'compiled')"
    environment = {
        **os.environ,
        "PYTHONPATH": str(SOURCE),
        "LOMOND_PURE": "",
        "LOMOND_COMPILED": "",
    }
    return (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )


def soak(options: argparse.Namespace) -> tuple[list[dict[str, Any]], Counter[str]]:
    """What the clients counted, and what the network did."""
    faults: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        network(folder, options.seed, faults) as where,
    ):
        task = where | {
            "seconds": options.seconds,
            "threads": options.threads,
            "seed": options.seed,
        }
        pure = ("0", "1") if has_compiled() else ("1",)
        clients = [
            started(
                "client.py",
                json.dumps(task | {"number": number}),
                LOMOND_PURE=pure[number % len(pure)],
                LOMOND_COMPILED="",
                # Else each thread's arena grows by itself, with memory that nobody holds.
                MALLOC_ARENA_MAX="1",
            )
            for number in range(options.processes)
        ]
        results = []
        for client in clients:
            try:
                told, _ = client.communicate(timeout=options.seconds + LAST_WORDS)
                results.append(json.loads(told))
            except (subprocess.TimeoutExpired, json.JSONDecodeError):
                client.kill()
                client.communicate()
                results.append({"counts": {"clients that died": 1}})
    return results, faults


def main(arguments: Sequence[str]) -> int:
    """Soak as the arguments say; return the exit status."""
    parser = argparse.ArgumentParser(description="Soak lomond in a bad network.")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (600)")
    parser.add_argument("--quick", action="store_true", help="15 seconds")
    parser.add_argument("--processes", type=int, default=4, help="of clients (4)")
    parser.add_argument("--threads", type=int, default=4, help="connections of each at once (4)")
    parser.add_argument("--seed", type=int, default=1, help="for what is left to chance (1)")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seconds = QUICK_SECONDS
    try:
        results, faults = soak(options)
    except ImportError as reason:
        print(f"{reason}: it makes the certificates; install '.[dev]'", file=sys.stderr)
        return STATUS_UNAVAILABLE
    summary = report.Summary(results, faults, options.seconds)
    print(summary.table())
    for line in summary.wrong:
        print(line, file=sys.stderr)
    return 0 if summary.is_good() else STATUS_BROKEN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
