"""Fixtures of the suite against servers that nobody here wrote."""

from collections.abc import Iterator

import pytest

from localhost import need_localhost
from real.certificates import Certificates, make_certificates
from real.endpoints import Endpoint
from real.launches import ServerUnavailableError
from real.server_kinds import WEBSOCKETS
from real.server_processes import ServerPool
from real.ways import Way


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def server_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerPool]:
    with ServerPool(tmp_path_factory.mktemp("servers")) as pool:
        yield pool


@pytest.fixture
def endpoint(
    request: pytest.FixtureRequest, server_pool: ServerPool, certificates: Certificates
) -> Endpoint:
    """The server that `on_servers` names, running; skips where it cannot be had."""
    kind, scheme = request.param
    certificate = certificates.for_loopback if scheme == "wss" else None
    try:
        port = server_pool.port_of(kind, certificate)
    except ServerUnavailableError as reason:
        pytest.skip(str(reason))
    return Endpoint(f"{scheme}://127.0.0.1:{port}/", certificates.authority)


@pytest.fixture
def misnamed_endpoint(server_pool: ServerPool, certificates: Certificates) -> Endpoint:
    """A server whose certificate is signed by the authority, but for another host."""
    port = server_pool.port_of(WEBSOCKETS, certificates.for_elsewhere)
    return Endpoint(f"wss://127.0.0.1:{port}/", certificates.authority)


@pytest.fixture
def way(request: pytest.FixtureRequest, server_pool: ServerPool, certificates: Certificates) -> Way:
    """The forward proxy that `on_ways` names, and an echo server; skips where either is missing."""
    proxy, scheme = request.param
    if proxy.host == "localhost":
        need_localhost(is_alone=True)
    ours = certificates.for_loopback
    try:
        proxy_port = server_pool.port_of(proxy.kind, ours if proxy.scheme == "https" else None)
        port = server_pool.port_of(WEBSOCKETS, ours if scheme == "wss" else None)
    except ServerUnavailableError as reason:
        pytest.skip(str(reason))
    endpoint = Endpoint(f"{scheme}://{proxy.host}:{port}/", certificates.authority)
    return Way(endpoint, proxy, proxy_port)
