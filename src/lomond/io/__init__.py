"""The only rooms that touch the outside: sockets, TLS, names, waiting."""
