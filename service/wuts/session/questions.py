"""What is asked of WhatsApp through the engine; each outcome is a reply.

All parameters of a picture are always set, because neonize drops them all when
one is missing. The LID map is read only while the gate admits calls: on a
client that is stopped or not linked the same read aborts the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wuts.domain.jid import Server
from wuts.session import failures, people
from wuts.session.gate import Admits
from wuts.session.jids import user_on
from wuts.session.numbers import NUMBER, checks
from wuts.session.roster import roster
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

    from wuts.session.gate import Gate
    from wuts.session.jids import EngineJid


_BACK_SECONDS: Final = 1.0
"""How long an answer waits for the connection, which may be lost and back before it is read."""


class Questions:
    """Asks over one client of the engine, which must be loaded."""

    def __init__(self, client: Any, gate: Gate) -> None:  # noqa: ANN401 # neonize has no types
        self._client = client
        self._gate = gate

    def picture(self, request: pb.PictureRequest) -> pb.Reply:
        """Asks for a picture."""
        from neonize.proto.Neonize_pb2 import GetProfilePictureParams  # noqa: PLC0415 # loaded by now

        # neonize ignores all three unless all three are set.
        wanted = GetProfilePictureParams(
            Preview=request.preview, ExistingID=request.existing_id, IsCommunity=False
        )
        jid = _jid(request.user, request.server)

        def ask() -> pb.Reply:
            told = self._client.get_profile_picture(jid, wanted)
            if told.ID:
                return pb.Reply(
                    picture=pb.Picture(
                        url=told.URL, id=told.ID, type=told.Type, direct_path=told.DirectPath
                    )
                )
            if request.existing_id:
                return pb.Reply(unchanged=pb.Unchanged())
            return pb.Reply(failure=pb.Failure(kind=pb.FAILURE_KIND_MALFORMED_ANSWER))

        return _answer(ask)

    def roster(self, request: pb.RosterRequest) -> pb.Reply:
        """Asks for a group's participants."""
        jid = _jid(request.user, Server.GROUP)
        return _answer(
            lambda: pb.Reply(roster=roster(self._client.get_group_info(jid).Participants))
        )

    def numbers(self, request: pb.NumbersRequest) -> pb.Reply:
        """Asks which phone numbers are on WhatsApp, and reads what that has taught.

        The engine gives somebody's LID and drops the phone number, which it has
        stored by then.
        """
        asked = frozenset(request.numbers)
        if not all(map(NUMBER.fullmatch, asked)):
            return pb.Reply(failure=pb.Failure(kind=pb.FAILURE_KIND_WRONG_JID))

        def ask() -> pb.Reply:
            rows = self._client.is_on_whatsapp(*sorted(asked))
            with self._gate.passage(Admits.CALLS, seconds=_BACK_SECONDS) as admitted:
                pn_of_lid = self._pn_of_lid if admitted else _unknown
                return pb.Reply(numbers=checks(rows, asked, pn_of_lid))

        return _answer(ask, if_nothing=pb.Reply(numbers=pb.NumberChecks()))

    def user_info(self, request: pb.UserInfoRequest) -> pb.Reply:
        """Asks what a person tells, and reads the LID that this has taught."""
        jid = _jid(request.user, request.server)

        def ask() -> pb.Reply:
            rows = self._client.get_user_info(jid)
            lid = request.user if request.server == Server.LID else self._taught_lid(jid)
            return people.user_info((row.UserInfo for row in rows), lid)

        return _answer(ask)

    def blocklist(self, _: pb.BlocklistRequest) -> pb.Reply:
        """Asks whom the account has blocked."""
        return _answer(lambda: pb.Reply(blocklist=people.blocklist(self._client.get_blocklist())))

    def block(self, request: pb.BlockRequest) -> pb.Reply:
        """Has somebody blocked or unblocked, and gives the list as it is then."""
        from neonize.utils.enum import BlocklistAction  # noqa: PLC0415 # loaded by now

        action = BlocklistAction.BLOCK if request.blocked else BlocklistAction.UNBLOCK
        jid = _jid(request.user, request.server)

        def ask() -> pb.Reply:
            told = self._client.update_blocklist(jid, action)
            # WhatsApp may say only that it was done.
            told = told if told.JIDs else self._client.get_blocklist()
            return pb.Reply(blocklist=people.blocklist(told))

        return _answer(ask)

    def pair_code(self, request: pb.PairPhoneRequest) -> pb.Reply:
        """Asks for a code to type into the phone; only while QR codes are shown."""
        from neonize.utils.enum import ClientName, ClientType  # noqa: PLC0415 # loaded by now

        # WhatsApp takes common browsers only; which one is of no consequence.
        return _answer(
            lambda: pb.Reply(
                pair_code=self._client.PairPhone(
                    phone=request.user,
                    show_push_notification=True,
                    client_name=ClientName.LINUX,
                    client_type=ClientType.CHROME,
                )
            )
        )

    def _pn_of_lid(self, lid: str) -> str:
        return _mapped(lambda: self._client.get_pn_from_lid(_jid(lid, Server.LID)), Server.PN)

    def _taught_lid(self, pn: object) -> str:
        with self._gate.passage(Admits.CALLS, seconds=_BACK_SECONDS) as admitted:
            if not admitted:
                return ""
            return _mapped(lambda: self._client.get_lid_from_pn(pn), Server.LID)


def _answer(ask: Callable[[], pb.Reply], *, if_nothing: pb.Reply | None = None) -> pb.Reply:
    """Gives what was told, or what the engine's error means.

    `if_nothing` is the reply to an answer of WhatsApp's in which nobody stands.
    """
    from neonize.exc import NeonizeError  # noqa: PLC0415 # loaded by now

    try:
        return ask()
    except NeonizeError as error:
        if if_nothing is not None and failures.is_nothing(error):
            return if_nothing
        return pb.Reply(failure=failures.read(error))


def _mapped(read: Callable[[], EngineJid], server: Server) -> str:
    """Reads the LID map; gives an empty text for whatever it does not tell."""
    from neonize.exc import NeonizeError  # noqa: PLC0415 # loaded by now

    try:
        # A miss is a JID whose parts are empty.
        return user_on(read(), server)
    except NeonizeError as error:
        failures.read(error)
        return ""


def _unknown(_: str) -> str:
    return ""


def _jid(user: str, server: str) -> object:
    from neonize.utils.jid import build_jid  # noqa: PLC0415 # loaded by now

    return build_jid(user, server)
