"""Fresh addresses to be paid at, so that one epoch's payment does not point to another's."""

import json
import os
from pathlib import Path

from eth_account import Account


def fresh_payout_address(wallet: Path, epoch: int, password: str) -> str:
    """The address of this wallet and epoch; its key is made on first use and kept.

    The key is a Web3 Secret Storage file beside the wallet, `<wallet>.payout-<epoch>.json`,
    which any Ethereum wallet imports. It is written before a claim is, so that no payment can go
    to a lost key.

    Returns:
        A checksum address.
    """
    path = payout_file(wallet, epoch)
    if not path.exists():
        keyfile = Account.create().encrypt(password)
        _write_new(path, json.dumps(keyfile))
    address = json.loads(path.read_text())["address"]
    return _checksummed(address)


def payout_file(wallet: Path, epoch: int) -> Path:
    """Where the key of a fresh address is kept, if one was made."""
    return wallet.with_name(f"{wallet.stem}.payout-{epoch}.json")


def _write_new(path: Path, text: str) -> None:
    draft = path.with_suffix(".tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _checksummed(address: str) -> str:
    from eth_utils.address import to_checksum_address

    return to_checksum_address(address if address.startswith("0x") else f"0x{address}")
