"""The examples in the docstrings of wuts.client, run against a real service."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import sys
from typing import TYPE_CHECKING

import pytest
import structlog

import wuts.client
from fakes import Example
from rpc.conftest import ServerThread
from wuts.client import Client, WutsError

from .stage import linkable_device

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODULES = [one.name for one in pkgutil.iter_modules(wuts.client.__path__, "wuts.client.")]


def _examples() -> Iterator[doctest.DocTest]:
    """Finds every docstring with an example; one that is shown in two places, once."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in ("wuts.client", *_MODULES):
        module = importlib.import_module(name)
        yield from (found for found in finder.find(module) if found.examples)


_EXAMPLES = list(_examples())


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """Keeps the service's log, which is in the same process, out of what examples print."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    yield
    structlog.reset_defaults()


@pytest.fixture
def example() -> Example:
    """A world of its own for each example: some change the device."""
    return Example()


@pytest.fixture
def address(example: Example) -> Iterator[str]:
    """Runs the service on that world."""
    thread = ServerThread(example)
    yield f"127.0.0.1:{thread.server.port}"
    thread.close()


class TestDocstrings:
    """What the docstrings show is what happens."""

    @pytest.mark.parametrize("shown", _EXAMPLES, ids=lambda shown: shown.name)
    def test_example(self, example: Example, address: str, shown: doctest.DocTest) -> None:
        """Each example gives what it says."""
        for one in shown.examples:
            one.source = one.source.replace("127.0.0.1:8080", address)
        shown.globs |= {"TOKEN": example.token, "DEVICE": example.device, "WutsError": WutsError}
        if "NEW_DEVICE" in str(shown.docstring):
            shown.globs["NEW_DEVICE"] = linkable_device(example, "demo")
        with Client(address, token=example.token, tls=False) as client:
            shown.globs["client"] = client
            found = doctest.DocTestRunner(verbose=False).run(shown, out=sys.stdout.write)
        assert (0, len(shown.examples)) == (found.failed, found.attempted)

    def test_every_call_has_one(self) -> None:
        """No call is described without an example."""
        shown = {one.name.rpartition(".")[2] for one in _EXAMPLES}
        public = {name for name in vars(Client) if not name.startswith("_")} - {"close"}
        assert set() == public - shown
