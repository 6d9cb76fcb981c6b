"""uvicorn's quicker HTTP parser, for a service whose requests come in a rush."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST: Final = 64 * 1024  # bytes of a request's head, as many as uvicorn's other parser takes


class BoundedHttp(HttpToolsProtocol):
    """Parses in C, and breaks a connection whose request has no end of headers."""

    _head = 0
    _is_in_head = False

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        if self._is_in_head:
            self._head += len(data)
            if self._head > MOST and not self.transport.is_closing():
                self.send_400_response("The request's head is too long.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._head, self._is_in_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head has ended."""
        self._is_in_head = False
        super().on_headers_complete()
