"""The registry: tenants, users, devices and tokens of this installation."""

from wuts.adapters.registry.database import RegistryError
from wuts.adapters.registry.records import NewToken, TokenRecord, User
from wuts.adapters.registry.registry import Registry

__all__ = ["NewToken", "Registry", "RegistryError", "TokenRecord", "User"]
