"""Defines the two values of the binary XML: addresses and elements."""

from __future__ import annotations

from dataclasses import dataclass, field

PN_SERVER = "s.whatsapp.net"
LID_SERVER = "lid"
GROUP_SERVER = "g.us"


@dataclass(frozen=True)
class Jid:
    """An address on the wire: `user:device@server`; a server alone has an empty user."""

    user: str
    server: str
    device: int = 0

    def __str__(self) -> str:
        """Prints the canonical spelling; device 0 is left out."""
        if not self.user:
            return self.server
        device = f":{self.device}" if self.device else ""
        return f"{self.user}{device}@{self.server}"

    @property
    def bare(self) -> Jid:
        """The same address without its device part."""
        return Jid(self.user, self.server)


def pn_jid(number: str, device: int = 0) -> Jid:
    """Returns the address of a phone number, such as `5511999999999@s.whatsapp.net`."""
    return Jid(number, PN_SERVER, device)


def lid_jid(lid: str, device: int = 0) -> Jid:
    """Returns the address of a LID, such as `112233445566778@lid`."""
    return Jid(lid, LID_SERVER, device)


SERVER_JID = Jid("", PN_SERVER)


@dataclass
class Node:
    """An element: tag, attributes, and as content nothing, bytes, a word or child elements."""

    tag: str
    attrs: dict[str, str | Jid] = field(default_factory=dict)
    content: bytes | str | Jid | list[Node] | None = None

    @property
    def children(self) -> list[Node]:
        """The child elements; empty when the content is something else."""
        return self.content if isinstance(self.content, list) else []

    def child(self, tag: str) -> Node | None:
        """Returns the first child of that tag, or None."""
        return next((node for node in self.children if node.tag == tag), None)

    def text(self, name: str) -> str:
        """Returns an attribute as text; empty when it is absent."""
        return str(self.attrs.get(name, ""))

    def payload(self) -> bytes:
        """Returns the content as bytes; empty when the element holds none."""
        if isinstance(self.content, str):
            return self.content.encode()
        return self.content if isinstance(self.content, bytes) else b""
