"""For tests: a scripted peer, a pretend clock, a local echo server."""
