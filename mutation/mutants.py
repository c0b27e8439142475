"""Print, as JSON, every mutant that mutmut makes of the files named; run in mutmut's environment.

From the folder that mutmut is run in, as its names of mutants go by the paths from there.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.format_utils import get_mutant_name


def mutants_of(path: Path) -> Iterator[dict[str, str]]:
    """Each mutant's name, its function, and the lines that it changes, without their indentation.

    Arguments:
        path: Of a source.
    """
    made = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
    lines = made.code.splitlines()
    for name in made.mutant_names:
        mangled = name.rpartition("__mutmut_")[0]
        spans = (
            made.line_span_by_function_name[each] for each in (f"{mangled}__mutmut_orig", name)
        )
        old, new = (lines[span.start - 1 : span.end] for span in spans)
        changed = [
            (line[0], line[2:].strip())
            for line in difflib.ndiff(old, new)
            if line[0] in "-+" and "__mutmut_" not in line  # its own name for the function
        ]
        yield {
            "name": str(get_mutant_name(path, name)),
            "path": path.as_posix(),
            "function": mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", "."),
            "old": " ".join(line for sign, line in changed if sign == "-"),
            "new": " ".join(line for sign, line in changed if sign == "+"),
        }


if __name__ == "__main__":
    json.dump([each for path in sys.argv[1:] for each in mutants_of(Path(path))], sys.stdout)
