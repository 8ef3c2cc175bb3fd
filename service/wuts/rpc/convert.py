"""Domain values to protobuf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import struct_pb2

from wuts.contacts.v1 import contact_pb2, picture_pb2, resolved_identifier_pb2
from wuts.domain.identity import Identity, Status
from wuts.domain.picture import Unchanged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

    from wuts.domain.contact import Contact
    from wuts.usecases.get_profile_picture import FoundPicture
    from wuts.usecases.resolve_identifiers import Invalid


def add_contacts(
    target: RepeatedCompositeFieldContainer[contact_pb2.Contact],
    contacts: Iterable[Contact],
    *,
    full: bool,
) -> None:
    """Appends contacts to a response; unknown fields stay unset."""
    for jid, lid_jid, first, full_name, push, business in contacts:
        target.add(
            jid=jid,
            first_name=first or None,
            full_name=full_name or None,
            push_name=push or None,
            business_name=business or None,
            lid_jid=(lid_jid or None) if full else None,
        )


def picture(found: FoundPicture) -> picture_pb2.ProfilePicture:
    """Makes the `data` of a picture; an unchanged one has a null url."""
    held = found.picture
    if isinstance(held, Unchanged):
        return picture_pb2.ProfilePicture(
            jid=str(found.chat),
            url=struct_pb2.Value(null_value=struct_pb2.NULL_VALUE),
            id=held.id,
            unchanged=True,
        )
    return picture_pb2.ProfilePicture(
        jid=str(found.chat),
        url=struct_pb2.Value(string_value=held.url),
        id=held.id,
        type=held.kind,
        direct_path=held.direct_path,
    )


def resolved(
    text: str, result: Identity | Invalid, *, full: bool
) -> resolved_identifier_pb2.ResolvedIdentifier:
    """Makes the item of one input."""
    if isinstance(result, Identity):
        return _known(text, result, full=full)
    return resolved_identifier_pb2.ResolvedIdentifier(
        input=text, status=Status.INVALID_IDENTIFIER, detail=result.detail
    )


def _known(
    text: str, identity: Identity, *, full: bool
) -> resolved_identifier_pb2.ResolvedIdentifier:
    names, pn = identity.names, identity.pn
    return resolved_identifier_pb2.ResolvedIdentifier(
        input=text,
        input_jid=str(identity.asked),
        resolved_jid=str(pn) if pn else None,
        jid=str(identity.best),
        phone_number=pn.user if pn else None,
        lid_jid=str(identity.lid) if identity.lid else None,
        full_name=names.full or None,
        push_name=names.push or None,
        first_name=(names.first or None) if full else None,
        business_name=(names.business or None) if full else None,
        status=identity.status,
    )
