"""How the transcoder reads what the description forbids; gateway/README.md tells it in prose.

The description is the promise. What the gateway takes beyond it may be refused one day, and so is
not described: each leniency is one function here, which turns a request into what is read of it.
"""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

_BOOLEANS: Final = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}


def read_query(query: Json, schemas: dict[str, Json]) -> Json:
    """Reads a query as the gateway and the service do."""
    read = without_empty_texts(query)
    return {name: in_other_words(value, schemas.get(name, {})) for name, value in read.items()}


def read_body(body: Json, schema: Json) -> Json:
    """Reads a body as the gateway and the service do."""
    read = without_nulls(body)
    for name, rule in schema["properties"].items():
        if name in read:
            step = as_list if rule.get("type") == "array" else in_other_words
            read[name] = step(read[name], rule)
    return without_empty_texts(read)


def without_empty_texts(told: Json) -> Json:
    """An empty text means the same as leaving the field out, as the description says."""
    return {name: value for name, value in told.items() if value != ""}


def without_nulls(told: Json) -> Json:
    """A null means the same as leaving the field out, as always in the JSON of protobuf."""
    return {name: value for name, value in told.items() if value is not None}


def in_other_words(value: object, schema: Json) -> object:
    """A truth value may be written as a text, and in other words; `preview=0` is documented."""
    if schema.get("type") != "boolean" or not isinstance(value, str | int):
        return value
    return _BOOLEANS.get(str(value).lower(), value)


def as_list(value: object, _schema: Json) -> object:
    """One text stands for a list of one; lists in a list are joined; nulls in it vanish."""
    if isinstance(value, str):
        return [value]
    return list(_flat(value)) if isinstance(value, list) else value


def _flat(items: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for item in items:
        flat.extend(_flat(item) if isinstance(item, list) else [item])
    return [item for item in flat if item is not None]
