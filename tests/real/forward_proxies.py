"""The forward proxies of this suite: how each is started, and how a client names it."""

import hashlib
import os
import pwd
import sys
from collections.abc import Callable
from ctypes.util import find_library
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from real.launches import SERVERS, Launch, ServerUnavailableError, Site, free_port, program
from real.server_kinds import ServerKind

USER = "user"
PASSWORD = "p@ss"
#: For tinyproxy, which knows only letters, digits and "-._".
PLAIN_PASSWORD = "p-ss"
REALM = "suite"
SQUID_HELPERS = Path("/usr/lib/squid")
#: `PASSWORD` as crypt(3) keeps it, of which Python has no module any more.
CRYPTED_PASSWORD = (
    "$6$lomond$J7L6WGFhDI3vwsTtr0bjL09v99aXTcPVkqj.Fmzgqsid7j8bbR"
    "Wojt3ko6pBu3KYEWGIXwxWzUZWkAhJ5/gnH/"
)


@dataclass(frozen=True)
class ForwardProxy:
    """One way to use a proxy.

    Attributes:
        name: How test ids call it.
        scheme: Of the proxy's URL.
        kind: The server behind it.
        password: What it wants of `USER`; empty if it asks for nothing.
        host: How a client names the target: as a name where the proxy resolves it.
    """

    name: str
    scheme: str
    kind: ServerKind
    password: str = ""
    host: str = "127.0.0.1"

    @property
    def credentials(self) -> str:
        """The part of its URL before the host."""
        return f"{USER}:{quoted(self.password)}@" if self.password else ""


def quoted(password: str) -> str:
    """The password for a URL, where more is quoted than must be."""
    return "".join(one if one.isalnum() else f"%{ord(one):02X}" for one in password)


def _tinyproxy(asks: bool) -> Callable[[Site], Launch]:
    def launch(site: Site) -> Launch:
        tinyproxy = program("tinyproxy", "tinyproxy-bin")
        port = free_port()
        configuration = site.write(
            "tinyproxy.conf",
            f"""
Listen 127.0.0.1
Port {port}
Timeout 600
MaxClients 100
LogLevel Warning
{f"BasicAuth {USER} {PLAIN_PASSWORD}" if asks else ""}
""",
        )
        return Launch([tinyproxy, "-d", "-c", str(configuration)], {}, port)

    return launch


def _squid(method: str | None) -> Callable[[Site], Launch]:
    return lambda site: launch_squid(site, _squid_rules(site, method))


def launch_squid(site: Site, rules: str = "") -> Launch:
    """Start squid, which denies all that no rule allows."""
    squid = program("squid", "squid")
    port = free_port()
    configuration = site.write(
        "squid.conf",
        f"""
http_port 127.0.0.1:{port}
{rules}
http_access deny all
visible_hostname proxy.example
cache deny all
access_log none
cache_log /dev/null
cache_store_log none
pid_filename none
coredump_dir none
pinger_enable off
shutdown_lifetime 0 seconds
max_filedescriptors 1024
""",
    )
    # A service's name is its own piece of shared memory.
    command = [squid, "-N", "-d", "1", "-n", f"lomond{port}", "-f", str(configuration)]
    return Launch(command, {}, port)


def _squid_rules(site: Site, method: str | None) -> str:
    """Who may use it. Its helpers run as another user if we are root."""
    if method is None:
        return "http_access allow all"
    if method == "basic":
        helper = SQUID_HELPERS / "basic_ncsa_auth"
        line = f"{USER}:{hashlib.md5(PASSWORD.encode()).hexdigest()}\n"
        program_line = f"{helper} {site.write('passwords', line)}"
    else:
        helper = SQUID_HELPERS / "digest_file_auth"
        secret = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
        file = site.write("passwords", f"{USER}:{REALM}:{secret}\n")
        program_line = f"{helper} -c {file}"
    if not helper.exists():
        raise ServerUnavailableError(f"squid's helper {helper} is not there")
    return f"""
auth_param {method} program {program_line}
auth_param {method} children 2 startup=1
auth_param {method} realm {REALM}
acl known proxy_auth REQUIRED
http_access allow known
"""


def _stunnel(site: Site) -> Launch:
    stunnel = program("stunnel4", "stunnel4")
    if site.certificate is None:
        raise ValueError("stunnel is there for TLS")
    port = free_port()
    configuration = site.write(
        "stunnel.conf",
        f"""
foreground = yes
pid =
[proxy]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{site.backend_port}
cert = {site.certificate.chain}
key = {site.certificate.key}
""",
    )
    return Launch([stunnel, str(configuration)], {}, port)


def _microsocks(asks: bool) -> Callable[[Site], Launch]:
    def launch(_: Site) -> Launch:
        port = free_port()
        command = [program("microsocks", "microsocks"), "-i", "127.0.0.1", "-p", str(port)]
        return Launch(command + (["-u", USER, "-P", PASSWORD] if asks else []), {}, port)

    return launch


def _danted(asks: bool) -> Callable[[Site], Launch]:
    """It checks the passwords of the system; a wrapper shows it a system with one user more."""

    def launch(site: Site) -> Launch:
        danted = program("danted", "dante-server")
        port = free_port()
        ours = pwd.getpwuid(os.geteuid()).pw_name
        environment = _one_user_more(site) if asks else {}
        configuration = site.write(
            "danted.conf",
            f"""
logoutput: stderr
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
socksmethod: {"username" if asks else "none"}
clientmethod: none
user.privileged: {ours}
user.unprivileged: {ours}
client pass {{ from: 127.0.0.0/8 to: 127.0.0.0/8 }}
socks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 protocol: tcp }}
""",
        )
        command = [danted, "-f", str(configuration), "-p", str(site.directory / "pid")]
        return Launch(command, environment, port)

    return launch


def _one_user_more(site: Site) -> dict[str, str]:
    """What makes a program believe in `USER`, whom the system itself never gets to know."""
    wrapper = find_library("nss_wrapper")
    if wrapper is None:
        raise ServerUnavailableError(
            "danted wants a user of the system, and nss_wrapper, which pretends one, "
            "is not installed; Debian: apt-get install libnss-wrapper"
        )
    ours = pwd.getpwuid(os.geteuid())
    known = f"{ours.pw_name}:x:{ours.pw_uid}:{ours.pw_gid}::/:/bin/false\n"
    passwd = site.write("passwd", f"{known}{USER}:x:65500:65500::/:/bin/false\n")
    shadow = site.write("shadow", f"{USER}:{CRYPTED_PASSWORD}:19000:0:99999:7:::\n")
    group = site.write("group", f"{USER}:x:65500:\n")
    return {
        "LD_PRELOAD": wrapper,
        "NSS_WRAPPER_PASSWD": str(passwd),
        "NSS_WRAPPER_SHADOW": str(shadow),
        "NSS_WRAPPER_GROUP": str(group),
    }


def _twisted(_: Site) -> Launch:
    if find_spec("twisted") is None:
        raise ServerUnavailableError("twisted, for SOCKS 4a, is not installed")
    return Launch([sys.executable, str(SERVERS / "twisted_socks.py")], {})


TINYPROXY = ServerKind("tinyproxy", _tinyproxy(asks=False))
TINYPROXY_ASKING = ServerKind("tinyproxy_asking", _tinyproxy(asks=True))
SQUID = ServerKind("squid", _squid(None))
SQUID_BASIC = ServerKind("squid_basic", _squid("basic"))
SQUID_DIGEST = ServerKind("squid_digest", _squid("digest"))
STUNNEL = ServerKind("stunnel", _stunnel, in_front_of=TINYPROXY)
STUNNEL_ASKING = ServerKind("stunnel_asking", _stunnel, in_front_of=TINYPROXY_ASKING)
MICROSOCKS = ServerKind("microsocks", _microsocks(asks=False))
MICROSOCKS_ASKING = ServerKind("microsocks_asking", _microsocks(asks=True))
DANTED = ServerKind("danted", _danted(asks=False))
DANTED_ASKING = ServerKind("danted_asking", _danted(asks=True))
TWISTED = ServerKind("twisted", _twisted)

HTTP_PROXIES = [
    ForwardProxy("tinyproxy", "http", TINYPROXY),
    ForwardProxy("tinyproxy_by_name", "http", TINYPROXY, host="localhost"),
    ForwardProxy("tinyproxy_basic", "http", TINYPROXY_ASKING, PLAIN_PASSWORD),
    ForwardProxy("squid", "http", SQUID),
    ForwardProxy("squid_basic", "http", SQUID_BASIC, PASSWORD),
    ForwardProxy("squid_digest", "http", SQUID_DIGEST, PASSWORD),
    ForwardProxy("stunnel", "https", STUNNEL),
    ForwardProxy("stunnel_basic", "https", STUNNEL_ASKING, PLAIN_PASSWORD),
]
SOCKS_PROXIES = [
    ForwardProxy("microsocks_5", "socks5", MICROSOCKS),
    ForwardProxy("microsocks_5h", "socks5h", MICROSOCKS, host="localhost"),
    ForwardProxy("microsocks_5_password", "socks5", MICROSOCKS_ASKING, PASSWORD),
    ForwardProxy("danted_4", "socks4", DANTED),
    ForwardProxy("danted_5", "socks5", DANTED),
    ForwardProxy("danted_5h", "socks5h", DANTED, host="localhost"),
    ForwardProxy("danted_5_password", "socks5", DANTED_ASKING, PASSWORD),
    ForwardProxy("twisted_4", "socks4", TWISTED),
    ForwardProxy("twisted_4a", "socks4a", TWISTED, host="localhost"),
]
FORWARD_PROXIES = [*HTTP_PROXIES, *SOCKS_PROXIES]
