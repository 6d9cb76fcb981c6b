import hashlib
import json
from importlib import resources
from typing import Any

import pytest

from identity_proofs.errors import ArtifactInvalid, ArtifactsMissing
from identity_proofs.verification_key import DEFAULT_DEPTH, VerificationKey

PACKAGE = resources.files("identity_proofs")
KEY = PACKAGE / f"verification_key_{DEFAULT_DEPTH}.json"


def test_shipped_key_is_the_ceremonys() -> None:
    digests = json.loads((PACKAGE / "artifact_digests.json").read_text("utf-8"))
    digest = hashlib.sha256(KEY.read_bytes()).hexdigest()
    assert digest == digests["sha256"][f"semaphore-{DEFAULT_DEPTH}.json"]
    assert VerificationKey.load().depth == DEFAULT_DEPTH


def test_digests_cover_every_depth() -> None:
    digests = json.loads((PACKAGE / "artifact_digests.json").read_text("utf-8"))
    assert len(digests["sha256"]) == len(set(digests["sha256"].values())) == 3 * 32


def test_other_depths_say_how_to_get_them() -> None:
    with pytest.raises(ArtifactsMissing, match="personhood artifacts install --depth 20"):
        VerificationKey.load(20)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("protocol", "plonk"),
        ("curve", "bls12381"),
        ("IC", []),
        ("IC", [["1", "2", "1"]] * 4),
        ("IC", [["1", "2", "0"]] * 5),
        ("vk_alpha_1", ["1", "x", "1"]),
        ("vk_beta_2", [["1", "2"], ["3"], ["1", "0"]]),
        ("vk_gamma_2", None),
    ],
)
def test_wrong_key_is_refused(field: str, value: Any) -> None:
    fields = json.loads(KEY.read_text("utf-8"))
    fields[field] = value
    with pytest.raises(ArtifactInvalid):
        VerificationKey.from_json(json.dumps(fields), DEFAULT_DEPTH)
