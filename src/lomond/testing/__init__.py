"""Help for tests of programs that use lomond: a scripted server, pretend time, an echo server."""
