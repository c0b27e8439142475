"""TLS to a server whose certificate must not be believed: no byte of WebSocket is spoken."""

import ssl

from lomond.events import ConnectFail
from real.conversations import failure_of
from real.endpoints import Endpoint, on_servers


def assert_distrusted(failure: ConnectFail, verify_message: str) -> None:
    assert failure.phase == "tls"
    assert failure.address is not None
    assert isinstance(failure.cause, ssl.SSLCertVerificationError)
    assert verify_message in failure.cause.verify_message
    assert failure.reason


@on_servers(schemes=["wss"])
def test_unknown_authority(endpoint: Endpoint) -> None:
    failure = failure_of(endpoint.websocket(ssl_cafile=None))
    assert_distrusted(failure, "unable to get local issuer certificate")


def test_certificate_for_another_host(misnamed_endpoint: Endpoint) -> None:
    failure = failure_of(misnamed_endpoint.websocket())
    assert_distrusted(failure, "IP address mismatch")


@on_servers(schemes=["wss"])
def test_context_of_the_caller(endpoint: Endpoint) -> None:
    context = ssl.create_default_context(cafile=endpoint.authority)
    with endpoint.conversation(ssl_cafile=None, ssl_context=context) as conversation:
        conversation.close()
