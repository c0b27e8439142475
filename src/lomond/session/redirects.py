"""Whether a redirect is followed, and where it leads (RFC 9110 section 15.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from ..url import Url, authority, parse

if TYPE_CHECKING:
    from ..response import Response
    from .reaching import Target


class NotFollowedError(ValueError):
    """Why a redirect is not followed, in words."""


def destination(target: Target, response: Response, done: int, most: int) -> Url:
    """Where to go on.

    Arguments:
        target: Who sent the redirect.
        response: What it sent.
        done: Redirects that were followed already.
        most: How many may be.

    Raises:
        NotFollowedError: Nowhere.
    """
    locations = [value for name, value in response.items() if name.lower() == "location"]
    location = locations[0] if locations else ""
    if not location:
        raise NotFollowedError("it has no Location")
    if len(locations) > 1:
        raise NotFollowedError("it has more than one Location")
    if "\ufffd" in location:
        raise NotFollowedError("its Location is not ASCII")
    if done >= most:
        raise NotFollowedError(f"it is number {done + 1}, and max_redirects is {most}")
    if target.has_socket:
        raise NotFollowedError("the socket was given, and another connection would be needed")
    scheme = "https" if target.secure else "http"
    base = f"{scheme}://{authority(target.host, target.port)}{parse(target.url).resource}"
    try:
        # A fragment is for whoever shows the page (RFC 9110 section 10.2.2).
        url = parse(urljoin(base, location).partition("#")[0])
    except ValueError as error:
        raise NotFollowedError(str(error)) from None
    host, zone, _ = target.host.partition("%")
    if zone and url.host == host:
        url = url._replace(host=target.host)  # a zone means something on this machine only
    if target.addresses is not None and (url.secure, url.host, url.port) != target.origin:
        raise NotFollowedError("it leads elsewhere than the Unix socket that was given")
    if target.secure and not url.secure:
        raise NotFollowedError("it leads from wss:// to ws://, which is not encrypted")
    return url
