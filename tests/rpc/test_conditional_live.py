"""Never a stale "unchanged": the engine's own file changes while callers ask."""

from __future__ import annotations

import dataclasses
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from fakes import OWN, Example
from whatsmeow_files import WhatsmeowFiles
from wuts.adapters.revisions.limits import Limits
from wuts.adapters.revisions.revisions import ListRevisions
from wuts.adapters.whatsmeow_store import WhatsmeowStore
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1 import contacts_service_pb2_grpc as pb_grpc
from wuts.domain.contact import Names

from .conftest import ServerThread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wuts.domain.caller import DeviceId
    from wuts.rpc.server import Ports

_STALE = 0.4
_LIMITS = Limits(
    stale_seconds=_STALE,
    poll_seconds=0.03,
    settle_seconds=2 * _STALE,  # so late that only what is known of its age keeps it honest
    rest_factor=1,
    first_look_seconds=0.1,
    page=1,
)
_SECONDS = 5.0
_MARGIN = 0.15
# Between the clock of the test and that of the service, when the machine is busy.
_PEOPLE = 3
_NAMES = ("Ana", "Bea")


class Writer(threading.Thread):
    """Renames people to and fro, in the engine's file, and writes what is no contact."""

    def __init__(self, files: WhatsmeowFiles, device: DeviceId) -> None:
        super().__init__(daemon=True)
        self._files, self._device = files, device
        self._random = random.Random(20261123)  # noqa: S311 # no secret
        self._names = [_NAMES[0]] * _PEOPLE
        self.history: list[tuple[float, float, tuple[str, ...]]] = []
        """From when until when a list may have been: it begins with a write, and ends with one."""
        self._since = time.monotonic()
        self.stopping = threading.Event()

    def run(self) -> None:
        """Writes until it is stopped, with long and short pauses."""
        while not self.stopping.wait(self._random.choice((0.01, 0.3, 1.2))):
            person = self._random.randrange(_PEOPLE)
            match self._random.randrange(3):
                case 0:
                    self._write("UPDATE whatsmeow_device SET push_name = push_name || '.'")
                case 1:
                    self._rename(person)
                case _:  # and back again, so that the list is the one from before
                    self._rename(person)
                    self.stopping.wait(0.25)
                    self._rename(person)
        self.history.append((self._since, time.monotonic() + 60, tuple(self._names)))

    def _rename(self, person: int) -> None:
        before, begun = tuple(self._names), time.monotonic()
        self._names[person] = _NAMES[1 - _NAMES.index(self._names[person])]
        self._write(
            "UPDATE whatsmeow_contacts SET full_name = ? WHERE their_jid = ?",
            self._names[person],
            f"551170000000{person}@s.whatsapp.net",
        )
        self.history.append((self._since, time.monotonic(), before))
        self._since = begun

    def _write(self, statement: str, *values: str) -> None:
        self._files.run(self._device, statement, values)

    def was(self, names: tuple[str, ...], begun: float, ended: float) -> bool:
        """Tells whether each name was that person's at some time between the two."""
        states = [known for since, until, known in self.history if until > begun and since < ended]
        return all(
            any(known[person] == name for known in states) for person, name in enumerate(names)
        )


class Live:
    """A server over a real file."""

    def __init__(self, data: Path, *, wal: bool) -> None:
        self.example = Example()
        self.device = self.example.device
        self.files = WhatsmeowFiles(data)
        self.files.link(self.device, OWN, wal=wal)
        for person in range(_PEOPLE):
            jid = f"551170000000{person}@s.whatsapp.net"
            self.files.add_row(self.device, jid, Names(full=_NAMES[0]))
        self._data = data
        self.thread = ServerThread(self.example, change=self._ports)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.thread.server.port}")
        self.stub = pb_grpc.ContactsServiceStub(self.channel)

    def _ports(self, ports: Ports) -> Ports:
        self._store = WhatsmeowStore(self._data)
        self._revisions = ListRevisions(self._store, self._data / "devices", limits=_LIMITS)
        return dataclasses.replace(
            ports, store=self._store, revisions=self._revisions, max_list=100
        )

    def list(self, tag: str, **parameters: Any) -> tuple[pb.ListContactsResponse, dict[str, Any]]:
        """Lists with a tag."""
        metadata = (("authorization", self.example.token), ("if-none-match", tag))
        request = pb.ListContactsRequest(**parameters)
        message, call = self.stub.ListContacts.with_call(request, metadata=metadata, timeout=10)
        return message, dict(call.initial_metadata())

    def close(self) -> None:
        """Ends it."""
        self.channel.close()
        self.thread.run(self._revisions.close())
        self.thread.close()
        self._store.close()


@pytest.fixture
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    """A server over a file of the journal mode that the test names."""
    made = Live(tmp_path, wal=request.param == "wal")
    yield made
    made.close()


def _names(message: pb.ListContactsResponse) -> tuple[str, ...]:
    """The names, in the order of the people; the list is in the opposite one."""
    return tuple(contact.full_name for contact in reversed(message.contacts))


@pytest.mark.parametrize(
    ("live", "page_size"),
    [("wal", None), ("rollback", None), ("wal", _PEOPLE - 1)],
    indirect=["live"],
)
def test_never_stale(live: Live, page_size: int | None) -> None:
    """What a caller is told to keep was the list at most so many seconds ago."""
    parameters = {} if page_size is None else {"page_size": page_size}
    writer = Writer(live.files, live.device)
    writer.start()
    tag, held = "", tuple[str, ...]()
    kept: list[tuple[tuple[str, ...], float, float]] = []
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        begun = time.monotonic()
        message, told = live.list(tag, **parameters)
        ended = time.monotonic()
        if "x-status" in told:
            kept.append((held, begun - _STALE - _MARGIN, ended))
        else:
            tag, held = str(told.get("etag", "")), _names(message)
            kept.append((held, begun - _MARGIN, ended))
        time.sleep(0.005)
    writer.stopping.set()
    writer.join(10)
    wrong = [span for span in kept if not was(writer, *span)]
    unchanged = sum(1 for _, since, until in kept if until - since > _STALE)
    assert [] == wrong
    assert unchanged > 0


def was(writer: Writer, names: tuple[str, ...], begun: float, ended: float) -> bool:
    """As the writer's, for the people of a page: the last ones of the list are missing."""
    missing = _PEOPLE - len(names)
    return any(
        writer.was((*guess, *names), begun, ended)
        for guess in ([*combination] for combination in _guesses(missing))
    )


def _guesses(missing: int) -> list[tuple[str, ...]]:
    return [()] if not missing else [(name,) for name in _NAMES]
