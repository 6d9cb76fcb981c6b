"""The demo's flow, from nothing to people who were paid; reads as the README tells it."""

import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from eth_account import Account
from rich.progress import Progress

from distribution import claims, registry
from distribution.attestation import address_of, load_or_create_keys
from distribution.chain import Chain
from distribution.deployment import Deployment, Terms, deploy
from distribution.errors import AlreadyClaimed, ProofRefused
from distribution.local_node import start_local_node
from distribution.public_audit import audit
from distribution.record import read_record
from identity_proofs.artifacts import load_artifacts
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover
from personhood.demo.people import BadPhotograph, Person
from personhood.demo.report import DemoReport
from personhood.demo.service_process import run_service
from personhood.errors import DemoFailed, FacesUnusable
from personhood.kiosk_client import KioskClient
from personhood.registers import plot_scores, read_accepted_commitments, read_audit
from personhood.settings import Settings
from transparency.checkpoint import Checkpoint
from transparency.client import LogClient

ATTESTERS, QUORUM = 3, 2
REPEATED_CLAIMS = 8  # wallets that try to claim twice; each try costs a proof


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An accepted wallet, and the person's photographs that were not used for it."""

    identity: Identity
    person: Person
    unused: tuple[bytes, ...]


def run_demo(
    people: Iterable[Person],
    bad_photographs: Sequence[BadPhotograph],
    settings: Settings,
    progress: Progress,
    *,
    wanted: int | None,
) -> tuple[DemoReport, bytes]:
    """Run the whole loop once, on a chain and a database of its own.

    Args:
        people: who walks up, in this order.
        wanted: stop when so many are enrolled; None enrols everybody.

    Returns:
        The figures, and the plot of the scores as PNG.

    Raises:
        DemoFailed: something came out otherwise than the design promises.
    """
    started = time.monotonic()
    report = DemoReport(model_pack=settings.model_pack)
    say = progress.console.print
    say("loading the circuit of depth 27 and its proving key")
    prover = Prover(load_artifacts(settings.artifacts_dir()))
    with tempfile.TemporaryDirectory(prefix="personhood-demo-") as folder:
        home = Path(folder)
        settings = settings.model_copy(update={"home": home, "database_url": None})

        # 1. A chain with the contracts and a funded pool.
        node = start_local_node()
        try:
            report.chain = node.name
            chain = Chain.connect(node.url)
            keys = load_or_create_keys(settings.attester_keys_dir(), ATTESTERS)
            attesters = tuple(address_of(key) for key in keys)
            deployment = deploy(chain, Terms(attesters=attesters, quorum=QUORUM))
            say(f"{node.name} runs at {node.url}; registry, distributor and a funded pool deployed")

            # 2 to 4. The service; people, their second photographs, and what is no enrolment.
            with run_service(home, home / "service.log") as kiosk:
                say("the enrolment service is ready")
                enrolled = _enroll_people(kiosk, people, report, progress, wanted)
                missed = _send_duplicates(kiosk, enrolled, report, progress)
                _send_bad_photographs(kiosk, bad_photographs, report)
                with LogClient(kiosk.url) as service:
                    log, log_key = service.download(), service.key()

            # 5. Everybody accepted is published and paid, once.
            members = [one.identity for one in enrolled] + missed
            accepted = read_accepted_commitments(settings)
            _require(sorted(accepted) == sorted(m.commitment for m in members), "records differ")
            signers = registry.local_attesters(chain, deployment, keys)
            checkpoint = Checkpoint.of_note(log.note).digest
            published = registry.publish(
                chain, deployment, accepted, signers, checkpoint=checkpoint
            )
            say(f"the root of {published.members} members is signed by {QUORUM} and published")
            report.members = published.members
            report.gas_per_member_published = published.gas_used // max(1, published.members)
            _pay_everybody(chain, deployment, prover, members, report, progress)
            _refuse_strangers(chain, deployment, prover, report)

            # 6. Anybody can see from log and chain that all of it fits together.
            verdict = audit(log, log_key, read_record(chain, deployment))
            report.log_entries = len(log.leaves)
            report.audit_finding = verdict.finding or ""
            say(f"public audit: {verdict.finding or 'log and chain agree'}")
        finally:
            node.close()

        plot = home / "scores.png"
        plot_scores(settings, read_audit(settings), plot)
        report.seconds = round(time.monotonic() - started, 1)
        return report, plot.read_bytes()


def _enroll_people(
    kiosk: KioskClient,
    people: Iterable[Person],
    report: DemoReport,
    progress: Progress,
    wanted: int | None,
) -> list[Enrolled]:
    task = progress.add_task("enrolling people", total=wanted)
    enrolled: list[Enrolled] = []
    seconds: list[float] = []
    for person in people:
        if wanted is not None and len(enrolled) == wanted:
            break
        report.people_tried += 1
        identity = Identity.generate()
        for position, photograph in enumerate(person.photographs):
            answer = kiosk.enroll(photograph, identity)
            seconds.append(answer.seconds)
            if answer.outcome == "refused":
                report.photographs_refused += 1
                continue
            if answer.outcome == "accepted":
                enrolled.append(Enrolled(identity, person, person.photographs[position + 1 :]))
                progress.advance(task)
            report.false_matches += answer.outcome == "duplicate"
            report.reviews += answer.outcome == "review"
            break
    if not enrolled or (wanted is not None and len(enrolled) < wanted):
        raise FacesUnusable(
            f"{len(enrolled)} of {wanted or 'the'} people could be enrolled from these "
            f"photographs ({report.people_tried} people tried)"
        )
    progress.update(task, total=len(enrolled))
    report.people_enrolled = len(enrolled)
    report.seconds_per_enrollment = round(sum(seconds) / len(seconds), 4)
    return enrolled


def _send_duplicates(
    kiosk: KioskClient, enrolled: Sequence[Enrolled], report: DemoReport, progress: Progress
) -> list[Identity]:
    """Every enrolled person tries again with a new wallet; returns the wallets that got in."""
    real = sum(one.person.has_second for one in enrolled)
    report.second_photographs = (
        f"{real} people with different photographs, {len(enrolled) - real} with another crop and "
        "exposure of the first"
    )
    missed: list[Identity] = []
    for one in progress.track(enrolled, description="sending them again"):
        identity = Identity.generate()
        for photograph in one.unused:
            answer = kiosk.enroll(photograph, identity)
            if answer.outcome == "refused":
                report.photographs_refused += 1
                continue
            report.duplicates_tried += 1
            report.duplicates_refused += answer.outcome == "duplicate"
            report.duplicates_in_review += answer.outcome == "review"
            if answer.outcome == "accepted":
                report.duplicates_missed += 1
                missed.append(identity)
            break
    return missed


def _send_bad_photographs(
    kiosk: KioskClient, photographs: Sequence[BadPhotograph], report: DemoReport
) -> None:
    for bad in photographs:
        answer = kiosk.enroll(bad.photograph, Identity.generate())
        report.bad_inputs_tried += 1
        report.bad_inputs_refused += answer.code == bad.expected_code


def _pay_everybody(
    chain: Chain,
    deployment: Deployment,
    prover: Prover,
    members: Sequence[Identity],
    report: DemoReport,
    progress: Progress,
) -> None:
    """Every member claims to a fresh address; some try a second time."""
    epoch = claims.open_epoch(chain, deployment)
    group = claims.read_epoch_group(chain, deployment, epoch)
    recipients: list[str] = []
    gas: list[int] = []
    seconds: list[float] = []
    for identity in progress.track(members, description="claiming"):
        started = time.monotonic()
        claim = _prove(prover, identity, group, deployment, epoch.epoch)
        seconds.append(time.monotonic() - started)
        gas.append(claims.submit_claim(chain, deployment, claim).gas_used)
        recipients.append(claim.recipient)
    for identity in islice(members, REPEATED_CLAIMS):
        report.second_claims_tried += 1
        try:
            again = _prove(prover, identity, group, deployment, epoch.epoch)
            claims.submit_claim(chain, deployment, again)
        except AlreadyClaimed:
            report.second_claims_refused += 1

    report.claims_paid = len(recipients)
    report.gas_per_claim = sum(gas) // len(gas)
    report.seconds_per_proof = round(sum(seconds) / len(seconds), 3)
    report.amount_paid = deployment.amount * report.claims_paid
    report.balance_sum = sum(claims.balance_of(chain, deployment, who) for who in recipients)


def _refuse_strangers(
    chain: Chain, deployment: Deployment, prover: Prover, report: DemoReport
) -> None:
    """Somebody who never enrolled proves membership of a group of their own making."""
    stranger = Identity.generate()
    epoch = claims.read_epoch(chain, deployment)
    forged = _prove(prover, stranger, Group([stranger.commitment]), deployment, epoch.epoch)
    report.strangers_tried += 1
    try:
        claims.submit_claim(chain, deployment, forged)
    except ProofRefused:
        report.strangers_refused += 1


def _prove(
    prover: Prover, identity: Identity, group: Group, deployment: Deployment, epoch: int
) -> claims.Claim:
    recipient = Account.create().address
    return claims.prove_claim(prover, identity, group, deployment, epoch=epoch, recipient=recipient)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise DemoFailed(f"the demo did not come out as promised: {what}")
