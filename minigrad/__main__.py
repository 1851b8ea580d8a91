"""`python -m minigrad`: the command line, which runner.py owns."""

import sys

from minigrad.runner import main

if __name__ == "__main__":
    sys.exit(main())
