"""Generated from protos/; run `make generate`."""
