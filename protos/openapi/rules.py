"""What descriptors cannot say: `rules.toml`, checked against them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from openapi.source import Source

Json = dict[str, Any]


@dataclass(frozen=True)
class Reason:
    """How a reason reaches HTTP callers: its statuses, its text, an example of `validation`."""

    statuses: tuple[int, ...]
    text: str
    validation: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """What is told of one method; everything may be left out."""

    id: str = ""
    reasons: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    conditional: bool = False
    body: str = ""
    example: str = ""


@dataclass(frozen=True)
class Rules:
    """The file, as it is. Messages, services and methods have their full names."""

    info: Json
    reasons: Mapping[str, Reason]
    every: tuple[str, ...]
    pages: Mapping[str, Json]
    services: Mapping[str, Json]
    operations: Mapping[str, Operation]
    messages: Mapping[str, Json]
    components: Mapping[str, Json]

    @classmethod
    def read(cls, path: Path, source: Source) -> Self:
        """Reads the file; raises ValueError for what is in no proto."""
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        for name, kind in (("reasons", Reason), ("operations", Operation)):
            told[name] = {key: kind(**_frozen(each)) for key, each in told[name].items()}
        rules = cls(**_frozen(told))
        rules._check(source)
        return rules

    def of_field(self, message: str, name: str) -> Json:
        """Gives the JSON Schema keywords of a field; none in most cases."""
        found: Json = self.messages.get(message, {}).get(name, {})
        return found

    def always(self, message: str) -> Iterable[str]:
        """Names the message fields that are there in every answer."""
        names: Iterable[str] = self.messages.get(message, {}).get("always", ())
        return names

    def operation(self, method: str) -> Operation:
        """Gives what is told of a method."""
        return self.operations.get(method, Operation())

    def _check(self, source: Source) -> None:
        unknown = {*self.services} - {*source.services} | {*self.messages} - {*source.messages}
        methods = {
            f"{name}.{method.name}"
            for name, service in source.services.items()
            for method in service.method
        }
        unknown |= {*self.operations} - methods
        for name in {*self.messages} & {*source.messages}:
            fields = {field.name for field in source.messages[name].field}
            told = {*self.messages[name], *self.always(name)} - {"always"}
            unknown |= {f"{name}.{field}" for field in told - fields}
        if unknown:
            raise ValueError(f"rules.toml tells of what is in no proto: {sorted(unknown)}")


def _frozen(told: Json) -> Json:
    return {key: tuple(each) if isinstance(each, list) else each for key, each in told.items()}
