"""Runs the session process: `python -m wuts.session`."""

from __future__ import annotations

import sys

from wuts.session.main import main

if __name__ == "__main__":
    sys.exit(main())
