"""Drives the unmodified neonize for a test: one JSON line in, one JSON line out.

Run as `python driver.py STORE`, with the environment of a sandboxed session. `ROOT` in the
environment is the emulator's root key. Commands: {"do": "qr" | "connected" | "event" | "change" |
"picture" | "group" | "numbers" | "info" | "pn" | "me" | "stop", ...}.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

import no_libmagic  # noqa: F401  # comes before neonize

# isort: split
from neonize._binder import gocode
from neonize.client import NewClient
from neonize.events import (
    ClientOutdatedEv,
    ConnectedEv,
    ConnectFailureEv,
    DisconnectedEv,
    GroupInfoEv,
    JoinedGroupEv,
    LoggedOutEv,
    MessageEv,
    PictureEv,
    StreamErrorEv,
    StreamReplacedEv,
    TemporaryBanEv,
)
from neonize.proto.Neonize_pb2 import GetProfilePictureParams
from neonize.utils.jid import Jid2String, build_jid

from wuts_sandbox.root_patch import replace_root

LIMIT_S = 20
EVENTS = (
    ClientOutdatedEv, ConnectFailureEv, DisconnectedEv, LoggedOutEv, MessageEv,
    StreamErrorEv, StreamReplacedEv, TemporaryBanEv,
)  # fmt: skip


class Driver:
    """One client of neonize."""

    def __init__(self, store: str) -> None:
        self.client = NewClient(store, uuid="driver")
        self.codes: queue.Queue[str] = queue.Queue()
        self.connected: queue.Queue[str] = queue.Queue()
        self.events: queue.Queue[str] = queue.Queue()
        self.changes: queue.Queue[list[Any]] = queue.Queue()
        self.client.qr(lambda _, code: self.codes.put(code.decode()))
        self.client.event(PictureEv)(
            lambda _, told: self.changes.put(["picture", text(told.JID), told.Remove])
        )
        self.client.event(GroupInfoEv)(lambda _, told: self.changes.put(group_change(told)))
        self.client.event(JoinedGroupEv)(
            lambda _, told: self.changes.put(["joined", text(told.GroupInfo.JID)])
        )
        self.client.event(ConnectedEv)(lambda *_: self.connected.put("connected"))
        for kind in EVENTS:
            self.client.event(kind)(lambda *_, kind=kind: self.events.put(kind.__name__))
        self.thread = threading.Thread(target=self._connect, daemon=True)
        self.thread.start()

    def _connect(self) -> None:
        try:
            self.client.connect()
        except Exception as error:  # noqa: BLE001  # the test asks what it was
            self.events.put(f"{type(error).__name__}: {error}")

    def do(self, command: dict[str, Any]) -> object:
        """Runs one command."""
        return getattr(self, f"do_{command.pop('do')}")(**command)

    def do_qr(self) -> str:
        """Waits for a QR code."""
        return self.codes.get(timeout=LIMIT_S)

    def do_connected(self) -> bool:
        """Waits for the next ConnectedEv."""
        return bool(self.connected.get(timeout=LIMIT_S))

    def do_event(self) -> str:
        """Waits for the next other event."""
        return self.events.get(timeout=LIMIT_S)

    def do_change(self) -> list[Any]:
        """Waits for the next notice of a change."""
        return self.changes.get(timeout=LIMIT_S)

    def do_pn(self, lid: str) -> str:
        """Reads the LID map."""
        return text(self.client.get_pn_from_lid(address(lid)))

    def do_picture(self, jid: str, *, preview: bool = False, existing: str = "") -> object:
        """Asks for a picture."""
        params = GetProfilePictureParams(Preview=preview, ExistingID=existing, IsCommunity=False)
        picture = self.client.get_profile_picture(address(jid), params)
        return {"url": picture.URL, "id": picture.ID, "type": picture.Type,
                "direct_path": picture.DirectPath}  # fmt: skip

    def do_group(self, jid: str) -> object:
        """Asks for a group."""
        group = self.client.get_group_info(address(jid))
        return [
            [text(person.JID), text(person.LID), text(person.PhoneNumber), person.DisplayName]
            for person in group.Participants
        ]

    def do_numbers(self, numbers: list[str]) -> object:
        """Checks numbers."""
        rows = self.client.is_on_whatsapp(*numbers)
        return {row.Query: [text(row.JID), row.IsIn] for row in rows}

    def do_info(self, jids: list[str]) -> object:
        """Asks for people."""
        rows = self.client.get_user_info(*(address(jid) for jid in jids))
        return {text(row.JID): [row.UserInfo.Status, row.UserInfo.PictureID] for row in rows}

    def do_me(self) -> object:
        """Tells which device this is."""
        device = self.client.get_me()
        return [text(device.JID), device.PushName]

    def do_stop(self) -> bool:
        """Ends the client."""
        self.client.stop()
        self.thread.join(LIMIT_S)
        return not self.thread.is_alive()


def address(jid: str) -> Any:  # neonize's messages are untyped
    """Returns neonize's address."""
    return build_jid(*jid.split("@"))


def group_change(told: Any) -> list[Any]:  # neonize's messages are untyped
    """Tells the group, and what of it has changed."""
    moves = [[text(jid) for jid in jids] for jids in (told.Join, told.Leave)]
    return ["group", text(told.JID), *moves, told.Name.Name]


def text(jid: Any) -> str:  # neonize's messages are untyped
    """Returns the spelling of neonize's address; empty for none."""
    return "" if jid.IsEmpty or not jid.Server else Jid2String(jid)


def main() -> None:
    """Serves commands until `stop` or the end of the input."""
    os.umask(0o077)
    replace_root(
        gocode,
        bytes.fromhex(os.environ["ROOT"]),
        ca=Path(os.environ["SSL_CERT_FILE"]),
        environment=dict(os.environ),
    )
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # neonize prints to stdout
    driver = Driver(sys.argv[1])
    for line in sys.stdin:
        try:
            answer = {"ok": driver.do(json.loads(line))}
        except Exception as error:  # noqa: BLE001  # the test asks what it was
            first = error.args[0] if error.args else ""
            answer = {"error": type(error).__name__, "text": getattr(first, "Error", str(first))}
        print(json.dumps(answer), file=answers, flush=True)
        if '"stop"' in line:
            break


if __name__ == "__main__":
    main()
