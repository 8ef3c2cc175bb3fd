"""The `wuts` command line."""
