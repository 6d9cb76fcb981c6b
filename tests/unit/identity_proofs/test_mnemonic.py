import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_proofs.errors import (
    NoPhraseForKey,
    UnknownWord,
    WrongPhraseChecksum,
    WrongWordCount,
)
from identity_proofs.identity import Identity
from identity_proofs.mnemonic import WORDS, from_phrase, to_phrase

# Entropy and words of BIP-39's own test vectors (256 bits, English).
BIP39_VECTORS = {
    "00" * 32: "abandon " * 23 + "art",
    "7f" * 32: "legal winner thank year wave sausage worth useful " * 2
    + "legal winner thank year wave sausage worth title",
    "80" * 32: "letter advice cage absurd amount doctor acoustic avoid " * 2
    + "letter advice cage absurd amount doctor acoustic bless",
    "ff" * 32: "zoo " * 23 + "vote",
    "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f": (
        "void come effort suffer camp survey warrior heavy shoot primary clutch crush "
        "open amazing screen patrol group space point ten exist slush involve unfold"
    ),
}
PHRASE = BIP39_VECTORS["80" * 32]


@pytest.mark.parametrize("entropy", BIP39_VECTORS)
def test_words_are_bip39s(entropy: str) -> None:
    identity = Identity.from_private_key(bytes.fromhex(entropy))
    assert to_phrase(identity) == BIP39_VECTORS[entropy]
    assert from_phrase(BIP39_VECTORS[entropy]).private_key == identity.private_key


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_every_key_of_32_bytes_comes_back_exactly(key: bytes) -> None:
    phrase = to_phrase(Identity.from_private_key(key))
    assert len(phrase.split()) == WORDS
    assert from_phrase(phrase).private_key == key


def test_case_and_space_do_not_matter() -> None:
    spread = "\n ".join(PHRASE.upper().split(" ")) + "\r\n"
    assert from_phrase(spread).private_key == bytes.fromhex("80" * 32)


@pytest.mark.parametrize("phrase", ["", "letter", " ".join(["abandon"] * 11 + ["about"])])
def test_a_phrase_has_24_words(phrase: str) -> None:
    with pytest.raises(WrongWordCount, match=f"these are {len(phrase.split())}"):
        from_phrase(phrase)


@pytest.mark.parametrize("position", [1, 7, 24])
@pytest.mark.parametrize("word", ["lettre", "létter", "1"])
def test_a_word_that_is_none_is_named_by_its_place(position: int, word: str) -> None:
    words = PHRASE.split()
    words[position - 1] = word
    with pytest.raises(UnknownWord, match=f"Word {position} ") as refusal:
        from_phrase(" ".join(words))
    assert refusal.value.position == position
    assert word not in "".join(str(refusal.value).split()[2:])


def test_words_in_another_order_fail_the_checksum() -> None:
    words = PHRASE.split()
    words[0], words[1] = words[1], words[0]
    with pytest.raises(WrongPhraseChecksum) as refusal:
        from_phrase(" ".join(words))
    shown = "".join(traceback.format_exception(refusal.value, chain=True))
    assert not any(word in str(refusal.value).split() for word in words)
    assert PHRASE not in shown
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("key", [b"", b"text key", bytes(31), bytes(33)], ids=len)
def test_other_keys_have_no_phrase(key: bytes) -> None:
    with pytest.raises(NoPhraseForKey):
        to_phrase(Identity.from_private_key(key))
