"""Review, deletion and recovery over HTTP with the real models, as kiosk and wallet see them."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from enrollment.cases import Verdict
from enrollment.examination import Examiner
from enrollment.face_models import face_model
from enrollment.pose import Pose
from identity_proofs.statement import EnrollmentStatement, Purpose
from personhood.errors import ServiceRefused
from personhood.wallet_client import WalletClient
from tests.photographs import another_exposure, as_jpeg, astronaut, person_of_six
from tests.service import commitments, running_kiosk, wallet
from uniqueness.decision import Thresholds

ASTRONAUT, AGAIN = as_jpeg(astronaut()), as_jpeg(another_exposure(astronaut()))
OTHER = as_jpeg(person_of_six(0))


@pytest.fixture
def unsure_kiosk(tmp_path, opencv_pack, face_engine):
    """A service whose thresholds send every second person to review."""
    manifest = replace(opencv_pack.manifest, thresholds=Thresholds(-1.0, 0.9))
    with running_kiosk(tmp_path, manifest, face_engine) as kiosk:
        yield kiosk


@pytest.fixture
def holder(kiosk):
    with WalletClient(str(kiosk.client.base_url)) as client:
        yield client


def status(kiosk, enrollment_id):
    return kiosk.client.get(f"/v1/enrollments/{enrollment_id}")


def test_a_review_is_decided_by_two_people_and_the_person_learns_it(unsure_kiosk):
    kiosk = unsure_kiosk
    assert kiosk.enroll(7, ASTRONAUT, consents=["enrolled"]).json()["outcome"] == "accepted"
    answer = kiosk.enroll(8, OTHER, consents=["review", "enrolled"])
    assert (answer.status_code, answer.json()["outcome"]) == (202, "adjudication")
    assert "receipt" not in answer.json()
    case = answer.json()["enrollment_id"]
    assert status(kiosk, case).json()["outcome"] == "adjudication"
    for name in ("Ada", "Ben"):
        view = kiosk.service.adjudication.open(case, name)
        kiosk.service.adjudication.vote(case, name, Verdict.DIFFERENT)
    for picture in (*view.images, *view.candidates[0]):
        image = Image.open(io.BytesIO(picture))
        assert image.format == "JPEG"
        assert max(image.size) <= 448
    told = status(kiosk, case).json()
    assert told["outcome"] == "accepted"
    assert told["receipt"]
    assert kiosk.service.accepted_commitments() == commitments(7, 8)


def test_without_consent_a_review_asks_for_another_capture(unsure_kiosk):
    unsure_kiosk.enroll(7, ASTRONAUT, consents=["enrolled"])
    answer = unsure_kiosk.enroll(8, OTHER)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "review")
    assert "enrollment_id" not in answer.json()


def test_a_kept_picture_makes_the_same_person_s_template(opencv_pack, face_engine):
    """What is kept is good enough for another model to make its own template of."""
    model = face_model(*face_engine, opencv_pack.manifest)
    examiner = Examiner([model])
    examined = examiner.examine([ASTRONAUT], [Pose.FRONT], portraits=True)
    again = examiner.examine(examined.portraits, [Pose.FRONT])
    (first,), (second,) = examined.templates, again.templates
    assert float(first.vector @ second.vector) > 0.9
    assert examiner.examine([ASTRONAUT], [Pose.FRONT]).portraits == ()


def test_a_wallet_deletes_its_enrolment_once(kiosk, holder):
    enrolled = kiosk.enroll(7, ASTRONAUT, consents=["enrolled"]).json()
    answer = holder.delete(wallet(7))
    assert answer["outcome"] == "deleted"
    assert answer["receipt"].count(".") == 2
    again = holder.delete(wallet(7))
    assert (again["outcome"], again["receipt"]) == ("deleted_before", answer["receipt"])
    assert kiosk.stored() == (1, 0)  # the template's row is there, and empty
    assert len(kiosk.gallery) == 0
    assert status(kiosk, enrolled["enrollment_id"]).json()["code"] == "enrollment_unknown"
    assert kiosk.enroll(8, AGAIN).json()["outcome"] == "accepted"


def test_only_the_holder_deletes_and_only_for_a_fresh_challenge(kiosk, holder):
    kiosk.enroll(7, ASTRONAUT)

    def ask(**changes):
        challenge = kiosk.client.post("/v1/challenges", json={}).json()["challenge"]
        signed = EnrollmentStatement.sign(wallet(7), challenge, Purpose.DELETE).to_text()
        body = {"challenge": challenge, "statement": signed} | changes
        return kiosk.client.post("/v1/deletions", json=body).json()["code"]

    enrol = EnrollmentStatement.sign(wallet(7), "x").to_text()
    assert ask(statement=enrol) == "statement_invalid"
    relabelled = enrol.replace("personhood-enrol", "personhood-delete")
    assert ask(challenge="x", statement=relabelled) == "challenge_invalid"
    assert ask(challenge="A" * 40) == "challenge_invalid"
    assert ask(statement=EnrollmentStatement.sign(wallet(7), "x", Purpose.DELETE).to_text()) == (
        "statement_invalid"
    )
    assert ask(only="images") == "statement_invalid"  # signed to delete, not to forget pictures
    assert ask(more="x") == "malformed_request"
    with pytest.raises(ServiceRefused, match="wallet_not_enrolled"):
        holder.delete(wallet(8))
    assert len(kiosk.gallery) == 1


def test_pictures_alone_go(kiosk, holder):
    kiosk.enroll(7, ASTRONAUT, consents=["enrolled"])
    outcomes = [holder.delete(wallet(7), only_images=True)["outcome"] for _ in range(2)]
    assert outcomes == ["images_deleted", "no_images"]
    assert len(kiosk.gallery) == 1


def test_a_lost_wallet_is_replaced_by_another_capture(kiosk, holder):
    kiosk.enroll(7, ASTRONAUT)
    answer = kiosk.enroll(8, AGAIN, recovery=True)
    assert (answer.status_code, answer.json()["outcome"]) == (201, "recovered")
    assert answer.json()["receipt"]
    assert [c.commitment for c in kiosk.service.removals()] == commitments(7)
    again = kiosk.enroll(9, ASTRONAUT, recovery=True)
    assert (again.status_code, again.json()["code"]) == (409, "recovery_too_soon")
    with pytest.raises(ServiceRefused, match="wallet_not_enrolled"):
        holder.delete(wallet(7))
    assert holder.delete(wallet(8))["outcome"] == "deleted"


def test_a_recovery_enrols_nobody(kiosk):
    answer = kiosk.enroll(8, OTHER, recovery=True)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "not_found")
    assert len(kiosk.gallery) == 0


def test_a_statement_to_enrol_does_not_recover_nor_the_other_way_round(kiosk):
    kiosk.enroll(7, ASTRONAUT)
    for recovery, claimed in ((True, b'"kind": "enrollment"'), (False, b'"kind": "recovery"')):
        prepared = kiosk.prepare(8, AGAIN, recovery=recovery)
        honest = b'"kind": "recovery"' if recovery else b'"kind": "enrollment"'
        sent = replace(prepared, body=prepared.body.replace(honest, claimed))
        assert kiosk.send(sent).json()["code"] == "statement_invalid"


def test_an_unknown_number_tells_nothing(kiosk):
    assert status(kiosk, "0" * 32).status_code == 404
