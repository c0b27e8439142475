"""Whether this machine knows localhost, as one that was made by hand may not."""

from __future__ import annotations

from socket import AF_INET, SOCK_STREAM, getaddrinfo

import pytest


def need_localhost(*, is_alone: bool = False) -> None:
    """Skips a test where that name is not 127.0.0.1, where our servers listen.

    Arguments:
        is_alone: Whether only the first address counts, for those who try no other.
    """
    try:
        found = [family for family, *_ in getaddrinfo("localhost", None, type=SOCK_STREAM)]
    except OSError:
        found = []
    if AF_INET not in found[: 1 if is_alone else None]:
        pytest.skip("localhost is not 127.0.0.1 here, or not first of all")
