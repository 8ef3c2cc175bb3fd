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
from benchmarks.load import Door, LoadFailed, Question

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


class TestLoad:
    """h2load."""

    def test_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without h2load nothing is measured: the package is named, and the status is 3."""
        monkeypatch.setenv("PATH", "")
        result = CliRunner().invoke(main, ["--effort", "trial"])
        assert (3, True) == (result.exit_code, "nghttp2-client" in result.stderr)

    def test_failures(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A request that fails is no figure."""

        def answer(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            log = next(word for word in words if word.startswith("--log-file="))
            Path(log.partition("=")[2]).write_text("1 200 5\n2 503 6\n")
            return subprocess.CompletedProcess(words, 0, "traffic: (99) data", "")

        monkeypatch.setattr(subprocess, "run", answer)
        door = Door("ours", "http://127.0.0.1:1", (os.getpid(),), "token")
        with pytest.raises(LoadFailed, match="not all of 2 requests succeeded"):
            load.ask(door, Question("/contacts"), requests=2, callers=1)
