from datetime import UTC, datetime

import jwt
import pytest

from enrollment.errors import ReceiptInvalid, TooManyRequests
from enrollment.kiosks import Kiosk
from enrollment.limits import KioskRateLimit
from enrollment.membership import Change, MembershipChange
from enrollment.receipts import ReceiptIssuer
from enrollment.rows import Enrollment, EnrollmentStatus
from transparency.journal import Recorded

ACCEPTED = Enrollment(
    "e1",
    "key",
    EnrollmentStatus.ACCEPTED,
    datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    logged=Recorded(41, b"h" * 32),
)
COMMITMENT = 1234567890123456789012345678901234567890


def test_a_receipt_is_checked_by_its_issuer_and_by_its_public_key() -> None:
    issuer = ReceiptIssuer(b"k" * 32)
    text = issuer.issue(ACCEPTED, COMMITMENT)
    receipt = issuer.check(text)
    assert (receipt.id, receipt.commitment) == ("e1", COMMITMENT)
    assert receipt.hour == datetime(2026, 1, 2, 3, tzinfo=UTC).timestamp()
    assert issuer.issue(ACCEPTED, COMMITMENT) == text
    assert (receipt.logged, receipt.event) == (ACCEPTED.logged, "accepted")
    key = jwt.PyJWKSet.from_dict(issuer.key_set)[jwt.get_unverified_header(text)["kid"]]
    assert jwt.decode(text, key, algorithms=["EdDSA"])["sub"] == str(COMMITMENT)


def test_a_deletion_has_a_receipt_of_its_own() -> None:
    removal = MembershipChange(7, COMMITMENT, Change.DELETED, 490_000, Recorded(9, b"d" * 32))
    issuer = ReceiptIssuer(b"k" * 32)
    receipt = issuer.check(issuer.issue_deletion(removal))
    assert (receipt.id, receipt.commitment, receipt.event) == ("removal 7", COMMITMENT, "deleted")
    assert (receipt.hour, receipt.logged) == (490_000 * 3600, removal.logged)


def test_a_key_set_holds_no_private_key() -> None:
    (key,) = ReceiptIssuer(b"k" * 32).key_set["keys"]
    assert "d" not in key


def test_a_changed_or_foreign_receipt_is_refused() -> None:
    issuer = ReceiptIssuer(b"k" * 32)
    text = issuer.issue(ACCEPTED, COMMITMENT)
    foreign = ReceiptIssuer(b"f" * 32).issue(ACCEPTED, COMMITMENT)
    head, body, signature = text.split(".")
    unsigned = jwt.encode({"jti": "e1", "sub": "1", "iat": 0}, "", algorithm="none")
    for forged in (foreign, f"{head}.{body}.", f"{head}.{body[:-4]}AAAA.{signature}", "", unsigned):
        with pytest.raises(ReceiptInvalid):
            issuer.check(forged)


def test_a_kiosk_has_its_own_limit() -> None:
    limit = KioskRateLimit(3)
    first, second = (Kiosk(name, name, b"", 0, None) for name in ("a", "b"))
    for _ in range(3):
        limit.take(first)
    with pytest.raises(TooManyRequests):
        limit.take(first)
    limit.take(second)
