"""A stream of contacts that is cut off goes on by itself."""

from __future__ import annotations

import contextlib
import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway import world
from gateway.running import running_gateway, running_service
from wuts.client import (
    AsyncClient,
    Client,
    InternalError,
    ServiceUnavailable,
    StoreUnavailable,
    Timeout,
    WutsError,
)
from wuts.domain import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .stage import Stage

_TOKEN = world.CROWDED
NAMES = ["Maria Silva", "Joao Pereira"]


@contextlib.contextmanager
def second_page_failing(stage: Stage, error: Exception, times: int) -> Iterator[list[None]]:
    """Lets reads behind the first page fail so often; counts them, those that succeed too."""
    store, reads = stage.example.store, list[None]()
    real = store.page

    async def page(device: Any, *, after: str, limit: int) -> Any:
        if after:
            reads.append(None)
            if len(reads) <= times:
                raise error
        return await real(device, after=after, limit=limit)

    with pytest.MonkeyPatch.context() as patch:
        stage.do(lambda: patch.setattr(store, "page", page))
        yield reads


class TestClient:
    """Client."""

    @pytest.mark.parametrize("error", [errors.ServiceUnavailable(), errors.CallTimeout()])
    def test_goes_on(self, stage: Stage, door: str, error: Exception) -> None:
        """Behind the last page, once the service is there again; nobody comes twice."""
        with (
            second_page_failing(stage, error, times=2) as reads,
            Client(door, token=stage.token, tls=False) as client,
        ):
            pages = list(client.stream_contacts(page_size=1))
        assert NAMES == [contact.full_name for page in pages for contact in page.contacts]
        assert 3 == len(reads)

    @pytest.mark.parametrize(
        ("error", "kind", "attempts"),
        [
            (errors.ServiceUnavailable(), ServiceUnavailable, 5),
            (errors.StoreUnavailable(), StoreUnavailable, 1),
            (RuntimeError(), InternalError, 1),
        ],
    )
    def test_gives_up(
        self, stage: Stage, door: str, error: Exception, kind: type[WutsError], attempts: int
    ) -> None:
        """After the retries, or at once where a pause cures nothing; the token is at hand."""
        with (
            second_page_failing(stage, error, times=10) as reads,
            Client(door, token=stage.token, tls=False, retries=1) as client,
        ):
            pages = client.stream_contacts(page_size=1)
            first = next(pages)
            with pytest.raises(kind):
                next(pages)
        assert attempts == len(reads)
        with Client(door, token=stage.token, tls=False) as client:
            (rest,) = client.stream_contacts(page_token=first.next_page_token)
        assert NAMES[1:] == [contact.full_name for contact in rest.contacts]

    def test_deadline(self, stage: Stage, door: str) -> None:
        """A deadline covers the stream and all that goes on behind it."""
        with (
            second_page_failing(stage, errors.ServiceUnavailable(), times=10) as reads,
            Client(door, token=stage.token, tls=False, retries=10) as client,
            pytest.raises((ServiceUnavailable, Timeout)),
        ):
            list(client.stream_contacts(page_size=1, timeout=1))
        assert 5 > len(reads)

    def test_outlives_the_service(self) -> None:
        """A service that is killed behind the gateway, and started again, loses nobody."""
        with (
            tempfile.TemporaryDirectory(prefix="wuts") as path,
            running_service() as service,
            running_gateway(service.port, Path(path)) as gateway,
            Client(
                f"127.0.0.1:{gateway.port}", token=world.CROWDED, tls=False, retries=5
            ) as client,
        ):
            pages = client.stream_contacts(page_size=200)
            jids = [contact.jid for contact in next(pages).contacts]
            service.process.kill()
            service.process.wait(10)
            with running_service(service.port):
                jids += [contact.jid for page in pages for contact in page.contacts]
        assert world.CROWD == len(jids) == len(set(jids))


class TestAsyncClient:
    """AsyncClient does the same."""

    async def test_goes_on(self, stage: Stage, door: str) -> None:
        """Behind the last page."""
        with second_page_failing(stage, errors.ServiceUnavailable(), times=2) as reads:
            async with AsyncClient(door, token=stage.token, tls=False) as client:
                pages = [page async for page in client.stream_contacts(page_size=1)]
        assert NAMES == [contact.full_name for page in pages for contact in page.contacts]
        assert 3 == len(reads)

    async def test_gives_up(self, stage: Stage, door: str) -> None:
        """After the retries, which are three more than those of a call."""
        with second_page_failing(stage, errors.ServiceUnavailable(), times=10) as reads:
            async with (
                AsyncClient(door, token=stage.token, tls=False, retries=1) as client,
                aclosing(client.stream_contacts(page_size=1)) as pages,
            ):
                await anext(pages)
                with pytest.raises(ServiceUnavailable):
                    await anext(pages)
        assert 5 == len(reads)
