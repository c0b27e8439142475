"""Fuzz one target in this process, by atheris: `python drive.py TARGET SECONDS [libFuzzer's own]`.

Started by run.py, with the interpreter that has atheris. Ends after so many seconds of processor
time, with a line of JSON; or with the first finding, which libFuzzer tells and saves.
"""

from __future__ import annotations

import json
import os
import sys
import time

import atheris

_LOOK = 32  # inputs between two looks at the clock


def main(name: str, seconds: float, arguments: list[str]) -> None:
    """Fuzz."""
    # Bytecode is what atheris instruments.
    os.environ |= {"LOMOND_PURE": "1", "LOMOND_COMPILED": ""}
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    with atheris.instrument_imports(include=["lomond", "h11", "socksio"]):
        import fuzz_targets

        check = fuzz_targets.load(name)
    executions = 0
    since = time.process_time()

    def one_input(data: bytes) -> None:
        nonlocal executions
        executions += 1
        if executions % _LOOK == 0:
            spent = time.process_time() - since
            if spent >= seconds:
                said = {"target": name, "executions": executions, "seconds": round(spent, 1)}
                print(json.dumps(said), flush=True)
                os._exit(0)  # libFuzzer knows no other end
        check(data)

    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3:])
