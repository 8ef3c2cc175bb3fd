"""Where the figures come from."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from benchmarks import load, processor
from benchmarks.__main__ import main
from benchmarks.hearing import Heard, hear
from benchmarks.load import Answered, Door, LoadFailed, Question

if TYPE_CHECKING:
    from collections.abc import Iterator

_BURN = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[str]]:
    """A process that has used three tenths of a second, and waits."""
    with subprocess.Popen(
        [sys.executable, "-c", _BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


class TestProcessor:
    """What processes use."""

    def test_seconds(self, busy: subprocess.Popen[str]) -> None:
        """Another process's time is that process's own clock."""
        assert 0.3 <= processor.seconds([busy.pid]) < 3.0

    def test_own_seconds(self) -> None:
        """For this process it is what Python itself tells."""
        before = time.process_time()
        told = processor.seconds([os.getpid()])
        assert before <= told <= time.process_time()

    def test_memory(self, busy: subprocess.Popen[str]) -> None:
        """The peak is no less than what is in memory now."""
        processor.forget_peak(busy.pid)
        now = processor.memory(busy.pid)
        assert 1.0 < now <= processor.peak(busy.pid)


def _ask_twice(
    monkeypatch: pytest.MonkeyPatch, statuses: tuple[int, ...], received: int
) -> Answered:
    """Asks twice what was answered with 10 bytes before; h2load is made up."""

    def answer(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        log = next(word for word in words if word.startswith("--log-file="))
        told = "".join(f"{n} {status} {5000 + 1000 * n}\n" for n, status in enumerate(statuses))
        Path(log.partition("=")[2]).write_text(told)
        return subprocess.CompletedProcess(words, 0, f"traffic: ({received}) data", "")

    monkeypatch.setattr(subprocess, "run", answer)
    door = Door("ours", "http://127.0.0.1:1", (os.getpid(),), "token")
    heard = Heard(door, Question("/contacts"), (b"0123456789",), 10)
    return load.ask(heard, requests=2, callers=1)


class TestLoad:
    """h2load."""

    def test_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without h2load nothing is measured: the package is named, and the status is 3."""
        monkeypatch.setenv("PATH", "")
        result = CliRunner().invoke(main, ["--effort", "trial"])
        assert (3, True) == (result.exit_code, "nghttp2-client" in result.stderr)

    @pytest.mark.parametrize(
        ("statuses", "received"), [((200, 503), 20), ((200, 200), 10), ((200,), 20)]
    )
    def test_failures(
        self, monkeypatch: pytest.MonkeyPatch, statuses: tuple[int, ...], received: int
    ) -> None:
        """A request that fails, or is answered by another length, is no figure."""
        with pytest.raises(LoadFailed, match="not all of 2 requests succeeded"):
            _ask_twice(monkeypatch, statuses, received)

    def test_figures(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What h2load says of each request, in ms."""
        answered = _ask_twice(monkeypatch, (200, 200), 20)
        assert (5.0, 6.0) == (answered.p50 - 1.0, answered.p99)


class TestHear:
    """One answer, before anything is timed."""

    @pytest.mark.parametrize("is_grpc", [True, False])
    def test_nobody(self, is_grpc: bool) -> None:
        """Where nobody answers nothing is measured."""
        door = Door("ours", "http://127.0.0.1:1", (), "token", is_grpc=is_grpc)
        with pytest.raises(LoadFailed, match=r"ours /a/b: (UNAVAILABLE|ConnectError)"):
            hear(door, Question("/a/b", b"12345"))
