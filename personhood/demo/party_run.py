"""The demo of three parties: who is in is found by people's shares, whatever befalls a party."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sqlalchemy import create_engine, func, select

from enrollment.packs import read_manifests
from identity_proofs.identity import Identity
from personhood.demo.party_process import PartyProcess, make_parties
from personhood.demo.people import Person
from personhood.demo.service_process import run_service
from personhood.errors import DemoFailed, FacesUnusable
from personhood.kiosk_client import KioskAnswer, KioskClient, Prepared
from personhood.party_app import CIRCLE, Member, member_of
from personhood.party_report import standing
from personhood.settings import Settings
from uniqueness.schema import TemplateRow

Say = Callable[[str], object]
_PATIENCE = 120.0  # seconds in which the parties have to work together again


@dataclass
class _Crowd:
    """Who is still to come, and who was enrolled."""

    waiting: Iterator[Person]
    enrolled: list[Person] = field(default_factory=list)

    def next(self) -> Person:
        person = next(self.waiting, None)
        if person is None:
            raise FacesUnusable("the demo needs photographs of four people or more")
        return person


def run_party_demo(people: Iterable[Person], settings: Settings, say: Say, wanted: int) -> None:
    """Enrol people with three parties that see no template, and have parties fail.

    Args:
        people: who walks up, in this order.
        settings: model pack and cache; everything else is the demo's own.
        say: told each step.
        wanted: people enrolled before anything fails.

    Raises:
        DemoFailed: something came out otherwise than promised.
    """
    crowd = _Crowd(iter(people))
    with tempfile.TemporaryDirectory(prefix="personhood-parties-") as folder:
        home = Path(folder)
        service = home / "service"
        coordinator = service / "coordinator"
        [pack] = read_manifests(settings.model_pack)

        parties, circle = make_parties(home, coordinator, pack.embedding_size)
        say(f"four operators made keys and pinned each other: circle {circle.fingerprint[:16]}")
        member = member_of(coordinator)
        with _running(parties, member):
            numbers = ", ".join(str(party.process_id) for party in parties)
            say(f"three parties run, in the processes {numbers}, over TLS with pinned certificates")
            variables = {"PERSONHOOD_PARTIES": str(coordinator / CIRCLE)}
            with run_service(service, home / "service.log", **variables) as kiosk:
                say("the enrolment service is ready; it keeps no template")
                _enrol(kiosk, crowd, wanted, say)
                _send_again(kiosk, crowd, say)
                _survive_a_kill(kiosk, crowd, parties[1], member, say)
                _survive_a_lost_store(kiosk, crowd, parties[2], member, say)
            _require_equal(member, len(crowd.enrolled), say)
        _require_no_template(service / "personhood.db", say)


@contextmanager
def _running(parties: list[PartyProcess], member: Member) -> Iterator[None]:
    try:
        for party in parties:
            party.start()
        for party in parties:
            _wait(party, member)
        yield
    finally:
        for party in parties:
            party.stop()


def _wait(party: PartyProcess, member: Member) -> None:
    with member.parties([party.index]) as [asked]:
        party.wait_until_ready(asked)


def _enrol(kiosk: KioskClient, crowd: _Crowd, wanted: int, say: Say) -> None:
    seconds = []
    for person in islice(crowd.waiting, wanted):
        answer = kiosk.enroll(person.photographs[0], Identity.generate())
        _require(answer, "accepted")
        crowd.enrolled.append(person)
        seconds.append(answer.seconds)
    if not seconds:
        raise FacesUnusable("there are no photographs of people")
    mean = sum(seconds) / len(seconds)
    say(f"{len(seconds)} people enrolled, {mean:.2f} s each, the first with the engines' start")


def _send_again(kiosk: KioskClient, crowd: _Crowd, say: Say) -> None:
    for person in crowd.enrolled:
        _require(kiosk.enroll(person.photographs[-1], Identity.generate()), "duplicate", "review")
    say(f"all {len(crowd.enrolled)} sent again with another photograph: not one enrolled twice")


def _survive_a_kill(
    kiosk: KioskClient, crowd: _Crowd, party: PartyProcess, member: Member, say: Say
) -> None:
    party.kill()
    person = crowd.next()
    prepared = kiosk.prepare(kiosk.begin(), Identity.generate(), person.photographs[0])
    answer = kiosk.send(prepared)
    _require(answer, "refused")
    say(f"party {party.index} is killed with -9: nobody is decided about ({answer.code})")
    party.start()
    _wait(party, member)
    _require(_send_until_decided(kiosk, prepared), "accepted")
    crowd.enrolled.append(person)
    say(f"party {party.index} runs again: the same request enrols")


def _survive_a_lost_store(
    kiosk: KioskClient, crowd: _Crowd, party: PartyProcess, member: Member, say: Say
) -> None:
    party.stop()
    party.lose_store()
    party.start()
    _wait(party, member)
    person = crowd.next()
    prepared = kiosk.prepare(kiosk.begin(), Identity.generate(), person.photographs[0])
    answer = kiosk.send(prepared)
    _require(answer, "refused")
    say(f"party {party.index} lost its store: nobody is decided about ({answer.code})")
    say(f"resharing, {party.reshare()}")
    _require(_send_until_decided(kiosk, prepared), "accepted")
    crowd.enrolled.append(person)
    say("the same request enrols")
    _send_again(kiosk, crowd, say)


def _send_until_decided(kiosk: KioskClient, prepared: Prepared) -> KioskAnswer:
    deadline = time.monotonic() + _PATIENCE
    answer = kiosk.send(prepared)
    while answer.outcome == "refused" and time.monotonic() < deadline:
        time.sleep(1.0)
        answer = kiosk.send(prepared)
    return answer


def _require_equal(member: Member, people: int, say: Say) -> None:
    found = standing(member)
    counts = {status.templates for status in found.told.values()}
    if found.trouble or counts != {people}:
        raise DemoFailed(f"the parties differ: {'; '.join(found.trouble)}")
    say(f"the three hold shares of {people} templates, neighbours with the same digests")


def _require_no_template(database: Path, say: Say) -> None:
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        rows = connection.scalar(select(func.count()).select_from(TemplateRow))
        filled = connection.scalar(select(func.count(TemplateRow.ciphertext)))
    engine.dispose()
    if filled:
        raise DemoFailed(f"the service's database holds {filled} templates")
    say(f"the service's database: {rows} people, 0 templates")


def _require(answer: KioskAnswer, *outcomes: str) -> None:
    if answer.outcome not in outcomes:
        raise DemoFailed(
            f"a person was {answer.outcome} ({answer.code}), and not {' or '.join(outcomes)}"
        )
