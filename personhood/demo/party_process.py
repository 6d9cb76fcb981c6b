"""A party as the demo runs it: the real command in a process of its own, which can be killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from personhood.demo.service_process import free_port, service_environment
from personhood.errors import DemoFailed
from personhood.party_app import pin
from uniqueness.errors import PartyUnavailable
from uniqueness.private.remote_party import RemoteParty
from uniqueness.private.shares import PARTIES
from uniqueness.private.trust import Card, Circle, PartyKeys, make_coordinator

_HOST = "127.0.0.1"
_START_TIMEOUT = 60.0  # seconds


class PartyProcess:
    """One of the three.

    Args:
        home: its PERSONHOOD_HOME, where its keys are.
        index: which of the three.
    """

    def __init__(self, home: Path, index: int) -> None:
        self.home = home
        self.index = index
        self._log = home / "party.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Run `personhood party run`."""
        keys = PartyKeys.read(self.home / "party")
        port = keys.card.url.rpartition(":")[2]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command("run", "--host", _HOST, "--port", port),
                env=service_environment(self.home),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self, asked: RemoteParty) -> None:
        """Until it answers.

        Raises:
            DemoFailed: it does not within a minute; the message has the end of its log.
        """
        deadline = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                asked.status()
            except PartyUnavailable:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    told = self._log.read_text()[-2000:]
                    raise DemoFailed(f"party {self.index} did not start:\n{told}") from None
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """End it without a word, as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    def lose_store(self) -> None:
        """Delete all that it holds but its keys."""
        for file in (self.home / "party").glob("shares.db*"):
            file.unlink()

    def reshare(self) -> str:
        """Run `personhood party reshare`, as its operator does; returns what it told.

        Raises:
            DemoFailed: it did not work.
        """
        done = subprocess.run(
            self._command("reshare"),
            env=service_environment(self.home),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DemoFailed(f"party {self.index} was not reshared: {done.stderr.strip()}")
        return done.stdout.strip()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "personhood", "party", *arguments]


def make_parties(home: Path, service: Path, dimension: int) -> tuple[list[PartyProcess], Circle]:
    """Four operators on one machine: make keys, exchange cards, pin them.

    Args:
        home: below which each party has its own.
        service: directory of the coordinator's keys.
        dimension: of the templates.
    """
    parties = [PartyProcess(home / f"party-{index}", index) for index in range(PARTIES)]
    cards: list[Card] = [make_coordinator(service)]
    for party in parties:
        url, links = f"https://{_HOST}:{free_port()}", f"{_HOST}:{free_port()}"
        cards.append(PartyKeys.make(party.home / "party", party.index, url, links).card)
    for party in parties:
        pin(party.home / "party", cards, dimension)
    return parties, pin(service, cards, dimension)
