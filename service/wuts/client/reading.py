"""Reads protobuf messages into frozen dataclasses whose fields have the same names."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import (
    TYPE_CHECKING,
    Any,
    NamedTuple,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from google.protobuf import json_format

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

    Convert = Callable[[Any], Any]

T = TypeVar("T")

_TIMESTAMP = "google.protobuf.Timestamp"
_JSON = {"google.protobuf.Value", "google.protobuf.Struct"}


_READERS: dict[type, tuple[_Reader, ...]] = {}
# How to read each dataclass; always out of the same kind of message.


class _Reader(NamedTuple):
    name: str
    convert: Convert
    is_repeated: bool
    may_be_absent: bool

    def read(self, message: Message) -> object:
        """Gives the field's value: None when absent, a tuple when repeated."""
        if self.may_be_absent and not message.HasField(self.name):
            return None
        value = getattr(message, self.name)
        return tuple(map(self.convert, value)) if self.is_repeated else self.convert(value)


def value_of(kind: type[T], message: Message) -> T:
    """Reads a message into a dataclass; fields that only the message has are left out."""
    readers = _READERS.get(kind) or _learn(kind, message)
    return kind(*(reader.read(message) for reader in readers))


def _learn(kind: type, message: Message) -> tuple[_Reader, ...]:
    hints = get_type_hints(kind)
    # The stubs name two classes for what is one at run time.
    known = cast("Mapping[str, FieldDescriptor]", message.DESCRIPTOR.fields_by_name)
    readers = tuple(_reader(known[one.name], hints[one.name]) for one in fields(kind))
    _READERS[kind] = readers
    return readers


def _reader(field: FieldDescriptor, hint: Any) -> _Reader:  # noqa: ANN401  # a type as written
    may_be_absent = isinstance(hint, types.UnionType) and field.has_presence
    kind = next(one for one in get_args(hint) or (hint,) if one is not types.NoneType)
    if field.message_type is not None and field.message_type.full_name in _JSON:
        return _Reader(field.name, json_format.MessageToDict, field.is_repeated, field.has_presence)
    convert = _converter(field, kind)
    return _Reader(field.name, convert, get_origin(hint) is tuple, may_be_absent)


def _converter(field: FieldDescriptor, kind: type) -> Convert:
    if field.message_type is not None and field.message_type.full_name == _TIMESTAMP:
        return lambda moment: moment.ToDatetime(tzinfo=UTC)
    if kind is datetime:
        return datetime.fromisoformat
    if is_dataclass(kind):
        return lambda message: value_of(kind, message)
    return kind
