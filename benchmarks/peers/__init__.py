"""What somebody without this service would have written."""

TOKEN = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"  # noqa: S105 # good for the peers only
"""The bearer token that each peer knows."""
