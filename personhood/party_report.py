"""Where three parties stand, and whether they hold the same."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from personhood.party_app import Member
from uniqueness.errors import PrivateMatchingError
from uniqueness.private.protocol import PartyStatus
from uniqueness.private.remote_party import RemoteParty
from uniqueness.private.shares import PARTIES


@dataclass(frozen=True)
class Standing:
    """What parties say, and what is wrong.

    Args:
        told: by party.
        trouble: what an operator has to look at; empty when all is well.
    """

    told: dict[int, PartyStatus]
    trouble: tuple[str, ...]


def standing(member: Member) -> Standing:
    """Ask all that a member may ask."""
    indexes = list(range(PARTIES)) if member.index is None else [member.index]
    with member.parties(indexes) as parties, ThreadPoolExecutor(PARTIES) as pool:
        answers = list(pool.map(_status, parties))
    told = {answer.index: answer for answer in answers if isinstance(answer, PartyStatus)}
    lost = [str(answer) for answer in answers if not isinstance(answer, PartyStatus)]
    return Standing(told, (*lost, *_differences(told)))


def print_standing(standing: Standing, console: Console) -> None:
    """A table, and a line for each trouble."""
    table = Table(box=None, pad_edge=False)
    for heading in ("party", "head", "templates", "session", "prepared", "digests"):
        table.add_column(heading)
    for index, status in sorted(standing.told.items()):
        table.add_row(
            str(index),
            str(status.head),
            str(status.templates),
            "open" if status.session else "-",
            str(len(status.prepared)),
            " ".join(digest[:12] for digest in status.digests),
        )
    console.print(table)
    for trouble in standing.trouble:
        console.print(trouble, style="red")


def _status(party: RemoteParty) -> PartyStatus | PrivateMatchingError:
    try:
        return party.status()
    except PrivateMatchingError as error:
        return error


def _differences(told: dict[int, PartyStatus]) -> list[str]:
    heads = {status.head for status in told.values()}
    if len(heads) > 1:
        behind = [str(i) for i, status in sorted(told.items()) if status.head < max(heads)]
        return [f"behind: party {', '.join(behind)}; personhood party reshare there"]
    return [
        f"parties {i} and {after} hold different things at number {status.head}"
        for i, status in sorted(told.items())
        if (after := (i + 1) % PARTIES) in told and status.digests[1] != told[after].digests[0]
    ]
