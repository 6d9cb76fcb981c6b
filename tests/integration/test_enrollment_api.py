"""Enrolment over HTTP with the real models: who gets in, who does not."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest

from identity_proofs.field import SCALAR_FIELD
from tests import photographs
from tests.photographs import another_exposure, as_jpeg, as_png, astronaut, person_of_six
from tests.service import TOKEN, running_kiosk


def test_a_person_is_accepted_and_another_too(kiosk):
    first = kiosk.send("7", as_jpeg(astronaut()))
    second = kiosk.send("0x8", as_png(person_of_six(1)))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["outcome"] == "accepted"
    assert first.json()["enrollment_id"] != second.json()["enrollment_id"]
    assert first.headers["x-request-id"] == first.json()["request_id"]
    assert kiosk.stored() == (2, 2)
    assert kiosk.service.accepted_commitments() == [7, 8]


def test_all_six_of_a_group_are_told_apart(kiosk):
    answers = [kiosk.send(str(n + 1), as_jpeg(person_of_six(n))).json() for n in range(6)]
    assert [answer.get("outcome", answer.get("code")) for answer in answers] == ["accepted"] * 6


def test_the_same_person_in_another_crop_and_exposure_is_a_duplicate(kiosk):
    kiosk.send("7", as_jpeg(astronaut()))
    answer = kiosk.send("8", as_jpeg(another_exposure(astronaut()), quality=80))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "duplicate")
    assert set(answer.json()) == {"outcome", "next", "request_id"}  # no score, no other person
    assert kiosk.service.accepted_commitments() == [7]
    assert len(kiosk.gallery) == 1


def test_a_refused_commitment_is_free_for_its_own_person(kiosk):
    kiosk.send("7", as_jpeg(astronaut()))
    kiosk.send("8", as_jpeg(another_exposure(astronaut())))
    assert kiosk.send("8", as_jpeg(person_of_six(0))).json()["outcome"] == "accepted"
    assert kiosk.service.accepted_commitments() == [7, 8]


def test_a_photograph_turned_by_exif_is_turned_back(kiosk):
    exif = astronaut().getexif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees
    sideways = astronaut().rotate(90, expand=True)
    assert kiosk.send("7", as_jpeg(sideways, exif=exif)).status_code == 201


def test_the_same_request_twice_gives_the_same_answer_and_one_enrolment(kiosk):
    photo = as_jpeg(astronaut())
    first, second = kiosk.send("7", photo), kiosk.send("7", photo)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["enrollment_id"] == second.json()["enrollment_id"]
    assert kiosk.stored() == (1, 1)


def test_a_refusal_sent_again_is_the_same_refusal(kiosk):
    kiosk.send("7", as_jpeg(astronaut()))
    photo = as_jpeg(another_exposure(astronaut()))
    outcomes = [kiosk.send("8", photo).json()["outcome"] for _ in range(2)]
    assert outcomes == ["duplicate", "duplicate"]
    assert kiosk.stored() == (1, 2)


def test_an_idempotency_key_with_another_body_is_refused(kiosk):
    kiosk.send("7", as_jpeg(astronaut()), key="k1")
    answer = kiosk.send("8", as_jpeg(person_of_six(0)), key="k1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert kiosk.stored() == (1, 1)


def test_a_commitment_that_is_enrolled_is_refused_before_the_gallery(kiosk):
    kiosk.send("7", as_jpeg(astronaut()))
    answer = kiosk.send("0x07", as_jpeg(person_of_six(0)))
    assert (answer.status_code, answer.json()["code"]) == (409, "commitment_already_enrolled")
    assert kiosk.stored() == (1, 1)
    assert kiosk.send("9", as_jpeg(person_of_six(0))).json()["outcome"] == "accepted"


def test_two_requests_of_one_person_at_the_same_moment_accept_one(kiosk):
    photos = as_jpeg(astronaut()), as_jpeg(another_exposure(astronaut()))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(kiosk.send, ["7", "8"], photos))
    assert sorted(answer.json()["outcome"] for answer in answers) == ["accepted", "duplicate"]
    assert len(kiosk.gallery) == 1


def test_two_people_with_one_commitment_at_the_same_moment_accept_one(kiosk):
    photos = as_jpeg(astronaut()), as_jpeg(person_of_six(0))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(kiosk.send, ["7", "7"], photos))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert kiosk.stored() == (1, 1)


def test_the_same_request_at_the_same_moment_enrols_once(kiosk):
    photo = as_jpeg(astronaut())
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(kiosk.send, ["7"] * 4, [photo] * 4))
    assert {answer.json()["enrollment_id"] for answer in answers} != {None}
    assert len({answer.json()["enrollment_id"] for answer in answers}) == 1
    assert kiosk.stored() == (1, 1)


def test_state_survives_a_restart(tmp_path, opencv_pack, face_engine):
    photo = as_jpeg(astronaut())
    with running_kiosk(tmp_path, opencv_pack.manifest, face_engine) as kiosk:
        before = kiosk.send("7", photo).json()
    with running_kiosk(tmp_path, opencv_pack.manifest, face_engine) as kiosk:
        assert kiosk.send("7", photo).json()["enrollment_id"] == before["enrollment_id"]
        again = kiosk.send("8", as_jpeg(another_exposure(astronaut())))
        assert again.json()["outcome"] == "duplicate"
        assert kiosk.service.accepted_commitments() == [7]


def test_health_tells_the_model_and_counts_nobody(kiosk):
    answer = kiosk.client.get("/v1/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert set(answer.json()) == {"status", "model", "gallery_open", "request_id"}
    kiosk.gallery.close()
    assert kiosk.client.get("/v1/health").status_code == 503


def test_a_closed_gallery_is_a_503_that_says_to_retry(kiosk):
    kiosk.gallery.close()
    answer = kiosk.send("7", as_jpeg(astronaut()))
    assert (answer.status_code, answer.json()["code"]) == (503, "gallery_closed")
    assert answer.headers["retry-after"]


@pytest.mark.parametrize("commitment", [str(SCALAR_FIELD - 1), hex(SCALAR_FIELD - 1)])
def test_the_largest_commitment_is_taken(kiosk, commitment):
    assert kiosk.send(commitment, as_jpeg(astronaut())).status_code == 201
    assert kiosk.service.accepted_commitments() == [SCALAR_FIELD - 1]


def test_the_api_describes_itself(kiosk):
    document = kiosk.client.get("/openapi.json").json()
    body = document["paths"]["/v1/enrollments"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"]["required"] == ["commitment", "capture"]


def test_the_readme_of_a_request(kiosk):
    """What the API's documentation says, byte for byte."""
    capture = base64.b64encode(as_jpeg(photographs.astronaut())).decode()
    answer = kiosk.client.post(
        "/v1/enrollments",
        content=f'{{"commitment": "12345", "capture": "{capture}"}}',
        headers={
            "Authorization": f"bearer {TOKEN}",
            "Content-Type": "application/json; charset=utf-8",
        },
    )
    assert answer.status_code == 201
