"""What the system gives: bytes, TLS, names, time, locks. Nobody waits in here."""
