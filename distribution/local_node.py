"""A chain of one's own: `anvil` as a process, or py-evm behind the same JSON-RPC methods.

Both are real EVM nodes with accounts that they sign for themselves, so a local run needs no key.
`start_local_node` takes anvil where it can be had and says which one it took.
"""

import platform
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Protocol, Self
from urllib.error import URLError
from urllib.request import Request, urlopen

from distribution.errors import NodeFailed

START_TIMEOUT = 20.0  # seconds
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class LocalNode(Protocol):
    """A running JSON-RPC node on the loopback address."""

    name: str
    url: str

    def close(self) -> None:
        """Stop the node; anvil writes its state first."""
        ...


def start_local_node(
    port: int = 0, *, state: Path | None = None, anvil: Path | None = None
) -> LocalNode:
    """Start `anvil`, or the embedded node where there is none.

    Args:
        port: TCP port on 127.0.0.1; 0 picks a free one.
        state: file that anvil loads at start and writes on exit and every few seconds.
        anvil: the binary; found by `find_anvil` when None.

    Raises:
        NodeFailed: neither node could be started.
    """
    port = port or _free_port()
    binary = anvil or find_anvil()
    if binary is not None:
        return AnvilNode.start(binary, port, state)
    from distribution.embedded_node import EmbeddedNode

    return EmbeddedNode.start(port)


def find_anvil(root: Path | None = None) -> Path | None:
    """The platform's anvil binary under `root`/node_modules (default: here), or on the PATH."""
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    package = f"anvil-{platform.system().lower()}-{architecture}"
    modules = (root or Path.cwd()) / "node_modules" / "@foundry-rs"
    binary = modules / package / "bin" / "anvil"
    if binary.is_file():
        return binary
    on_path = shutil.which("anvil")
    return Path(on_path) if on_path else None


class AnvilNode:
    """`anvil` as a child process."""

    name = "anvil"

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url

    @classmethod
    def start(cls, binary: Path, port: int, state: Path | None = None) -> Self:
        """Start the process and wait until it answers.

        Raises:
            NodeFailed: the port is taken, it exited or did not answer within 20 seconds.
        """
        _require_free(port)
        command = [str(binary), "--host", "127.0.0.1", "--port", str(port), "--quiet"]
        if state is not None:
            command += ["--state", str(state), "--state-interval", "2"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        node = cls(process, f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + START_TIMEOUT
        while not _answers(node.url):
            if process.poll() is not None or time.monotonic() > deadline:
                node.close()
                raise NodeFailed(
                    "anvil did not start: is the state file of another version? "
                    "Its own message is above"
                )
            time.sleep(0.05)
        return node

    def close(self) -> None:
        """Ask anvil to write its state and exit; kill it if it does not within ten seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _answers(url: str) -> bool:
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
    request = Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=1):
            return True
    except (URLError, OSError):
        return False


def _require_free(port: int) -> None:
    """Tell a taken port before anvil is started, or its neighbour's answer would pass for its."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as taken:
            raise NodeFailed(f"port {port} is taken: choose another with --port") from taken


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
