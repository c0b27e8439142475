"""Fixtures of all tests. First of all, the twin that they run on."""

import twins  # noqa: F401  it puts the modules of the chosen twin in their place
