import warnings
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from enrollment.capture import decode
from enrollment.engine import align, open_engine
from enrollment.errors import NoFace
from enrollment.faces import DetectedFace
from tests.photographs import as_jpeg, as_png, astronaut, six_people


@pytest.fixture(scope="session")
def engine(opencv_pack):
    return open_engine(opencv_pack)


@pytest.fixture(scope="session")
def group():
    return decode(as_png(six_people()))


def test_six_people_are_found_widest_first(engine, group):
    faces = engine[0].detect([group])[0]
    assert len(faces) == 6
    widths = [face.width for face in faces]
    assert widths == sorted(widths, reverse=True)
    assert all(face.landmarks.shape == (5, 2) for face in faces)


def test_a_large_photograph_is_searched_small_and_mapped_back(engine):
    photographs = [astronaut(), astronaut().resize((3072, 3072))]
    (small, *_), (large, *_) = engine[0].detect([decode(as_jpeg(each)) for each in photographs])
    np.testing.assert_allclose(large.landmarks / 6, small.landmarks, atol=8)


def test_many_threads_see_the_same(engine, group):
    crops = [group[:, left:] for left in range(0, 240, 20)]
    expected = [engine[0].detect([crop])[0] for crop in crops]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda crop: engine[0].detect([crop])[0], crops))
    for one, other in zip(expected, found, strict=True):
        assert [face.box.tolist() for face in one] == [face.box.tolist() for face in other]


def test_faces_are_where_opencv_sees_them(engine, group, opencv_pack):
    small = cv2.resize(group, (600, 500))
    network = cv2.FaceDetectorYN.create(str(opencv_pack.detector_path), "", (600, 500), 0.8, 0.3)
    expected = network.detect(small)[1]
    faces = engine[0].detect([small])[0]
    assert len(faces) == len(expected) == 6
    for face, row in zip(faces, expected[np.argsort(-expected[:, 2], kind="stable")], strict=True):
        np.testing.assert_allclose(face.box, [*row[:2], *(row[:2] + row[2:4])], atol=0.05)
        np.testing.assert_allclose(face.landmarks, row[4:14].reshape(5, 2), atol=0.05)
        assert face.confidence == pytest.approx(float(row[14]), abs=1e-3)


def test_photographs_of_several_sizes_are_searched_as_each_alone(engine, group):
    images = [group, group[:, 40:], group[20:, 8:], group]
    together = engine[0].detect(images)
    for faces, image in zip(together, images, strict=True):
        alone = engine[0].detect([image])[0]
        boxes = [[face.box for face in seen] for seen in (faces, alone)]
        np.testing.assert_allclose(*boxes, atol=0.01)


def test_a_wall_has_no_face(engine):
    assert engine[0].detect([np.full((33, 47, 3), 128, np.uint8)]) == [()]
    assert engine[0].detect([]) == []


def test_embeddings_are_unit_vectors_of_the_packs_size(engine, group, opencv_pack):
    aligned = [align(group, face) for face in engine[0].detect([group])[0]]
    vectors = engine[1].embed(aligned)
    assert vectors.shape == (6, opencv_pack.manifest.embedding_size)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    one_by_one = np.concatenate([engine[1].embed([face]) for face in aligned])
    np.testing.assert_allclose(vectors, one_by_one, atol=1e-5)


def test_alignment_is_that_of_insightface(engine, group):
    from insightface.utils.face_align import norm_crop

    for face in engine[0].detect([group])[0]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of scikit-image, inside it
            expected = norm_crop(group, face.landmarks)
        assert (align(group, face).pixels == expected).all()


def test_landmarks_in_one_point_are_no_face(group):
    nowhere = DetectedFace(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 0.9)
    with pytest.raises(NoFace):
        align(group, nowhere)
