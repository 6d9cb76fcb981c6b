"""Links between the three parties' workers: TLS 1.3, each end pinned to one certificate.

SPU's own links can use TLS, but the port goes on answering whoever speaks without it. So a worker
speaks over Unix sockets in a directory of its own, and what it says is carried by the daemon:

    worker ──<peer>.sock──▶ Tunnel ══TLS══▶ the peer's Tunnel ──<rank>.sock──▶ the peer's worker

A tunnel also notices at once when a peer goes away, for which the worker would wait long.
"""

import asyncio
import socket
import ssl
import threading
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self
from weakref import WeakSet

_CHUNK = 1 << 18
_HANDSHAKE = 10.0  # seconds
_NAME_BYTES = 256
_END = "-----END CERTIFICATE-----\n"
# A peer's machine that vanished is noticed after about 5 + 3 * 2 seconds without traffic.
_KEEPALIVE = {
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): 5,
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): 2,
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): 3,
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT): 10_000,
    (socket.IPPROTO_TCP, socket.TCP_NODELAY): 1,
}


@dataclass(frozen=True)
class Links:
    """How the three workers of a session reach each other.

    Args:
        session: the session's name, the same at all three.
        addresses: HOST:PORT by rank; where the other two are reached, and where this one listens.
        certificate, key: this party's, PEM.
        trusted: the three parties' certificates by rank, PEM, in one file.
    """

    session: str
    addresses: tuple[str, str, str]
    certificate: Path
    key: Path
    trusted: Path


class Tunnel:
    """Carries one worker's links for as long as a session lasts.

    Args:
        rank: this party.
        links: where and who the others are.
        directory: for the worker's sockets; nobody else may enter it.
        on_lost: called, from another thread, when a link ends that both ends had agreed on.

    Raises:
        OSError: the address is in use or not this machine's, or keys cannot be read.
        ValueError: not three certificates.
    """

    def __init__(
        self, rank: int, links: Links, directory: Path, on_lost: Callable[[], None]
    ) -> None:
        self._rank, self._links, self._directory = rank, links, directory
        self._on_lost = on_lost
        pems = [f"{pem}{_END}" for pem in links.trusted.read_text().split(_END)[:-1]]
        self._certificates = dict(enumerate(map(ssl.PEM_cert_to_DER_cert, pems)))
        if len(pems) != len(links.addresses):
            raise ValueError(f"{links.trusted} must hold the certificates of three parties")
        self._peers = [peer for peer in self._certificates if peer != rank]
        self._servers: list[asyncio.Server] = []
        self._carried = 0
        self._transports: WeakSet[asyncio.WriteTransport] = WeakSet()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._do(self._open(pems))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def carried(self) -> int:
        """Bytes that the worker has sent to the other two."""
        return self._carried

    def close(self) -> None:
        """End all links."""
        if self._loop.is_closed():
            return
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self, pems: list[str]) -> None:
        incoming = self._context(ssl.PROTOCOL_TLS_SERVER, [pems[peer] for peer in self._peers])
        host, _, port = self._links.addresses[self._rank].rpartition(":")
        server = await asyncio.start_server(
            self._accept,
            host.strip("[]"),
            int(port),
            ssl=incoming,
            ssl_handshake_timeout=_HANDSHAKE,
        )
        self._servers.append(server)
        for peer in self._peers:
            outgoing = self._context(ssl.PROTOCOL_TLS_CLIENT, [pems[peer]])
            self._servers.append(
                await asyncio.start_unix_server(
                    partial(self._connect, peer, outgoing), self._directory / f"{peer}.sock"
                )
            )

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for transport in list(self._transports):
            transport.abort()  # of those, too, that wait for a peer's last word
        await asyncio.sleep(0)

    def _context(self, protocol: int, certificates: list[str]) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # the certificate itself is pinned
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata="".join(certificates))
        context.load_cert_chain(self._links.certificate, self._links.key)
        return context

    async def _connect(self, peer: int, context: ssl.SSLContext, near: Reader, to: Writer) -> None:
        """The worker wants to speak with a peer; until it is there, the worker tries again."""
        host, _, port = self._links.addresses[peer].rpartition(":")
        with self._closing(to):
            far, far_to = await asyncio.open_connection(
                host.strip("[]"), int(port), ssl=context, ssl_handshake_timeout=_HANDSHAKE
            )
            with self._closing(far_to):
                self._require_pinned(far_to, [peer])
                far_to.write(f"{self._links.session}\n".encode())
                await self._carry(near, to, far, far_to)

    async def _accept(self, far: Reader, far_to: Writer) -> None:
        """A peer wants to speak with the worker."""
        with self._closing(far_to):
            self._require_pinned(far_to, self._peers)
            session = await asyncio.wait_for(far.readline(), _HANDSHAKE)
            if session != f"{self._links.session}\n".encode():
                return  # it is in another session, and will notice
            path = self._directory / f"{self._rank}.sock"
            near, to = await asyncio.open_unix_connection(path)
            with self._closing(to):
                await self._carry(near, to, far, far_to)

    def _closing(self, writer: Writer) -> "_Closing":
        self._transports.add(writer.transport)
        return _Closing(writer)

    def _require_pinned(self, to: Writer, peers: list[int]) -> None:
        shown = to.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if shown not in [self._certificates[peer] for peer in peers]:
            raise ConnectionError("a certificate that is not pinned")

    async def _carry(self, near: Reader, to: Writer, far: Reader, far_to: Writer) -> None:
        connection = far_to.get_extra_info("socket")
        if connection is None:
            return  # it ended already
        for (level, option), value in _KEEPALIVE.items():
            connection.setsockopt(level, option, value)
        pumps = [
            asyncio.create_task(self._pump(near, far_to, counted=True)),
            asyncio.create_task(self._pump(far, to, counted=False)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
        self._on_lost()

    async def _pump(self, source: Reader, to: Writer, *, counted: bool) -> None:
        with suppress(OSError):
            while data := await source.read(_CHUNK):
                self._carried += len(data) if counted else 0
                to.write(data)
                await to.drain()


class _Closing:
    """Closes a stream, and takes a failed connection, or being cancelled, for an end of it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        self._writer.close()
        # Cancelled is only who ends with the tunnel, and asyncio would print that.
        return isinstance(error, (OSError, TimeoutError, ValueError, asyncio.CancelledError))
