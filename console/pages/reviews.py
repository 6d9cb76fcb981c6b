"""Reviews that two people decide: the queue, the pair of pictures, the vote.

Pictures are in the page itself, which no browser may store: there is no address that leads to one.
Whoever looks has pressed a button for it, and each look is written down before anything is shown.
"""

import base64
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.access import Access, Submission
from console.activity import Action
from console.desk import ConsoleDesk
from console.errors import FormInvalid
from console.operators import Permission
from console.rendering import HEADERS, Renderer
from console.sessions import Session
from enrollment.cases import CaseOutcome, Verdict
from enrollment.errors import AdjudicationError

POLICY: Final = "Content-Security-Policy"
_WITH_PICTURES: Final = HEADERS[POLICY].replace("img-src 'self'", "img-src 'self' data:")
_TOLD: Final = {
    None: "Your vote is taken. Another adjudicator has to vote.",
    CaseOutcome.SAME: "Decided: the same person. The pictures are destroyed.",
    CaseOutcome.DIFFERENT: "Decided: different people. The person is enrolled.",
    CaseOutcome.CANNOT_TELL: "Decided: nobody can tell. The person is asked for other pictures.",
}


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/reviews` and what is done there."""
    adjudication, trail = desk.operations.adjudication, desk.staff.trail
    may_read = Depends(access.reader(Permission.READ))
    may_look = Depends(access.writer(Permission.DECIDE, confirmed=True))
    may_vote = Depends(access.writer(Permission.DECIDE))

    def page(session: Session, status: int = 200, **values: str) -> HTMLResponse:
        shown = {
            "cases": adjudication.queue(),
            "may_decide": session.operator.may(Permission.DECIDE),
            "told": "",
            "problem": "",
        }
        return render.page("reviews.html", session, status, **(shown | values))

    @router.get("/reviews")
    def queue(session: Annotated[Session, may_read]) -> HTMLResponse:
        return page(session)

    @router.get("/reviews/look", dependencies=[may_read])
    def back() -> Response:
        return RedirectResponse("/console/reviews", 303)  # from the confirmation

    @router.post("/reviews/look")
    def look(sent: Annotated[Submission, may_look]) -> HTMLResponse:
        case_id, name = sent.text("case"), sent.session.operator.name
        try:
            view = adjudication.open(case_id, name)
        except AdjudicationError as refused:
            return page(sent.session, 409, problem=str(refused))
        trail.note(name, Action.REVIEW_VIEWED, case_id)
        pictures = {"Came today": _inline(view.images)}
        for number, images in enumerate(view.candidates, 1):
            pictures[f"Enrolled person {number}"] = _inline(images)
        response = render.page(
            "review.html",
            sent.session,
            case=view.case,
            kind=view.kind,
            pictures=pictures,
            awaits=view.case.awaits(name),
        )
        response.headers[POLICY] = _WITH_PICTURES
        return response

    @router.post("/reviews/vote")
    def vote(sent: Annotated[Submission, may_vote]) -> HTMLResponse:
        case_id, name, verdict = sent.text("case"), sent.session.operator.name, _verdict(sent)
        try:
            case = adjudication.vote(case_id, name, verdict)
        except AdjudicationError as refused:
            return page(sent.session, 409, problem=str(refused))
        trail.note(name, Action.REVIEW_VOTED, f"{case_id}: {verdict.value}")
        return page(sent.session, told=_TOLD[case.outcome])


def _verdict(sent: Submission) -> Verdict:
    try:
        return Verdict(sent.text("verdict"))
    except ValueError:
        raise FormInvalid("Say what you see: same, different, or cannot tell.") from None


def _inline(images: Sequence[bytes]) -> list[str]:
    """Write pictures as addresses that hold them."""
    return [f"data:image/jpeg;base64,{base64.b64encode(image).decode()}" for image in images]
