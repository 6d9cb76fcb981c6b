import pytest

from enrollment.challenges import LIFETIME, Challenges
from enrollment.errors import ChallengeInvalid


def test_a_challenge_is_known_again_for_its_time_and_by_its_key_only() -> None:
    now = 1_000_000.0
    challenges = Challenges(b"k" * 32, clock=lambda: now)
    challenge = challenges.issue()
    assert challenge != challenges.issue()
    challenges.require(challenge)
    Challenges(b"k" * 32, clock=lambda: now + LIFETIME).require(challenge)
    late = Challenges(b"k" * 32, clock=lambda: now + LIFETIME + 1)
    for other in (late, Challenges(b"f" * 32, clock=lambda: now)):
        with pytest.raises(ChallengeInvalid):
            other.require(challenge)


@pytest.mark.parametrize("text", ["", "A", "A" * 40, "é" * 40, "a" * 40, "A" * 39 + "!"])
def test_what_is_no_challenge_is_refused(text: str) -> None:
    with pytest.raises(ChallengeInvalid):
        Challenges(b"k" * 32).require(text)
