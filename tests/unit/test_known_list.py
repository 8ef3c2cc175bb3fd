"""What is known of a list, and what is not."""

from __future__ import annotations

import math

from wuts.adapters.revisions.known import Known

ONE, TWO = (1, 1), (1, 2)


class TestKnown:
    """Known: times are given, so that nothing waits."""

    def test_nothing(self) -> None:
        """At first nothing is known of any moment."""
        known = Known()
        assert not known.confirm(ONE, 1)
        assert ("", -math.inf) == (known.content, known.held_at)

    def test_confirmed(self) -> None:
        """While the store is in the same state, the list is what it was."""
        known = Known()
        known.learn("a", {ONE}, 1)
        assert known.confirm(ONE, 7)
        assert ("a", 7) == (known.content, known.held_at)

    def test_moved(self) -> None:
        """A store that was written to confirms nothing, and the first notice counts."""
        known = Known()
        known.learn("a", {ONE}, 1)
        assert [False, False] == [known.confirm(TWO, 7), known.confirm(TWO, 8)]
        assert (1, 7) == (known.held_at, known.moved_at)

    def test_written_to_meanwhile(self) -> None:
        """Pages of several states tell of the time they were begun, and of no state."""
        known = Known()
        known.learn("a", {ONE, TWO}, 1)
        assert not known.confirm(TWO, 2)
        assert ("a", 1, None) == (known.content, known.held_at, known.stamp)

    def test_changed(self) -> None:
        """Another list is known from when its reading began, not from when the old one was."""
        known = Known()
        known.learn("a", {ONE}, 1)
        known.confirm(ONE, 7)
        known.learn("b", {TWO}, 6)
        assert ("b", 6) == (known.content, known.held_at)

    def test_same_again(self) -> None:
        """The same list, read again, is known from the later moment."""
        known = Known()
        known.learn("a", {ONE}, 1)
        known.confirm(ONE, 7)
        known.learn("a", {TWO}, 6)
        assert ("a", 7, TWO) == (known.content, known.held_at, known.stamp)

    def test_slow_reading(self) -> None:
        """A reading that began earlier undoes nothing."""
        known = Known()
        known.learn("b", {TWO}, 5)
        known.learn("a", {ONE}, 1)
        assert ("b", 5) == (known.content, known.held_at)
