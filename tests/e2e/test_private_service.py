"""The service over three parties, all of them real processes: people enrol, a party is killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from identity_proofs.identity import Identity
from personhood.demo.people import read_default_people
from personhood.kiosk_client import KioskClient
from personhood.registers import open_kiosks
from personhood.settings import Settings

pytestmark = pytest.mark.slow

DIMENSION = "128"  # of the default pack
PATIENCE = 120  # seconds


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Process:
    """A command of ours in a process, with a home of its own."""

    def __init__(self, home: Path, *arguments: str, **settings: str) -> None:
        self.home = home
        self._command = [sys.executable, "-m", "personhood", *arguments]
        self._environment = os.environ | {"PERSONHOOD_HOME": str(home), **settings}
        self.start()

    def start(self) -> None:
        with (self.home / "process.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def log(self) -> str:
        return (self.home / "process.log").read_text()


def run(home: Path, *arguments: str) -> str:
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "personhood", *arguments],
        env=os.environ | {"PERSONHOOD_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Setting:
    """Three parties and a service on one machine."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.service_home = directory / "service"
        self.party_homes = [directory / f"party{index}" for index in range(3)]
        ports = free_ports(7)
        for index, home in enumerate(self.party_homes):
            where = ["--port", str(ports[index]), "--links-port", str(ports[3 + index])]
            run(home, "party", "init", str(index), *where)
        run(self.service_home, "party", "init", "--coordinator")
        cards = [str(home / "party" / "card.json") for home in self.party_homes]
        cards.append(str(self.service_home / "coordinator" / "card.json"))
        for home in (*self.party_homes, self.service_home):
            run(home, "party", "pin", "--dimension", DIMENSION, *cards)
        self.parties = [
            self._run(stack, home, "party", "run", "--host", "127.0.0.1", "--port", str(port))
            for home, port in zip(self.party_homes, ports[:3], strict=True)
        ]
        self.service = self._run(
            stack,
            self.service_home,
            *("serve", "--port", str(ports[6])),
            PERSONHOOD_CAPTURE="photograph",
            PERSONHOOD_PARTIES=str(self.service_home / "coordinator" / "parties.json"),
        )
        self.url = f"http://127.0.0.1:{ports[6]}"

    def _run(self, stack: ExitStack, home: Path, *arguments: str, **settings: str) -> Process:
        process = Process(home, *arguments, **settings)
        stack.callback(process.stop)
        return process

    @contextmanager
    def kiosk(self) -> Iterator[KioskClient]:
        with KioskClient(self.url) as kiosk:
            self.wait_until(kiosk.is_ready)
            kiosk.register(open_kiosks(Settings(home=self.service_home)).invite("hall"))
            yield kiosk

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/v1/ready").status_code == 200
        except httpx.TransportError:
            return False

    def wait_until(self, holds) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert self.service.process.poll() is None, self.service.log()
            assert time.monotonic() < deadline, self.service.log()
            time.sleep(0.2)


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    with ExitStack() as stack:
        yield Setting(tmp_path, stack)


def test_people_enrol_once_also_when_a_party_dies_and_nobody_holds_a_template(setting) -> None:
    people = list(read_default_people())[:3]
    wallets = [Identity.generate() for _ in people]
    with setting.kiosk() as kiosk:
        for person, wallet in zip(people[:2], wallets, strict=False):
            assert kiosk.enroll(person.photographs[0], wallet).outcome == "accepted"
        again = kiosk.enroll(people[0].photographs[1], Identity.generate())
        assert again.outcome == "duplicate"

        setting.parties[1].kill()
        prepared = kiosk.prepare(kiosk.begin(), wallets[2], people[2].photographs[0])
        refused = kiosk.send(prepared)
        assert (refused.outcome, refused.code) == ("refused", "party_unavailable")
        setting.wait_until(lambda: not setting.is_ready())

        setting.parties[1].start()
        setting.wait_until(setting.is_ready)
        assert kiosk.send(prepared).outcome == "accepted"
        again = kiosk.enroll(people[2].photographs[1], Identity.generate())
        assert again.outcome == "duplicate"

    with create_engine(Settings(home=setting.service_home).database()).connect() as database:
        rows = database.execute(text("SELECT ciphertext FROM templates")).all()
    assert [row.ciphertext for row in rows] == [None] * 3
    told = run(setting.service_home, "party", "status")
    assert told.count(" 3 ") >= 3, told
