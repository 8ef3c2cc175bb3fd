"""Lets `python -m wuts` do what `wuts` does."""

from wuts.cli.main import cli

if __name__ == "__main__":
    cli(prog_name="wuts")
