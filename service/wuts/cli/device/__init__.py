"""`wuts device`: links, watches and removes devices, through the API."""

from wuts.cli.device.group import device

__all__ = ["device"]
