"""Check the spelling of the pages: words that neither hunspell nor docs/words.txt knows.

python tools/spelling.py

What stands in code, in links' addresses and in comments isn't looked at. Exits with 77 where
hunspell or its dictionaries are not here (Debian: hunspell hunspell-en-us hunspell-en-gb). It needs
markdown-it-py, which comes with what docs/requirements.txt has.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent
WORDS = ROOT / "docs" / "words.txt"
_WORD = re.compile(r"[A-Za-z][a-z]+(?:[\u2019'][a-z]+)?(?![\w/@]|\.\w)")
_PLACE = re.compile(r"\w+://\S+|[\w.-]+\.(?:md|py|txt|toml|example)\b|\w+[_=.]\w[\w.]*")


def pages() -> list[Path]:
    """The pages for readers."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def prose(text: str) -> Iterator[str]:
    """What a page says outside of code, links' addresses and comments."""
    yield from _said(MarkdownIt("commonmark").enable("table").parse(text))


def _said(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "text":
            yield _PLACE.sub(" ", token.content)
        yield from _said(token.children or [])


def unknown(words: set[str]) -> set[str]:
    """Those of the words that neither hunspell nor the project's list knows.

    Raises:
        FileNotFoundError: hunspell or a dictionary is not here.
    """
    command = shutil.which("hunspell")
    if command is None:
        raise FileNotFoundError("hunspell is not here")
    done = subprocess.run(
        [command, "-l", "-i", "utf-8", "-d", "en_US,en_GB", "-p", str(WORDS)],
        input="\n".join(sorted(words)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or "Can't open" in done.stderr:
        raise FileNotFoundError(done.stderr.strip() or "hunspell can't run")
    return set(done.stdout.split())


def main() -> int:
    """Print the words that nobody knows, and where they stand; the exit status."""
    places: dict[str, set[str]] = {}
    for page in pages():
        for said in prose(page.read_text("utf-8")):
            for word in _WORD.findall(said):
                places.setdefault(word, set()).add(str(page.relative_to(ROOT)))
    try:
        wrong = unknown(set(places))
    except FileNotFoundError as error:
        print(f"no spelling check: {error}")
        return 77
    for word in sorted(wrong):
        print(f"{word}: {', '.join(sorted(places[word]))}")
    if wrong:
        print("Mend them, or add what is right to docs/words.txt.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
