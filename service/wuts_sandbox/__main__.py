"""Runs the command line as `python -m wuts_sandbox`."""

from __future__ import annotations

from wuts_sandbox.cli import main

if __name__ == "__main__":
    main(prog_name="wuts-sandbox")
