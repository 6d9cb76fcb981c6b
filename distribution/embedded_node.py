"""A chain inside this process: py-evm (by eth-tester) behind the JSON-RPC methods of a node.

For machines where anvil cannot be had. Slower, and its state ends with the process.
"""

import json
import threading
from collections.abc import Callable, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from distribution.embedded_pairings import use_kernel
from distribution.errors import NodeFailed

Answer = Callable[[str, Any], dict[str, Any]]


class EmbeddedNode:
    """The node, served from a thread."""

    name = "embedded"

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self._thread = threading.Thread(target=server.serve_forever, daemon=True)
        self._thread.start()

    @classmethod
    def start(cls, port: int = 0) -> Self:
        """Serve on 127.0.0.1.

        Raises:
            NodeFailed: the `localnode` extra is not installed, or the port is taken.
        """
        try:
            from web3 import EthereumTesterProvider, Web3
        except ImportError as missing:
            raise _no_node() from missing
        try:
            web3 = Web3(EthereumTesterProvider())
            use_kernel()
        except ImportError as missing:
            raise _no_node() from missing
        lock = threading.Lock()

        def answer(method: str, params: Any) -> dict[str, Any]:
            with lock:  # eth-tester is not safe for two requests at once
                return _ask_tester(web3, method, params)

        try:
            return cls(ThreadingHTTPServer(("127.0.0.1", port), partial(_RpcHandler, answer)))
        except OSError as taken:
            raise NodeFailed(f"port {port} is taken: choose another with --port") from taken

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _RpcHandler(BaseHTTPRequestHandler):
    """JSON-RPC 2.0 over POST, one request or a batch of them.

    Each has a connection of its own, so that none outlives the node.
    """

    def __init__(self, answer: Answer, *connection: Any) -> None:
        self.answer = answer
        super().__init__(*connection)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told = list(map(self._reply, asked)) if isinstance(asked, list) else self._reply(asked)
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        reply = {"jsonrpc": "2.0", "id": request.get("id")}
        return reply | self.answer(request["method"], request.get("params", []))

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: a request line is no news."""


def _ask_tester(web3: Any, method: str, params: Any) -> dict[str, Any]:
    from eth_tester.exceptions import TransactionFailed
    from web3.middleware import combine_middleware
    from web3.providers.eth_tester import middleware

    layers = (
        middleware.default_transaction_fields_middleware,
        middleware.ethereum_tester_middleware,
    )
    request = combine_middleware(layers, web3, web3.provider.make_request)
    try:
        response = request(method, params)
    except TransactionFailed as failed:
        return {"error": {"code": 3, "message": str(failed.args[0])}}
    except Exception as fault:  # the node must answer whatever py-evm thinks of a request
        return {"error": {"code": -32603, "message": f"{type(fault).__name__}: {fault}"}}
    if "error" in response:
        return {"error": response["error"]}
    return {"result": _to_wire(response["result"])}


def _to_wire(value: Any) -> Any:
    """Quantities and data as the JSON-RPC specification writes them."""
    match value:
        case bool() | None | str():
            return value
        case int():
            return hex(value)
        case bytes():
            return "0x" + value.hex()
        case Mapping():
            return {key: _to_wire(item) for key, item in value.items()}
        case list() | tuple():
            return [_to_wire(item) for item in value]
        case _:
            return str(value)


def _no_node() -> NodeFailed:
    return NodeFailed(
        "no anvil (npm install @foundry-rs/anvil@1.7.1) and no embedded node "
        "(pip install 'personhood[localnode]'): install one, or name an RPC endpoint"
    )
