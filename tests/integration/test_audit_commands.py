"""`personhood audit verify`, `export` and `receipt`, on a service and a chain that really ran."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from eth_account import Account
from typer.testing import CliRunner

from distribution import claims, registry
from distribution.chain import Chain
from distribution.deployment import Deployment
from distribution.local_node import LocalNode
from distribution.public_audit import audit
from distribution.record import read_record
from distribution.registry import local_attesters
from enrollment.errors import EnrollmentError
from enrollment.receipts import Receipt, ReceiptIssuer
from enrollment.rows import Enrollment, EnrollmentStatus
from identity_proofs.prover import Prover
from personhood.audit_report.document import FORMAT, VERSION
from personhood.cli import app
from personhood.errors import ReceiptUnproven
from personhood.wallet_client import WalletClient
from tests.integration.senders import ATTESTERS
from tests.photographs import another_exposure, as_jpeg, astronaut, person_of_six
from tests.service import Kiosk, wallet
from transparency.client import LogClient
from transparency.entry import Kind
from transparency.errors import LogUnreachable, NoteInvalid

pytestmark = pytest.mark.slow


@pytest.fixture
def service(
    kiosk: Kiosk, node: LocalNode, deployment: Deployment, tmp_path: Path, monkeypatch
) -> str:
    """Its address; the commands' settings lead to it and to the chain."""
    url = str(kiosk.client.base_url)
    deployment.write(tmp_path / "deployment.json")
    monkeypatch.setenv("PERSONHOOD_HOME", str(tmp_path))
    monkeypatch.setenv("PERSONHOOD_SERVICE_URL", url)
    monkeypatch.setenv("PERSONHOOD_RPC_URL", node.url)
    return url


def personhood(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", *arguments])


def issued(issuer: ReceiptIssuer, receipt: Receipt) -> str:
    """Sign whatever a receipt shall say."""
    moment = datetime.fromtimestamp(receipt.hour, UTC)
    status = EnrollmentStatus.ACCEPTED
    enrollment = Enrollment(receipt.id, "key", status, moment, logged=receipt.logged)
    return issuer.issue(enrollment, receipt.commitment)


def publish(chain: Chain, deployment: Deployment, kiosk: Kiosk) -> None:
    registry.publish(
        chain,
        deployment,
        kiosk.service.accepted_commitments(),
        local_attesters(chain, deployment, ATTESTERS),
        checkpoint=kiosk.journal.checkpoint().digest,
    )


@pytest.mark.usefixtures("service")
def test_a_stranger_audits_a_running_system(
    kiosk: Kiosk, chain: Chain, deployment: Deployment, prover: Prover, tmp_path: Path
) -> None:
    kiosk.enroll(7, as_jpeg(astronaut()))
    publish(chain, deployment, kiosk)
    assert personhood("export", str(tmp_path / "held")).exit_code == 0
    kiosk.enroll(8, as_jpeg(person_of_six(0)))
    kiosk.enroll(9, as_jpeg(another_exposure(astronaut())))
    publish(chain, deployment, kiosk)
    epoch = claims.open_epoch(chain, deployment)
    claim = claims.prove_claim(
        prover,
        wallet(8),
        claims.read_epoch_group(chain, deployment, epoch),
        deployment,
        epoch=epoch.epoch,
        recipient=str(Account.create().address),
    )
    claims.submit_claim(chain, deployment, claim)
    kiosk.enroll(10, as_jpeg(person_of_six(1)))  # under way

    held = str(tmp_path / "held" / "checkpoint")
    told = personhood("verify", "--checkpoint", held, "--json")
    verdict = json.loads(told.stdout[told.stdout.index("{\n") :])  # behind the service's own log
    assert (told.exit_code, verdict["consistent"], verdict["finding"]) == (0, True, None)
    details = [check["detail"] for check in verdict["checks"]]
    assert details[0] == "4 entries, 3 acceptances, 0 removals"
    assert details[4:] == [
        "2 name one, 0 name none",
        "0 left",
        "1 under way",
        "1 claims in 1 epochs",
        "5 paid, 995 in the pool",
    ]
    assert "keep this one: personhood.local/" in personhood("verify").stdout
    personhood("export", str(tmp_path / "copy"))
    assert personhood("verify", "--log", str(tmp_path / "copy")).exit_code == 0


def test_the_first_inconsistency_is_named(
    service: str, kiosk: Kiosk, chain: Chain, deployment: Deployment, tmp_path: Path
) -> None:
    kiosk.enroll(7, as_jpeg(astronaut()))
    personhood("export", str(tmp_path / "before"))
    with kiosk.engine.begin() as connection:
        assert kiosk.journal.record(connection, Kind.REJECTED, reason="x").index == 1
    publish(chain, deployment, kiosk)
    personhood("export", str(tmp_path / "after"))
    later, earlier = str(tmp_path / "after" / "checkpoint"), str(tmp_path / "before")
    report = tmp_path / "report.json"  # an audit report holds the checkpoint that it was made from
    note = Path(later).read_text()
    report.write_text(json.dumps({"format": FORMAT, "version": VERSION, "checkpoint": note}))
    for held in (later, str(report)):
        told = personhood("verify", "--log", earlier, "--checkpoint", held)
        assert told.exit_code == 1
        assert "NO    log_truncated: " in told.stdout
    attesters = local_attesters(chain, deployment, ATTESTERS)
    accepted = [*kiosk.service.accepted_commitments(), 99]
    registry.publish(chain, deployment, accepted, attesters)
    told = personhood("verify")
    assert told.exit_code == 1
    assert "NO    member_without_decision: leaf 1 has no accepting entry" in told.stdout

    with LogClient(service) as client:
        copy, key = client.download(), client.key()
    record = read_record(chain, deployment)
    assert audit(copy, key, replace(record, size=3)).finding == "member_count_wrong"


@pytest.mark.usefixtures("service")
def test_a_receipt_is_checked_long_after(kiosk: Kiosk, tmp_path: Path) -> None:
    receipt = kiosk.enroll(7, as_jpeg(astronaut())).json()["receipt"]
    kiosk.enroll(8, as_jpeg(person_of_six(0)))
    (tmp_path / "receipt").write_text(receipt + "\n")
    for form in (receipt, str(tmp_path / "receipt")):
        told = personhood("receipt", form, "--key", kiosk.journal.verifier.text)
        assert told.exit_code == 0, told.exception
        assert "this wallet was accepted: entry 0 of 2" in told.stdout


def test_a_receipt_of_a_deletion_is_checked_too(
    service: str, kiosk: Kiosk, chain: Chain, deployment: Deployment
) -> None:
    kiosk.enroll(7, as_jpeg(astronaut()))
    kiosk.enroll(8, as_jpeg(person_of_six(0)))
    publish(chain, deployment, kiosk)
    with WalletClient(service) as holder:
        receipt = holder.delete(wallet(7))["receipt"]
    told = personhood("receipt", receipt)
    assert told.exit_code == 0, told.exception
    assert "this wallet was deleted: entry 2 of 3" in told.stdout
    told = personhood("verify")
    assert told.exit_code == 0, told.stdout
    assert "decisions have arrived on the chain: 1 under way" in told.stdout


@pytest.mark.usefixtures("service")
def test_a_receipt_that_does_not_hold_is_refused(kiosk: Kiosk) -> None:
    kiosk.enroll(7, as_jpeg(astronaut()))
    request = kiosk.prepare(8, as_jpeg(person_of_six(0)))
    real = kiosk.send(request).json()["receipt"]
    issuer = ReceiptIssuer(b"r" * 32)  # the service's own: it lies
    receipt = issuer.check(real)
    assert receipt.logged is not None
    for lie in (
        replace(receipt, commitment=wallet(9).commitment),
        replace(receipt, logged=replace(receipt.logged, index=0)),
        replace(receipt, logged=replace(receipt.logged, index=5)),
        replace(receipt, logged=None),
    ):
        told = personhood("receipt", issued(issuer, lie))
        assert isinstance(told.exception, ReceiptUnproven)
    other = kiosk.journal.verifier.text.replace("personhood.local", "elsewhere.local")
    assert personhood("receipt", real, "--key", other).exit_code == 1
    assert isinstance(personhood("receipt", "no.re.ceipt").exception, EnrollmentError)
    gone = personhood("verify", "--log", "http://127.0.0.1:1")
    assert isinstance(gone.exception, LogUnreachable | NoteInvalid)
