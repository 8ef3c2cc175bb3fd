"""Says who someone is on WhatsApp."""

__version__ = "0.1.0"
