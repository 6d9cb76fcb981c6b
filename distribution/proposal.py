"""What a publisher sends to an attester: an update, signed with the key of the decision log.

Anybody could put together an update that attesters would find in order, and an attester signs one
root after each: so it looks only at what the log's own key asks for. The proposal is a signed note
(`transparency.note`) whose first line no checkpoint has.
"""

import json
from dataclasses import asdict
from typing import Any, Final

from distribution.addresses import parse_address
from distribution.attestation import RootUpdate
from distribution.errors import AddressInvalid, AttestationRefused
from transparency.errors import NoteInvalid
from transparency.note import NoteSigner, VerifierKey, make_note, open_note

MAX_BYTES: Final = 1 << 17  # of a proposal; 512 commitments and 512 removals take half of it

_TITLE: Final = "personhood root update v1\n"


def write_proposal(update: RootUpdate, chain_id: int, registry: str, signer: NoteSigner) -> str:
    """Sign an update for one registry."""
    body = {"chain_id": chain_id, "registry": registry, "update": update_fields(update)}
    return make_note(f"{_TITLE}{json.dumps(body, sort_keys=True)}\n", signer)


def read_proposal(note: str, key: VerifierKey) -> tuple[RootUpdate, int, str]:
    """An update, the chain and the registry that it is meant for.

    Raises:
        AttestationRefused: `proposal_invalid`, it is not signed by the log's key, or is none.
    """
    try:
        text, _ = open_note(note, key)
        title, _, body = text.partition("\n")
        fields: dict[str, Any] = json.loads(body) if f"{title}\n" == _TITLE else {}
        update = parse_update(fields["update"])
        return update, int(fields["chain_id"]), parse_address(str(fields["registry"]))
    except (NoteInvalid, AddressInvalid, ValueError, TypeError, KeyError) as wrong:
        raise AttestationRefused(
            "this is no update that the decision log's key signed", "proposal_invalid"
        ) from wrong


def update_fields(update: RootUpdate) -> dict[str, Any]:
    """An update as JSON: field elements in decimal, which JavaScript's numbers cannot hold."""
    return {
        **asdict(update),
        "previous_root": str(update.previous_root),
        "root": str(update.root),
        "commitments": [str(commitment) for commitment in update.commitments],
        "removals": list(update.removals),
        "checkpoint": update.checkpoint.hex(),
    }


def parse_update(fields: dict[str, Any]) -> RootUpdate:
    """Read what `update_fields` gives.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    update = RootUpdate(
        attester_set=int(fields["attester_set"]),
        previous_root=int(fields["previous_root"]),
        root=int(fields["root"]),
        first_index=int(fields["first_index"]),
        commitments=tuple(int(commitment) for commitment in fields["commitments"]),
        removals=tuple(int(removal) for removal in fields["removals"]),
        checkpoint=bytes.fromhex(fields["checkpoint"]),
    )
    numbers = (update.attester_set, update.previous_root, update.root, update.first_index)
    everything = (*numbers, *update.commitments, *update.removals)
    if not all(0 <= number < 1 << 256 for number in everything) or len(update.checkpoint) != 32:
        raise ValueError("no update")
    return update
