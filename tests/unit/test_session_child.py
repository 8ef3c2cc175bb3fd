"""Tests of the session process's parts that need no engine."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
import stat
import threading
from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from wuts.session import failures, store
from wuts.session.calls import Calls
from wuts.session.channel import Channel
from wuts.session.framing import Deframer, FramingError, frame
from wuts.session.gate import Admits, Gate
from wuts.session.v1 import session_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wuts.session.engine import Engine

LIMIT_SECONDS = 5


class TestGate:
    """Calls inside the engine, and its end."""

    def test_open_and_shut(self) -> None:
        """Calls pass only while the gate is open to their kind."""
        gate = Gate()
        told = []
        for admits in (Admits.NOTHING, Admits.PAIRING, Admits.CALLS, Admits.NOTHING):
            gate.admit(admits)
            with gate.passage(Admits.PAIRING) as pairs, gate.passage() as calls_:
                told.append((pairs, calls_))
        assert told == [(False, False), (True, False), (False, True), (False, False)]

    def test_close_is_for_good(self) -> None:
        """A gate that was closed for the end never opens again."""
        gate = Gate()
        gate.admit(Admits.CALLS)
        assert gate.close(seconds=0)
        gate.admit(Admits.CALLS)
        with gate.passage() as admitted:
            assert not admitted

    def test_waiting(self) -> None:
        """A call may wait for the gate to open, but not beyond its end."""
        gate = Gate()
        with gate.passage(seconds=0.01) as admitted:
            assert not admitted
        threading.Timer(0.01, gate.admit, [Admits.CALLS]).start()
        with gate.passage(seconds=LIMIT_SECONDS) as admitted:
            assert admitted
        gate.admit(Admits.NOTHING)
        closing = threading.Timer(0.01, gate.close, kwargs={"seconds": 0})
        closing.start()
        with gate.passage(seconds=60) as admitted:
            assert not admitted

    def test_close_waits_for_calls(self) -> None:
        """The end waits for calls that are inside, and tells when they do not leave."""
        gate = Gate()
        gate.admit(Admits.CALLS)
        with gate.passage():
            assert not gate.close(seconds=0.01)
        assert gate.close(seconds=0)


class TestLock:
    """One process for each store."""

    def test_free(self, tmp_path: Path) -> None:
        """The lock file is private."""
        os.close(store.lock(tmp_path, seconds=0, give_up=lambda _: False))
        assert stat.S_IMODE((tmp_path / "session.lock").stat().st_mode) == 0o600

    @pytest.mark.parametrize("abandoned", [True, False])
    def test_taken(self, tmp_path: Path, abandoned: bool) -> None:  # a parameter of the test
        """A lock that is held is waited for only so long, and only for a service that lives."""
        seconds = LIMIT_SECONDS if abandoned else 0
        with (tmp_path / "session.lock").open("w") as holder:
            fcntl.flock(holder, fcntl.LOCK_EX)
            with pytest.raises(store.StoreBusyError):
                store.lock(tmp_path, seconds=seconds, give_up=lambda _: abandoned)

    def test_no_directory(self, tmp_path: Path) -> None:
        """A directory that cannot be written is refused."""
        with pytest.raises(store.StoreRefusedError):
            store.lock(tmp_path / "absent", seconds=0, give_up=lambda _: False)


class TestPrepare:
    """The store before the engine opens it."""

    def test_new_store(self, tmp_path: Path) -> None:
        """A new store is private, in WAL mode, and not linked."""
        assert not store.prepare(tmp_path)
        file = tmp_path / "store.db"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    @pytest.mark.parametrize(("rows", "expected"), [(0, False), (1, True)])
    def test_linked(self, tmp_path: Path, rows: int, expected: bool) -> None:
        """A store is linked when it holds a device."""
        with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
            connection.execute("CREATE TABLE whatsmeow_device (jid TEXT)")
            connection.executemany("INSERT INTO whatsmeow_device VALUES (?)", [("x",)] * rows)
            connection.commit()
        assert store.prepare(tmp_path) == expected

    def test_no_database(self, tmp_path: Path) -> None:
        """A file that is no database is refused."""
        (tmp_path / "store.db").write_bytes(b"x" * 1000)
        with pytest.raises(store.StoreRefusedError):
            store.prepare(tmp_path)

    def test_directory_in_its_place(self, tmp_path: Path) -> None:
        """A store that cannot be opened is refused."""
        (tmp_path / "store.db").mkdir()
        with pytest.raises(store.StoreRefusedError):
            store.prepare(tmp_path)

    def test_locked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A store that someone else keeps locked is busy."""
        monkeypatch.setattr(store, "_BUSY_SECONDS", 0.01)
        with closing(sqlite3.connect(tmp_path / "store.db")) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            with pytest.raises(store.StoreBusyError):
                store.prepare(tmp_path)


class TestRead:
    """Errors of the engine."""

    @pytest.mark.parametrize(
        "error",
        [
            Exception("websocket not connected"),
            Exception(pb.Picture(), "x"),
            Exception(),
        ],
    )
    def test_any_shape(self, error: Exception) -> None:
        """An error of any shape gives a failure."""
        expected = {pb.FAILURE_KIND_NOT_CONNECTED, pb.FAILURE_KIND_UNSPECIFIED}
        assert failures.read(error).kind in expected

    def test_deeper_text(self) -> None:
        """The picture's error carries its text in a message."""

        class Deeper:
            Error = "info query timed out"

        assert failures.read(Exception(Deeper())).kind == pb.FAILURE_KIND_TIMED_OUT

    def test_unknown_text(self, caplog: pytest.LogCaptureFixture) -> None:
        """An unknown text goes to the process's own log, and nowhere else."""
        failure = failures.read(Exception("news of 5511999999999"))
        assert failure == pb.Failure(kind=pb.FAILURE_KIND_UNSPECIFIED)
        assert caplog.messages == ["unknown error text: news of 5511999999999"]


class Service:
    """The service's end of a socket, and a channel at the other."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(LIMIT_SECONDS)
        self.stuck = threading.Event()
        self.channel = Channel(theirs.detach(), on_stuck=self.stuck.set)
        self.deframer = Deframer(pb.Event)

    def events(self, count: int) -> list[pb.Event]:
        """Reads so many events."""
        events: list[pb.Event] = []
        while len(events) < count:
            events += self.deframer.feed(self.socket.recv(65536))
        return events


@pytest.fixture
def service() -> Iterator[Service]:
    """Gives both ends of a socket."""
    service = Service()
    yield service
    service.socket.close()
    service.channel.flush(seconds=0.1)
    service.channel.close()


class TestChannel:
    """The process's end of the socket."""

    def test_requests(self, service: Service) -> None:
        """Requests come one by one, until the service closes its end."""
        sent = [pb.Request(id=number, stop=pb.StopRequest()) for number in (1, 2)]
        service.socket.sendall(b"".join(frame(request) for request in sent))
        service.socket.shutdown(socket.SHUT_WR)
        assert list(service.channel.requests()) == sent

    def test_nonsense(self, service: Service) -> None:
        """Nonsense ends the conversation."""
        service.socket.sendall(b"\xff" * 10)
        assert list(service.channel.requests()) == []

    def test_not_abandoned(self, service: Service) -> None:
        """A service that waits, or has sent something already, has not gone."""
        told = [service.channel.is_abandoned(0)]
        service.socket.sendall(b"x")
        told.append(service.channel.is_abandoned(LIMIT_SECONDS))
        assert told == [False, False]

    def test_gone(self, service: Service) -> None:
        """A service that has gone is noticed at once."""
        service.socket.close()
        assert service.channel.is_abandoned(LIMIT_SECONDS)

    def test_events(self, service: Service) -> None:
        """Events arrive in order, and all of them before the end."""
        sent = [pb.Event(qr_text=str(number)) for number in range(100)]
        for event in sent:
            service.channel.send(event)
        service.channel.flush(seconds=LIMIT_SECONDS)
        assert service.events(100) == sent

    def test_changes_leave_room(self, service: Service) -> None:
        """Of very many changes some are dropped, and a reply still finds its place."""
        change = pb.Event(changed=pb.Changed(user="5" * 2000, server="g.us"))
        for _ in range(2000):
            service.channel.send(change)
        service.channel.send(pb.Event(qr_text="last"))
        told = []
        while "last" not in told:
            told += [event.qr_text for event in service.events(1)]
        assert not service.stuck.is_set()
        assert 512 < len(told) < 2000

    def test_service_that_does_not_read(self, service: Service) -> None:
        """A service that stops reading blocks nobody, and is noticed."""
        event = pb.Event(qr_text="x" * 10_000)
        for _ in range(2000):
            service.channel.send(event)
        assert service.stuck.is_set()


class SlowEngine:
    """An engine whose calls last until they are let go."""

    def __init__(self, *, fault: Exception | None = None, size: int = 0) -> None:
        self.questions = self
        self.let_go = threading.Event()
        self.fault = fault
        self.size = size

    def picture(self, _: pb.PictureRequest) -> pb.Reply:
        """Answers late, or fails."""
        assert self.let_go.wait(LIMIT_SECONDS)
        if self.fault is not None:
            raise self.fault
        return pb.Reply(picture=pb.Picture(id="1", url="x" * self.size))


class Replies:
    """Takes what calls tell."""

    def __init__(self) -> None:
        self.kinds: dict[int, int] = {}
        self.changed = threading.Condition()

    def __call__(self, event: pb.Event) -> None:
        """Notes a reply."""
        if len(event.reply.picture.url) > 100:
            reason = "too long"
            raise FramingError(reason)
        with self.changed:
            self.kinds[event.reply.id] = event.reply.failure.kind
            self.changed.notify_all()

    def all(self, count: int) -> dict[int, int]:
        """Waits for so many replies."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.kinds) == count, LIMIT_SECONDS)
            return self.kinds


def calls(engine: SlowEngine, replies: Replies, *, is_open: bool = True) -> Calls:
    """Makes calls of that engine."""
    gate = Gate()
    gate.admit(Admits.CALLS if is_open else Admits.NOTHING)
    running = Calls(cast("Engine", engine), gate, replies)
    running.start()
    return running


def ask(number: int) -> pb.Request:
    """Makes a request."""
    return pb.Request(id=number, picture=pb.PictureRequest())


class TestCalls:
    """Calls of the engine."""

    def test_too_many(self) -> None:
        """Calls beyond threads and queue are refused at once; all others are answered."""
        engine, replies = SlowEngine(), Replies()
        running = calls(engine, replies)
        for number in range(200):
            running.submit(ask(number))
        refused = {number for number, kind in list(replies.kinds.items()) if kind}
        assert len(refused) >= 200 - 16 - 64
        engine.let_go.set()
        kinds = replies.all(200)
        assert {kinds[number] for number in refused} == {pb.FAILURE_KIND_RATE_LIMITED}

    def test_not_connected(self) -> None:
        """Nothing is asked of an engine that is not connected."""
        replies = Replies()
        calls(SlowEngine(), replies, is_open=False).submit(ask(1))
        assert replies.all(1) == {1: pb.FAILURE_KIND_NOT_CONNECTED}

    @pytest.mark.parametrize(
        ("engine", "kind"),
        [
            (SlowEngine(fault=RuntimeError("x")), pb.FAILURE_KIND_UNSPECIFIED),
            (SlowEngine(size=1000), pb.FAILURE_KIND_MALFORMED_ANSWER),
        ],
    )
    def test_faults(self, engine: SlowEngine, kind: pb.FailureKind.ValueType) -> None:
        """A call that fails in any way, or whose answer is too long, is answered."""
        replies = Replies()
        engine.let_go.set()
        calls(engine, replies).submit(ask(1))
        assert replies.all(1) == {1: kind}

    def test_no_call(self) -> None:
        """A request that asks nothing is answered."""
        replies = Replies()
        calls(SlowEngine(), replies).submit(pb.Request(id=1))
        assert replies.all(1) == {1: pb.FAILURE_KIND_UNSPECIFIED}
