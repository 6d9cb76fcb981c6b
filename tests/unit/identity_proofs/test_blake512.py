import pytest

from identity_proofs.blake512 import blake512


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        # The two examples of the SHA-3 submission, appendix A.
        (
            bytes(1),
            "97961587f6d970faba6d2478045de6d1fabd09b61ae50932054d52bc29d31be4"
            "ff9102b9f69e2bbdb83be13d4b9c06091e5fa0b48bd081b634058be0ec49beb3",
        ),
        (
            bytes(144),
            "313717d608e9cf758dcb1eb0f0c3cf9fc150b2d500fb33f51c52afc99d358a2f"
            "1374b8a38bba7974e7f6ef79cab16f22ce1e649d6e01ad9589c213045d545dde",
        ),
    ],
    ids=["one block", "two blocks"],
)
def test_published_examples(data: bytes, digest: str) -> None:
    assert blake512(data).hex() == digest


def test_lengths_around_a_block_hash_differently() -> None:
    # 111 bytes: both padding bits in one byte; 112: a block of padding only.
    digests = {blake512(bytes(length)) for length in range(105, 135)}
    assert len(digests) == 30
