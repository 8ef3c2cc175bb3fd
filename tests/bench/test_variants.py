"""The variants that are compared answer alike, each in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import questions, seeds
from benchmarks.rounds import OutcomesDiffer, require_same, turns
from benchmarks.stores import Stores
from benchmarks.variants import open_variant
from benchmarks.worker import ENGINE, WorkerFailed, working
from wuts.contacts.v1 import contacts_service_pb2 as pb

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 400


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    """Seeded stores."""
    return Stores(tmp_path_factory.mktemp("stores"))


class TestSeeds:
    """The people of a store."""

    def test_shares(self) -> None:
        """Half of the rows stand under a LID, 45 % of which are paired with a PN of the store."""
        everyone = seeds.people(1000)
        lids = [jid for jid in everyone.rows if jid.endswith("@lid")]
        assert (1001, 500, 225) == (len(everyone.rows), len(lids), len(everyone.pairs))
        assert all(f"{pn}@s.whatsapp.net" in everyone.rows for pn, _ in everyone.pairs)
        assert all(f"{lid}@lid" in everyone.rows for _, lid in everyone.pairs)

    def test_are_the_same_each_time(self) -> None:
        """A size has its people, whoever makes them."""
        assert seeds.people(100) == seeds.people.__wrapped__(100)

    def test_questions(self) -> None:
        """A batch has 160 identifiers of all three kinds, and a few that nobody has."""
        (batch,) = questions.batches(1000, 1)
        kinds = {text.partition("@")[2] for text in batch}
        known = seeds.people(1000).rows
        unknown = [
            text for text in batch if text not in known and f"{text}@s.whatsapp.net" not in known
        ]
        assert (160, {"", "lid", "s.whatsapp.net"}, 8) == (len(set(batch)), kinds, len(unknown))


class TestRounds:
    """Taking turns."""

    def test_turns(self) -> None:
        """Everybody has a turn in each round, and another one begins it."""
        assert ["a", "b", "c", "b", "c", "a"] == list(turns(["a", "b", "c"], 2))

    def test_same(self) -> None:
        """Outcomes that differ end the run, and say whose they are."""
        require_same("list", {"ours": "1", "theirs": "1"})
        with pytest.raises(OutcomesDiffer, match="list: ours 1, theirs 2"):
            require_same("list", {"ours": "1", "theirs": "2"})


class TestVariants:
    """Each variant in its process."""

    def test_lists(self, stores: Stores) -> None:
        """Pages, the whole, one statement, bare rows and the engine list the same contacts."""
        with (
            working("lists", stores.original(SIZE), SIZE) as ours,
            working(ENGINE, stores.copy(SIZE, "engine"), SIZE) as engine,
        ):
            told = [ours.outcome(way)[1] for way in ("pages", "whole", "one-shot", "rows")]
            told.append(engine.outcome("list")[1])
        assert (1, True) == (len(set(told)), bool(told[0]))

    def test_single_pages(self, tmp_path: Path) -> None:
        """The three pages are full ones, whatever the length of the list."""
        stores = Stores(tmp_path)
        for size in (2000, 8000):
            variant = open_variant("pages", stores.original(size), size)
            pages = [page for page in variant.jobs["page"]() if isinstance(page, bytes)]
            found = [len(pb.ListContactsResponse.FromString(page).contacts) for page in pages]
            assert [1000] * 3 == found

    def test_batches(self, stores: Stores) -> None:
        """The service, a look-up at a time, and dictionaries resolve alike, item by item."""
        store, told = stores.original(SIZE), []
        for variant, jobs in (
            ("resolving", ("fresh", "held")),
            ("per-item", ("batches",)),
            ("dictionaries", ("batches",)),
        ):
            with working(variant, store, SIZE) as worker:
                told += [worker.outcome(job)[1] for job in jobs]
        assert (1, True) == (len(set(told)), bool(told[0]))

    def test_the_lists_differ_by_store(self, stores: Stores) -> None:
        """Two stores do not come to the same, so that the comparison means something."""
        told = []
        for size in (SIZE, SIZE // 2):
            with working("lists", stores.original(size), size) as worker:
                told.append(worker.outcome("pages")[1])
        assert told[0] != told[1]

    def test_failure(self, tmp_path: Path) -> None:
        """A variant that ends instead of answering is named."""
        with (
            working("lists", tmp_path / "devices" / "none" / "store.db", SIZE) as worker,
            pytest.raises(WorkerFailed, match="lists ended with 1"),
        ):
            worker.run("pages")
