"""What a session process's replies mean in the domain's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wuts.domain.blocklist import Blocklist
from wuts.domain.enquiry import Change, ChangeKind, NumberCheck
from wuts.domain.errors import (
    Busy,
    DeviceNotReady,
    DomainError,
    GroupForbidden,
    GroupNotFound,
    NotOnWhatsapp,
    PictureHidden,
    PictureNotSet,
    RateLimited,
    StoreUnavailable,
    WhatsappError,
    WhatsappTimeout,
)
from wuts.domain.group import Participant, Roster
from wuts.domain.jid import Jid, Server
from wuts.domain.picture import Picture, Unchanged
from wuts.domain.profile import UserInfo
from wuts.domain.state import DeviceState, Reason
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

_BUSY_SECONDS: Final = 1


def picture(reply: pb.Reply, *, existing_id: str, slow_down_seconds: int) -> Picture | Unchanged:
    """Reads the answer to a question for a picture; raises what it says went wrong."""
    match reply.WhichOneof("outcome"):
        case "picture":
            told = reply.picture
            return Picture(url=told.url, id=told.id, kind=told.type, direct_path=told.direct_path)
        case "unchanged":
            return Unchanged(id=existing_id)
        case _:
            raise error(reply.failure, slow_down_seconds=slow_down_seconds)


def roster(reply: pb.Reply, *, slow_down_seconds: int) -> Roster:
    """Reads the answer to a question for a roster; raises what it says went wrong."""
    if reply.WhichOneof("outcome") != "roster":
        raise error(reply.failure, slow_down_seconds=slow_down_seconds)
    told = reply.roster.participants
    return Roster([Participant(each.pn, each.lid, each.redacted_phone) for each in told])


def numbers(reply: pb.Reply, *, slow_down_seconds: int) -> dict[str, NumberCheck]:
    """Reads the answer on phone numbers; raises what it says went wrong."""
    if reply.WhichOneof("outcome") != "numbers":
        raise error(reply.failure, slow_down_seconds=slow_down_seconds)
    told = reply.numbers.checks
    return {
        each.asked: NumberCheck(each.asked, each.registered, each.pn, each.lid) for each in told
    }


def user_info(reply: pb.Reply, *, slow_down_seconds: int) -> UserInfo:
    """Reads the answer on a person; raises what it says went wrong."""
    if reply.WhichOneof("outcome") != "user_info":
        raise error(reply.failure, slow_down_seconds=slow_down_seconds)
    told = reply.user_info
    return UserInfo(told.status, told.picture_id, tuple(told.devices), told.lid)


def blocklist(reply: pb.Reply, *, slow_down_seconds: int) -> Blocklist:
    """Reads the blocklist; raises what the answer says went wrong."""
    if reply.WhichOneof("outcome") != "blocklist":
        raise error(reply.failure, slow_down_seconds=slow_down_seconds)
    told = reply.blocklist
    people = (Jid(one.user, Server(one.server)) for one in told.people if one.server in _SERVERS)
    return Blocklist(tuple(people), told.dhash)


def change(changed: pb.Changed) -> Change | None:
    """Reads what changed; None for what has no name here."""
    kind = _CHANGES.get(changed.kind)
    if kind is None or changed.server not in _SERVERS or not changed.user:
        return None
    return Change(kind, Jid(changed.user, Server(changed.server)))


def logged_out(reply: pb.Reply, *, slow_down_seconds: int) -> None:
    """Reads the answer to a log-out; raises what it says went wrong."""
    if reply.WhichOneof("outcome") != "logged_out":
        raise error(reply.failure, slow_down_seconds=slow_down_seconds)


def pair_code(reply: pb.Reply, *, slow_down_seconds: int) -> str:
    """Reads the answer to a question for a pair code; raises what it says went wrong."""
    if reply.WhichOneof("outcome") != "pair_code":
        raise error(reply.failure, slow_down_seconds=slow_down_seconds)
    return reply.pair_code


def error(failure: pb.Failure, *, slow_down_seconds: int) -> DomainError:
    """Names the situation; whatever has no name of its own is a WhatsappError."""
    if failure.kind == pb.FAILURE_KIND_RATE_LIMITED:
        # Without WhatsApp's number it was the process that has too much to do.
        return RateLimited(slow_down_seconds) if failure.code else Busy(_BUSY_SECONDS)
    if failure.kind == pb.FAILURE_KIND_NOT_CONNECTED:
        # The engine knew before its event could arrive here.
        lost = Reason.CONNECTION_LOST
        return DeviceNotReady(DeviceState.RECONNECTING, reason=lost, retry_after=1)
    situation = _SITUATIONS.get(failure.kind)
    return WhatsappError(failure.code) if situation is None else situation()


_CHANGES = {
    pb.CHANGE_KIND_PICTURE: ChangeKind.PICTURE,
    pb.CHANGE_KIND_GROUP: ChangeKind.GROUP,
}

_SERVERS = frozenset(Server)

_SITUATIONS: dict[int, Callable[[], DomainError]] = {
    pb.FAILURE_KIND_PICTURE_HIDDEN: PictureHidden,
    pb.FAILURE_KIND_PICTURE_NOT_SET: PictureNotSet,
    pb.FAILURE_KIND_TIMED_OUT: WhatsappTimeout,
    pb.FAILURE_KIND_NOT_ON_WHATSAPP: NotOnWhatsapp,
    pb.FAILURE_KIND_GROUP_NOT_FOUND: GroupNotFound,
    pb.FAILURE_KIND_GROUP_FORBIDDEN: GroupForbidden,
    pb.FAILURE_KIND_STORE_LOCKED: StoreUnavailable,
}
