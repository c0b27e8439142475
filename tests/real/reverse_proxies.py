"""Reverse proxies, plain or ending TLS, in front of another server of the suite.

Each runs in the foreground on a configuration written for it, and keeps all its files beside it.
"""

import os
from pathlib import Path

from real.certificates import Certificate
from real.launches import Launch, ServerUnavailableError, Site, free_port, program

APACHE_MODULES = Path("/usr/lib/apache2/modules")


def launch_nginx(site: Site) -> Launch:
    """Start nginx as whoever we are, where it would become another user if we are root."""
    nginx = program("nginx", "nginx")
    port = free_port()
    temporary = "\n".join(
        f"    {kind}_temp_path {site.directory}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = site.write(
        "nginx.conf",
        f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes 1;
pid {site.directory}/pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
    access_log off;
{temporary}
    server {{
        listen 127.0.0.1:{port}{" ssl" if site.certificate else ""};
        {_nginx_certificate(site.certificate)}
        location / {{
            proxy_pass http://127.0.0.1:{site.backend_port};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_read_timeout 600s;
            proxy_send_timeout 600s;
        }}
    }}
}}
""",
    )
    command = [nginx, "-e", "stderr", "-p", str(site.directory), "-c", str(configuration)]
    return Launch(command, {}, port)


def _nginx_certificate(certificate: Certificate | None) -> str:
    if certificate is None:
        return ""
    return f"ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};"


def haproxy_tls(site: Site, more: str = "") -> str:
    """What its `bind` says of TLS, if the site has a certificate: in one file with the key."""
    if site.certificate is None:
        return ""
    pair = site.certificate.chain.read_text() + site.certificate.key.read_text()
    return f" ssl crt {site.write('pair.pem', pair)}{more}"


def launch_haproxy(site: Site) -> Launch:
    """Start haproxy."""
    haproxy = program("haproxy", "haproxy")
    port = free_port()
    tls = haproxy_tls(site, " alpn http/1.1")
    configuration = site.write(
        "haproxy.cfg",
        f"""
global
    maxconn 256
defaults
    mode http
    timeout connect 10s
    timeout client 10m
    timeout server 10m
    timeout tunnel 10m
frontend front
    bind 127.0.0.1:{port}{tls}
    default_backend echo
backend echo
    server echo 127.0.0.1:{site.backend_port}
""",
    )
    return Launch([haproxy, "-db", "-f", str(configuration)], {}, port)


def launch_apache(site: Site) -> Launch:
    """Start Apache, which refuses to serve as root and becomes Debian's user for it."""
    apache = program("apache2", "apache2-bin")
    if not APACHE_MODULES.is_dir():
        raise ServerUnavailableError(f"Apache's modules are not in {APACHE_MODULES}")
    port = free_port()
    names = ["mpm_event", "authz_core", "proxy", "proxy_http", *(["ssl"] * bool(site.certificate))]
    modules = "\n".join(
        f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in names
    )
    configuration = site.write(
        "apache.conf",
        f"""
{modules}
{"User www-data" if os.geteuid() == 0 else ""}
{"Group www-data" if os.geteuid() == 0 else ""}
ServerName 127.0.0.1
ServerRoot {site.directory}
DefaultRuntimeDir {site.directory}
PidFile {site.directory}/pid
ErrorLog /dev/stderr
Timeout 600
StartServers 1
ServerLimit 1
ThreadsPerChild 32
MaxRequestWorkers 32
Listen 127.0.0.1:{port}
{_apache_certificate(site.certificate)}
ProxyPass / http://127.0.0.1:{site.backend_port}/ upgrade=websocket
""",
    )
    command = [apache, "-DFOREGROUND", "-d", str(site.directory), "-f", str(configuration)]
    return Launch(command, {}, port)


def _apache_certificate(certificate: Certificate | None) -> str:
    if certificate is None:
        return ""
    return (
        "SSLSessionCache none\nSSLEngine on\n"
        f"SSLCertificateFile {certificate.chain}\nSSLCertificateKeyFile {certificate.key}"
    )
