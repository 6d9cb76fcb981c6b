import pytest

from identity_proofs.kernel import build


@pytest.mark.slow
def test_the_shipped_program_is_what_its_source_gives() -> None:
    assert build.build() == build.OUTPUT.read_bytes()
