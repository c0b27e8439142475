"""Autobahn's fuzzing server on a free loopback port; runs on Python 2.7, started by fuzzing.py.

Usage: fuzzing_server.py REPORTS PATTERN... Its first line is JSON, and it ends with its input.
"""

import fnmatch
import json
import sys
import threading

from autobahntestsuite import choosereactor  # noqa: F401  installs the reactor: before Twisted's
from autobahntestsuite.fuzzing import FuzzingServerFactory
from twisted.internet import reactor

HOST = "127.0.0.1"


def make_factory(reports, patterns):
    """A factory for the matching cases. Its own patterns have no end: 1.1 would mean 1.1.* too."""
    spec = {
        "url": "ws://%s:80" % HOST,  # noqa: UP031  no f-strings in 2.7; the port is set later
        "outdir": reports,
        "cases": ["*"],
        "exclude-agent-cases": {},
    }
    factory = FuzzingServerFactory(spec)
    factory.specCases = [
        case
        for case in factory.specCases
        if any(fnmatch.fnmatchcase(case, pattern) for pattern in patterns)
    ]
    return factory


def stop_at_end_of_input():
    """Whoever started this may be killed; its end of the pipe then closes."""
    sys.stdin.read()
    reactor.callFromThread(reactor.stop)


def main(reports, patterns):
    announcements, sys.stdout = sys.stdout, sys.stderr  # the suite prints to stdout
    factory = make_factory(reports, patterns)
    port = reactor.listenTCP(0, factory, interface=HOST).getHost().port
    factory.externalPort = port  # a Host header with another one is refused
    announcements.write(json.dumps({"port": port, "cases": factory.specCases}) + "\n")
    announcements.flush()
    watcher = threading.Thread(target=stop_at_end_of_input)
    watcher.daemon = True
    reactor.callWhenRunning(watcher.start)
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
