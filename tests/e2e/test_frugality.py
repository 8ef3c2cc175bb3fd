"""What is asked of WhatsApp, and what is not: pictures, budgets, and an hour in a minute."""

from __future__ import annotations

import asyncio
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest

import identity_world as world
from sandboxes import Sandbox, running, wait_for, write_world
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1 import contacts_service_pb2_grpc as pb_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PICTURE, CHECKED, GROUP = "picture", "numbers_checked", "group"
JID = f"{world.LONG}@s.whatsapp.net"
TIGHT = (
    "WUTS_BUDGET_NUMBERS='60/h burst 5' WUTS_BUDGET_PICTURES='60/h burst 3' "
    "WUTS_BUDGET_GROUPS='60/h burst 1'"
)

# An hour's budget within a minute: sixty times the rate.
RATES = {
    "NUMBER_CHECK": (7200, 20, CHECKED),
    "PICTURE": (18000, 20, PICTURE),
    "GROUP_INFO": (3600, 5, GROUP),
}
HOUR_IN_A_MINUTE = " ".join(
    f"WUTS_BUDGET_{name}='{RATES[kind][0]}/h burst {RATES[kind][1]}'"
    for name, kind in (
        ("NUMBERS", "NUMBER_CHECK"),
        ("PICTURES", "PICTURE"),
        ("GROUPS", "GROUP_INFO"),
    )
)
REQUESTS, SECONDS, CALLERS = 10_000, 60.0, 16


def _run(tmp_path_factory: pytest.TempPathFactory, settings: str) -> Iterator[Sandbox]:
    directory: Path = tmp_path_factory.mktemp("frugal")
    path = write_world(directory, world.IDENTITY_WORLD)
    with running(directory, WORLD=path, SETTINGS=settings) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def plenty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Plenty of budget."""
    yield from _run(tmp_path_factory, world.PLENTY)


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Hardly any budget."""
    yield from _run(tmp_path_factory, TIGHT)


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The budget of an hour in a minute."""
    yield from _run(tmp_path_factory, HOUR_IN_A_MINUTE)


def count(sandbox: Sandbox, kind: str) -> int:
    """Tells how many questions of a kind have reached WhatsApp."""
    return int(sandbox.control("count")["counts"].get(kind, 0))


def picture(sandbox: Sandbox, jid: str = JID, **query: str) -> Any:  # the answer
    """Asks for a picture over HTTP."""
    return sandbox.get("/contacts/profile-picture", params={"jid": jid, "view": "FULL", **query})


_IDS = itertools.count(1000)


def _is_told(sandbox: Sandbox, known: str) -> bool:
    """Tells whether that picture is what callers get."""
    answer = picture(sandbox)
    return bool(answer.status_code == 200 and answer.json()["data"]["id"] == known)


class TestPictures:
    """A picture is asked for once, and again only when there is a reason."""

    @pytest.fixture(autouse=True)
    def known(self, plenty: Sandbox) -> str:
        """Each test begins with a new picture that was asked for once; gives its id."""
        known = str(next(_IDS))
        plenty.control("set-picture", jid=JID, picture=world.PICTURE | {"id": known})
        wait_for(lambda: _is_told(plenty, known), 10, "the new picture")
        return known

    def test_remembered(self, plenty: Sandbox) -> None:
        """The second call is answered without a packet, and says so."""
        before = count(plenty, PICTURE)
        data = picture(plenty).json()["data"]
        assert (0, "CACHE", "AVAILABLE") == (
            count(plenty, PICTURE) - before,
            data["source"],
            data["status"],
        )

    def test_known_id_needs_no_packet(self, plenty: Sandbox, known: str) -> None:
        """`existing_id` of the remembered picture is UNCHANGED at once."""
        before = count(plenty, PICTURE)
        data = picture(plenty, existing_id=known).json()["data"]
        assert (None, True, "UNCHANGED") == (data["url"], data["unchanged"], data["status"])
        assert before == count(plenty, PICTURE)

    def test_sizes_are_apart(self, plenty: Sandbox) -> None:
        """The full picture is another answer than the preview."""
        before = count(plenty, PICTURE)
        full = picture(plenty, preview="false").json()["data"]
        assert ("image", "SERVER", 1) == (
            full["type"],
            full["source"],
            count(plenty, PICTURE) - before,
        )

    def test_refresh_asks(self, plenty: Sandbox) -> None:
        """`refresh=true` asks although the answer is known."""
        before = count(plenty, PICTURE)
        assert "SERVER" == picture(plenty, refresh="true").json()["data"]["source"]
        assert before + 1 == count(plenty, PICTURE)

    def test_event_drops_it(self, plenty: Sandbox) -> None:
        """After a change on WhatsApp the next call has the new picture."""
        plenty.control("set-picture", jid=JID, picture=world.PICTURE | {"id": "78"})
        wait_for(lambda: _is_told(plenty, "78"), 10, "the new picture")

    def test_callers_share_one_question(self, plenty: Sandbox) -> None:
        """Twenty callers at a time cost one packet."""
        plenty.control("slow", kind=PICTURE, delay=1, times=1)
        before = count(plenty, PICTURE)
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: picture(plenty, preview="false"), range(20)))
        assert {200} == {answer.status_code for answer in answers}
        assert before + 1 == count(plenty, PICTURE)

    def test_lid_and_number_share_the_answer(self, plenty: Sandbox) -> None:
        """One person's picture is asked for once, whichever JID is used."""
        picture(plenty, f"{world.SPLIT}@s.whatsapp.net")
        before = count(plenty, PICTURE)
        data = picture(plenty, f"{world.SPLIT_LID}@lid").json()["data"]
        assert ("CACHE", f"{world.SPLIT_LID}@lid") == (data["source"], data["jid"])
        assert before == count(plenty, PICTURE)

    def test_address_that_ends_is_asked_for_again(self, plenty: Sandbox) -> None:
        """A picture is not given beyond the end that its address tells."""
        soon = int(time.time()) + 62
        dated = {
            size: {"url": world.dated(told["url"], soon), "direct_path": told["direct_path"]}
            for size, told in world.PICTURE.items()
            if size != "id"
        }
        plenty.control("set-picture", jid=JID, picture={"id": "79", **dated})
        wait_for(lambda: _is_told(plenty, "79"), 10, "the new picture")
        told = picture(plenty).json()["data"]
        assert told["expires_at"].startswith(time.strftime("%Y-%m-%dT%H:", time.gmtime(soon)))
        wait_for(lambda: picture(plenty).json()["data"]["source"] == "SERVER", 10, "the end")

    @pytest.mark.parametrize(
        ("word", "code"), [("hidden", "PICTURE_HIDDEN"), ("none", "PICTURE_NOT_SET")]
    )
    def test_absence_is_remembered(self, plenty: Sandbox, word: str, code: str) -> None:
        """Hidden and none are told apart, and asked about once; refresh asks again."""
        plenty.control("set-picture", jid=JID, picture=word)
        # WhatsApp tells nobody that a picture is hidden now: only a refresh finds out.
        assert code == picture(plenty, refresh="true").json()["error_code"]
        before = count(plenty, PICTURE)
        assert code == picture(plenty).json()["error_code"]
        assert code == picture(plenty, preview="false").json()["error_code"]
        assert before == count(plenty, PICTURE)
        assert code == picture(plenty, refresh="true").json()["error_code"]
        assert before + 1 == count(plenty, PICTURE)


class TestBudget:
    """A device asks no more than its budget allows; what it knows is told all the same."""

    def test_shown(self, tight: Sandbox) -> None:
        """GET /budget has every class with its rate, over both doors."""
        data = tight.get("/budget").json()["data"]
        told = {item["query_class"]: (item["burst"], item["per_hour"]) for item in data["items"]}
        assert {"NUMBER_CHECK", "USER_INFO", "PICTURE", "GROUP_INFO"} == set(told)
        assert ((5, 60), (3, 60), (1, 60)) == (
            told["NUMBER_CHECK"],
            told["PICTURE"],
            told["GROUP_INFO"],
        )
        native = tight.rpc("GetBudget", pb.GetBudgetRequest())
        assert list(told) == [item.query_class for item in native.data.items]

    def test_numbers(self, tight: Sandbox) -> None:
        """Exhausted: local answers still come, the others say BUDGET_EXHAUSTED."""
        before = count(tight, CHECKED)
        body = {
            "jids": [world.LONG, *(world.stranger(n) for n in range(20))],
            "lookup": "ALLOW_NETWORK",
        }
        known, *strangers = tight.call("POST", "/contacts/resolve", json=body).json()["items"]
        assert "Person 4321" == known["full_name"]
        assert "status" not in known
        short = [item for item in strangers if item.get("status") == "BUDGET_EXHAUSTED"]
        assert 15 <= len(short) <= 16
        assert all(1 <= item["retry_after"] <= 60 * 21 for item in short)
        assert len(strangers) - len(short) == count(tight, CHECKED) - before

    def test_pictures(self, tight: Sandbox) -> None:
        """A picture beyond the budget is 429 BUDGET_EXHAUSTED with Retry-After."""
        jids = [f"{number}@s.whatsapp.net" for number in (world.LONG, world.SPLIT, world.SHORT)]
        for jid in itertools.chain(jids, jids):
            last = picture(tight, jid, refresh="true")
        assert (429, "BUDGET_EXHAUSTED") == (last.status_code, last.json()["error_code"])
        assert 1 <= int(last.headers["retry-after"]) <= 60
        request = pb.GetProfilePictureRequest(jid=jids[0], refresh=True)
        assert "BUDGET_EXHAUSTED" == tight.reason("GetProfilePicture", request)
        item = next(
            i for i in tight.get("/budget").json()["data"]["items"] if i["query_class"] == "PICTURE"
        )
        assert (0, True) == (item["remaining"], item["retry_after"] > 0)

    def test_groups(self, tight: Sandbox) -> None:
        """Without budget for a group's roster, what the store knows is told with the reason."""
        body = {"jids": [world.LONG], "group_jid": world.CLUB}
        tight.call("POST", "/contacts/resolve", json=body)
        item = tight.call(
            "POST", "/contacts/resolve", json=body | {"group_jid": world.CROWD}
        ).json()["items"][0]
        assert ("BUDGET_EXHAUSTED", "Person 4321") == (item["status"], item["full_name"])


class TestAnHour:
    """An hour of 10,000 mixed requests, in a minute."""

    @pytest.mark.timeout(240)
    def test_never_exceeds_the_rate(self, minute: Sandbox) -> None:
        """Whatever is asked, WhatsApp sees no more than burst and rate allow, at any time."""
        seen = asyncio.run(_hour(minute))
        for rate, burst, kind in RATES.values():
            samples = [(at, counts.get(kind, 0)) for at, counts in seen]
            for (start, first), (end, last) in itertools.combinations(samples[::4], 2):
                # Half a second: the samples are not taken at the moment of counting.
                assert last - first <= burst + rate / 3600 * (end - start + 0.5), kind
            spent = samples[-1][1] - samples[0][1]
            # The check can fail: the budget was really used up.
            assert spent >= 0.8 * rate / 3600 * (seen[-1][0] - seen[0][0]), kind


async def _hour(sandbox: Sandbox) -> list[tuple[float, dict[str, int]]]:
    """Sends the requests at an even pace, sampling what WhatsApp has seen."""
    metadata = [("authorization", f"Bearer {sandbox.token}")]
    numbers = iter(range(REQUESTS))
    begun = time.monotonic()
    seen: list[tuple[float, dict[str, int]]] = []
    failures: set[grpc.StatusCode] = set()
    async with grpc.aio.insecure_channel(sandbox.ready["grpc"]) as channel:
        stub: Any = pb_grpc.ContactsServiceStub(channel)

        async def caller() -> None:
            for number in numbers:
                await asyncio.sleep(
                    max(0.0, begun + number * SECONDS / REQUESTS - time.monotonic())
                )
                method, request = _mixed(number)
                try:
                    await getattr(stub, method)(request, metadata=metadata, timeout=30)
                except grpc.aio.AioRpcError as error:
                    failures.add(error.code())

        work = asyncio.gather(*(caller() for _ in range(CALLERS)))
        while not work.done():
            counts = await asyncio.to_thread(lambda: sandbox.control("count")["counts"])
            seen.append((time.monotonic(), counts))
            await asyncio.wait({work}, timeout=0.25)
        await work
    # No budget, or no picture: nothing else may go wrong.
    assert failures <= {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.NOT_FOUND}
    return seen


def _mixed(number: int) -> tuple[str, Any]:
    """One of four kinds of requests, most of which WhatsApp would have to answer."""
    match number % 4:
        case 0:
            jid = f"{world.stranger(number % 1000)}@s.whatsapp.net"
            return "GetProfilePicture", pb.GetProfilePictureRequest(jid=jid, refresh=True)
        case 1:
            request = pb.ResolveIdentifiersRequest(
                jids=[world.stranger(number % 1000)], lookup="FORCE"
            )
            return "ResolveIdentifiers", request
        case 2:
            group = world.CLUB if number % 8 == 2 else world.CROWD
            request = pb.ResolveIdentifiersRequest(
                jids=[world.LONG],
                group_jid=group,
                lookup="ALLOW_NETWORK" if number % 3 else "FORCE",
            )
            return "ResolveIdentifiers", request
        case _:
            return "ResolveIdentifiers", pb.ResolveIdentifiersRequest(jids=[world.SPLIT])
