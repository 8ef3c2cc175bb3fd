"""The gRPC server: services, health, reflection, limits and a graceful stop."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from wuts.contacts.v1 import contacts_service_pb2, contacts_service_pb2_grpc
from wuts.devices.v1 import devices_service_pb2, devices_service_pb2_grpc
from wuts.instruments import Instruments
from wuts.rpc.conditional import NoRevisions
from wuts.rpc.contact_list import ContactList
from wuts.rpc.contact_stream import ContactStream
from wuts.rpc.contacts import ContactsServicer
from wuts.rpc.devices import DevicesServicer
from wuts.rpc.interceptor import CallGuard
from wuts.rpc.load import Load
from wuts.rpc.reflection import enable_reflection
from wuts.rpc.streams import Patience
from wuts.rpc.token_check import add_token_check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wuts.ports import (
        ContactStore,
        Devices,
        Enquiries,
        LiveSessions,
        Revisions,
        TokenDirectory,
    )
    from wuts.rpc.page_tokens import PageTokens

CONTACTS = contacts_service_pb2.DESCRIPTOR.services_by_name["ContactsService"].full_name
DEVICES = devices_service_pb2.DESCRIPTOR.services_by_name["DevicesService"].full_name
SANDBOX_HEALTH = "wuts.sandbox"
"""A health name that exists, and serves, only when WhatsApp is a sandbox."""

_MIB = 1024 * 1024
_OPTIONS = (
    # Without this a second server would share a busy port without an error.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", _MIB),
    # 200,000 contacts are some 20 MB; a caller sets its own, smaller limit.
    ("grpc.max_send_message_length", 256 * _MIB),
    ("grpc.max_concurrent_streams", 1024),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)
_CALL_TIMEOUT = 25.0
# Below the gateway's 30 s for a list; calls to WhatsApp have a shorter one of
# their own.
_FLUSH_SECONDS = 0.5


class PortTaken(Exception):  # named after the situation
    """The address cannot be listened on."""


@dataclass(frozen=True)
class Ports:
    """What the services answer from; without `revisions` no list has a tag."""

    store: ContactStore
    sessions: LiveSessions
    enquiries: Enquiries
    directory: TokenDirectory
    devices: Devices
    page_tokens: PageTokens
    max_list: int
    revisions: Revisions | None = None
    instruments: Instruments = field(default_factory=Instruments)
    patience: Patience = field(default_factory=Patience)


class Server:
    """The listening server. `port` is known after `start`."""

    def __init__(self, ports: Ports, *, sandbox: bool = False) -> None:
        self.port = 0
        self._load = Load()
        guard = CallGuard(
            ports.directory,
            call_timeout=_CALL_TIMEOUT,
            load=self._load,
            instruments=ports.instruments,
        )
        self._server = aio.server(interceptors=[guard], options=_OPTIONS)
        self._health = health.aio.HealthServicer()
        self._sandbox = sandbox
        self._add_services(ports)

    def _add_services(self, ports: Ports) -> None:
        revisions = ports.revisions or NoRevisions(ports.store)
        contact_list = ContactList(
            sessions=ports.sessions,
            revisions=revisions,
            page_tokens=ports.page_tokens,
            max_list=ports.max_list,
            metrics=ports.instruments.metrics,
        )
        contact_stream = ContactStream(
            store=ports.store,
            sessions=ports.sessions,
            page_tokens=ports.page_tokens,
            patience=ports.patience,
            load=self._load,
        )
        contacts = ContactsServicer(
            store=ports.store,
            sessions=ports.sessions,
            enquiries=ports.enquiries,
            contact_list=contact_list,
            contact_stream=contact_stream,
        )
        devices = DevicesServicer(
            devices=ports.devices,
            sessions=ports.sessions,
            enquiries=ports.enquiries,
            store=ports.store,
            revisions=revisions,
            stopping=self._load.draining,
        )
        contacts_service_pb2_grpc.add_ContactsServiceServicer_to_server(contacts, self._server)
        devices_service_pb2_grpc.add_DevicesServiceServicer_to_server(devices, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        add_token_check(self._server)
        names = (CONTACTS, DEVICES, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
        enable_reflection(names, self._server)

    def load(self) -> Mapping[str, int]:
        """Counts what is under way: calls and streams."""
        return self._load.under_way()

    async def start(self, host: str, port: int) -> None:
        """Listens on the address and serves; raises PortTaken. Port 0 takes any."""
        try:
            self.port = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise PortTaken from error
        await self._server.start()
        await self._report_serving()

    async def stop(self, drain: float) -> None:
        """Refuses new calls, lets those under way finish for `drain` seconds, ends.

        New calls are still answered meanwhile, with SERVICE_UNAVAILABLE. A second
        stop without `drain` hurries the first one.
        """
        self._load.draining.set()
        await self._health.enter_graceful_shutdown()
        with contextlib.suppress(TimeoutError):
            await self._load.wait_until_idle(drain)
        self._load.cutting.set()
        # The answers are written; a moment for what is on its way out.
        await self._server.stop(min(drain, _FLUSH_SECONDS))

    async def wait(self) -> None:
        """Returns once the server has stopped."""
        await self._server.wait_for_termination()

    async def _report_serving(self) -> None:
        names = ["", CONTACTS, DEVICES]
        if self._sandbox:
            names.append(SANDBOX_HEALTH)
        serving = health_pb2.HealthCheckResponse.SERVING
        await asyncio.gather(*(self._health.set(name, serving) for name in names))
