from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from sqlalchemy import event, func, select, text

from tests.unit.uniqueness.synthetic import DIMENSION, MODEL, at_cosine, people, template, unit
from uniqueness.audit import AuditReport
from uniqueness.decision import Decision
from uniqueness.errors import (
    GalleryClosed,
    GalleryOwned,
    GalleryUnavailable,
    InvalidTemplate,
    ModelMismatch,
    RecordCorrupted,
    WrongKey,
)
from uniqueness.store import TemplateRow, VerdictRow


def count(engine, row):
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(row))


def test_a_new_person_is_unique_and_then_a_duplicate(open_gallery, engine):
    gallery, (person,) = open_gallery(), people(1)
    assert gallery.identify_and_enroll(template(person), "1") is Decision.UNIQUE
    again = template(at_cosine(person, 0.9))
    assert gallery.identify_and_enroll(again, "2") is Decision.DUPLICATE
    assert len(gallery) == count(engine, TemplateRow) == 1


def test_a_likeness_goes_to_review_and_is_not_stored(open_gallery, engine):
    gallery, (person,) = open_gallery(), people(1)
    gallery.identify_and_enroll(template(person), "1")
    likeness = template(at_cosine(person, 0.65))
    assert gallery.identify_and_enroll(likeness, "2") is Decision.REVIEW
    assert len(gallery) == count(engine, TemplateRow) == 1


def test_a_retried_request_gets_its_first_verdict(open_gallery, engine):
    gallery, (person,) = open_gallery(), people(1)
    answers = [gallery.identify_and_enroll(template(person), "1") for _ in range(3)]
    assert answers == [Decision.UNIQUE] * 3
    assert count(engine, VerdictRow) == 1
    assert (gallery.verdict("1"), gallery.verdict("2")) == (Decision.UNIQUE, None)


def test_the_gallery_is_the_same_after_a_restart(open_gallery):
    gallery, vectors = open_gallery(), people(50)
    for number, vector in enumerate(vectors):
        gallery.identify_and_enroll(template(vector), str(number))
    gallery.close()
    gallery = open_gallery()
    assert len(gallery) == 50
    assert gallery.identify_and_enroll(template(vectors[7]), "x") is Decision.DUPLICATE
    assert gallery.identify_and_enroll(template(vectors[7]), "7") is Decision.UNIQUE


@pytest.mark.parametrize("max_batch", [1, 3, 64])
def test_of_many_requests_of_one_person_at_once_one_is_unique(open_gallery, max_batch):
    gallery, vectors, per_person = open_gallery(max_batch=max_batch), people(40), 8
    probes = [(person, number) for number in range(per_person) for person in range(len(vectors))]
    start = Barrier(16)

    def enroll(probe):
        person, number = probe
        repeat = template(at_cosine(vectors[person], 0.95, seed=number))
        return person, gallery.identify_and_enroll(repeat, f"{person}/{number}")

    with ThreadPoolExecutor(16, initializer=start.wait) as pool:
        answers = Counter(pool.map(enroll, probes))
    assert len(gallery) == len(vectors)
    for person in range(len(vectors)):
        assert answers[person, Decision.UNIQUE] == 1
        assert answers[person, Decision.DUPLICATE] == per_person - 1


def test_one_request_sent_many_times_at_once_is_decided_once(open_gallery, engine):
    gallery, (person,) = open_gallery(), people(1)
    with ThreadPoolExecutor(16) as pool:
        enroll = pool.map(lambda _: gallery.identify_and_enroll(template(person), "1"), range(64))
    assert set(enroll) == {Decision.UNIQUE}
    assert count(engine, TemplateRow) == count(engine, VerdictRow) == 1


def test_a_failed_commit_changes_nothing_and_the_retry_succeeds(open_gallery, engine):
    gallery, (person,) = open_gallery(), people(1)

    def fail(*_):
        raise OSError("disk full")

    event.listen(engine, "commit", fail)
    with pytest.raises(OSError, match="disk full"):
        gallery.identify_and_enroll(template(person), "1")
    event.remove(engine, "commit", fail)
    assert len(gallery) == count(engine, TemplateRow) == 0
    assert gallery.identify_and_enroll(template(person), "1") is Decision.UNIQUE
    assert len(gallery) == 1


def test_a_commit_that_took_but_failed_to_say_so_is_caught_up_with(open_gallery, engine):
    gallery, vectors = open_gallery(), people(2)
    commit = gallery._store.commit

    def commit_and_break(verdicts):
        commit(verdicts)
        raise GalleryUnavailable("connection lost")

    gallery._store.commit = commit_and_break
    with pytest.raises(GalleryUnavailable):
        gallery.identify_and_enroll(template(vectors[0]), "1")
    gallery._store.commit = commit
    assert gallery.identify_and_enroll(template(vectors[0]), "2") is Decision.DUPLICATE
    assert gallery.identify_and_enroll(template(vectors[0]), "1") is Decision.UNIQUE
    assert len(gallery) == count(engine, TemplateRow) == 1


def test_a_broken_database_is_a_coded_error_without_parameters(open_gallery, engine):
    gallery, (person,) = open_gallery(), people(1)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE templates"))
    with pytest.raises(GalleryUnavailable) as caught:
        gallery.identify_and_enroll(template(person), "secret-request")
    assert caught.value.code == "gallery_unavailable"
    assert "secret-request" not in f"{caught.value} {caught.value.__cause__}"


def test_templates_of_another_model_are_refused(open_gallery):
    gallery, (person,) = open_gallery(), people(1)
    with pytest.raises(ModelMismatch):
        gallery.identify_and_enroll(template(person, model="other:1"), "1")
    gallery.identify_and_enroll(template(person), "1")
    gallery.close()
    with pytest.raises(ModelMismatch, match=MODEL):
        open_gallery(model="other:1")


def test_a_template_of_another_dimension_is_refused_alone(open_gallery):
    gallery = open_gallery()
    with pytest.raises(InvalidTemplate):
        gallery.identify_and_enroll(template(unit(np.ones(DIMENSION + 1))), "1")


def test_a_second_owner_is_refused_until_the_first_closes(open_gallery):
    first = open_gallery()
    with pytest.raises(GalleryOwned) as caught:
        open_gallery()
    assert caught.value.code == "gallery_owned"
    first.close()
    assert open_gallery().is_open


def test_a_failed_opening_gives_ownership_up(open_gallery):
    gallery, (person,) = open_gallery(), people(1)
    gallery.identify_and_enroll(template(person), "1")
    gallery.close()
    with pytest.raises(WrongKey):
        open_gallery(key=b"x" * 32)
    assert len(open_gallery()) == 1


def test_a_swapped_ciphertext_is_noticed(open_gallery, engine):
    gallery = open_gallery()
    for number, vector in enumerate(people(2)):
        gallery.identify_and_enroll(template(vector), str(number))
    gallery.close()
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE templates SET nonce = (SELECT nonce FROM templates WHERE sequence = 1), "
                "ciphertext = (SELECT ciphertext FROM templates WHERE sequence = 1)"
            )
        )
    with pytest.raises(RecordCorrupted):
        open_gallery()


def test_a_closed_gallery_decides_nothing(open_gallery):
    gallery = open_gallery()
    gallery.close()
    gallery.close()
    assert not gallery.is_open
    with pytest.raises(GalleryClosed):
        gallery.identify_and_enroll(template(people(1)[0]), "1")


def test_sequence_numbers_are_never_used_again(open_gallery, engine):
    gallery, vectors = open_gallery(), people(2)
    gallery.identify_and_enroll(template(vectors[0]), "1")
    gallery.close()
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM templates"))
    gallery = open_gallery()
    gallery.identify_and_enroll(template(vectors[1]), "2")
    with engine.connect() as connection:
        assert connection.scalar(select(TemplateRow.sequence)) == 2


def test_commits_are_durable(open_gallery, engine):
    open_gallery()
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2


def test_no_template_lies_in_the_files_in_clear(open_gallery, tmp_path: Path):
    gallery, (person,) = open_gallery(), people(1)
    gallery.identify_and_enroll(template(person), "1")
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"synthetic:1" in content
    assert person.tobytes()[:16] not in content


def test_the_audit_counts_outcomes_reasons_and_binned_scores(open_gallery, engine, tmp_path):
    gallery, vectors = open_gallery(), people(3)
    for number, vector in enumerate(vectors):
        gallery.identify_and_enroll(template(vector), str(number))
    gallery.identify_and_enroll(template(at_cosine(vectors[0], 0.905)), "again")
    gallery.identify_and_enroll(template(at_cosine(vectors[0], 0.655)), "alike")
    gallery.record_rejection("no_face")
    gallery.record_rejection("no_face")
    report = AuditReport.read(engine)
    assert report.people_enrolled == 3
    assert report.outcomes == {"duplicate": 1, "rejected": 2, "review": 1, "unique": 3}
    assert report.rejections == {"no_face": 2}
    counts = {histogram.outcome: histogram.counts for histogram in report.histograms}
    assert counts["duplicate"] == {90: 1}
    assert counts["review"] == {65: 1}
    assert sum(counts["unique"].values()) == 2  # the first had nobody to be compared with
    assert "no_face" in report.to_text()
    assert '"people_enrolled": 3' in report.to_json()
    report.plot(tmp_path / "plot.png", gallery._thresholds)
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_the_audit_of_an_empty_gallery_is_a_report_too(engine, tmp_path):
    report = AuditReport.read(engine)
    assert (report.people_enrolled, report.outcomes, report.histograms) == (0, {}, ())
    assert "none" in report.to_text()
    report.plot(tmp_path / "plot.png")
