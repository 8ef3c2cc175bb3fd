"""Takes WhatsApp's protobuf messages from the installed neonize without loading its Go library."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "neonize"


class ProtosMissingError(RuntimeError):
    """The package neonize, which carries the messages, is not installed."""


@contextmanager
def _without_library() -> Iterator[None]:
    # The package's __init__ loads the Go library; an empty stand-in with the same search path
    # lets its message modules be imported alone.
    if PACKAGE in sys.modules:
        yield
        return
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        message = "the package neonize is not installed"
        raise ProtosMissingError(message)
    stand_in = ModuleType(PACKAGE)
    stand_in.__path__ = list(spec.submodule_search_locations)
    sys.modules[PACKAGE] = stand_in
    try:
        yield
    finally:
        del sys.modules[PACKAGE]


def _load(name: str) -> Any:  # noqa: ANN401  # neonize ships no type marker
    return importlib.import_module(f"{PACKAGE}.proto.{name}")


with _without_library():
    adv = _load("waAdv.WAAdv_pb2")
    cert = _load("waCert.WACert_pb2")
    e2e = _load("waE2E.WAWebProtobufsE2E_pb2")
    history_sync = _load("waHistorySync.WAWebProtobufsHistorySync_pb2")
    server_sync = _load("waServerSync.WAWebProtobufsServerSync_pb2")
    sync_action = _load("waSyncAction.WAWebProtobufSyncAction_pb2")
    verified_name = _load("waVnameCert.WAWebProtobufsVnameCert_pb2")
    wa6 = _load("waWa6.WAWebProtobufsWa6_pb2")
