"""Puts the service together: the one place that knows every room."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import structlog
import uvloop

from wuts import __version__
from wuts.adapters.data_directory import DataDirectory, HeldByAnother
from wuts.adapters.registry import Registry, RegistryError
from wuts.adapters.sessions.limits import Limits as SessionLimits
from wuts.adapters.sessions.sessions import Sessions
from wuts.adapters.sqlite import Limits
from wuts.adapters.whatsmeow_store import WhatsmeowStore
from wuts.domain.errors import DomainError
from wuts.enquiring import Links, make_enquirer
from wuts.restoring import restore
from wuts.rpc.page_tokens import KEY_BYTES, PageTokens
from wuts.rpc.server import Ports, PortTaken, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from wuts.settings import Settings

_log = structlog.get_logger()
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
        registry = _open_registry(data)
        open_things.callback(registry.close)
        # As many jobs may wait for one store as calls of one tenant are admitted.
        limits = Limits(call_seconds=settings.store_timeout, jobs=256)
        store = WhatsmeowStore(settings.data_dir, limits=limits)
        open_things.callback(store.close)
        links = Links(registry)
        sessions = _sessions(settings, data, store, links)
        open_things.push_async_callback(sessions.stop)
        enquirer = links.enquirer = make_enquirer(settings, data.devices, sessions, store)
        open_things.push_async_callback(enquirer.close)
        ports = Ports(
            store=store,
            sessions=sessions,
            enquiries=enquirer,
            directory=registry,
            devices=registry,
            page_tokens=page_tokens,
            max_list=settings.max_list,
        )
        server = Server(ports, sandbox=settings.sandbox)
        try:
            to_connect = await restore(registry, store, sessions)
            links.recall()
        except DomainError:
            raise CannotStart(f"cannot read the registry in {data.path}") from None
        await open_things.enter_async_context(_listening(server, settings, data, stop))
        # Whoever calls as soon as the port is open finds them connecting.
        sessions.start(to_connect)
        await stop.wait()
        _log.info("stopping")
        stop.clear()
    _log.info("stopped")


@contextlib.asynccontextmanager
async def _listening(
    server: Server, settings: Settings, data: DataDirectory, stop: asyncio.Event
) -> AsyncIterator[None]:
    try:
        await server.start(settings.grpc_host, settings.grpc_port)
    except PortTaken:
        address = f"{settings.grpc_host}:{settings.grpc_port}"
        message = "taken, or not of this machine; set WUTS_GRPC_PORT or WUTS_GRPC_HOST"
        raise CannotStart(f"cannot listen on {address}: {message}") from None
    data.announce(server.port)
    _log.info("serving", port=server.port, version=__version__, sandbox=settings.sandbox)
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
    settings: Settings, data: DataDirectory, store: WhatsmeowStore, links: Links
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


def _configure_log(level: str) -> None:
    """One JSON object a line on stderr; of foreign log records only where they are from."""
    logging.basicConfig(handlers=[_Foreign()], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
