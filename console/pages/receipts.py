"""Search by receipt: whether a receipt is genuine, and what became of it; never whose it is."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from console.access import Access, Submission
from console.activity import Action
from console.desk import ConsoleDesk, Operations
from console.operators import Permission
from console.rendering import Renderer
from console.sessions import Session
from enrollment.errors import ReceiptInvalid

_GONE: Final = "gone: deleted, or recovered with another wallet"


@dataclass(frozen=True)
class Finding:
    """What a receipt turned out to be.

    Args:
        hour: Unix seconds, in whose hour it was signed.
        event: what it says, `accepted` or `deleted`.
        state: of the enrolment now.
    """

    hour: int
    event: str
    state: str


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/receipts`. A receipt is posted, so that no address and no log holds it."""
    may_read = Depends(access.reader(Permission.READ))
    may_send = Depends(access.writer(Permission.READ))

    def page(session: Session, status: int = 200, **values: object) -> HTMLResponse:
        shown = {"finding": None, "problem": None} | values
        return render.page("receipts.html", session, status, **shown)

    @router.get("/receipts")
    def ask(session: Annotated[Session, may_read]) -> HTMLResponse:
        return page(session)

    @router.post("/receipts")
    def search(sent: Annotated[Submission, may_send]) -> HTMLResponse:
        try:
            finding = find(desk.operations, "".join(sent.text("receipt").split()))
        except ReceiptInvalid as invalid:
            desk.staff.trail.note(sent.session.operator.name, Action.RECEIPT_CHECKED, "not genuine")
            return page(sent.session, 422, problem=str(invalid))
        desk.staff.trail.note(sent.session.operator.name, Action.RECEIPT_CHECKED, "genuine")
        return page(sent.session, finding=finding)


def find(operations: Operations, text: str) -> Finding:
    """Check a receipt and look its enrolment up.

    Raises:
        ReceiptInvalid: this service did not sign it.
    """
    receipt = operations.receipts.check(text)
    enrollment = operations.enrollments.get(receipt.id)
    state = enrollment.status.value if enrollment else _GONE
    return Finding(receipt.hour, receipt.event, state)
