"""Writes the OpenAPI description of the HTTP routes, from the protos and `rules.toml`."""
