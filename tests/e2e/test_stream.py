"""The stream of contacts through `make run`: what the engine stored, line by line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from sandboxes import Sandbox, running, wait_for
from wuts.client import AsyncClient, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

_PEOPLE = 12_002
_PATH = "/contacts/stream"


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The documented example with a crowd more."""
    directory = tmp_path_factory.mktemp("crowded")
    with running(directory, seconds=120, CONTACTS="12000") as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def listed(crowded: Sandbox) -> list[dict[str, Any]]:
    """The whole list, as ListContacts tells it."""
    found: list[dict[str, Any]] = crowded.get("/contacts?view=FULL").json()["contacts"]
    return found


def _lines(answer: Any) -> list[dict[str, Any]]:  # httpx's
    """Reads the lines of a body."""
    return [json.loads(line) for line in answer.text.splitlines()]


def _people(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [contact for line in lines for contact in line["contacts"]]


class TestStream:
    """GET /contacts/stream and StreamContacts."""

    def test_is_the_list(self, crowded: Sandbox, listed: list[dict[str, Any]]) -> None:
        """The lines hold everybody once, in the order of the list; the last is the last."""
        answer = crowded.get(f"{_PATH}?view=FULL&page_size=5000")
        lines = _lines(answer)
        assert "application/x-ndjson" == answer.headers["content-type"]
        assert [5000, 5000, 2002] == [line["count"] for line in lines]
        assert [True, True, False] == ["next_page_token" in line for line in lines]
        assert (listed, {True}) == (_people(lines), {line["synced"] for line in lines})

    def test_with_curl(self, crowded: Sandbox) -> None:
        """A shell reads it with curl, compressed on the way."""
        command = ["curl", "-sN", "--compressed", "-H", f"Authorization: Bearer {crowded.token}"]
        told = subprocess.run(
            [*command, f"{crowded.ready['http']}{_PATH}"],
            capture_output=True,
            check=True,
            timeout=30,
        )
        counts = [json.loads(line)["count"] for line in told.stdout.splitlines()]
        assert [1000] * 12 + [2] == counts

    @pytest.mark.parametrize("door", ["grpc", "http"])
    def test_natively(self, crowded: Sandbox, listed: list[dict[str, Any]], door: str) -> None:
        """The Python client gives the same people at both doors."""
        address = crowded.ready[door].removeprefix("http://")
        with Client(address, token=crowded.token, tls=False) as client:
            pages = list(client.stream_contacts(full=True))
        found = [contact.jid for page in pages for contact in page.contacts]
        assert [contact["jid"] for contact in listed] == found

    async def test_may_be_left(self, crowded: Sandbox) -> None:
        """Whoever leaves early leaves nothing behind: the same client goes on."""
        address = crowded.ready["http"].removeprefix("http://")
        async with AsyncClient(address, token=crowded.token, tls=False) as client:
            async with aclosing(client.stream_contacts(page_size=10)) as pages:
                first = await anext(pages)
            page = await client.list_contacts(page_size=10)
        assert (10, first.contacts) == (len(first.contacts), page.contacts)

    @pytest.mark.parametrize("door", ["grpc", "http"])
    def test_client_outlives_the_service(
        self, crowded: Sandbox, listed: list[dict[str, Any]], door: str
    ) -> None:
        """The Python client goes on by itself when the service was killed in mid-stream."""
        service = crowded.refresh()["pids"]["service"]
        address = crowded.ready[door].removeprefix("http://")
        found: list[str] = []
        attempts: list[None] = []

        def token() -> str:
            attempts.append(None)
            return crowded.token

        with Client(address, token=token, tls=False) as client:
            # So many pages that most of them are still to be made when the first one comes.
            for page in client.stream_contacts(page_size=5):
                if not found:
                    os.kill(service, signal.SIGKILL)
                found += [contact.jid for contact in page.contacts]
        assert [contact["jid"] for contact in listed] == found
        # Had it come through at once, nothing would be shown.
        assert len(attempts) > 1
        assert crowded.refresh()["pids"]["service"] != service

    def test_outlives_the_service(self, crowded: Sandbox, listed: list[dict[str, Any]]) -> None:
        """A token is still good when the service was killed and is there again."""
        first = _lines(crowded.get(f"{_PATH}?view=FULL&page_size=5000"))[0]
        service = crowded.refresh()["pids"]["service"]
        os.kill(service, signal.SIGKILL)
        wait_for(lambda: crowded.refresh()["pids"]["service"] != service, 20, "a new service")
        wait_for(lambda: crowded.get("/contacts?page_size=1").status_code == 200, 20, "an answer")
        rest = crowded.get(f"{_PATH}?view=FULL&page_token={first['next_page_token']}")
        assert listed == first["contacts"] + _people(_lines(rest))
        assert _PEOPLE == len(listed)
