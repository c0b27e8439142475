"""PyInstaller runs it where a program imports lomond: it names what no analysis of bytecode finds.

That is what the sources of the compiled modules import, and the list of these modules.
"""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

import lomond
from lomond import twin


def imported(source: Path) -> Iterator[str]:
    """The modules that a source names, but for those of lomond, which are all taken."""
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module


def is_ours(name: str) -> bool:
    """Whether a program may need it: not what is there for tests, or for PyInstaller."""
    return not name.startswith(("lomond.testing", "lomond.freezing"))


folder = Path(lomond.__path__[0])
named = {"truststore", "zlib", "zlib_ng.zlib_ng"}  # imported by a name that is a variable
for path in twin.sources(folder).values():
    named.update(imported(path.with_suffix(".py")))
hiddenimports = [
    # Some come with an extra.
    *(name for name in sorted(named) if importlib.util.find_spec(name.partition(".")[0])),
    *collect_submodules("lomond", filter=is_ours),
]
datas = collect_data_files("lomond", includes=[twin.LIST.format("*")])
