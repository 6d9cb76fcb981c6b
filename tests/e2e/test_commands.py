"""The commands as a person types them, each a process, with state kept between them."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from personhood.demo.people import read_default_people
from tests.e2e.shell import Shell

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path / "home", PERSONHOOD_CAPTURE="photograph")
    yield shell
    shell.stop_all()


def test_a_person_from_wallet_to_income_with_restarts_between(shell: Shell, tmp_path: Path) -> None:
    person = next(read_default_people())
    photo, again = tmp_path / "photo.jpg", tmp_path / "again.jpg"
    photo.write_bytes(person.photographs[0])
    again.write_bytes(person.photographs[1])

    json.loads(shell.run("wallet", "new", "--json"))
    assert "keystore_exists" in shell.run("wallet", "new", fails=1)
    assert "chain_unreachable" in shell.run("deploy", fails=1)

    chain = shell.start("chain", port=shell.chain_port)
    assert "not_deployed" in shell.run("wallet", "status", fails=1)
    shell.run("deploy")
    service = shell.start("serve", port=shell.service_port)
    assert "kiosk_not_registered" in shell.run("enroll", str(photo), fails=1)
    assert "invitation_invalid" in shell.run("kiosk", "register", "NO-SUCH-CODE", fails=1)
    shell.run("kiosk", "register", shell.run("kiosk", "invite", "Library").strip())
    assert "Library" in shell.run("kiosk", "list")
    shell.run("enroll", str(photo))
    other = str(tmp_path / "other.json")
    shell.run("wallet", "new", "--wallet", other)
    refused = shell.run("enroll", str(again), "--wallet", other, fails=3)
    assert refused.startswith("duplicate")
    assert "keystore_missing" in shell.run("enroll", str(photo), "--wallet", "none", fails=1)
    statement = json.loads(shell.run("wallet", "statement", "K7QX-M2PD-9RTW-4HSC", "--json"))
    assert statement["statement"].startswith("personhood-enrol:1:")
    assert "epoch_not_claimable" in shell.run("wallet", "claim", fails=1)

    shell.stop(service)
    publish(shell, waiting="1 to be added", published="1 published, 1 members")
    time.sleep(3)  # anvil writes its state every two seconds, and once more when it stops
    shell.stop(chain)

    shell.start("chain", port=shell.chain_port)
    shell.start("serve", port=shell.service_port)
    assert shell.run("deploy").startswith("already deployed")
    still_refused = shell.run("enroll", str(again), "--wallet", other, fails=3)
    assert still_refused.startswith("duplicate")
    shell.run("kiosk", "revoke", "Library")
    assert "kiosk_revoked" in shell.run("enroll", str(again), "--wallet", other, fails=1)
    status = json.loads(shell.run("wallet", "status", "--json"))
    assert (status["member"], status["claimed"]) == (True, False)
    paid = json.loads(shell.run("wallet", "claim", "--json"))
    assert paid["amount"] == str(100 * 10**18)
    assert "already_claimed" in shell.run("wallet", "claim", fails=1)
    assert "not_a_member" in shell.run("wallet", "claim", "--wallet", other, fails=1)
    assert json.loads(shell.run("wallet", "status", "--json"))["claimed"] is True
    publish(shell, waiting="nothing is pending", published="0 published, 1 members")

    report = json.loads(shell.run("audit", "--json", "--plot", str(tmp_path / "scores.png")))
    assert report["people_enrolled"] == 1
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")
    private = [path for path in shell.home.iterdir() if path.suffix in {".key", ".json"}]
    assert {"wallet.json", "template.key", "receipt.key", "kiosk-device.json"} <= {
        path.name for path in private
    }
    for path in private:
        if path.name not in {"deployment.json", "chain-state.json"}:
            assert path.stat().st_mode & 0o077 == 0, path


def publish(shell: Shell, *, waiting: str, published: str) -> None:
    assert waiting in shell.run("publish", "--status")
    assert published in shell.run("publish")


def test_the_demo_keeps_its_promises(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "personhood", "demo", "--output", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "demo-report.json").read_text())
    assert report["people_enrolled"] == report["duplicates_refused"] == report["claims_paid"] == 7
    assert report["duplicates_missed"] == report["false_matches"] == 0
    assert report["second_claims_refused"] == 7
    assert report["strangers_refused"] == 1
    assert report["bad_inputs_refused"] == 2
    assert report["log_entries"] == 2 + 7 + 7 + 2  # model and thresholds, people, again, bad
    assert report["audit_finding"] == ""
    assert report["balance_sum"] == report["amount_paid"] == 7 * 100 * 10**18
    assert 0 < report["gas_per_claim"] < 345_000
    page = (tmp_path / "demo-report.html").read_text()
    assert "data:image/png;base64," in page
    assert "http" not in page.replace("http-equiv", "")  # self-contained: nothing is fetched


def test_faces_that_are_not_there(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "personhood", "demo", "--faces", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "faces_unusable" in done.stderr
