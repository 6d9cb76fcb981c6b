"""Payout addresses: fresh an epoch, kept before they are used, opened by the wallet's password."""

import json
from pathlib import Path

import pytest
from eth_account import Account

from distribution.payout import fresh_payout_address


@pytest.mark.slow
def test_an_address_is_kept_and_its_key_can_be_opened(tmp_path: Path) -> None:
    wallet = tmp_path / "wallet.json"
    address = fresh_payout_address(wallet, 3, "password")
    assert fresh_payout_address(wallet, 3, "password") == address
    assert fresh_payout_address(wallet, 4, "password") != address
    path = tmp_path / "wallet.payout-3.json"
    assert path.stat().st_mode & 0o777 == 0o600
    key = Account.decrypt(json.loads(path.read_text()), "password")
    assert Account.from_key(key).address == address
