"""The compiled twin of protocol/http."""
