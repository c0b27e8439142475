"""Servers and proxies that others wrote, set up to end connections: how each is started."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable

from real.forward_proxies import launch_squid
from real.launches import (
    SERVERS,
    Launch,
    ServerUnavailableError,
    Site,
    files_of,
    free_port,
    program,
)
from real.reverse_proxies import APACHE_MODULES, haproxy_tls
from real.server_kinds import ServerKind

IDLE = "300ms"  # after which the proxies end what is silent
_PASSED = """
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";"""
#: What one nginx does at each path; `?to=` is the port of the server behind it.
_PATHS = f"""
        location /idle {{
            proxy_pass http://127.0.0.1:$arg_to;{_PASSED}
            proxy_read_timeout {IDLE};
        }}
        location /passed {{
            proxy_pass http://127.0.0.1:$arg_to;{_PASSED}
        }}
        location /unpassed {{ proxy_pass http://127.0.0.1:$arg_to/; }}
        location /slow {{
            proxy_pass http://127.0.0.1:$arg_to;{_PASSED}
            proxy_read_timeout {IDLE};
        }}
        location /moved {{ return 301 https://www.example/chat; }}
        location /page {{ return 200 "<!doctype html><title>Welcome</title>"; }}
        location /signin {{ auth_basic "staff"; auth_basic_user_file /dev/null; }}
        location /denied {{ deny all; }}
        location /busy {{ return 429; }}
"""


def _nginx(listen: str = "", more: str = "") -> Callable[[Site], Launch]:
    """One nginx.

    Arguments:
        listen: What its port is beside that.
        more: Of its server block.
    """

    def launch(site: Site) -> Launch:
        nginx = program("nginx", "nginx")
        port = free_port()
        temporary = "\n".join(
            f"    {kind}_temp_path {site.directory}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        pair = site.certificate
        tls = f"ssl_certificate {pair.chain}; ssl_certificate_key {pair.key};" if pair else ""
        configuration = site.write(
            "nginx.conf",
            f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes 1;
pid {site.directory}/pid;
error_log stderr crit;
events {{ worker_connections 256; }}
http {{
    access_log off;
    server_tokens off;
{temporary}
    server {{
        listen 127.0.0.1:{port}{" ssl" if pair else ""}{listen};
        root {site.directory};
        {tls}
        {more.format(chain=pair.chain) if pair else more}
{_PATHS}
    }}
}}
""",
        )
        command = [nginx, "-e", "stderr", "-p", str(site.directory), "-c", str(configuration)]
        return Launch(command, {}, port)

    return launch


def _haproxy(mode: str = "http", bind: str = "") -> Callable[[Site], Launch]:
    """One haproxy that ends silent connections; at /nobody nothing is behind it, /denied is."""
    rules = """
    http-request deny deny_status 403 if { path /denied }
    use_backend nobody if { path /nobody }
"""

    def launch(site: Site) -> Launch:
        haproxy = program("haproxy", "haproxy")
        port = free_port()
        tls = haproxy_tls(site)
        configuration = site.write(
            "haproxy.cfg",
            f"""
defaults
    mode {mode}
    retries 0
    timeout connect 10s
    timeout client {"10s" if mode == "http" else IDLE}
    timeout server {IDLE}
    timeout tunnel {IDLE}
frontend front
    bind 127.0.0.1:{port}{tls}{bind}
{rules if mode == "http" else ""}
    default_backend served
backend served
    server it 127.0.0.1:{site.backend_port or 1}
backend nobody
    server it 127.0.0.1:1
""",
        )
        return Launch([haproxy, "-db", "-f", str(configuration)], {}, port)

    return launch


def _apache(site: Site) -> Launch:
    """An Apache that passes no Upgrade on."""
    apache = program("apache2", "apache2-bin")
    if not APACHE_MODULES.is_dir():
        raise ServerUnavailableError(f"Apache's modules are not in {APACHE_MODULES}")
    port = free_port()
    pair = site.certificate
    names = ["mpm_event", "authz_core", "proxy", "proxy_http", *(["ssl"] * bool(pair))]
    modules = "\n".join(f"LoadModule {n}_module {APACHE_MODULES}/mod_{n}.so" for n in names)
    root = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    tls = "SSLSessionCache none\nSSLEngine on\n"
    tls += f"SSLCertificateFile {pair.chain}\nSSLCertificateKeyFile {pair.key}" if pair else ""
    configuration = site.write(
        "apache.conf",
        f"""
{modules}
{root}
ServerName 127.0.0.1
ServerTokens Prod
ServerRoot {site.directory}
DefaultRuntimeDir {site.directory}
PidFile {site.directory}/pid
ErrorLog /dev/stderr
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
Listen 127.0.0.1:{port}
{tls if pair else ""}
ProxyPass / http://127.0.0.1:{site.backend_port}/
""",
    )
    command = [apache, "-DFOREGROUND", "-d", str(site.directory), "-f", str(configuration)]
    return Launch(command, {}, port)


def _openssl(*arguments: str) -> Callable[[Site], Launch]:
    """OpenSSL's own server, which shows a page to whoever asks."""

    def launch(site: Site) -> Launch:
        openssl = program("openssl", "openssl")
        port = free_port()
        assert site.certificate is not None
        command = [openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", "-www"]
        command += ["-cert", str(site.certificate.chain), "-key", str(site.certificate.key)]
        return Launch([*command, *arguments], {}, port)

    return launch


def _script(name: str) -> Callable[[Site], Launch]:
    def launch(site: Site) -> Launch:
        return Launch([sys.executable, str(SERVERS / name), *files_of(site.certificate)], {})

    return launch


def _uvicorn(implementation: str, *further: str) -> Callable[[Site], Launch]:
    def launch(_: Site) -> Launch:
        command = [sys.executable, "-m", "uvicorn", "ends_asgi:application"]
        command += ["--app-dir", str(SERVERS), "--host", "127.0.0.1", "--port", "0"]
        command += ["--ws", implementation, "--ws-max-size", "1000", "--no-access-log", *further]
        return Launch([*command, "--timeout-graceful-shutdown", "1"], {})

    return launch


def _pages(site: Site) -> Launch:
    """Python's own web server, which knows files alone."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    return Launch([*command, "--directory", str(site.directory)], {}, port)


def _tinyproxy(site: Site) -> Launch:
    """A tinyproxy that connects to HTTPS' port alone, as is usual."""
    tinyproxy = program("tinyproxy", "tinyproxy-bin")
    port = free_port()
    lines = ["Listen 127.0.0.1", f"Port {port}", "LogLevel Critical", "ConnectPort 443"]
    configuration = site.write("tinyproxy.conf", "\n".join([*lines, ""]))
    return Launch([tinyproxy, "-d", "-c", str(configuration)], {}, port)


def _dead_tunnel(site: Site) -> Launch:
    """A stunnel with nobody behind it."""
    stunnel = program("stunnel4", "stunnel4")
    assert site.certificate is not None
    port = free_port()
    lines = ["foreground = yes", "pid =", "[tunnel]", f"accept = 127.0.0.1:{port}"]
    lines += ["connect = 127.0.0.1:1", f"cert = {site.certificate.chain}"]
    configuration = site.write(
        "stunnel.conf", "\n".join([*lines, f"key = {site.certificate.key}", ""])
    )
    return Launch([stunnel, str(configuration)], {}, port)


def _danted(site: Site) -> Launch:
    """A danted whose rules let nobody through."""
    danted = program("danted", "dante-server")
    port = free_port()
    ours = pwd.getpwuid(os.geteuid()).pw_name
    configuration = site.write(
        "danted.conf",
        f"""
logoutput: stderr
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
socksmethod: none
clientmethod: none
user.privileged: {ours}
user.unprivileged: {ours}
client pass {{ from: 127.0.0.0/8 to: 127.0.0.0/8 }}
socks block {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
""",
    )
    command = [danted, "-f", str(configuration), "-p", str(site.directory / "pid")]
    return Launch(command, {}, port)


WEBSOCKETS = ServerKind("ends_websockets", _script("ends_websockets.py"))
UVICORN = ServerKind("ends_uvicorn", _uvicorn("websockets"))
WSPROTO = ServerKind("ends_wsproto", _uvicorn("wsproto"))
UVICORN_ALONE = ServerKind("ends_uvicorn_alone", _uvicorn("none"))
AIOHTTP = ServerKind("ends_aiohttp", _script("ends_aiohttp.py"))
TORNADO = ServerKind("ends_tornado", _script("ends_tornado.py"))
PAGES = ServerKind("ends_pages", _pages)
NGINX = ServerKind("ends_nginx", _nginx())
NGINX_HTTP2 = ServerKind("ends_nginx_http2", _nginx(" http2"))
NGINX_CERTIFICATES = ServerKind(
    "ends_nginx_certificates", _nginx("", "ssl_verify_client on; ssl_client_certificate {chain};")
)
HAPROXY = ServerKind("ends_haproxy", _haproxy(), in_front_of=WEBSOCKETS)
HAPROXY_TCP = ServerKind("ends_haproxy_tcp", _haproxy("tcp"), in_front_of=WEBSOCKETS)
HAPROXY_HTTP2 = ServerKind("ends_haproxy_http2", _haproxy("http", " proto h2"))
APACHE = ServerKind("ends_apache", _apache, in_front_of=WEBSOCKETS)
OPENSSL_OLD = ServerKind("ends_openssl_old", _openssl("-tls1_2"))
OPENSSL_HTTP2 = ServerKind("ends_openssl_http2", _openssl("-alpn", "h2"))
OPENSSL_CERTIFICATES = ServerKind("ends_openssl_certificates", _openssl("-Verify", "1"))
TINYPROXY = ServerKind("ends_tinyproxy", _tinyproxy)
SQUID = ServerKind("ends_squid", launch_squid)
STUNNEL = ServerKind("ends_stunnel", _dead_tunnel)
DANTED = ServerKind("ends_danted", _danted)
