"""Enrolment over HTTP with the real models: who gets in, who does not."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import jwt
from PIL import ImageOps
from sqlalchemy import update

from enrollment.errors import FrameReused
from enrollment.replay import ReplayGuard
from enrollment.sessions import SessionRow
from personhood.kiosk_client import KioskClient, Turn
from tests.photographs import (
    another_exposure,
    as_jpeg,
    as_png,
    astronaut,
    coffee,
    person_of_six,
)
from tests.service import commitments, running_kiosk, wallet
from uniqueness.audit import AuditReport


def test_a_person_is_accepted_and_another_too(kiosk):
    first = kiosk.enroll(7, as_jpeg(astronaut()))
    second = kiosk.enroll(8, as_png(person_of_six(1)))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["outcome"] == "accepted"
    assert first.json()["enrollment_id"] != second.json()["enrollment_id"]
    assert first.headers["x-request-id"] == first.json()["request_id"]
    assert kiosk.stored() == (2, 2)
    assert kiosk.service.accepted_commitments() == commitments(7, 8)


def test_all_six_of_a_group_are_told_apart(kiosk):
    answers = [kiosk.enroll(n + 1, as_jpeg(person_of_six(n))).json() for n in range(6)]
    assert [answer.get("outcome", answer.get("code")) for answer in answers] == ["accepted"] * 6


def test_the_same_person_in_another_crop_and_exposure_is_a_duplicate(kiosk):
    kiosk.enroll(7, as_jpeg(astronaut()))
    answer = kiosk.enroll(8, as_jpeg(another_exposure(astronaut()), quality=80))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "duplicate")
    assert set(answer.json()) == {"outcome", "next", "request_id"}  # no score, no other person
    assert kiosk.service.accepted_commitments() == commitments(7)
    assert len(kiosk.gallery) == 1


def test_a_refused_commitment_is_free_for_its_own_person(kiosk):
    kiosk.enroll(7, as_jpeg(astronaut()))
    kiosk.enroll(8, as_jpeg(another_exposure(astronaut())))
    assert kiosk.enroll(8, as_jpeg(person_of_six(0))).json()["outcome"] == "accepted"
    assert kiosk.service.accepted_commitments() == commitments(7, 8)


def test_a_photograph_turned_by_exif_is_turned_back(kiosk):
    exif = astronaut().getexif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees
    sideways = astronaut().rotate(90, expand=True)
    assert kiosk.enroll(7, as_jpeg(sideways, exif=exif)).status_code == 201


def test_the_same_request_twice_gives_the_same_answer_and_one_enrolment(kiosk):
    prepared = kiosk.prepare(7, as_jpeg(astronaut()))
    first, second = kiosk.send(prepared), kiosk.send(prepared)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["enrollment_id"] == second.json()["enrollment_id"]
    assert first.json()["receipt"] == second.json()["receipt"]
    assert kiosk.stored() == (1, 1)


def test_a_refusal_sent_again_is_the_same_refusal(kiosk):
    kiosk.enroll(7, as_jpeg(astronaut()))
    prepared = kiosk.prepare(8, as_jpeg(another_exposure(astronaut())))
    outcomes = [kiosk.send(prepared).json()["outcome"] for _ in range(2)]
    assert outcomes == ["duplicate", "duplicate"]
    assert kiosk.stored() == (1, 2)


def test_an_idempotency_key_with_another_body_is_refused(kiosk):
    kiosk.enroll(7, as_jpeg(astronaut()), key="k1")
    answer = kiosk.enroll(8, as_jpeg(person_of_six(0)), key="k1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert kiosk.stored() == (1, 1)


def test_a_commitment_that_is_enrolled_is_refused_before_the_gallery(kiosk):
    kiosk.enroll(7, as_jpeg(astronaut()))
    answer = kiosk.enroll(7, as_jpeg(person_of_six(0)))
    assert (answer.status_code, answer.json()["code"]) == (409, "commitment_already_enrolled")
    assert kiosk.stored() == (1, 1)
    assert kiosk.enroll(9, as_jpeg(person_of_six(0))).json()["outcome"] == "accepted"


def test_two_requests_of_one_person_at_the_same_moment_accept_one(kiosk):
    photos = as_jpeg(astronaut()), as_jpeg(another_exposure(astronaut()))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(kiosk.enroll, [7, 8], photos))
    assert sorted(answer.json()["outcome"] for answer in answers) == ["accepted", "duplicate"]
    assert len(kiosk.gallery) == 1


def test_two_people_with_one_commitment_at_the_same_moment_accept_one(kiosk):
    photos = as_jpeg(astronaut()), as_jpeg(person_of_six(0))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(kiosk.enroll, [7, 7], photos))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert kiosk.stored() == (1, 1)


def test_the_same_request_at_the_same_moment_enrols_once(kiosk):
    prepared = kiosk.prepare(7, as_jpeg(astronaut()))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(kiosk.send, [prepared] * 4))
    assert {answer.json()["enrollment_id"] for answer in answers} != {None}
    assert len({answer.json()["enrollment_id"] for answer in answers}) == 1
    assert kiosk.stored() == (1, 1)


def test_state_survives_a_restart(tmp_path, opencv_pack, face_engine):
    with running_kiosk(tmp_path, opencv_pack.manifest, face_engine) as kiosk:
        prepared = kiosk.prepare(7, as_jpeg(astronaut()))
        before, device = kiosk.send(prepared).json(), kiosk.device
    with running_kiosk(tmp_path, opencv_pack.manifest, face_engine) as kiosk:
        same_device = replace(kiosk, device=device)
        assert same_device.send(prepared).json()["enrollment_id"] == before["enrollment_id"]
        again = kiosk.enroll(8, as_jpeg(another_exposure(astronaut())))
        assert again.json()["outcome"] == "duplicate"
        assert kiosk.service.accepted_commitments() == commitments(7)


def test_health_tells_the_model_and_counts_nobody(kiosk):
    answer = kiosk.client.get("/v1/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert set(answer.json()) == {"status", "model", "gallery_open", "request_id"}
    kiosk.gallery.close()
    assert kiosk.client.get("/v1/health").status_code == 503


def test_a_closed_gallery_is_a_503_that_says_to_retry(kiosk):
    kiosk.gallery.close()
    answer = kiosk.enroll(7, as_jpeg(astronaut()))
    assert (answer.status_code, answer.json()["code"]) == (503, "gallery_closed")
    assert answer.headers["retry-after"]


def test_the_api_describes_itself(kiosk):
    document = kiosk.client.get("/openapi.json").json()
    body = document["paths"]["/v1/enrollments"]["post"]["requestBody"]
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    described = document["components"]["schemas"][name]
    assert described["required"] == ["session_id", "statement", "frames"]
    assert {"kind", "consents"} <= described["properties"].keys()


def test_an_accepted_person_takes_a_receipt_home(kiosk):
    answer = kiosk.enroll(7, as_jpeg(astronaut())).json()
    key_set = jwt.PyJWKSet.from_dict(kiosk.client.get("/v1/keys").json())
    claims = jwt.decode(answer["receipt"], key_set.keys[0], algorithms=["EdDSA"])
    assert claims["sub"] == str(wallet(7).commitment)
    assert claims["jti"] == answer["enrollment_id"]


def test_a_session_serves_one_person(kiosk):
    prepared = kiosk.prepare(7, as_jpeg(astronaut()))
    assert kiosk.send(prepared).status_code == 201
    other = replace(prepared, idempotency_key="another-key")
    assert kiosk.send(other).json()["code"] == "session_expired"
    assert kiosk.stored() == (1, 1)


def test_a_person_who_was_refused_tries_again_in_the_same_session(kiosk):
    session = kiosk.post("/v1/sessions", b"{}").json()
    turn = Turn(session["session_id"], session["challenge"], tuple(session["poses"]))
    client = KioskClient("http://service")
    refused = kiosk.send(client.prepare(turn, wallet(7), as_jpeg(coffee())))
    assert refused.json()["code"] == "no_face"
    assert kiosk.send(client.prepare(turn, wallet(7), as_jpeg(astronaut()))).status_code == 201


def test_one_enrolment_more_than_there_is_room_for_is_told_so_at_once(
    tmp_path, opencv_pack, face_engine
):
    with running_kiosk(tmp_path, opencv_pack.manifest, face_engine, max_in_flight=1) as kiosk:
        prepared = [kiosk.prepare(n, as_jpeg(person_of_six(n))) for n in range(4)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(kiosk.send, prepared))
        refused = [answer for answer in answers if answer.status_code == 503]
        assert refused
        assert {answer.json()["code"] for answer in refused} == {"service_busy"}
        assert all(answer.headers["retry-after"] for answer in refused)
        for each in prepared:  # nothing was lost: sent again, everybody is enrolled
            assert kiosk.send(each).json()["outcome"] == "accepted"


def test_faces_are_wiped_also_when_a_picture_was_used_before(kiosk, monkeypatch):
    seen = []

    class Suspicious(ReplayGuard):
        def require_fresh(self, frames):
            seen.extend(pixels.copy() for frame in frames for pixels in frame.pixels)
            seen.extend(pixels for frame in frames for pixels in frame.pixels)
            raise FrameReused("seen before")

    monkeypatch.setattr(kiosk.service, "_replay", Suspicious(kiosk.engine, b"r" * 32))
    answer = kiosk.enroll(7, as_jpeg(astronaut()))
    assert answer.json()["code"] == "frame_reused"
    face, mirrored, *after = seen
    assert face.any()
    assert mirrored.any()
    assert not any(pixels.any() for pixels in after)
    assert AuditReport.read(kiosk.engine).rejections == {"frame_reused": 1}


def test_a_mirrored_picture_is_refused_and_counted(kiosk, monkeypatch):
    monkeypatch.setattr(kiosk.service, "_replay", ReplayGuard(kiosk.engine, b"r" * 32))
    assert kiosk.enroll(7, as_jpeg(astronaut())).json()["outcome"] == "accepted"
    answer = kiosk.enroll(8, as_jpeg(ImageOps.mirror(astronaut())))
    assert (answer.status_code, answer.json()["code"]) == (422, "frame_mirrored")
    assert AuditReport.read(kiosk.engine).rejections == {"frame_mirrored": 1}
    (*_, entry) = kiosk.journal.log.entries(0, kiosk.journal.log.size())
    assert (entry.kind, entry.reason) == ("rejected", "frame_mirrored")
    assert entry.kiosk == kiosk.journal.pseudonym(kiosk.device.kiosk_id)


def test_a_decision_whose_answer_was_lost_is_told_after_the_session_ended(kiosk):
    prepared = kiosk.prepare(1, as_jpeg(astronaut()))
    first = kiosk.send(prepared).json()
    with kiosk.engine.begin() as connection:  # as a service leaves it that dies before its answer
        connection.execute(update(SessionRow).values(closed_by=None, expires_at=0))
    again = kiosk.send(prepared).json()
    assert (again["outcome"], again["receipt"]) == (first["outcome"], first["receipt"])
    with kiosk.engine.begin() as connection:
        connection.execute(update(SessionRow).values(closed_by=None, expires_at=0))
    other = replace(prepared, idempotency_key="another")
    assert kiosk.send(other).json()["code"] == "session_expired"
