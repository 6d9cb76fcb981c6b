"""A process that publishes until it kills itself at a named point."""

from pathlib import Path
from typing import Any

from distribution import publisher
from distribution.chain import Chain
from distribution.deployment import Deployment
from distribution.journal import Journal
from distribution.sender import Sender
from tests.integration.power_cut import die_at
from tests.integration.senders import Members, make_publisher, open_sender

COMMITMENTS = list(range(101, 111))  # three batches of four
POINTS: dict[str, tuple[Any, str, str, int]] = {
    "nothing drafted": (publisher.Publisher, "_draft_next", "before", 1),
    "drafted, not attested": (publisher, "collect_signatures", "before", 2),
    "attested, not signed": (publisher, "collect_signatures", "after", 2),
    "signed, not kept": (Sender, "_sign", "after", 2),
    "kept, not sent": (Chain, "send_raw", "before", 2),
    "sent, not told": (Chain, "send_raw", "after", 2),
    "included, not noted": (Journal, "mark_included", "before", 2),
    "included and noted": (Journal, "mark_included", "after", 2),
    "final, not noted": (Journal, "mark_final", "before", 1),
    "final and noted": (Journal, "mark_final", "after", 1),
}


def main(url: str, deployment: str, folder: str, point: str) -> None:
    chain = Chain.connect(url)
    deployed = Deployment.read(Path(deployment))
    with open_sender(chain, deployed, Path(folder)) as sender:
        posting = make_publisher(chain, deployed, sender, Members(COMMITMENTS))
        die_at(*POINTS[point])
        while True:
            posting.step()
