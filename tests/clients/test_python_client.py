"""wuts.client against the real service, through both doors."""

from __future__ import annotations

import asyncio
import pickle
from contextlib import aclosing, closing
from typing import TYPE_CHECKING

import grpc
import pytest

from fakes import GROUP, MARIA, OWN, PICTURE
from wuts.client import (
    AsyncClient,
    Client,
    Contact,
    DeviceNotReady,
    NotFound,
    PictureHidden,
    RateLimited,
    Timeout,
    Unauthorized,
    Unreachable,
    ValidationError,
    Violation,
    WutsError,
)
from wuts.domain import errors
from wuts.domain.state import DeviceState, Reason

from .questions import UNKNOWN_TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from .stage import Stage

JOAO = Contact("5511888888888@s.whatsapp.net", None, "Joao Pereira", "Joao", None, None)


@pytest.fixture
def client(stage: Stage, door: str) -> Iterator[Client]:
    """A blocking client of demo/demo."""
    with Client(door, token=stage.token, tls=False) as made:
        yield made


@pytest.fixture
async def later(stage: Stage, door: str) -> AsyncIterator[AsyncClient]:
    """An asynchronous client of demo/demo."""
    async with AsyncClient(door, token=stage.token, tls=False) as made:
        yield made


class TestClient:
    """Client."""

    def test_contacts(self, client: Client) -> None:
        """Gives every contact, page after page."""
        found = list(client.contacts(page_size=1))
        assert [("Maria Silva", "Maria"), ("Joao Pereira", None)] == [
            (contact.full_name, contact.first_name) for contact in found
        ]
        assert JOAO == found[1]

    def test_contacts_full(self, client: Client) -> None:
        """Gives LIDs and whether the list is whole where that is asked for."""
        page = client.list_contacts(full=True)
        assert (True, [None, "112233445566778@lid"]) == (
            page.synced,
            [contact.lid_jid for contact in page.contacts],
        )

    def test_stream(self, client: Client) -> None:
        """Streams the same contacts in pages, of which the last has no token."""
        pages = list(client.stream_contacts(full=True, page_size=1))
        assert list(client.contacts(full=True)) == [one for page in pages for one in page.contacts]
        assert [(False, True), (True, True)] == [
            (page.next_page_token is None, page.synced) for page in pages
        ]

    def test_stream_from_a_token(self, client: Client) -> None:
        """Begins behind the page that a token came with."""
        first, _ = client.stream_contacts(page_size=1)
        (rest,) = client.stream_contacts(page_token=first.next_page_token)
        assert (JOAO,) == rest.contacts

    def test_pages_come_when_needed(self, client: Client, stage: Stage) -> None:
        """The second page is not asked for before the first is used up."""
        contacts = client.contacts(page_size=1)
        first = next(contacts)
        stage.become(DeviceState.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST)
        try:
            with pytest.raises(DeviceNotReady):
                next(contacts)
        finally:
            stage.become(DeviceState.CONNECTED)
        assert "Maria" == first.first_name

    def test_picture(self, client: Client) -> None:
        """Gives a picture, or that it is unchanged."""
        found = client.picture(number=MARIA, preview=False)
        again = client.picture(f"{MARIA}@s.whatsapp.net", existing_id=found.id)
        assert (PICTURE.url, "image", False) == (found.url, found.type, found.unchanged)
        assert (None, None, True) == (again.url, again.type, again.unchanged)

    def test_resolve(self, client: Client) -> None:
        """Gives one item for each input."""
        found = client.resolve(["112233445566779@lid", "nobody"], group_jid=GROUP)
        assert ["PHONE_HIDDEN", "INVALID_IDENTIFIER"] == [item.status for item in found.items]
        assert found.dry_run is None

    def test_status(self, client: Client, stage: Stage) -> None:
        """Times are datetimes in UTC."""
        status = client.device_status(stage.device)
        assert ("connected", OWN) == (status.status, status.phone_number)
        assert status.since is not None
        assert "2026-01-02T03:04:05+00:00" == status.since.isoformat()

    def test_link(self, stage: Stage, door: str) -> None:
        """Linking streams codes and ends linked; the device is listed so."""
        token, device = stage.newcomer(f"blocking {door}")
        with Client(door, token=lambda: token, tls=False) as client:
            steps = list(client.link_device(phone=OWN))
            (listed,) = client.devices()
        assert steps[0].pair_code is not None
        assert steps[-1].linked is not None
        assert ("ABCD-1234", f"{OWN}@s.whatsapp.net") == (
            steps[0].pair_code.code,
            steps[-1].linked.jid,
        )
        assert (device, True) == (listed.id, listed.connected)

    def test_watch(self, client: Client, stage: Stage) -> None:
        """Watching tells the state now and each change, until it is closed."""
        with closing(client.watch_device(stage.device)) as states:
            seen = [next(states)]
            stage.become(DeviceState.RECONNECTING, Reason.CONNECTION_LOST)
            seen.append(next(states))
            stage.become(DeviceState.CONNECTED)
            seen.append(next(states))
        expected = [("CONNECTED", None), ("RECONNECTING", "CONNECTION_LOST"), ("CONNECTED", None)]
        assert expected == [(state.state, state.reason) for state in seen]

    def test_errors(self, client: Client, stage: Stage) -> None:
        """Each failure is of the class of its reason, with its facts."""
        with pytest.raises(ValidationError) as invalid:
            client.picture()
        with stage.failing(errors.RateLimited(7)), pytest.raises(RateLimited) as limited:
            client.picture(number=MARIA)
        with pytest.raises(NotFound) as missing:
            list(client.watch_device("nowhere"))
        assert (Violation("jid", "jid or number is required"),) == invalid.value.violations
        assert (7.0, grpc.StatusCode.RESOURCE_EXHAUSTED) == (
            limited.value.retry_after,
            limited.value.code,
        )
        assert {"what": "device"} == missing.value.metadata

    def test_errors_can_be_pickled(self, client: Client) -> None:
        """An error survives the way between processes."""
        with pytest.raises(WutsError) as caught:
            client.picture()
        copied = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # made the line before
        assert (ValidationError, str(caught.value)) == (type(copied), str(copied))

    def test_an_unknown_token(self, door: str) -> None:
        """A token that nobody holds is Unauthorized."""
        with (
            Client(door, token=UNKNOWN_TOKEN, tls=False) as client,
            pytest.raises(Unauthorized),
        ):
            client.devices()

    def test_deadline(self, client: Client, stage: Stage) -> None:
        """A call's own deadline ends it early."""
        with stage.silent(), pytest.raises(Timeout):
            client.picture(number=MARIA, timeout=0.2)

    def test_tries_again(self, client: Client, stage: Stage) -> None:
        """A call without side effects is made again after the pause the service names."""
        error = errors.DeviceNotReady(DeviceState.RECONNECTING, retry_after=1)
        with stage.failing(error, times=1) as asked:
            found = client.picture(number=MARIA)
        assert (2, PICTURE.url) == (len(asked), found.url)

    def test_gives_up(self, client: Client, stage: Stage) -> None:
        """What no pause can cure is told at once."""
        error = errors.DeviceNotReady(DeviceState.LOGGED_OUT)
        with stage.failing(error) as asked, pytest.raises(DeviceNotReady):
            client.picture(number=MARIA)
        assert 1 == len(asked)

    def test_nobody_there(self) -> None:
        """A port that nobody listens on is Unreachable, after a few attempts."""
        with (
            Client("127.0.0.1:1", token="", tls=False, timeout=5, retries=1) as client,
            pytest.raises(Unreachable),
        ):
            client.devices()


class TestAsyncClient:
    """AsyncClient does the same."""

    async def test_contacts(self, later: AsyncClient) -> None:
        """Gives every contact, page after page."""
        found = [contact async for contact in later.contacts(page_size=1)]
        assert JOAO == found[1]

    async def test_stream(self, later: AsyncClient) -> None:
        """Streams the contacts in pages."""
        pages = [page async for page in later.stream_contacts(page_size=1)]
        assert [1, 1] == [len(page.contacts) for page in pages]
        assert (JOAO,) == pages[1].contacts

    async def test_calls_at_once(self, later: AsyncClient) -> None:
        """Calls may run side by side."""
        picture, status = await asyncio.gather(later.picture(number=MARIA), later.device_status())
        assert (PICTURE.url, True) == (picture.url, status.connected)

    async def test_link(self, stage: Stage, door: str) -> None:
        """Linking streams codes and ends linked."""
        token, device = stage.newcomer(f"asynchronous {door}")

        async def current() -> str:
            return token

        async with AsyncClient(door, token=current, tls=False) as client:
            steps = [step async for step in client.link_device(device)]
        assert (device, "2@invented") == (
            steps[0].device_id,
            steps[0].qr_code and steps[0].qr_code.text,
        )
        assert steps[-1].linked is not None

    async def test_watch(self, later: AsyncClient, stage: Stage) -> None:
        """Watching ends when the stream is closed."""
        async with aclosing(later.watch_device(stage.device)) as states:
            first = await anext(states)
        assert "CONNECTED" == first.state

    @pytest.mark.parametrize(
        ("call", "kind"),
        [
            (lambda client: client.picture(), ValidationError),
            (lambda client: anext(client.watch_device("nowhere")), NotFound),
        ],
    )
    async def test_errors(
        self, later: AsyncClient, call: Callable[[AsyncClient], object], kind: type[WutsError]
    ) -> None:
        """Each failure is of the class of its reason."""
        with pytest.raises(kind):
            await call(later)  # type: ignore[misc]  # either an awaitable

    async def test_hidden(self, later: AsyncClient, stage: Stage) -> None:
        """A failure of the world behind is told, too."""
        with stage.failing(errors.PictureHidden()), pytest.raises(PictureHidden):
            await later.picture(number=MARIA)

    async def test_deadline(self, later: AsyncClient, stage: Stage) -> None:
        """A call's own deadline ends it early."""
        with stage.silent(), pytest.raises(Timeout):
            await later.picture(number=MARIA, timeout=0.2)

    async def test_tries_again(self, later: AsyncClient, stage: Stage) -> None:
        """A call without side effects is made again after the pause the service names."""
        error = errors.DeviceNotReady(DeviceState.RECONNECTING, retry_after=1)
        with stage.failing(error, times=1) as asked:
            found = await later.picture(number=MARIA)
        assert (2, PICTURE.url) == (len(asked), found.url)
