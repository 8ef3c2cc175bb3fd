"""Turns the engine's answers on people and on the blocklist into ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from wuts.domain.jid import Server
from wuts.session.jids import EngineJid, user_on
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class EngineDevice(EngineJid, Protocol):
    """The JID of a device as the engine gives it; the phone is device 0."""

    Device: int


class EngineUserInfo(Protocol):
    """What the engine gives of one person; what is not told is empty."""

    Status: str
    PictureID: str
    Devices: Sequence[EngineDevice]


class EngineBlocklist(Protocol):
    """The blocklist as the engine gives it."""

    DHash: str
    JIDs: Sequence[EngineJid]


_SERVERS = (Server.PN, Server.LID)


def user_info(rows: Iterable[EngineUserInfo], lid: str) -> pb.Reply:
    """Gives what the one row tells.

    An account has at least one device, so a row in which nothing is told says
    that nobody is there.
    """
    row = next(iter(rows), None)
    if row is None:
        return pb.Reply(failure=pb.Failure(kind=pb.FAILURE_KIND_MALFORMED_ANSWER))
    info = _user_info(row, lid)
    if info.devices or info.status or info.picture_id:
        return pb.Reply(user_info=info)
    return pb.Reply(failure=pb.Failure(kind=pb.FAILURE_KIND_NOT_ON_WHATSAPP))


def _user_info(row: EngineUserInfo, lid: str) -> pb.UserInfo:
    return pb.UserInfo(
        status=row.Status,
        picture_id=row.PictureID,
        devices=(text for text in map(_device, row.Devices) if text),
        lid=lid,
    )


def _device(jid: EngineDevice) -> str:
    for server in _SERVERS:
        user = user_on(jid, server)
        if user:
            return f"{user}:{jid.Device}@{server}" if jid.Device else f"{user}@{server}"
    return ""


def blocklist(told: EngineBlocklist) -> pb.Blocklist:
    """Gives the list; entries that are no people are left out."""
    found = ((user_on(jid, server), server) for jid in told.JIDs for server in _SERVERS)
    people = (pb.BlockedPerson(user=user, server=server) for user, server in found if user)
    return pb.Blocklist(people=people, dhash=told.DHash)
