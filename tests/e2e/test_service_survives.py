"""`kill -9` of the real service while people enrol: nobody accepted is lost, nobody is in twice."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from identity_proofs.identity import Identity
from personhood.demo.people import read_default_people
from personhood.errors import ServiceUnreachable
from personhood.kiosk_client import Device, KioskClient, Prepared
from personhood.registers import open_kiosks, read_accepted_commitments
from personhood.settings import Settings

pytestmark = pytest.mark.slow

KILLS = 6


class Service:
    """`personhood serve` as a child process on one data directory."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self.device: Device | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = os.environ | {
            "PERSONHOOD_HOME": str(home),
            "PERSONHOOD_CAPTURE": "photograph",
        }
        command = [sys.executable, "-m", "personhood", "serve", "--port", str(self.port), *options]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def kiosk(self) -> KioskClient:
        return KioskClient(f"http://127.0.0.1:{self.port}", self.device)

    def register(self) -> None:
        settings = Settings(home=self.home)
        if not settings.kiosk_file().exists():
            with self.kiosk() as kiosk:
                kiosk.register(open_kiosks(settings).invite("hall")).write(settings.kiosk_file())
        self.device = Device.read(settings.kiosk_file())

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        with self.kiosk() as kiosk:
            while not kiosk.is_ready():
                assert self.process.poll() is None, self.process.communicate()[1].decode()
                assert time.monotonic() < deadline, "the service did not become ready"
                time.sleep(0.02)
        self.register()

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.communicate()


@contextmanager
def running(home: Path) -> Iterator[Service]:
    service = Service(home)
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.kill(signal.SIGTERM)


def test_kill_9_during_enrolments_loses_nobody_and_doubles_nobody(tmp_path: Path) -> None:
    people = list(read_default_people())
    wallets = [Identity.generate() for _ in people]
    prepared: dict[int, Prepared] = {}
    told_accepted: set[int] = set()
    chance = random.Random(7)

    def send(service: Service, position: int) -> None:
        try:
            with service.kiosk() as kiosk:
                if position not in prepared:
                    photograph = people[position].photographs[0]
                    turn = kiosk.begin()
                    prepared[position] = kiosk.prepare(turn, wallets[position], photograph)
                answer = kiosk.send(prepared[position])
        except ServiceUnreachable:
            return  # killed under way: the next round sends the same again
        assert answer.outcome == "accepted", answer
        told_accepted.add(position)

    for _ in range(KILLS):
        service = Service(tmp_path)
        service.wait_until_ready()
        threads = [threading.Thread(target=send, args=(service, n)) for n in range(len(people))]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.02, 0.5))
        service.kill()
        for thread in threads:
            thread.join()

    with running(tmp_path) as service, service.kiosk() as kiosk:
        for position, person in enumerate(people):
            send(service, position)
            assert position in told_accepted
            impostor = Identity.generate()
            assert kiosk.enroll(person.photographs[1], impostor).outcome == "duplicate"

    settings = Settings(home=tmp_path)
    accepted = read_accepted_commitments(settings)
    assert sorted(accepted) == sorted(wallet.commitment for wallet in wallets)
    with create_engine(settings.database()).connect() as database:
        templates = database.execute(text("SELECT count(*) FROM templates")).scalar_one()
        pending = database.execute(
            text("SELECT count(*) FROM enrollments WHERE status = 'pending'")
        ).scalar_one()
    assert (templates, pending) == (len(people), 0)


def test_a_second_service_on_the_same_gallery_is_refused(tmp_path: Path) -> None:
    with running(tmp_path):
        second = Service(tmp_path)
        _, error = second.process.communicate(timeout=60)
        assert second.process.returncode == 1
        assert b"[gallery_owned]" in error


def test_neither_images_nor_identities_are_left_behind(tmp_path: Path) -> None:
    person = next(read_default_people())
    wallet = Identity.generate()
    service = Service(tmp_path)
    service.wait_until_ready()
    with service.kiosk() as kiosk:
        assert kiosk.enroll(person.photographs[0], wallet).outcome == "accepted"
        again = kiosk.enroll(person.photographs[1], Identity.generate())
        assert again.outcome == "duplicate"
    service.process.terminate()
    log = service.process.communicate()[1].decode()

    pixels = person.photographs[0][2000:2064]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if pixels in path.read_bytes()]

    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line["status"] for line in lines if line.get("route") == "/v1/enrollments"] == [
        201,
        200,
    ]
    number = wallet.commitment
    for secret in (str(number), f"{number:x}", "personhood-enrol", "score", "similarity"):
        assert secret not in log
