import pytest

from identity_proofs import baby_jubjub
from identity_proofs.errors import InvalidPrivateKey
from identity_proofs.field import SCALAR_FIELD, SUBGROUP_ORDER
from identity_proofs.identity import Identity, Signature, verify_signature

IDENTITY = Identity.from_private_key(b"a key for tests")
MESSAGE = 123_456


def test_generated_identities_differ() -> None:
    assert Identity.generate().private_key != Identity.generate().private_key
    assert len(Identity.generate().private_key) == 32


def test_no_secret_in_repr_or_str() -> None:
    for text in (repr(IDENTITY), str(IDENTITY), f"{IDENTITY}"):
        assert text == f"Identity(commitment={IDENTITY.commitment})"


@pytest.mark.parametrize("text", ["not base64!", "abc", "é", "AAAA=AAA"])
def test_wrong_export_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(InvalidPrivateKey) as refusal:
        Identity.from_export(text)
    assert text not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_message_out_of_the_field_is_not_signed() -> None:
    for message in (-1, SCALAR_FIELD):
        with pytest.raises(ValueError, match="message"):
            IDENTITY.sign(message)


def test_signature_of_another_is_refused() -> None:
    signature = IDENTITY.sign(MESSAGE)
    other = Identity.from_private_key(b"another")
    assert verify_signature(IDENTITY.public_key, MESSAGE, signature)
    assert not verify_signature(other.public_key, MESSAGE, signature)


def test_aliases_of_a_signature_are_refused() -> None:
    signature = IDENTITY.sign(MESSAGE)
    x, y = signature.r8
    aliases = [
        Signature(signature.r8, signature.s + SUBGROUP_ORDER),
        Signature((x + SCALAR_FIELD, y), signature.s),
        Signature((SCALAR_FIELD - x, y), signature.s),
        Signature(signature.r8, -1),
    ]
    for alias in aliases:
        assert not verify_signature(IDENTITY.public_key, MESSAGE, alias)
    assert not verify_signature(IDENTITY.public_key, MESSAGE + SCALAR_FIELD, signature)


def test_public_key_of_small_order_is_refused() -> None:
    # With the neutral element as key, R8 = s Base8 would verify for every message.
    forged = Signature(baby_jubjub.multiply(baby_jubjub.BASE, 5), 5)
    for key in (baby_jubjub.IDENTITY, (0, SCALAR_FIELD - 1)):
        assert baby_jubjub.is_on_curve(key)
        assert not verify_signature(key, MESSAGE, forged)


def test_points_off_the_curve_are_refused() -> None:
    signature = IDENTITY.sign(MESSAGE)
    assert not verify_signature((1, 1), MESSAGE, signature)
    assert not verify_signature(IDENTITY.public_key, MESSAGE, Signature((1, 1), signature.s))


def test_base_point_has_prime_order() -> None:
    assert baby_jubjub.is_on_curve(baby_jubjub.BASE)
    assert baby_jubjub.multiply(baby_jubjub.BASE, SUBGROUP_ORDER) == baby_jubjub.IDENTITY
