"""An identity's backup on paper: its private key as 24 English words of BIP-39.

The words are the key itself (BIP-39's entropy, 256 bits and a checksum of 8), not a passphrase
from which BIP-39's PBKDF2 would derive a seed of 64 bytes. Only so do they give back exactly the
key, with every commitment and nullifier that came of it, also for an identity that was made
before anybody thought of words. The price: no passphrase can be added; and other wallets would
derive other keys from the same words.
"""

from functools import cache

from mnemonic import Mnemonic

from identity_proofs.errors import (
    NoPhraseForKey,
    UnknownWord,
    WrongPhraseChecksum,
    WrongWordCount,
)
from identity_proofs.identity import PRIVATE_KEY_BYTES, Identity

WORDS = 24


def to_phrase(identity: Identity) -> str:
    """Return the 24 words, lower case, one space between. Whoever reads them owns the identity.

    Raises `NoPhraseForKey` if the private key is not 32 bytes.
    """
    if len(identity.private_key) != PRIVATE_KEY_BYTES:
        raise NoPhraseForKey("Only an identity with a private key of 32 bytes has 24 words.")
    return _english().to_mnemonic(identity.private_key)


def from_phrase(phrase: str) -> Identity:
    """Restore the identity of `to_phrase`. Case and the kind and amount of space do not matter.

    Raises `WrongWordCount`; `UnknownWord`, which says at which position; `WrongPhraseChecksum`,
    which cannot: a wrong word of the list, or two in the wrong order, passes once in 256 times.
    No message holds a word.
    """
    words = phrase.lower().split()
    if len(words) != WORDS:
        raise WrongWordCount(f"A backup phrase has {WORDS} words; these are {len(words)}.")
    known = frozenset(_english().wordlist)
    for position, word in enumerate(words, start=1):
        if word not in known:
            raise UnknownWord(position)
    try:
        private_key = bytes(_english().to_entropy(words))
    except ValueError:
        # `from None`: nothing of the words shall be in a traceback.
        raise WrongPhraseChecksum(
            "Each word is in the list, but together they are no phrase: one is wrong, "
            "or two have changed places."
        ) from None
    return Identity.from_private_key(private_key)


@cache
def _english() -> Mnemonic:
    return Mnemonic("english")
