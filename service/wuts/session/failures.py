"""What the engine's error texts mean.

The engine's errors carry no code; their texts are those of the pinned build.
This table is the only place that compares them.
"""

from __future__ import annotations

import logging
import re
from typing import Final

from wuts.session.v1 import session_pb2 as pb

_LOG = logging.getLogger(__name__)

_RATE_OVERLIMIT: Final = 429

_SERVER_ERROR = re.compile(r"info query returned status (\d{1,9})\b")
"""Any error of WhatsApp's that the engine has no text for; the number is WhatsApp's."""

_NOTHING: Final = "Function returned nothing."
"""The engine's text for an answer of WhatsApp's that lists nobody."""

_WRAPPINGS: Final = (
    "failed to send usync query: ",
    "failed to store LID mappings: ",
    "error sending logout request: ",
)
"""What some calls put before the text of the error that counts."""

_ABOUT_A_PERSON: Final = re.compile(
    r"failed to (?:get LID for PN|resolve PN for|get user info for) \S+(?: to fill LID cache)?: "
)
"""What changing the blocklist puts before that; it names the person."""

_MEANINGS: Final[tuple[tuple[str, pb.FailureKind.ValueType], ...]] = (
    ("that user or group does not have a profile picture", pb.FAILURE_KIND_PICTURE_NOT_SET),
    ("the user has hidden their profile picture from you", pb.FAILURE_KIND_PICTURE_HIDDEN),
    ("you're not participating in that group", pb.FAILURE_KIND_GROUP_FORBIDDEN),
    ("that group does not exist", pb.FAILURE_KIND_GROUP_NOT_FOUND),
    ("info query timed out", pb.FAILURE_KIND_TIMED_OUT),
    ("websocket not connected", pb.FAILURE_KIND_NOT_CONNECTED),
    ("websocket disconnected before info query", pb.FAILURE_KIND_NOT_CONNECTED),
    ("client is nil", pb.FAILURE_KIND_NOT_CONNECTED),
    ("invalid use of deleted device", pb.FAILURE_KIND_NOT_CONNECTED),
    ("the store doesn't contain a device JID", pb.FAILURE_KIND_NOT_CONNECTED),
    ("missing <picture> element", pb.FAILURE_KIND_MALFORMED_ANSWER),
    ("missing <list> element", pb.FAILURE_KIND_MALFORMED_ANSWER),
    ("no LID found for", pb.FAILURE_KIND_NOT_ON_WHATSAPP),
    ("[didn't find required attribute", pb.FAILURE_KIND_MALFORMED_ANSWER),
    (_NOTHING, pb.FAILURE_KIND_MALFORMED_ANSWER),
    ("database is locked", pb.FAILURE_KIND_STORE_LOCKED),
    ("unknown user server", pb.FAILURE_KIND_WRONG_JID),
    ("invalid GetPNForLID call with non-LID JID", pb.FAILURE_KIND_WRONG_JID),
    ("invalid GetLIDForPN call with non-PN JID", pb.FAILURE_KIND_WRONG_JID),
    ("failed to dial whatsapp web websocket", pb.FAILURE_KIND_UNREACHABLE),
    ("noise handshake failed", pb.FAILURE_KIND_HANDSHAKE),
    # An event that the engine cannot tell: it tells none any more, and must be replaced.
    ("proto: required field neonize.ConnectFailure", pb.FAILURE_KIND_UNKNOWN_REFUSAL),
    ("proto: required field neonize.TemporaryBan", pb.FAILURE_KIND_UNKNOWN_REFUSAL),
    ("proto: required field neonize.Group", pb.FAILURE_KIND_MALFORMED_ANSWER),
)
"""How a text begins, and what it means; no beginning is the beginning of another."""


def classify(text: str) -> pb.Failure:
    """Tells what an error text of the engine means.

    An unknown text gives the kind UNSPECIFIED: it may hold a JID and must
    reach nobody but this process's own standard error.
    """
    text = _ABOUT_A_PERSON.sub("", text, count=1)
    for wrapping in _WRAPPINGS:
        text = text.removeprefix(wrapping)
    status = _SERVER_ERROR.match(text)
    if status is not None:
        return _server_error(int(status[1]))
    for beginning, kind in _MEANINGS:
        if text.startswith(beginning):
            return pb.Failure(kind=kind)
    return pb.Failure(kind=pb.FAILURE_KIND_UNSPECIFIED)


def read(error: Exception) -> pb.Failure:
    """Tells what an error of the engine means."""
    text = _text(error)
    failure = classify(text)
    if failure.kind == pb.FAILURE_KIND_UNSPECIFIED:
        _LOG.error("unknown error text: %s", text)
    return failure


def is_nothing(error: Exception) -> bool:
    """Tells whether WhatsApp answered, and said nothing of anybody asked about."""
    return _text(error) == _NOTHING


def _text(error: Exception) -> str:
    """Reads the text; the picture's error carries it one level deeper than all others."""
    told = error.args[0] if error.args else ""
    return told if isinstance(told, str) else str(getattr(told, "Error", ""))


def _server_error(code: int) -> pb.Failure:
    if code == _RATE_OVERLIMIT:
        return pb.Failure(kind=pb.FAILURE_KIND_RATE_LIMITED, code=code)
    return pb.Failure(kind=pb.FAILURE_KIND_SERVER_ERROR, code=code)
