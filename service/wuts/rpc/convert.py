"""Domain values to protobuf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import struct_pb2, timestamp_pb2

from wuts.contacts.v1 import budget_pb2, contact_pb2, picture_pb2
from wuts.domain.facts import Source
from wuts.domain.picture import Unchanged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

    from wuts.domain.contact import Contact
    from wuts.domain.enquiry import Budget, QueryBudget
    from wuts.domain.picture import Picture
    from wuts.usecases.get_profile_picture import FoundPicture


def add_contacts(
    target: RepeatedCompositeFieldContainer[contact_pb2.Contact],
    contacts: Iterable[Contact],
    *,
    full: bool,
) -> None:
    """Appends contacts to a response; unknown fields stay unset."""
    # Setting what is known costs half of what passing everything to add() does.
    add = target.add
    for jid, lid_jid, first, full_name, push, business in contacts:
        message = add()
        message.jid = jid
        if first:
            message.first_name = first
        if full_name:
            message.full_name = full_name
        if push:
            message.push_name = push
        if business:
            message.business_name = business
        if full and lid_jid:
            message.lid_jid = lid_jid


def picture(found: FoundPicture, *, full: bool) -> picture_pb2.ProfilePicture:
    """Makes the `data` of a picture; an unchanged one has a null url."""
    held = found.heard.answer
    message = _unchanged(held) if isinstance(held, Unchanged) else _available(held, full=full)
    message.jid = str(found.chat)
    if full:
        message.status = "UNCHANGED" if isinstance(held, Unchanged) else "AVAILABLE"
        message.source = Source.CACHE if found.heard.remembered else Source.SERVER
        message.observed_at.CopyFrom(timestamp(found.heard.at))
    return message


def _unchanged(held: Unchanged) -> picture_pb2.ProfilePicture:
    null = struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    return picture_pb2.ProfilePicture(url=null, id=held.id, unchanged=True)


def _available(held: Picture, *, full: bool) -> picture_pb2.ProfilePicture:
    ends = held.expires_at if full else None
    return picture_pb2.ProfilePicture(
        url=struct_pb2.Value(string_value=held.url),
        id=held.id,
        type=held.kind,
        direct_path=held.direct_path,
        expires_at=timestamp(ends) if ends else None,
    )


def budget(left: Budget) -> budget_pb2.Budget:
    """Makes the `data` of a budget."""
    return budget_pb2.Budget(
        items=map(_query_budget, left.queries),
        quiet_until=timestamp(left.quiet_until) if left.quiet_until else None,
    )


def _query_budget(left: QueryBudget) -> budget_pb2.QueryBudget:
    return budget_pb2.QueryBudget(
        query_class=left.query_class,
        remaining=left.remaining,
        burst=left.burst,
        per_hour=left.per_hour,
        retry_after=left.retry_after,
    )


def timestamp(moment: datetime) -> timestamp_pb2.Timestamp:
    """Writes a time, in whole seconds as all times here are."""
    return timestamp_pb2.Timestamp(seconds=int(moment.timestamp()))
