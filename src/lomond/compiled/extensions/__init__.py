"""The compiled twin of protocol/extensions."""
