"""Fixtures of the protocol tests."""

import pytest

from lomond.compression import Backend
from protocol.compressed import installed_backends


@pytest.fixture(params=installed_backends(), ids=lambda backend: backend.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend = request.param
    return chosen
