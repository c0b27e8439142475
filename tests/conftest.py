"""Fixtures of all tests. First of all, the environment and the twin that they run on."""

import proxies  # noqa: F401  it clears the variables
import twins  # noqa: F401  it puts the modules of the chosen twin in their place
