"""Attesters far away, asked as if they were here."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import httpx

from distribution.addresses import parse_address
from distribution.attestation import RootUpdate, Signature
from distribution.errors import (
    AddressInvalid,
    AlreadySigned,
    AttestationRefused,
    AttesterUnreachable,
)
from distribution.proposal import parse_update, write_proposal
from transparency.note import NoteSigner

TIMEOUT: Final = 60.0  # seconds: it may have a long log to read first
NOBODY: Final = "0x" + "00" * 20


class RemoteAttester:
    """One attester by its address on the network; has what a local `Attester` has.

    Args:
        url: such as https://attester.example.org.
        signer: of the decision log's key, whose proposals attesters look at.
        address: whose signature it gives; the attester's own word when None, which is checked
            against the signature, and by the registry.
    """

    def __init__(self, url: str, signer: NoteSigner, address: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._signer = signer
        self._expected = None if address is None else parse_address(address)

    @cached_property
    def _told(self) -> str:
        """The address that it says it has."""
        try:
            return parse_address(str(self._ask("GET", "/v1/attester")["address"]))
        except (KeyError, AddressInvalid):
            raise AttesterUnreachable(f"{self._url} is no attester") from None

    @property
    def address(self) -> str:
        """Its checksum address.

        Raises:
            AttesterUnreachable: it is not known, and the attester does not answer.
        """
        return self._expected or self._told

    def attest(self, update: RootUpdate, chain_id: int, registry: str) -> Signature:
        """Ask it to sign `update`.

        Raises:
            AttestationRefused: it does not, or signs something else.
        """
        proposal = write_proposal(update, chain_id, registry, self._signer)
        answer = self._ask("POST", "/v1/attest", proposal)
        try:
            signature = int(answer["r"], 16), int(answer["s"], 16)
        except (KeyError, ValueError, TypeError):
            raise AttesterUnreachable(f"{self._url} answers no signature") from None
        if update.message(chain_id, registry).signer_of(signature) != self.address:
            raise AttestationRefused(
                f"{self._url} signed something else, or is not {self.address}", "signature_wrong"
            )
        return signature

    def _ask(self, method: str, path: str, content: str | None = None) -> dict[str, Any]:
        try:
            url = f"{self._url}{path}"
            answer = httpx.request(method, url, content=content, timeout=TIMEOUT)
            fields = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as lost:
            raise AttesterUnreachable(f"no attester answers at {self._url}") from lost
        if not isinstance(fields, dict):
            raise AttesterUnreachable(f"{self._url} is no attester")
        if answer.is_success:
            return fields
        code, detail = str(fields.get("code")), str(fields.get("detail"))
        if code == "already_signed":
            raise AlreadySigned(f"{self._url}: {detail}", self._signed(fields))
        raise AttestationRefused(f"{self._url}: {detail} [{code}]", code)

    def _signed(self, fields: dict[str, Any]) -> RootUpdate:
        try:
            return parse_update(fields["signed"])
        except (KeyError, ValueError, TypeError):
            raise AttesterUnreachable(f"{self._url} does not say what it signed") from None


def open_attesters(urls: Sequence[str], signer: NoteSigner) -> list[RemoteAttester]:
    """Attesters by their addresses on the network, each `URL` or `0xADDRESS@URL`."""
    opened = []
    for text in urls:
        address, at, url = text.strip().rpartition("@")
        named = at and address.startswith("0x")
        opened.append(
            RemoteAttester(url if named else text.strip(), signer, address if named else None)
        )
    return opened
