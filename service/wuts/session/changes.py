"""Turns the engine's notices that something changed into ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wuts.domain.jid import Server
from wuts.session.jids import user_on
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from wuts.session.jids import EngineJid


def picture_changed(chat: EngineJid) -> pb.Event | None:
    """Says that a person's or a group's picture was set or removed."""
    return _changed(pb.CHANGE_KIND_PICTURE, chat, *Server)


def group_changed(group: EngineJid) -> pb.Event | None:
    """Says that a group has other participants or settings, or is new."""
    return _changed(pb.CHANGE_KIND_GROUP, group, Server.GROUP)


def _changed(kind: pb.ChangeKind.ValueType, chat: EngineJid, *servers: Server) -> pb.Event | None:
    """Gives None for a JID that is absent or of no kind that is asked about."""
    for server in servers:
        if user := user_on(chat, server):
            return pb.Event(changed=pb.Changed(kind=kind, user=user, server=server))
    return None
