"""How a call fails: the envelope, the reasons, and the answers they make."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from openapi.source import prose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openapi.rules import Json, Rules
    from openapi.source import Source

_ENUM: Final = "wuts.contacts.v1.ErrorReason"
_PREFIX: Final = "ERROR_REASON_"
_UNTOLD: Final = "UNSPECIFIED"
_TIME: Final = "2026-06-15T12:00:00Z"
_WAITING: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class Failures:
    """The failures of operations; `components` are all answers that were asked for."""

    def __init__(self, source: Source, rules: Rules) -> None:
        self.components: dict[str, Json] = {}
        self._rules = rules.reasons
        self._told = {
            value.name.removeprefix(_PREFIX): _meaning(source, value.name)
            for value in source.enums[_ENUM].value
        }
        del self._told[_UNTOLD]
        if self._told.keys() != self._rules.keys():
            differing = sorted(self._told.keys() ^ self._rules.keys())
            message = f"[reasons] of rules.toml and ErrorReason differ: {differing}"
            raise ValueError(message)

    @property
    def codes(self) -> Json:
        """The schema of error_code."""
        meanings = "\n".join(f"* `{reason}`: {text}" for reason, text in self._told.items())
        return {"type": "string", "enum": [*self._told], "description": meanings}

    def answers(self, reasons: Iterable[str]) -> Json:
        """Refers to the answers, by status, of an operation that fails for these reasons."""
        wanted, by_status = {*reasons}, dict[int, list[str]]()
        for reason in self._told:
            for status in self._rules[reason].statuses if reason in wanted else ():
                by_status.setdefault(status, []).append(reason)
        return {str(status): self._refer(status, by_status[status]) for status in sorted(by_status)}

    def _refer(self, status: int, reasons: list[str]) -> Json:
        name = f"{status}-{'.'.join(reasons)}"
        self.components[name] = self._answer(status, reasons)
        return {"$ref": f"#/components/responses/{name}"}

    def _answer(self, status: int, reasons: list[str]) -> Json:
        narrowed = {"type": "object", "properties": {"error_code": {"enum": reasons}}}
        schema = {"allOf": [{"$ref": "#/components/schemas/Error"}, narrowed]}
        return {
            "description": "\n".join(f"* `{reason}`: {self._told[reason]}" for reason in reasons),
            "headers": _headers(status),
            "content": {
                "application/json": {
                    "schema": schema,
                    "examples": {reason: {"value": self._example(reason)} for reason in reasons},
                }
            },
        }

    def _example(self, reason: str) -> Json:
        rule = self._rules[reason]
        told = {"success": False, "error": rule.text, "error_code": reason, "timestamp": _TIME}
        return told | ({"validation": [rule.validation]} if rule.validation else {})


def _meaning(source: Source, value: str) -> str:
    lines = source.lines(f"{_ENUM}.{value}")
    sample = next((at for at, line in enumerate(lines) if line.lstrip().startswith("{")), None)
    return prose(lines[:sample])


def _headers(status: int) -> Json:
    names = {"x-request-id": "RequestId"}
    if status in _WAITING:
        names["retry-after"] = "RetryAfter"
    if status == HTTPStatus.UNAUTHORIZED:
        names["www-authenticate"] = "Challenge"
    return {key: {"$ref": f"#/components/headers/{name}"} for key, name in names.items()}
