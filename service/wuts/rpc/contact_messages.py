"""Profiles and blocklists to protobuf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import struct_pb2

from wuts.contacts.v1 import blocklist_pb2, profile_pb2
from wuts.domain.jid import Server

if TYPE_CHECKING:
    from wuts.domain.jid import Jid
    from wuts.domain.profile import UserInfo
    from wuts.usecases.blocklist import BlockChange, FoundBlocklist
    from wuts.usecases.get_contact_profile import FoundProfile

_NULL = struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)


def profile(found: FoundProfile) -> profile_pb2.ContactProfile:
    """Makes the `data` of a profile."""
    return profile_pb2.ContactProfile(
        jid=str(found.jid), user_info=_user_info(found.info), business_profile=_NULL
    )


def _user_info(info: UserInfo) -> struct_pb2.Struct:
    told = struct_pb2.Struct()
    told.update(
        {
            "Status": info.status,
            "PictureID": info.picture_id,
            "Devices": list(info.devices),
            "VerifiedName": None,  # the engine reads it and does not give it away
        }
    )
    return told


def blocklist(found: FoundBlocklist) -> blocklist_pb2.Blocklist:
    """Makes the `data` of a blocklist."""
    items = [
        blocklist_pb2.BlockedContact(jid=str(jid), phone_number=_phone_number(jid))
        for jid in found.people
    ]
    return blocklist_pb2.Blocklist(items=items, count=len(items), dhash=found.dhash)


def block_change(change: BlockChange) -> blocklist_pb2.BlockChange:
    """Makes the `data` of a change."""
    return blocklist_pb2.BlockChange(
        jid=str(change.person),
        phone_number=_phone_number(change.person),
        action="block" if change.blocked else "unblock",
        blocked=change.blocked,
        count=change.count,
        dhash=change.dhash,
    )


def _phone_number(jid: Jid) -> str | None:
    return jid.user if jid.server is Server.PN else None
