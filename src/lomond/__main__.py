"""``python -m lomond`` is the lomond command."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
