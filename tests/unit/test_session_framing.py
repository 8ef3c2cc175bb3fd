"""Tests of the frames between the service and its session processes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuts.session.framing import Deframer, FramingError, frame
from wuts.session.v1 import session_pb2 as pb

events = st.builds(
    pb.Event,
    qr_text=st.text(max_size=300),
)


class TestDeframer:
    """Messages off a stream."""

    @given(st.lists(events, max_size=8), st.integers(1, 64))
    def test_round_trip(self, sent: list[pb.Event], size: int) -> None:
        """Messages survive the stream, however it is cut into portions."""
        stream = b"".join(frame(event) for event in sent)
        deframer = Deframer(pb.Event)
        portions = (stream[at : at + size] for at in range(0, len(stream), size))
        assert [event for each in portions for event in deframer.feed(each)] == sent

    @given(st.binary(max_size=200))
    def test_garbage(self, data: bytes) -> None:
        """Garbage is refused, or waits for more; it never is anything else."""
        deframer = Deframer(pb.Event, limit=64)
        try:
            told = list(deframer.feed(data))
        except FramingError:
            return
        assert all(isinstance(event, pb.Event) for event in told)

    def test_too_long(self) -> None:
        """A length beyond the limit is refused before its bytes arrive."""
        with pytest.raises(FramingError, match="too long"):
            list(Deframer(pb.Event, limit=10).feed(b"\0\0\0\x0b"))

    def test_no_message(self) -> None:
        """A body that is no message is refused."""
        with pytest.raises(FramingError, match="no such message"):
            list(Deframer(pb.Event).feed(b"\0\0\0\x01\xff"))


class TestFrame:
    """Messages onto a stream."""

    def test_form(self) -> None:
        """The length stands before the message, four bytes, big endian."""
        event = pb.Event(qr_text="ab")
        assert frame(event) == b"\0\0\0\x04" + event.SerializeToString()

    def test_too_long(self) -> None:
        """A message beyond the limit is refused."""
        with pytest.raises(FramingError, match="too long"):
            frame(pb.Event(qr_text="x" * 100), limit=50)
