"""The composition root of attesters: one that runs here, and those that a publisher asks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from distribution.attestation import address_of, load_keys, load_or_create_keys
from distribution.attester import IndependentAttester
from distribution.attesters import open_attesters
from distribution.chain import Chain
from distribution.deployment import Deployment
from distribution.registry import Attests, local_attesters
from personhood.keys import ServiceKey, service_key
from personhood.settings import Settings
from transparency.client import LogClient
from transparency.errors import WitnessRefused
from transparency.files import write_durably
from transparency.journal import Journal, log_signer
from transparency.note import COSIGNATURE, NoteSigner, VerifierKey
from transparency.witness import Witness, have_cosigned
from uniqueness.key_files import load_or_create_key

_log = structlog.get_logger("personhood")


@contextmanager
def open_attester(settings: Settings) -> Iterator[IndependentAttester]:
    """The attester of this machine, with its own chain endpoint and its own copy of the log.

    Raises:
        DistributionError: the chain does not answer, or holds other contracts.
        TransparencyError: the log does not answer where its key must be asked for, or its copy
            here is damaged.
    """
    chain = Chain.connect(settings.rpc_url)
    deployment = Deployment.read(settings.deployment_file()).check(chain)
    home = settings.attester_dir()
    with LogClient(settings.service_url) as source:
        trusted = _trusted_key(settings, home / "log.pub", source)
        key = attester_key(settings)
        yield IndependentAttester(key, chain, deployment, trusted, source, home)


def attester_witness(settings: Settings, log: VerifierKey) -> Witness:
    """This machine's attester as a witness of the log, with a key of its own."""
    home, address = settings.attester_dir(), attester_address(settings)
    seed = load_or_create_key(home / "witness.key")
    signer = NoteSigner(f"personhood.local/attester/{address.lower()}", seed, COSIGNATURE)
    return Witness(log, signer, home / "witnessed")


def have_log_cosigned(settings: Settings, journal: Journal) -> tuple[str, list[str]]:
    """Ask every witness that is set, and keep the checkpoint as cosigned.

    Returns:
        The checkpoint with their cosignatures, and why some are missing.

    Raises:
        LogKeyInvalid: a witness's key is none.
        WitnessRefused: none cosigned.
    """
    note, missing = journal.signed_checkpoint(), []
    plain = note
    for text in (settings.log_witnesses or "").split(","):
        key, _, url = text.strip().partition("@")
        try:
            witness = VerifierKey.from_text(key)
            note = have_cosigned(note, url, witness, journal.log.consistency)
        except WitnessRefused as refused:
            missing.append(str(refused))
    if note == plain:
        raise WitnessRefused("; ".join(missing))
    write_durably(settings.witnessed_file(), note)
    return note, missing


def attester_key(settings: Settings) -> str:
    """This machine's key as an attester, made on first use.

    Raises:
        AttesterKeyInvalid: its file holds no key.
    """
    return load_or_create_keys(settings.attester_dir() / "key", 1)[0]


def attester_address(settings: Settings) -> str:
    """What `personhood deploy` is told of this machine's attester."""
    return address_of(attester_key(settings))


def attesters_to_ask(settings: Settings, chain: Chain, deployment: Deployment) -> Sequence[Attests]:
    """Those named by their addresses on the network, or else those whose keys are here."""
    if settings.attester_urls is None:
        return local_attesters(chain, deployment, load_keys(settings.attester_keys_dir()))
    signer = log_signer(service_key(settings, ServiceKey.LOG), settings.log_origin)
    return open_attesters(settings.attester_urls.split(","), signer)


def _trusted_key(settings: Settings, kept: Path, source: LogClient) -> VerifierKey:
    """The log's key: what is set, what was kept, or what the log says the first time."""
    if settings.log_verifier is not None:
        return VerifierKey.from_text(settings.log_verifier)
    if not kept.exists():
        key = source.key()
        write_durably(kept, key.text + "\n")
        _log.warning("log_key_believed", key=key.text, kept=str(kept))
    return VerifierKey.from_text(kept.read_text())
