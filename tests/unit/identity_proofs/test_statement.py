import pytest

from identity_proofs import baby_jubjub
from identity_proofs.errors import InvalidStatement
from identity_proofs.field import SCALAR_FIELD, SUBGROUP_ORDER
from identity_proofs.identity import Identity, Signature, verify_signature
from identity_proofs.poseidon import poseidon
from identity_proofs.statement import PREFIX, EnrollmentStatement, challenge_message

WALLET = Identity.from_private_key(b"a wallet for tests")
CHALLENGE = "K7QX-M2PD-9RTW-4HSC"


def test_a_statement_gives_the_commitment_of_its_signer() -> None:
    statement = EnrollmentStatement.sign(WALLET, CHALLENGE)
    assert statement.commitment_for(CHALLENGE) == WALLET.commitment


def test_a_statement_survives_its_text() -> None:
    statement = EnrollmentStatement.sign(WALLET, CHALLENGE)
    text = statement.to_text()
    assert EnrollmentStatement.from_text(f"  {text}\n") == statement
    assert len(text) == 233
    assert str(WALLET.secret_scalar) not in text


def test_a_statement_answers_one_challenge_only() -> None:
    statement = EnrollmentStatement.sign(WALLET, CHALLENGE)
    with pytest.raises(InvalidStatement, match="challenge"):
        statement.commitment_for("K7QX-M2PD-9RTW-4HSD")


def test_a_commitment_cannot_be_stated_without_its_secret() -> None:
    thief = EnrollmentStatement.sign(Identity.generate(), CHALLENGE)
    with pytest.raises(InvalidStatement):
        EnrollmentStatement(WALLET.public_key, thief.signature).commitment_for(CHALLENGE)


def test_a_key_outside_the_subgroup_is_refused_though_its_signature_holds() -> None:
    torsion = (0, SCALAR_FIELD - 1)  # of order 2
    key = baby_jubjub.add(WALLET.public_key, torsion)
    message = challenge_message(CHALLENGE)
    r8 = baby_jubjub.multiply(baby_jubjub.BASE, 7)
    h = poseidon((*r8, *key, message))
    s = (7 + h * WALLET._signing_scalar) % SUBGROUP_ORDER
    assert verify_signature(key, message, Signature(r8, s))
    with pytest.raises(InvalidStatement):
        EnrollmentStatement(key, Signature(r8, s)).commitment_for(CHALLENGE)


@pytest.mark.parametrize(
    "text",
    ["", "hello", PREFIX, PREFIX + "AAAA", PREFIX + "!" * 214, PREFIX + "A" * 5000, "0x12"],
)
def test_what_is_no_statement_is_refused(text: str) -> None:
    with pytest.raises(InvalidStatement):
        EnrollmentStatement.from_text(text)


def test_a_changed_character_is_refused() -> None:
    text = EnrollmentStatement.sign(WALLET, CHALLENGE).to_text()
    for place in range(len(PREFIX), len(text) - 1, 13):
        other = "B" if text[place] == "A" else "A"
        changed = EnrollmentStatement.from_text(text[:place] + other + text[place + 1 :])
        with pytest.raises(InvalidStatement):
            changed.commitment_for(CHALLENGE)
