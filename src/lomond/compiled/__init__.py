"""The compiled twin of protocol/: its C types, its kernel, and its modules where it was built."""
