"""Reads a world document and says in one line what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from wuts_sandbox.world.document import World

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

MAX_DOCUMENT_BYTES = 256 * 1024 * 1024


class WorldError(ValueError):
    """The document is unreadable or breaks a rule; the text is one line with the place."""


def read_world(path: Path) -> World:
    """Reads a world document; raises WorldError."""
    try:
        if path.stat().st_size > MAX_DOCUMENT_BYTES:
            message = f"{path}: world document is too large"
            raise WorldError(message)
        text = path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise WorldError(message) from error
    try:
        return World.model_validate_json(text)
    except ValidationError as error:
        message = f"{path}: {first_fault(error)}"
        raise WorldError(message) from error


def first_fault(error: ValidationError) -> str:
    """Describes the first fault as `path: what`, for instance `accounts.0.colour: unknown key`."""
    # An object where a word was also possible fails twice; the deeper place is the real fault.
    fault = max(error.errors(include_url=False, include_input=False), key=_depth)
    unknown = fault["type"] == "extra_forbidden"
    what = "unknown key" if unknown else fault["msg"].removeprefix("Value error, ")
    place = ".".join(str(part) for part in fault["loc"] if not _is_choice(part))
    more = error.error_count() - 1
    rest = f" (and {more} more)" if more and not unknown else ""
    return f"{place or 'document'}: {what}{rest}".replace("\n", " ")


def _depth(fault: Any) -> tuple[bool, int]:  # noqa: ANN401  # pydantic's ErrorDetails, by shape
    places = [part for part in fault["loc"] if not _is_choice(part)]
    return fault["type"] == "extra_forbidden", 2 * len(places) + (fault["type"] == "literal_error")


def _is_choice(part: int | str) -> bool:
    # pydantic names the alternative it tried, which is no key of the document.
    return isinstance(part, str) and (part == "Picture" or part.startswith("literal["))
