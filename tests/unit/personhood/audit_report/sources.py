"""Sources of a report without a database: what happened is written down here."""

from collections import Counter
from dataclasses import replace

import numpy as np

from distribution.activity import Activity, EpochActivity
from personhood.audit_report.sources import ChainSource, LogSource, Sources
from personhood.policy import DecisionRule
from tests.unit.uniqueness.metrics.populations import binned, nearest_scores
from tests.unit.uniqueness.synthetic import MODEL
from uniqueness.audit import AuditReport, ScoreHistogram
from uniqueness.calibration import Calibration
from uniqueness.decision import Thresholds
from uniqueness.metrics.activity import Event
from uniqueness.metrics.error_rates import read_trial
from uniqueness.metrics.queues import QueueAges
from uniqueness.tally import BLOCK_PEOPLE

DAY = 24
TRIAL = ["measure,kind,errors,trials", "fnir,,2,150", "apcer,print,1,90", "apcer,screen,7,90"]


NOTE = "log.example.org\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u2014 log AAAA\n"


def some_events(bad_kiosk: str = "") -> tuple[Event, ...]:
    """Ten days at two kiosks; a third one that takes many duplicates, if named."""
    kinds = ["unique"] * 40 + ["duplicate"] * 3 + ["review"] * 2
    events = [Event(k, "", DAY * d + 9, name) for d in range(10) for name in "ab" for k in kinds]
    events += [Event("rejected", "face_blurred", DAY * d, k) for d in range(10) for k in "ab"] * 2
    events += [Event("rejected", "no_face", 5, "b")] * 4
    if bad_kiosk:
        events += [Event("duplicate", "", DAY * d, bad_kiosk) for d in range(10)] * 4
    return tuple(events)


def some_histograms(blocks: int) -> tuple[ScoreHistogram, ...]:
    """Nearest-impostor scores of a gallery that grew by so many blocks."""
    random = np.random.default_rng(1)
    counted = {}
    for place in range(blocks):
        sizes = np.arange(place * BLOCK_PEOPLE, (place + 1) * BLOCK_PEOPLE) + 1.0
        scores = nearest_scores(random, sizes)
        counted[place] = binned(scores[scores < 0.42])
    if not blocks:
        return ()
    counts = sum((Counter(block) for block in counted.values()), Counter[int]())
    return (ScoreHistogram("unique", MODEL, dict(sorted(counts.items())), counted),)


def some_sources(
    calibration: Calibration | None = None, *, blocks: int = 4, bad_kiosk: str = ""
) -> Sources:
    epochs = (EpochActivity(1, 700, 5, 650, 3250), EpochActivity(2, 800, 5, 120, 600))
    return Sources(
        gallery=AuditReport(
            people_enrolled=blocks * BLOCK_PEOPLE,
            safe_population=calibration.safe_population if calibration else None,
            people_by_models={MODEL: blocks * BLOCK_PEOPLE},
            outcomes={"unique": 900, "saturated": 40},
            rejections={},
            models=(MODEL,),
            histograms=some_histograms(blocks),
            open_block=blocks,
            same_batch=3,
        ),
        rule=DecisionRule(calibration or Thresholds(0.42, 0.5), None, "a calibration"),
        models=(MODEL,),
        log=LogSource(some_events(bad_kiosk), NOTE, "log.example.org", "00" * 32),
        queue=QueueAges(12, 7200.0, 9000.0, 90_000.0),
        trials=read_trial(TRIAL, "trial.csv"),
        chain=ChainSource(Activity(40, 800, epochs), 31337, "0x" + "ab" * 20, 0),
    )


def with_event(sources: Sources, *events: Event) -> Sources:
    return replace(sources, log=replace(sources.log, events=(*sources.events, *events)))
