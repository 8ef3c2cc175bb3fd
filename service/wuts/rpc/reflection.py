"""Server reflection that also finds methods.

grpcio's reflection looks symbols up in a descriptor pool that knows services
and messages, but not the methods within a service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.descriptor import FileDescriptor
    from grpc import aio


class _Pool:
    """The default pool, which here finds a method by its service."""

    def __init__(self) -> None:
        self._pool = descriptor_pool.Default()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever else the pool offers
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802  # protobuf's name
        """Finds the file of a symbol; raises KeyError."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            owner = self._pool.FindServiceByName(symbol.rpartition(".")[0])
            if symbol.rpartition(".")[2] not in owner.methods_by_name:
                raise
            return owner.file


def enable_reflection(services: Sequence[str], server: aio.Server) -> None:
    """Lets callers list and describe the named services."""
    names = (*services, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(
        names, server, pool=cast("descriptor_pool.DescriptorPool", _Pool())
    )
