"""The registry: tenants, users, devices and tokens of this installation."""

from wuts.adapters.registry.database import RegistryError
from wuts.adapters.registry.records import Device, NewToken, TokenRecord, User
from wuts.adapters.registry.registry import Registry

__all__ = ["Device", "NewToken", "Registry", "RegistryError", "TokenRecord", "User"]
