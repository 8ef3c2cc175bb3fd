"""The bounds on calls under way."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from wuts.domain.caller import Caller, Role
from wuts.domain.errors import RateLimited, ServiceUnavailable
from wuts.rpc.load import Bounds, Load

BOUNDS = Bounds(calls=3, calls_of_tenant=2, streams=3, streams_of_tenant=2)


def caller(tenant: str, user: str = "ana") -> Caller:
    """Someone of a tenant."""
    return Caller(tenant, user, Role.USER, None, ())


class TestLoad:
    """Load shares what there is."""

    @pytest.mark.parametrize("kind", ["call", "stream"])
    def test_one_owner_cannot_take_everything(self, kind: str) -> None:
        """Beyond its share an owner is told to slow down; others go on until all is used."""
        load = Load(BOUNDS)
        with ExitStack() as held:
            for _ in range(2):
                held.enter_context(getattr(load, kind)(caller("acme")))
            with pytest.raises(RateLimited):
                held.enter_context(getattr(load, kind)(caller("acme")))
            held.enter_context(getattr(load, kind)(caller("globex")))
            with pytest.raises(ServiceUnavailable):
                held.enter_context(getattr(load, kind)(caller("initech")))

    def test_what_ended_counts_no_more(self) -> None:
        """A call that failed leaves its place."""
        load = Load(BOUNDS)
        for _ in range(5):
            with pytest.raises(ValueError, match="x"), load.call(caller("acme")):
                raise ValueError("x")
        with load.call(caller("acme")):
            assert not load.draining.is_set()

    def test_refuses_new_work_while_draining(self) -> None:
        """Once draining, nobody is let in."""
        load = Load(BOUNDS)
        load.draining.set()
        with pytest.raises(ServiceUnavailable), load.call(caller("acme")):
            pytest.fail("was let in")
