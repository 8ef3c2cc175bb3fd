"""What answers say, whoever made them and in whatever form: for comparing, never for timing."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

from wuts.contacts.v1 import contacts_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.message import Message

_NAMES = ("first_name", "full_name", "push_name", "business_name")


def of_list(outcome: Sequence[object]) -> str:
    """Makes a short text of contacts: pages as bytes, or rows. Their order does not count."""
    contacts: list[tuple[str, ...]] = []
    for part in outcome:
        if isinstance(part, tuple):
            _, jid, _, *names = part
            contacts.append((jid, *names))
        elif isinstance(part, bytes):
            listed = pb.ListContactsResponse.FromString(part).contacts
            contacts.extend((c.jid, *(getattr(c, name) for name in _NAMES)) for c in listed)
        else:
            raise TypeError(part)
    return _short(sorted(contacts))


def of_resolution(outcome: Sequence[object]) -> str:
    """Makes a short text of resolved batches, given as bytes; their order counts."""
    answers = [pb.ResolveIdentifiersResponse.FromString(_bytes(part)) for part in outcome]
    return _short([str(item) for answer in answers for item in answer.items])


def of_json(pages: Iterable[dict[str, Any]]) -> str:
    """Makes the same text as `of_list` of the documented JSON."""
    contacts = (contact for page in pages for contact in page["contacts"])
    return _short(sorted((c["jid"], *(c.get(name, "") for name in _NAMES)) for c in contacts))


def of_object(told: dict[str, Any]) -> str:
    """Makes a text of the documented JSON of any call; the order of its fields does not count."""
    return json.dumps(told, sort_keys=True)


def of_message(message: Message) -> str:
    """Makes the same text as `of_object` of the message behind that JSON."""
    return of_object(json_format.MessageToDict(message, preserving_proto_field_name=True))


def _bytes(part: object) -> bytes:
    if not isinstance(part, bytes):
        raise TypeError(part)
    return part


def _short(told: Sequence[object]) -> str:
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=12).hexdigest()
