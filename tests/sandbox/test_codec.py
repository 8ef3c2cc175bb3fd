"""Tests of the binary XML codec."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuts_sandbox.wire.decode import WireError, decode
from wuts_sandbox.wire.encode import encode
from wuts_sandbox.wire.node import Jid, Node
from wuts_sandbox.wire.tokens import dictionary

words = st.text(min_size=1, max_size=300).filter(lambda word: word.isprintable())
digits = st.text("0123456789", min_size=1, max_size=20)
jids = st.one_of(
    st.builds(Jid, digits, st.sampled_from(["s.whatsapp.net", "lid"]), st.integers(0, 99)),
    st.builds(Jid, digits, st.just("g.us")),
    st.just(Jid("", "s.whatsapp.net")),
)
attributes = st.dictionaries(words, words | jids, max_size=4)
leaves = st.builds(Node, words, attributes, st.none() | st.binary(max_size=400))
nodes = st.recursive(
    leaves,
    lambda inner: st.builds(Node, words, attributes, st.lists(inner, min_size=1, max_size=4)),
    max_leaves=8,
)


class TestRoundTrip:
    """What is written can be read."""

    @given(nodes)
    def test_any_element(self, node: Node) -> None:
        """Every element comes back as it was."""
        assert node == decode(encode(node))

    @pytest.mark.parametrize("size", [0, 255, 256, (1 << 20) - 1, 1 << 20])
    def test_any_length(self, size: int) -> None:
        """Content of every length class comes back."""
        node = Node("a", {}, b"x" * size)
        assert node == decode(encode(node))

    def test_many_children(self) -> None:
        """More than 255 children take a wide list."""
        node = Node("a", {}, [Node("b") for _ in range(300)])
        assert node == decode(encode(node))

    def test_empty_attributes_are_left_out(self) -> None:
        """An empty attribute is an absent one."""
        assert Node("a", {"c": "d"}) == decode(encode(Node("a", {"b": "", "c": "d"})))

    def test_compressed(self) -> None:
        """A compressed frame is read like a plain one."""
        plain = encode(Node("a", {"b": "c"}))
        assert decode(plain) == decode(b"\x02" + zlib.compress(plain[1:]))


class TestClientForms:
    """Clients also write forms that the emulator never writes."""

    def test_dictionary_words(self) -> None:
        """Words of one and of two bytes are looked up."""
        words = dictionary()
        node = decode(bytes((0, 248, 3, 25, 22, 236, 1)))
        assert Node(words.single[25], {words.single[22]: words.double[0][1]}) == node

    def test_packed_digits(self) -> None:
        """Packed digits come out as text, also an odd number of them."""
        node = decode(bytes((0, 248, 3, 25, 8, 255, 0x82, 0x12, 0x3F)))
        assert node.attrs["id"] == "123"

    def test_packed_hexadecimal(self) -> None:
        """Packed hexadecimal digits are upper case."""
        node = decode(bytes((0, 248, 3, 25, 8, 251, 2, 0xAB, 0x12)))
        assert node.attrs["id"] == "AB12"

    def test_device_address(self) -> None:
        """An address with a device part names its server by a number."""
        node = decode(bytes((0, 248, 3, 25, 8, 247, 1, 7, 252, 2)) + b"55")
        assert node.attrs["id"] == Jid("55", "lid", 7)


class TestMalformed:
    """Broken frames are refused, whatever they hold."""

    @given(st.binary(max_size=200))
    def test_any_bytes(self, data: bytes) -> None:
        """Random bytes are an element or a WireError, nothing else."""
        try:
            outcome: Node | WireError = decode(data)
        except WireError as error:
            outcome = error
        assert isinstance(outcome, Node | WireError)

    @pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\xf8", b"\x02abc", b"\x00\x19"])
    def test_short_frames(self, data: bytes) -> None:
        """Frames that end early are refused."""
        with pytest.raises(WireError):
            decode(data)

    def test_deep_nesting(self) -> None:
        """Elements nested without end are refused."""
        node = Node("a")
        for _ in range(100):
            node = Node("a", {}, [node])
        with pytest.raises(WireError, match="deep"):
            decode(encode(node))

    def test_bomb(self) -> None:
        """A small frame that would unfold to a huge one is refused."""
        with pytest.raises(WireError, match="too long"):
            decode(b"\x02" + zlib.compress(bytes(1 << 25)))
