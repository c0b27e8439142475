"""Fixtures of all tests. First of all, the environment and the twin that they run on."""

import pytest

import proxies  # noqa: F401  it clears the variables
import twins  # noqa: F401  it puts the modules of the chosen twin in their place
from lomond import compression
from protocol.compressed import installed_backends


@pytest.fixture(params=installed_backends(), ids=lambda backend: backend.name)
def each_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compress with each library that is installed, as if this process had chosen it."""
    monkeypatch.setattr(compression, "_chosen", request.param)
