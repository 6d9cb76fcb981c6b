"""What the service says of an enrolment: the outcome, what comes next, and the HTTP status."""

from http import HTTPStatus
from typing import Final

from enrollment.receipts import ReceiptIssuer
from enrollment.rows import Enrollment, EnrollmentKind, EnrollmentStatus
from enrollment.wire import EnrollmentAnswer

RECOVERED: Final = "recovered"

# Any other outcome is answered with 200.
CODES: Final = {
    EnrollmentStatus.ACCEPTED.value: HTTPStatus.CREATED.value,
    RECOVERED: HTTPStatus.CREATED.value,
    EnrollmentStatus.ADJUDICATION.value: HTTPStatus.ACCEPTED.value,
}

_NEXT: Final = {
    EnrollmentStatus.ACCEPTED.value: "Done. The wallet becomes a member when the next root is "
    "published.",
    RECOVERED: "Done. This wallet takes the place of the lost one when the next root is "
    "published, and is counted from the epoch after.",
    EnrollmentStatus.DUPLICATE.value: "This person is enrolled already and keeps the first "
    "wallet. Nothing was stored. If that wallet was lost, choose recovery.",
    EnrollmentStatus.REVIEW.value: "Not decided yet. Nothing was stored. Take another photograph "
    "in better light, or ask an operator.",
    EnrollmentStatus.ADJUDICATION.value: "Not decided yet. Two people are going to look at the "
    "pictures, which are destroyed when they have decided. Keep the enrolment's number: it tells "
    "the outcome.",
    EnrollmentStatus.NOT_FOUND.value: "Nobody like this is enrolled. Nothing was stored. Enrol "
    "as a new person.",
}


def answer_of(enrollment: Enrollment, receipts: ReceiptIssuer, request_id: str) -> EnrollmentAnswer:
    """Tell a decided enrolment: never a score, nor another person's id."""
    outcome, commitment = enrollment.status.value, enrollment.commitment
    accepted = enrollment.status is EnrollmentStatus.ACCEPTED and commitment is not None
    if accepted and enrollment.kind is EnrollmentKind.RECOVERY:
        outcome = RECOVERED
    lasting = accepted or enrollment.status is EnrollmentStatus.ADJUDICATION
    return EnrollmentAnswer.model_validate(
        {
            "outcome": outcome,
            "next": _NEXT[outcome],
            "enrollment_id": enrollment.id if lasting else None,
            "receipt": receipts.issue(enrollment, commitment or 0) if accepted else None,
            "request_id": request_id,
        }
    )
