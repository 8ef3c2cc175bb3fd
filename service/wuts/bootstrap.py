"""Puts the service together: the one place that knows every room."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, TextIO, cast

import structlog
import uvloop

from wuts import __version__
from wuts.adapters.data_directory import DataDirectory, HeldByAnother
from wuts.adapters.registry import Registry, RegistryError
from wuts.adapters.revisions.revisions import ListRevisions
from wuts.adapters.sessions.limits import Limits as SessionLimits
from wuts.adapters.sessions.sessions import Sessions
from wuts.adapters.sqlite import Limits
from wuts.adapters.whatsmeow_store import WhatsmeowStore
from wuts.domain.errors import DomainError
from wuts.enquiring import Links, make_enquirer
from wuts.observing import CannotObserve, observing
from wuts.restoring import restore
from wuts.rpc.page_tokens import KEY_BYTES, PageTokens
from wuts.rpc.server import Ports, PortTaken, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from wuts.instruments import Instruments
    from wuts.observing import Observing
    from wuts.settings import Settings

_log = structlog.get_logger()
_YOUNG_OBJECTS = 10_000
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class CannotStart(Exception):  # named after the situation
    """The service cannot start; the message is one line for an operator."""


def run(settings: Settings) -> None:
    """Serves until a signal says stop; raises CannotStart."""
    os.umask(0o077)
    _configure_log(settings.log_level)
    data = DataDirectory(settings.data_dir)
    try:
        data.hold()
        data.withdraw()  # what a service that was killed has left
        key = data.page_token_key(KEY_BYTES)
    except HeldByAnother as error:
        raise CannotStart(f"{data.path} is held by another service, pid {error.pid}") from None
    except (OSError, ValueError) as error:
        raise CannotStart(f"cannot use {data.path}: {error}") from None
    uvloop.run(_serve(settings, data, PageTokens(key)))


async def _serve(settings: Settings, data: DataDirectory, page_tokens: PageTokens) -> None:
    stop = _stop_on_signals()
    async with contextlib.AsyncExitStack() as open_things:
        watching = await open_things.enter_async_context(_observing(settings))
        instruments = watching.instruments
        registry = _open_registry(data)
        open_things.callback(registry.close)
        # As many jobs may wait for one store as calls of one tenant are admitted.
        limits = Limits(call_seconds=settings.store_timeout, jobs=256)
        store = WhatsmeowStore(settings.data_dir, limits=limits, instruments=instruments)
        open_things.callback(store.close)
        revisions = ListRevisions(store, data.devices, instruments=instruments)
        open_things.push_async_callback(revisions.close)
        links = Links(registry)
        sessions = _sessions(settings, data, store, links, instruments)
        open_things.push_async_callback(sessions.stop)
        metrics = instruments.metrics
        enquirer = make_enquirer(settings, data.devices, sessions, store, metrics)
        links.enquirer = enquirer
        open_things.push_async_callback(enquirer.close)
        ports = Ports(
            store=store,
            sessions=sessions,
            enquiries=enquirer,
            directory=registry,
            devices=registry,
            page_tokens=page_tokens,
            max_list=settings.max_list,
            revisions=revisions,
            instruments=instruments,
        )
        server = Server(ports, sandbox=settings.sandbox)
        watching.watch(sessions, server.load)
        try:
            to_connect = await restore(registry, store, sessions)
            links.recall()
        except DomainError:
            raise CannotStart(f"cannot read the registry in {data.path}") from None
        listening = _listening(server, settings, data, stop, watching.metrics_port)
        await open_things.enter_async_context(listening)
        # Whoever calls as soon as the port is open finds them connecting.
        sessions.start(to_connect)
        _settle_memory()
        await stop.wait()
        _log.info("stopping")
        stop.clear()
    _log.info("stopped")


def _settle_memory() -> None:
    """Keeps the garbage collector off what is here to stay, and from looking all the time.

    A call makes hundreds of objects and hardly any cycle; looking through all that was
    imported, again and again, took a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)


@contextlib.asynccontextmanager
async def _observing(settings: Settings) -> AsyncIterator[Observing]:
    try:
        async with observing(settings) as watching:
            yield watching
    except CannotObserve as error:
        raise CannotStart(str(error)) from None


@contextlib.asynccontextmanager
async def _listening(
    server: Server,
    settings: Settings,
    data: DataDirectory,
    stop: asyncio.Event,
    metrics_port: int | None,
) -> AsyncIterator[None]:
    try:
        await server.start(settings.grpc_host, settings.grpc_port)
    except PortTaken:
        address = f"{settings.grpc_host}:{settings.grpc_port}"
        message = "taken, or not of this machine; set WUTS_GRPC_PORT or WUTS_GRPC_HOST"
        raise CannotStart(f"cannot listen on {address}: {message}") from None
    data.announce(server.port, metrics_port=metrics_port)
    _log.info(
        "serving",
        port=server.port,
        metrics_port=metrics_port,
        version=__version__,
        sandbox=settings.sandbox,
    )
    try:
        yield
    finally:
        data.withdraw()
        await _drain(server, settings.drain_seconds, stop)


async def _drain(server: Server, seconds: float, hurry: asyncio.Event) -> None:
    """Lets calls under way finish; a second signal ends them at once."""
    draining = asyncio.ensure_future(server.stop(seconds))
    hurrying = asyncio.ensure_future(hurry.wait())
    await asyncio.wait({draining, hurrying}, return_when=asyncio.FIRST_COMPLETED)
    hurrying.cancel()
    if not draining.done():
        await server.stop(0)
    await draining


def _open_registry(data: DataDirectory) -> Registry:
    try:
        return Registry(data.path)
    except (RegistryError, DomainError, OSError) as error:
        raise CannotStart(f"cannot open the registry in {data.path}: {error}") from None


def _sessions(
    settings: Settings,
    data: DataDirectory,
    store: WhatsmeowStore,
    links: Links,
    instruments: Instruments,
) -> Sessions:
    return Sessions(
        data.devices,
        command=settings.session_command,
        sandbox=settings.sandbox,
        session_log=settings.session_log,
        account_of=store.account,
        on_linked=links.on_linked,
        on_logged_out=links.on_logged_out,
        is_synced=store.synced,
        limits=SessionLimits(call_seconds=settings.call_timeout),
        instruments=instruments,
    )


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    return stop


class _Foreign(logging.Handler):
    """Logs that a library complained, never its words: they may hold a number."""

    def emit(self, record: logging.LogRecord) -> None:
        """Logs the library's logger, level and exception type."""
        fault = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        _log.warning("a library complained", logger=record.name, fault=fault)


class LogStream:
    """Writes to standard error; a log that cannot be written must stop nothing.

    A full disk would else end whatever task happens to log. What is lost is told
    with the next line that can be written.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0

    def write(self, text: str) -> None:
        """Writes a line, or counts it as lost."""
        lost = f'{{"event": "log lines lost", "count": {self._lost}}}\n' if self._lost else ""
        try:
            self._stream.write(lost + text)
            self._stream.flush()
        except OSError:
            self._lost += 1
        else:
            self._lost = 0

    def flush(self) -> None:
        """Does nothing more: each line is written at once."""


def _configure_log(level: str) -> None:
    """One JSON object a line on stderr; of foreign log records only where they are from."""
    logging.basicConfig(handlers=[_Foreign()], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,  # the request id of the call under way
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", LogStream(sys.stderr))),
    )
