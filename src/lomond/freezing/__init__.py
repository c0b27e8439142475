"""What PyInstaller asks of a package whose compiled modules hide from it what they import."""

from __future__ import annotations

import os


def hook_directories() -> list[str]:
    """Where its hook is; the entry point of the group pyinstaller40."""
    return [os.path.dirname(__file__)]
