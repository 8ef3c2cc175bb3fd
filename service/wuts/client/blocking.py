"""The blocking client."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import grpc

from wuts.client import channel, contact_calls, device_calls
from wuts.client.attempts import Attempts
from wuts.client.errors import error_of
from wuts.client.signatures import as_method

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Self

    from wuts.client.asking import Ask
    from wuts.client.contact_values import Contact

P = ParamSpec("P")
T = TypeVar("T")


def _unary(call: Callable[P, Ask[T]]) -> Callable[Concatenate[Client, P], T]:
    """Makes a method of a call with one answer."""

    @functools.wraps(call)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._answer(call(*args, **kwargs))

    return as_method(method, call)


def _stream(call: Callable[P, Ask[T]]) -> Callable[Concatenate[Client, P], Generator[T]]:
    """Makes a method of a call with a stream of answers."""

    @functools.wraps(call)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T]:
        return self._answers(call(*args, **kwargs))

    return as_method(method, call)


class Client:
    """Calls wuts and waits for the answers. Threads may share one.

    `target` is HOST:PORT, of the gateway or of the service itself. `token` is the bearer
    token, or a function that gives it before every attempt. `tls` must be chosen: True, False
    (plaintext), or the authorities to trust as PEM bytes. `timeout` is in seconds, for calls
    that name none of their own; None means what suits each call (17 s, or 32 s for those that
    take long), and no limit for streams. A call without side effects is made again up to
    `retries` times when the service was not available and a pause can cure that.

    >>> with Client("127.0.0.1:8080", token=lambda: TOKEN, tls=False, timeout=5) as client:
    ...     client.picture(number="5511999999999", timeout=3).jid
    '5511999999999@s.whatsapp.net'

    A stream is a generator; closing it, or leaving it to be collected, ends the call.
    """

    def __init__(
        self,
        target: str,
        *,
        token: str | Callable[[], str],
        tls: channel.Tls,
        timeout: float | None = None,
        retries: int = 2,
    ) -> None:
        self._token = token
        self._timeout = timeout
        self._retries = retries
        self._closed = threading.Event()
        secured, options = channel.credentials(tls), channel.options(target)
        if secured is None:
            self._channel = grpc.insecure_channel(target, options)
        else:
            self._channel = grpc.secure_channel(target, secured, options)

    # One line for each rpc; `contact_calls` and `device_calls` describe them.
    list_contacts = _unary(contact_calls.list_contacts)
    stream_contacts = _stream(contact_calls.stream_contacts)
    picture = _unary(contact_calls.picture)
    resolve = _unary(contact_calls.resolve)
    budget = _unary(contact_calls.budget)
    profile = _unary(contact_calls.profile)
    blocklist = _unary(contact_calls.blocklist)
    block = _unary(contact_calls.block)
    unblock = _unary(contact_calls.unblock)
    check = _unary(contact_calls.check)
    sync_app_state = _unary(contact_calls.sync_app_state)
    devices = _unary(device_calls.devices)
    create_device = _unary(device_calls.create_device)
    delete_device = _unary(device_calls.delete_device)
    device_status = _unary(device_calls.device_status)
    connect_device = _unary(device_calls.connect_device)
    disconnect_device = _unary(device_calls.disconnect_device)
    logout_device = _unary(device_calls.logout_device)
    qr_code = _unary(device_calls.qr_code)
    qr_status = _unary(device_calls.qr_status)
    pair_code = _unary(device_calls.pair_code)
    link_device = _stream(device_calls.link_device)
    watch_device = _stream(device_calls.watch_device)

    def contacts(
        self, *, full: bool = False, page_size: int = 500, timeout: float | None = None
    ) -> Generator[Contact]:
        """Gives every contact, one after the other; a page is asked for when it is needed.

        `full` adds `lid_jid`; `page_size` is 1 to 5000, `timeout` in seconds for each page.

        >>> [contact.push_name for contact in client.contacts(page_size=1)]
        ['Maria', 'Joao']
        """
        token: str | None = None
        while True:
            page = self.list_contacts(
                full=full, page_size=page_size, page_token=token, timeout=timeout
            )
            yield from page.contacts
            token = page.next_page_token
            if token is None:
                return

    def close(self) -> None:
        """Ends all calls and the connection; the client is of no use afterwards."""
        self._closed.set()
        self._channel.close()

    def __enter__(self) -> Self:
        """Gives the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the client."""
        self.close()

    def _answer(self, ask: Ask[T]) -> T:
        attempts = Attempts(ask, timeout=self._timeout, retries=self._retries)
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(ask.path)
        while True:
            try:
                answer = call(ask.request, timeout=attempts.left(), metadata=self._metadata())
            except grpc.RpcError as error:
                self._wait_after(error, attempts)
            else:
                return ask.read(answer)

    def _answers(self, ask: Ask[T]) -> Generator[T]:
        attempts = Attempts(ask, timeout=self._timeout, retries=self._retries)
        request: bytes | None = ask.request
        while request is not None:
            call: grpc.UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(ask.path)
            answers: Any = call(request, timeout=attempts.left(), metadata=self._metadata())
            try:
                for answer in answers:
                    value = ask.read(answer)
                    if ask.rest:
                        request = ask.rest(value)
                    attempts.advance()
                    yield value
            except grpc.RpcError as error:
                if request is not None:
                    self._wait_after(error, attempts)
            else:
                return
            finally:
                answers.cancel()

    def _wait_after(self, error: grpc.RpcError, attempts: Attempts) -> None:
        """Waits until the next attempt; raises the error if there is none."""
        failed = error_of(error)
        pause = attempts.pause_after(failed)
        if pause is None or self._closed.wait(pause):
            raise failed from error

    def _metadata(self) -> channel.Metadata:
        return channel.bearer(self._token if isinstance(self._token, str) else self._token())
