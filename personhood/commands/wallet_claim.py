"""`personhood wallet claim`: prove membership, and be paid by a relayer or at one's own cost."""

import time
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from personhood.commands.wallet_shell import (
    JsonOption,
    Steps,
    WalletOption,
    ask_password,
    coins,
    show,
    showing_steps,
    utc,
    warn,
)
from personhood.settings import Settings

if TYPE_CHECKING:
    from distribution.chain import Chain
    from distribution.claims import EpochStatus
    from distribution.deployment import Deployment
    from distribution.relay_client import RelayClient, RelayerTerms
    from identity_proofs.identity import Identity

UNASKED: Final = 20  # a relayer's fee is paid unasked up to this part of the income, a twentieth

OPENING: Final = 60  # seconds that a relayer has to open an epoch

_FRESH = (
    "nobody knows that this address is yours. Moving these coins to an address that does, or "
    "together with those of another epoch, tells everybody"
)
_LINKED = (
    "this wallet was paid at this address before: everybody can see that both payments are one "
    "person's. Without --to a fresh address is made"
)
_NAMED = "whoever knows whose address this is knows now that this person claimed"


@dataclass(frozen=True)
class _Claimant:
    """Who claims, and with what."""

    settings: Settings
    wallet: Path
    password: str
    identity: "Identity"
    chain: "Chain"
    deployment: "Deployment"


def claim(
    to: Annotated[
        str | None, typer.Option(help="who is paid; without it a fresh address is made and kept")
    ] = None,
    wallet: WalletOption = None,
    epoch: Annotated[
        int | None, typer.Option(min=0, help="a past epoch; by default the current one")
    ] = None,
    relayer: Annotated[
        str | None, typer.Option(help="URL of a relayer that pays the gas, for a fee")
    ] = None,
    fee: Annotated[
        str | None, typer.Option(help="coins for the relayer; by default what it asks for")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove membership and claim an epoch's income.

    A relayer pays the gas; without one the account of PERSONHOOD_SENDER_KEY does.
    """
    from identity_proofs.keystore import load_identity
    from personhood.chain_access import open_chain

    if fee is not None and relayer is None:
        raise typer.BadParameter("a fee is a relayer's: name one with --relayer")
    settings = Settings()
    path, password = wallet or settings.wallet_file(), ask_password(settings)
    identity = load_identity(path, password)
    chain, deployment = open_chain(settings)
    claimant = _Claimant(settings, path, password, identity, chain, deployment)
    with showing_steps(as_json=as_json) as steps:
        if relayer is None:
            status, facts = _directly(claimant, to, epoch, steps)
        else:
            status, facts = _relayed(claimant, to, epoch, relayer, fee, steps)
    warn(_linking(claimant, to, status.epoch), as_json=as_json)
    show(facts, f"Paid. This epoch ends at {utc(status.ends_at)}.", as_json=as_json)


def _directly(
    claimant: _Claimant, to: str | None, epoch: int | None, steps: Steps
) -> tuple["EpochStatus", dict[str, Any]]:
    from distribution import claims

    chain, deployment = claimant.chain, claimant.deployment
    steps.say("opening the epoch")
    status = (
        claims.open_epoch(chain, deployment)
        if epoch is None
        else claims.read_epoch(chain, deployment, epoch)
    )
    prepared = _prove(claimant, status, to, steps)
    steps.say("waiting for the payment")
    receipt = claims.submit_claim(chain, deployment, prepared)
    facts = _facts(claimant, status, prepared)
    return status, facts | {
        "transaction": receipt.transaction_hash,
        "gas_used": receipt.gas_used,
    }


def _relayed(
    claimant: _Claimant,
    to: str | None,
    epoch: int | None,
    url: str,
    fee: str | None,
    steps: Steps,
) -> tuple["EpochStatus", dict[str, Any]]:
    from distribution.errors import RelayerRefused
    from distribution.relay_client import RelayClient

    with RelayClient(url) as relayer:
        terms = relayer.terms(claimant.deployment)
        status = _opened(claimant, epoch, steps)
        price = _price(terms, fee, status, claimant.deployment)
        prepared = _prove(claimant, status, to, steps, fee=price, relayer=terms.address)
        told = _follow(relayer, relayer.post(prepared), steps)
    if told.state == "failed":
        raise RelayerRefused(f"the relayer gave the claim up: {told.code}; the right to it stays")
    return status, _facts(claimant, status, prepared) | {
        "fee": str(price),
        "transaction": told.transaction,
    }


def _opened(claimant: _Claimant, epoch: int | None, steps: Steps) -> "EpochStatus":
    """The epoch's state; the relayer is given the time to open the current one."""
    from distribution import claims

    waited = 0
    while True:
        status = claims.read_epoch(claimant.chain, claimant.deployment, epoch)
        if status.root != 0 or epoch is not None or waited >= OPENING:
            return status
        steps.say("waiting for the relayer to open the epoch")
        time.sleep(1)
        waited += 1


def _linking(claimant: _Claimant, to: str | None, epoch: int) -> str:
    """What the recipient gives away."""
    from distribution.addresses import parse_address
    from distribution.entitlements import read_payments

    if to is None:
        return _FRESH
    payments = read_payments(claimant.chain, claimant.deployment, claimant.identity)
    before = {payment.recipient for payment in payments if payment.epoch != epoch}
    return _LINKED if parse_address(to) in before else _NAMED


def _follow(relayer: "RelayClient", location: str, steps: Steps) -> Any:
    told = None
    for told in relayer.follow(location):
        left = f", about {told.eta} s" if told.eta else ""
        steps.say(f"{told.state}{left}")
    return told


def _prove(
    claimant: _Claimant,
    status: "EpochStatus",
    to: str | None,
    steps: Steps,
    **bound: Any,
) -> Any:
    from distribution import claims
    from distribution.payout import fresh_payout_address
    from distribution.refusals import refusal
    from identity_proofs.artifacts import load_artifacts
    from identity_proofs.prover import Prover

    if status.root == 0:
        raise refusal("distributor: epoch never opened")
    chain, deployment, identity = claimant.chain, claimant.deployment, claimant.identity
    group = claims.read_epoch_group(chain, deployment, status, progress=steps.count)
    claims.require_claimable(chain, deployment, identity, status.epoch, group)
    steps.say("loading the circuit")
    prover = Prover(load_artifacts(claimant.settings.artifacts_dir()))
    steps.say("proving membership")
    recipient = to or fresh_payout_address(claimant.wallet, status.epoch, claimant.password)
    return claims.prove_claim(
        prover, identity, group, deployment, epoch=status.epoch, recipient=recipient, **bound
    )


def _price(
    terms: "RelayerTerms", asked: str | None, status: "EpochStatus", deployment: "Deployment"
) -> int:
    """The fee in the smallest unit: what is given, or what the relayer asks if that is little."""
    from distribution.errors import FeeTooLow, FeeUnusual

    least = terms.minimum_fee
    if asked is None:
        if least * UNASKED > status.amount:
            raise FeeUnusual(
                f"this relayer asks {coins(least, deployment)} of "
                f"{coins(status.amount, deployment)} coins: agree with --fee, or use another"
            )
        return least
    try:
        price = Decimal(asked).scaleb(deployment.decimals)
    except InvalidOperation:
        price = Decimal(-1)
    if not price.is_finite() or price != price.to_integral_value() or price < 0:
        raise typer.BadParameter(f"{asked} is no amount of coins, such as 0.1")
    if price < least:
        raise FeeTooLow(f"this relayer works for {coins(least, deployment)} coins or more")
    return int(price)


def _facts(claimant: _Claimant, status: "EpochStatus", prepared: Any) -> dict[str, Any]:
    from distribution.payout import payout_file

    key_file = payout_file(claimant.wallet, status.epoch)
    return {
        "epoch": status.epoch,
        "recipient": prepared.recipient,
        **({"key_file": str(key_file)} if key_file.exists() else {}),
        "amount": str(status.amount),
        "coins": coins(status.amount - prepared.fee, claimant.deployment),
    }
