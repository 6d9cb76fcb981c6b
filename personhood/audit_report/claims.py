"""What was paid, against what could have been."""

from functools import partial

from personhood.audit_report import plots
from personhood.audit_report.section import Plot, Section, Table
from personhood.audit_report.sources import Sources


def claims(sources: Sources) -> Section:
    """Claims against budget by epoch, from the chain's events."""
    title = "Claims and budget"
    if sources.chain is None:
        return Section(
            "claims", title, ("chain",), text=("No deployment file is here: nothing is paid.",)
        )
    epochs, unit = sources.chain.activity.epochs, 10**sources.chain.decimals
    rows = tuple(
        (
            str(one.epoch),
            f"{one.members:,}",
            f"{one.amount / unit:,.2f}",
            f"{one.claims:,}",
            f"{one.paid / unit:,.2f}",
            f"{one.budget / unit:,.2f}",
            f"{100 * one.paid / one.budget:.0f} %" if one.budget else "-",
        )
        for one in epochs
    )
    head = ("epoch", "members", "amount", "claims", "paid", "budget", "claimed")
    over = [one.epoch for one in epochs if one.claims > one.members]
    return Section(
        name="claims",
        title=title,
        basis=("chain",),
        text=(
            "Budget is what an epoch costs if every member whose root it froze claims. "
            f"{sources.chain.activity.members:,} members are published.",
        ),
        tables=(Table("By epoch, in coins", head, rows),),
        plots=(
            Plot(
                "claims-by-epoch",
                "Coins paid and budget by epoch",
                partial(plots.claims_by_epoch, epochs, unit),
            ),
        )
        if epochs
        else (),
        data={
            "members": sources.chain.activity.members,
            "epochs": [
                {
                    "epoch": one.epoch,
                    "members": one.members,
                    "amount": str(one.amount),
                    "claims": one.claims,
                    "paid": str(one.paid),
                    "budget": str(one.budget),
                }
                for one in epochs
            ],
        },
        alarms=tuple(f"Epoch {epoch} has more claims than members." for epoch in over),
    )
