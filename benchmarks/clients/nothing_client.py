"""An import, and nothing else: the time of starting Python is taken away by the runner."""

import sys

for module in sys.argv[1:]:
    __import__(module)
