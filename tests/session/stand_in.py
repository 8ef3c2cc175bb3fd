"""A session process without an engine, which does what a test wants of it.

`behaviour.json` in its directory holds one Behaviour for each start, the last
one for all further starts. After that the user of a picture or group, or the
first number of a check, says what to answer, and signals play WhatsApp's part:
SIGUSR1 scans the code or brings the connection back, SIGUSR2 fails the pairing
or takes the connection away.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from wuts.session.framing import Deframer, frame
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = "behaviour.json"
PAIR_CODE = "ABCD-1234"


@dataclass(frozen=True)
class Behaviour:
    """What the process does by itself."""

    hello: str = "ok"
    """Or "never", "nonsense", "busy", "refused", "corrupt"."""
    sandbox: bool = True
    linked: bool = True
    states: Sequence[str] = ("CONNECTING", "CONNECTED")
    """Told once it may connect."""
    codes: Sequence[str] = ()
    output: Sequence[str] = ()
    """Written to standard output at the start."""
    deaf: bool = False
    """Whether it ignores the request to stop, and signals that can be ignored."""


class Ask(StrEnum):
    """The users that have a meaning; all others have a picture and a group."""

    HIDDEN = "5500000000001"
    NOT_SET = "5500000000002"
    RATE_LIMITED = "5500000000003"
    TIMED_OUT = "5500000000004"
    SERVER_ERROR = "5500000000005"
    MALFORMED = "5500000000006"
    NOT_CONNECTED = "5500000000007"
    UNKNOWN_TEXT = "5500000000008"
    GROUP_NOT_FOUND = "5500000000009"
    GROUP_FORBIDDEN = "5500000000010"
    STORE_LOCKED = "5500000000011"
    NOBODY = "5500000000012"
    """As a number: nobody has it."""
    NOT_ON_WHATSAPP = "5500000000016"
    """As a person: nobody is there."""
    UNSAID = "5500000000013"
    """As a number: it is left out of the answer."""
    RESPELT = "5500000000014"
    """As a number: it is another's spelling."""
    CHANGES = "5500000000015"
    """Tells that everything known may be outdated, and nonsense between, then answers."""
    SILENT = "5500000000020"
    """Is answered only when RELEASE is asked."""
    RELEASE = "5500000000021"
    DIE = "5500000000030"
    NONSENSE = "5500000000031"
    SECOND_HELLO = "5500000000032"
    LOGGED_OUT = "5500000000040"
    REPLACED = "5500000000041"
    BANNED = "5500000000042"
    OUTDATED = "5500000000043"
    FAILED = "5500000000044"


_FAILURES = {
    Ask.HIDDEN: (pb.FAILURE_KIND_PICTURE_HIDDEN, 0),
    Ask.NOT_SET: (pb.FAILURE_KIND_PICTURE_NOT_SET, 0),
    Ask.RATE_LIMITED: (pb.FAILURE_KIND_RATE_LIMITED, 429),
    Ask.TIMED_OUT: (pb.FAILURE_KIND_TIMED_OUT, 0),
    Ask.SERVER_ERROR: (pb.FAILURE_KIND_SERVER_ERROR, 463),
    Ask.MALFORMED: (pb.FAILURE_KIND_MALFORMED_ANSWER, 0),
    Ask.NOT_CONNECTED: (pb.FAILURE_KIND_NOT_CONNECTED, 0),
    Ask.UNKNOWN_TEXT: (pb.FAILURE_KIND_UNSPECIFIED, 0),
    Ask.GROUP_NOT_FOUND: (pb.FAILURE_KIND_GROUP_NOT_FOUND, 0),
    Ask.GROUP_FORBIDDEN: (pb.FAILURE_KIND_GROUP_FORBIDDEN, 0),
    Ask.STORE_LOCKED: (pb.FAILURE_KIND_STORE_LOCKED, 0),
    Ask.NOT_ON_WHATSAPP: (pb.FAILURE_KIND_NOT_ON_WHATSAPP, 0),
}

_STATES = {
    Ask.LOGGED_OUT: pb.StateChange(state=pb.CONNECTION_STATE_LOGGED_OUT, code=401),
    Ask.REPLACED: pb.StateChange(state=pb.CONNECTION_STATE_REPLACED),
    Ask.BANNED: pb.StateChange(state=pb.CONNECTION_STATE_BANNED, code=101, expires_in=3600),
    Ask.OUTDATED: pb.StateChange(state=pb.CONNECTION_STATE_OUTDATED, code=405),
    Ask.FAILED: pb.StateChange(state=pb.CONNECTION_STATE_FAILED),
}


def write_behaviour(directory: Path, *behaviours: Behaviour) -> None:
    """Says how the next starts in that directory go."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = json.dumps([asdict(behaviour) for behaviour in behaviours])
    (directory / FILE).write_text(text)


CANONICAL = "550000000014"
"""How RESPELT is spelt well."""

CHANGES = [
    pb.Changed(kind=pb.CHANGE_KIND_PICTURE, user="5511999999999", server="s.whatsapp.net"),
    pb.Changed(kind=pb.CHANGE_KIND_PICTURE, user="112233445566778", server="lid"),
    pb.Changed(user="5511999999999", server="s.whatsapp.net"),
    pb.Changed(kind=pb.CHANGE_KIND_PICTURE, user="5511999999999", server="newsletter"),
    pb.Changed(kind=pb.CHANGE_KIND_GROUP, server="g.us"),
    pb.Changed(kind=pb.CHANGE_KIND_GROUP, user="120363039000000000", server="g.us"),
]


class StandIn:
    """One run of the process."""

    def __init__(self, connection: socket.socket, behaviour: Behaviour) -> None:
        self.connection = connection
        self.behaviour = behaviour
        self.is_linking = False
        self.silent: list[int] = []
        self.blocked: list[str] = []

    def run(self) -> None:
        """Serves until the service goes away or asks to stop."""
        for line in self.behaviour.output:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
        self.introduce()
        signal.signal(signal.SIGUSR1, lambda *_: self.on_good_signal())
        signal.signal(signal.SIGUSR2, lambda *_: self.on_bad_signal())
        deframer = Deframer(pb.Request)
        while data := self.connection.recv(65536):
            for request in deframer.feed(data):
                self.take(request)

    @property
    def is_linked(self) -> bool:
        """Whether the store would hold a device."""
        return Path("linked").exists() if Path("fresh").exists() else self.behaviour.linked

    def set_linked(self, *, linked: bool) -> None:
        """Notes that, from now on, the store does or does not hold a device."""
        Path("fresh").touch()
        if linked:
            Path("linked").touch()
        else:
            Path("linked").unlink(missing_ok=True)

    def introduce(self) -> None:
        """Says hello, or whatever else stands in for it."""
        match self.behaviour.hello:
            case "ok":
                hello = pb.Hello(
                    engine="none", sandbox=self.behaviour.sandbox, linked=self.is_linked
                )
                self.tell(pb.Event(hello=hello))
            case "nonsense":
                self.connection.sendall(b"\xff" * 64)
            case "busy":
                self.tell_state("STORE_BUSY")
            case "refused":
                self.tell_state("STORE_REFUSED")
            case "corrupt":
                refused = pb.CONNECTION_STATE_STORE_REFUSED
                cause = pb.FAILURE_KIND_STORE_CORRUPT
                self.tell(pb.Event(state=pb.StateChange(state=refused, cause=cause)))

    def take(self, request: pb.Request) -> None:
        """Obeys one request."""
        match request.WhichOneof("call"):
            case "connect":
                self.connect()
            case "stop":
                if not self.behaviour.deaf:
                    sys.exit(0)
            case "logout":
                self.logout(request.id)
            case "pair_phone":
                reply = pb.Reply(pair_code=PAIR_CODE)
                self.answer(request.id, request.pair_phone.user, reply)
            case _:
                self.take_question(request)

    def take_question(self, request: pb.Request) -> None:
        """Answers one question."""
        match request.WhichOneof("call"):
            case "picture":
                self.answer(request.id, request.picture.user, self.picture(request.picture))
            case "roster":
                self.answer(request.id, request.roster.user, roster())
            case "numbers":
                asked = request.numbers.numbers
                self.answer(request.id, asked[0], numbers(asked))
            case "user_info":
                self.answer(request.id, request.user_info.user, user_info(request.user_info))
            case "blocklist":
                self.answer(request.id, "", self.blocklist())
            case "block":
                self.block(request.block)
                self.answer(request.id, request.block.user, self.blocklist())

    def connect(self) -> None:
        """Tells the states and shows the codes."""
        states = self.behaviour.states
        self.is_linking = not self.is_linked
        if self.is_linking and "LINKING" not in states:
            states = ("LINKING",)
        for state in states:
            self.tell_state(state)
        for code in self.behaviour.codes:
            self.tell(pb.Event(qr_text=code))

    def logout(self, number: int) -> None:
        """Logs the device out."""
        self.set_linked(linked=False)
        self.reply(number, "", pb.Reply(logged_out=pb.LoggedOut()))
        change = pb.StateChange(state=pb.CONNECTION_STATE_LOGGED_OUT, requested=True)
        self.tell(pb.Event(state=change))

    def answer(self, number: int, user: str, reply: pb.Reply) -> None:
        """Answers one call as its user wants."""
        if user == Ask.DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        elif user == Ask.SILENT:
            self.silent.append(number)
        elif user == Ask.NONSENSE:
            self.connection.sendall(b"\xff" * 64)
        elif user == Ask.SECOND_HELLO:
            self.introduce()
        elif user in _STATES:
            self.tell(pb.Event(state=_STATES[Ask(user)]))
        else:
            self.reply(number, user, reply)

    def reply(self, number: int, user: str, reply: pb.Reply) -> None:
        """Sends a reply; RELEASE sends all that were kept back first."""
        if user == Ask.RELEASE:
            for each in self.silent:
                self.tell(pb.Event(reply=pb.Reply(id=each, picture=pb.Picture(id="late"))))
            self.silent.clear()
        if user == Ask.CHANGES:
            for changed in CHANGES:
                self.tell(pb.Event(changed=changed))
        if user in _FAILURES:
            kind, code = _FAILURES[Ask(user)]
            reply = pb.Reply(failure=pb.Failure(kind=kind, code=code))
        reply.id = number
        self.tell(pb.Event(reply=reply))

    def block(self, request: pb.BlockRequest) -> None:
        """Blocks or unblocks somebody, whose LID is as `user_info` tells."""
        lid = request.user if request.server == "lid" else f"9{request.user}"
        others = [each for each in self.blocked if each != lid]
        self.blocked = [*others, lid] if request.blocked else others

    def blocklist(self) -> pb.Reply:
        """Gives the list, and an entry that is nobody."""
        people = [pb.BlockedPerson(user=lid, server="lid") for lid in self.blocked]
        nobody = pb.BlockedPerson(user="1", server="newsletter")
        dhash = f"2:{''.join(sorted(self.blocked))}"
        return pb.Reply(blocklist=pb.Blocklist(people=[*people, nobody], dhash=dhash))

    @staticmethod
    def picture(request: pb.PictureRequest) -> pb.Reply:
        """Gives everyone the same picture."""
        if request.existing_id == "1700000000":
            return pb.Reply(unchanged=pb.Unchanged())
        kind = "preview" if request.preview else "image"
        told = pb.Picture(url="https://pps.example/a", id="1700000000", type=kind, direct_path="/a")
        return pb.Reply(picture=told)

    def on_good_signal(self) -> None:
        """Scans the code, or brings the connection back."""
        if self.is_linking:
            self.is_linking = False
            self.set_linked(linked=True)
            self.tell_state("PAIRED")
        self.tell_state("CONNECTED")

    def on_bad_signal(self) -> None:
        """Fails the pairing, or takes the connection away."""
        if self.is_linking:
            sys.stdout.write("Login event: error\n")
            sys.stdout.flush()
        else:
            self.tell_state("RECONNECTING")

    def tell_state(self, name: str) -> None:
        """Tells a state by its name."""
        state = pb.ConnectionState.Value(f"CONNECTION_STATE_{name}")
        self.tell(pb.Event(state=pb.StateChange(state=state)))

    def tell(self, event: pb.Event) -> None:
        """Sends an event."""
        self.connection.sendall(frame(event))


def roster() -> pb.Reply:
    """Gives every group the same participants."""
    participants = [
        pb.Participant(pn="5511999999999", lid="112233445566778"),
        pb.Participant(lid="112233445566779", redacted_phone="+55 11 ****-**12"),
    ]
    return pb.Reply(roster=pb.Roster(participants=participants))


def user_info(request: pb.UserInfoRequest) -> pb.Reply:
    """Says of everybody the same."""
    device = f"{request.user}@{request.server}"
    lid = request.user if request.server == "lid" else f"9{request.user}"
    info = pb.UserInfo(status="Hello", picture_id="1700000000", devices=[device], lid=lid)
    return pb.Reply(user_info=info)


def numbers(asked: Sequence[str]) -> pb.Reply:
    """Says that everybody has the number that is asked, in another order."""
    checks = [
        pb.NumberCheck(asked=number)
        if number == Ask.NOBODY
        else pb.NumberCheck(
            asked=number,
            registered=True,
            pn=CANONICAL if number == Ask.RESPELT else number,
            lid=f"9{number}",
        )
        for number in reversed(asked)
        if number != Ask.UNSAID
    ]
    return pb.Reply(numbers=pb.NumberChecks(checks=checks))


def next_behaviour() -> Behaviour:
    """Reads what this start is to be, and leaves the rest to the next."""
    file = Path(FILE)
    first, *rest = json.loads(file.read_text())
    if rest:
        file.write_text(json.dumps(rest))
    return Behaviour(**first)


def main() -> None:
    """Runs on the directory and the socket that the service names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--fd", type=int, required=True)
    options = parser.parse_args()
    os.chdir(options.directory)
    StandIn(socket.socket(fileno=options.fd), next_behaviour()).run()


if __name__ == "__main__":
    main()
