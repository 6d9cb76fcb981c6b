"""A wallet on a real chain: status, claims with and without a relayer, history, export."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from distribution.attestation import load_keys
from distribution.chain import Chain
from distribution.claims import balance_of, read_epoch
from distribution.deployment import Deployment
from distribution.errors import (
    AlreadyClaimed,
    EpochNotClaimable,
    FeeTooLow,
    FeeUnusual,
    NotAMember,
    RelayerMismatch,
    RelayerRefused,
    RelayerUnreachable,
)
from distribution.local_node import start_local_node
from distribution.registry import local_attesters, publish
from identity_proofs.identity import Identity
from identity_proofs.keystore import read_commitment, save_identity
from identity_proofs.prover import Prover
from personhood.cli import app
from personhood.relayer_app import open_relayer
from personhood.settings import Settings
from tests.service import served

pytestmark = pytest.mark.slow
WEEK = 7 * 24 * 3600
COIN = 10**18


class Shell:
    """Commands in this process, on a chain of their own."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = home, url
        assert CliRunner().invoke(app, ["deploy"]).exit_code == 0
        self.settings = Settings()
        self.deployment = Deployment.read(self.settings.deployment_file())
        self.chain = Chain.connect(url)

    def wallet(self, *arguments: str, answer: str | None = None) -> Any:
        result = CliRunner().invoke(app, ["wallet", *arguments, "--json"], input=answer)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if result.exit_code != 0:
            return result
        return json.loads(result.stdout.splitlines()[-1])  # the relayer logs in this process too

    def text(self, *arguments: str) -> str:
        result = CliRunner().invoke(app, ["wallet", *arguments], env={"COLUMNS": "200"})
        assert result.exit_code == 0, result.output
        return result.output

    def publish(self, *commitments: int) -> None:
        keys = load_keys(self.settings.attester_keys_dir())
        signers = local_attesters(self.chain, self.deployment, keys)
        publish(self.chain, self.deployment, list(commitments), signers)

    def pass_time(self, seconds: int) -> None:
        for method, value in (("evm_increaseTime", [seconds]), ("anvil_mine", ["0x1"])):
            self.chain._web3.provider.make_request(method, value)  # type: ignore[arg-type]

    def balance(self, address: str) -> int:
        return balance_of(self.chain, self.deployment, address)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prover: Prover) -> Iterator[Shell]:
    # What takes a second each: the keystore's hardness, and reading the circuit again.
    monkeypatch.setitem(save_identity.__kwdefaults__, "work_factor", 2)
    monkeypatch.setattr("eth_account.Account._default_kdf", "pbkdf2")
    monkeypatch.setattr("identity_proofs.artifacts.load_artifacts", lambda _: None)
    monkeypatch.setattr("identity_proofs.prover.Prover", lambda _: prover)
    node = start_local_node()
    monkeypatch.setenv("PERSONHOOD_HOME", str(tmp_path))
    monkeypatch.setenv("PERSONHOOD_RPC_URL", node.url)
    monkeypatch.setenv("PERSONHOOD_WALLET_PASSWORD", "correct horse battery staple")
    monkeypatch.setenv("PERSONHOOD_RELAYER_FEE", str(COIN))
    monkeypatch.setenv("PERSONHOOD_RELAYER_AGE", "0")
    yield Shell(tmp_path, node.url)
    node.close()


@pytest.fixture
def relayer(shell: Shell) -> Iterator[str]:
    with (
        open_relayer(shell.settings, shell.chain, shell.deployment) as service,
        served(service) as url,
    ):
        yield url


def test_from_nothing_to_two_incomes(shell: Shell, relayer: str) -> None:
    member = int(shell.wallet("new")["commitment"])
    told = shell.wallet("status")
    assert (told["member"], told["epoch"], told["claimable"]) == (False, 0, [])
    shell.publish(member)

    # The relayer opens the epoch; nobody here has coins for gas.
    paid = shell.wallet("claim", "--relayer", relayer)
    assert (paid["epoch"], paid["coins"], paid["fee"]) == (0, "99", str(COIN))
    assert shell.balance(paid["recipient"]) == 99 * COIN
    assert Path(paid["key_file"]).exists()
    with pytest.raises(AlreadyClaimed):
        shell.wallet("claim", "--relayer", relayer)

    shell.pass_time(WEEK)
    told = shell.wallet("status")
    assert (told["epoch"], told["member"], told["claimed"]) == (1, True, False)
    assert "Ready" in shell.text("status")
    again = shell.wallet("claim")  # this one directly
    assert again["recipient"] != paid["recipient"]
    assert shell.balance(again["recipient"]) == 100 * COIN

    history = shell.wallet("history")
    assert [(one["epoch"], one["coins"]) for one in history["payments"]] == [(0, "99"), (1, "100")]
    assert [one["recipient"] for one in history["payments"]] == [
        paid["recipient"],
        again["recipient"],
    ]
    assert history["received"] == "199"
    assert history["payments"][1]["transaction_hash"] == again["transaction"]
    shown = shell.text("history")
    assert paid["recipient"] in shown
    assert "one person" in shown


def test_past_epochs_are_claimed_while_they_can_be(shell: Shell, relayer: str) -> None:
    shell.publish(int(shell.wallet("new")["commitment"]))
    first = shell.wallet("claim", "--to", "0x" + "b1" * 20, "--relayer", relayer)
    shell.pass_time(WEEK)
    wait_for_epoch(shell, 1)
    shell.pass_time(WEEK)
    wait_for_epoch(shell, 2)
    told = shell.wallet("status")
    assert [one["epoch"] for one in told["claimable"]] == [2, 1]
    assert "--epoch" in shell.text("status")
    late = shell.wallet("claim", "--epoch", "1", "--relayer", relayer, "--fee", "2.5")
    assert (late["epoch"], late["fee"]) == (1, str(COIN * 5 // 2))
    result = CliRunner().invoke(
        app, ["wallet", "claim", "--to", first["recipient"], "--relayer", relayer]
    )
    assert result.exit_code == 0
    assert "was paid at this address before" in " ".join(result.output.split())
    with pytest.raises(EpochNotClaimable):
        shell.wallet("claim", "--epoch", "9")
    shell.pass_time(5 * WEEK)
    assert {one["epoch"] for one in shell.wallet("status")["claimable"]} <= {7}


def wait_for_epoch(shell: Shell, epoch: int) -> None:
    while read_epoch(shell.chain, shell.deployment, epoch).root == 0:
        time.sleep(0.2)


def test_what_a_wallet_does_not_do(
    shell: Shell, relayer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = int(shell.wallet("new")["commitment"])
    shell.publish(Identity.generate().commitment)
    with pytest.raises(NotAMember):
        shell.wallet("claim", "--relayer", relayer)
    with pytest.raises(FeeTooLow):
        shell.wallet("claim", "--relayer", relayer, "--fee", "0.5")
    for odd in ("much", "-1", "0.0000000000000000001", "NaN"):
        refused = shell.wallet("claim", "--relayer", relayer, "--fee", odd)
        assert "no amount of coins" in refused.output
    assert "name one with --relayer" in shell.wallet("claim", "--fee", "1").output
    with pytest.raises(RelayerUnreachable):
        shell.wallet("claim", "--relayer", "http://127.0.0.1:9")
    with pytest.raises(RelayerUnreachable, match="no relayer"):
        shell.wallet("claim", "--relayer", shell.url)  # a chain is none
    assert read_commitment(shell.settings.wallet_file()) == member
    monkeypatch.setattr("personhood.commands.wallet_claim.UNASKED", 1000)
    with pytest.raises(FeeUnusual, match="1 of 100 coins"):
        shell.wallet("claim", "--relayer", relayer)


def test_a_relayer_of_other_contracts(
    shell: Shell, relayer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.wallet("new")
    monkeypatch.setattr(Deployment, "check", lambda self, _: self)
    fields = json.loads(shell.settings.deployment_file().read_text())
    fields["distributor"] = "0x" + "11" * 20
    shell.settings.deployment_file().write_text(json.dumps(fields))
    with pytest.raises(RelayerMismatch):
        shell.wallet("claim", "--relayer", relayer)


def test_a_relayer_that_says_no(shell: Shell) -> None:
    shell.publish(int(shell.wallet("new")["commitment"]))
    full = shell.settings.model_copy(update={"relayer_queue": 1, "relayer_requests": 1})
    with (
        open_relayer(full, shell.chain, shell.deployment) as service,
        served(service) as url,
    ):
        shell.wallet("claim", "--relayer", url)
        shell.pass_time(WEEK)
        with pytest.raises(RelayerRefused, match="relay_too_many_requests"):
            shell.wallet("claim", "--relayer", url)


def test_the_secret_is_shown_on_request_alone(shell: Shell) -> None:
    made = shell.wallet("new", "--show-words")
    assert shell.wallet("export", "--yes")["words"] == made["words"]
    secret = shell.wallet("export", "semaphore", "--yes")["semaphore"]
    assert str(Identity.from_export(secret).commitment) == made["commitment"]
    refused = shell.wallet("export", answer="n\n")
    assert refused.exit_code == 1
    assert made["words"].split()[0] not in refused.stdout
    assert "nobody can take it back" in " ".join(refused.output.split())
    assert made["words"] in " ".join(shell.text("export", "--yes").split())
