"""A crowd at once: everybody is answered, and each person is accepted once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from personhood.demo.people import read_default_people
from tests.service import Kiosk, commitments

pytestmark = pytest.mark.slow

CLIENTS = 64


def test_of_64_clients_at_once_each_person_is_accepted_once(kiosk: Kiosk) -> None:
    people = list(read_default_people())
    together = Barrier(CLIENTS)

    def come(number: int) -> tuple[int, int, str]:
        who = number % len(people)
        photographs = people[who].photographs
        photograph = photographs[number // len(people) % len(photographs)]
        prepared = kiosk.prepare(number, photograph)
        together.wait(60)
        answer = kiosk.send(prepared)
        return who, answer.status_code, answer.json()["outcome"]

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(come, range(CLIENTS)))
    accepted = Counter(who for who, status, _ in answers if status == 201)
    assert accepted == Counter(range(len(people)))
    assert {outcome for _, status, outcome in answers if status != 201} == {"duplicate"}
    assert kiosk.stored()[0] == len(people)
    told = {number for number, (_, status, _) in enumerate(answers) if status == 201}
    assert sorted(kiosk.service.accepted_commitments()) == sorted(commitments(*told))
