"""`personhood wallet status` and `history`: what may be claimed, and what was paid."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from personhood.commands.wallet_shell import (
    JsonOption,
    WalletOption,
    ask_password,
    coins,
    countdown,
    show,
    showing_steps,
    utc,
)
from personhood.settings import Settings

if TYPE_CHECKING:
    from distribution.deployment import Deployment
    from distribution.entitlements import Entitlement, Standing


def status(wallet: WalletOption = None, as_json: JsonOption = False) -> None:
    """Tell the epoch, whether this wallet is a member, and what it may claim, until when."""
    from distribution.entitlements import read_standing
    from identity_proofs.keystore import load_identity
    from personhood.chain_access import open_chain

    settings = Settings()
    identity = load_identity(wallet or settings.wallet_file(), ask_password(settings))
    chain, deployment = open_chain(settings)
    with showing_steps(as_json=as_json) as steps:
        standing = read_standing(chain, deployment, identity, progress=steps.count)
    now, current = chain.now(), standing.entitlements[0]
    epoch_ends = deployment.genesis + (current.epoch + 1) * deployment.epoch_length
    claimable = [one for one in standing.entitlements if one.is_claimable]
    show(
        {
            "commitment": str(identity.commitment),
            "member": standing.is_member,
            "epoch": current.epoch,
            "epoch_ends": utc(epoch_ends),
            "next_epoch_in": countdown(epoch_ends - now),
            "claimed": current.is_claimed,
            "amount": str(current.amount),
            "coins": coins(current.amount, deployment),
            "claimable": [asdict(one) | {"amount": str(one.amount)} for one in claimable],
        },
        _advice(standing, claimable),
        as_json=as_json,
    )
    if claimable and not as_json:
        Console().print(_table(claimable, deployment, now))


def history(wallet: WalletOption = None, as_json: JsonOption = False) -> None:
    """List what this wallet was paid, found among everybody's payments on this machine."""
    from distribution.entitlements import read_payments
    from identity_proofs.keystore import load_identity
    from personhood.chain_access import open_chain

    settings = Settings()
    identity = load_identity(wallet or settings.wallet_file(), ask_password(settings))
    chain, deployment = open_chain(settings)
    with showing_steps(as_json=as_json) as steps:
        steps.say("reading everybody's payments")
        payments = read_payments(chain, deployment, identity)
    total = sum(payment.amount - payment.fee for payment in payments)
    rows = [
        asdict(payment)
        | {"amount": str(payment.amount), "fee": str(payment.fee)}
        | {"coins": coins(payment.amount - payment.fee, deployment)}
        for payment in payments
    ]
    show(
        {"payments": rows, "claims": len(rows), "received": coins(total, deployment)},
        "Whoever sees two of these recipients used together knows that they are one person's."
        if len(rows) > 1
        else "Recipients are told to nobody else by this program.",
        as_json=as_json,
    )
    if rows and not as_json:
        table = Table("epoch", "coins", "recipient", "transaction", box=None)
        for row in rows:
            table.add_row(
                str(row["epoch"]), row["coins"], row["recipient"], row["transaction_hash"]
            )
        Console(soft_wrap=True).print(table)


def _table(claimable: list["Entitlement"], deployment: "Deployment", now: int) -> Table:
    table = Table("epoch", "coins", "ends in", box=None)
    for one in claimable:
        table.add_row(str(one.epoch), coins(one.amount, deployment), countdown(one.ends_at - now))
    return table


def _advice(standing: "Standing", claimable: list["Entitlement"]) -> str:
    current = standing.entitlements[0]
    if any(one.epoch != current.epoch for one in claimable):
        return "Ready: run `personhood wallet claim`, and with --epoch for those before."
    if claimable:
        return "Ready: run `personhood wallet claim`."
    if current.is_claimed:
        return "Paid for this epoch."
    if not standing.is_member:
        return "Not a member yet: enrol at a kiosk, then wait for the next publication."
    if current.is_open:
        return "A member, counted from the next epoch on."
    return "Ready: run `personhood wallet claim`."
