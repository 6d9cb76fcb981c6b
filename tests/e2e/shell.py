"""`personhood` as a person types it: each command a process, with state kept between them."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path


class Shell:
    """Runs `personhood` in one environment; what long ones say is in files beside `home`."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.chain_port, self.service_port = free_port(), free_port()
        self.environment = os.environ | {
            "PERSONHOOD_HOME": str(home),
            "PERSONHOOD_RPC_URL": f"http://127.0.0.1:{self.chain_port}",
            "PERSONHOOD_SERVICE_URL": f"http://127.0.0.1:{self.service_port}",
            "PERSONHOOD_WALLET_PASSWORD": "correct horse battery staple",
            **settings,
        }
        self.children: list[subprocess.Popen[bytes]] = []

    def run(self, *arguments: str, fails: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "personhood", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == fails, done.stdout + done.stderr
        return done.stdout if fails == 0 else done.stdout + done.stderr

    def leave_running(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "personhood", *arguments]
        with self.log(arguments[0]).open("ab") as output:
            process = subprocess.Popen(
                command, env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )
        self.children.append(process)
        return process

    def log(self, command: str) -> Path:
        return self.home.with_name(f"{command}.log")

    def start(self, *arguments: str, port: int) -> subprocess.Popen[bytes]:
        process = self.leave_running(*arguments, "--port", str(port))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return process
            assert process.poll() is None, self.log(arguments[0]).read_text()
            time.sleep(0.05)
        raise AssertionError(f"{arguments} did not start")

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        process.wait(timeout=20)
        self.children.remove(process)

    def stop_all(self) -> None:
        """Asked, not killed: `personhood chain` ends its anvil."""
        for process in reversed(self.children.copy()):
            self.stop(process)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
