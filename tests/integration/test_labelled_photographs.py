"""Photographs on disk to templates: of one model and of two, with the reasons of refusals."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from enrollment.errors import ModelPackUnknown, NoFace
from enrollment.examination import Examiner
from enrollment.face_models import FaceModel, batched, open_models
from enrollment.labelled import embed_labelled, find_photographs
from enrollment.packs import load_packs, read_manifests
from enrollment.pose import Pose
from tests.models import CACHE, opencv_pack
from tests.photographs import another_exposure, as_jpeg, astronaut, cat, person_of_six, six_people


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    for path, image in {
        "Collins/1.jpg": astronaut(),
        "Collins/2.jpg": another_exposure(astronaut()),
        "Fifth/1.jpg": person_of_six(4),
        "Fifth/group.jpg": six_people(),
        "cat/1.jpg": cat(),
    }.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(as_jpeg(image))
    (folder / "Collins" / "notes.txt").write_text("not a photograph")
    (folder / "cat" / "2.png").write_bytes(b"not an image")
    return folder


def test_every_photograph_is_used_or_named_with_its_reason(directory: Path) -> None:
    seen = []
    models = open_models([opencv_pack()])
    labelled = embed_labelled(directory, models, progress=lambda *at: seen.append(at))
    assert labelled.files == ("Collins/1.jpg", "Collins/2.jpg", "Fifth/1.jpg")
    assert labelled.names == ("Collins", "Fifth")
    assert labelled.people.tolist() == [0, 0, 1]
    assert labelled.rejected == {
        "Fifth/group.jpg": "multiple_faces",
        "cat/1.jpg": "no_face",
        "cat/2.png": "image_unsupported",
    }
    assert seen == [(done, 6) for done in range(1, 7)]
    _, same, other = labelled.vectors[0] @ labelled.vectors[0][0]
    assert same > 0.6
    assert other < 0.4


def test_the_digest_is_of_names_and_contents(directory: Path, tmp_path: Path) -> None:
    models = open_models([opencv_pack()])
    whole = embed_labelled(directory, models)
    fewer = embed_labelled(directory, models, left_out={"Collins/2.jpg"})
    assert fewer.files == ("Collins/1.jpg", "Fifth/1.jpg")
    assert len({whole.digest, fewer.digest, embed_labelled(tmp_path, models).digest}) == 3
    assert embed_labelled(directory, models).digest == whole.digest


def test_nothing_to_find(tmp_path: Path) -> None:
    assert find_photographs(tmp_path) == []
    empty = embed_labelled(tmp_path, open_models([opencv_pack()]))
    assert (empty.files, empty.vectors, empty.names) == ((), (), ())


def test_a_template_of_each_model_in_their_order() -> None:
    first, second = (model for model in open_models([opencv_pack()] * 2))
    assert first.detector is second.detector  # the same file is opened once
    one, two = Examiner((first, second)).examine([as_jpeg(astronaut())], [Pose.FRONT]).templates
    np.testing.assert_array_equal(one.vector, two.vector)
    assert one.model == opencv_pack().manifest.model
    with pytest.raises(NoFace):
        Examiner((first,)).examine([as_jpeg(cat())], [Pose.FRONT])


def test_a_setting_names_one_pack_or_several() -> None:
    opencv_pack()
    assert [pack.manifest.name for pack in load_packs("opencv", CACHE)] == ["opencv"]
    assert [m.name for m in read_manifests("opencv+edgeface")] == ["opencv", "edgeface"]
    with pytest.raises(ModelPackUnknown, match="twice"):
        read_manifests("opencv+opencv")
    with pytest.raises(ModelPackUnknown):
        read_manifests("opencv+nothing")


@pytest.mark.parametrize("on_gpu", [False, True], ids=["for a CPU", "for a GPU"])
def test_batched_models_see_the_same(on_gpu: bool) -> None:
    packs = [opencv_pack()]
    models = open_models(packs)
    photographs = [as_jpeg(person_of_six(number)) for number in range(3)]

    def vectors(of: Sequence[FaceModel]) -> np.ndarray:
        with ThreadPoolExecutor(3) as pool:
            examine = partial(Examiner(of).examine, poses=[Pose.FRONT])
            examined = pool.map(lambda photograph: examine([photograph]), photographs)
            return np.stack([each.templates[0].vector for each in examined])

    with batched(models, packs, on_gpu=on_gpu) as together:
        np.testing.assert_allclose(vectors(together), vectors(models), atol=1e-5)
