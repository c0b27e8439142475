"""SOCKS 4 and 4a proxy on twisted."""

from twisted.internet import reactor
from twisted.protocols.socks import SOCKSv4Factory

if __name__ == "__main__":
    port = reactor.listenTCP(0, SOCKSv4Factory(None), interface="127.0.0.1")
    print(f"listening on 127.0.0.1:{port.getHost().port}", flush=True)
    reactor.run()
