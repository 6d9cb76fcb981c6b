"""What the demo found: a table, `demo-report.json` and an HTML page."""

import base64
import json
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from string import Template

from rich.console import Console
from rich.table import Table

_COIN = 10**18


@dataclass(slots=True)
class DemoReport:
    """The figures of one run. Amounts are in the token's smallest unit, times in seconds."""

    photographs: str = ""
    second_photographs: str = ""
    model_pack: str = ""
    chain: str = ""
    people_tried: int = 0
    people_enrolled: int = 0
    photographs_refused: int = 0
    false_matches: int = 0
    reviews: int = 0
    duplicates_tried: int = 0
    duplicates_refused: int = 0
    duplicates_in_review: int = 0
    duplicates_missed: int = 0
    bad_inputs_tried: int = 0
    bad_inputs_refused: int = 0
    members: int = 0
    claims_paid: int = 0
    second_claims_tried: int = 0
    second_claims_refused: int = 0
    strangers_tried: int = 0
    strangers_refused: int = 0
    gas_per_claim: int = 0
    gas_per_member_published: int = 0
    amount_paid: int = 0
    balance_sum: int = 0
    log_entries: int = 0
    audit_finding: str = ""
    seconds_per_enrollment: float = 0.0
    seconds_per_proof: float = 0.0
    seconds: float = 0.0

    def rows(self) -> list[tuple[str, str]]:
        """What a person wants to read, in the order of the story."""
        return [
            ("photographs", self.photographs),
            ("second photographs", self.second_photographs),
            ("model pack, chain", f"{self.model_pack}, {self.chain}"),
            ("people enrolled", f"{self.people_enrolled} of {self.people_tried}"),
            ("falsely matched to somebody else", str(self.false_matches)),
            ("sent to review at first enrolment", str(self.reviews)),
            (
                "duplicates refused, in review, missed",
                f"{self.duplicates_refused}, {self.duplicates_in_review}, "
                f"{self.duplicates_missed} of {self.duplicates_tried}",
            ),
            ("bad photographs refused", f"{self.bad_inputs_refused} of {self.bad_inputs_tried}"),
            ("claims paid", f"{self.claims_paid} of {self.members} members"),
            (
                "second claims refused by the contract",
                f"{self.second_claims_refused} of {self.second_claims_tried}",
            ),
            (
                "strangers refused by the contract",
                f"{self.strangers_refused} of {self.strangers_tried}",
            ),
            ("paid, read back from the chain", f"{self.balance_sum / _COIN:,.2f} coins"),
            ("gas a claim", f"{self.gas_per_claim:,}"),
            ("gas a member published", f"{self.gas_per_member_published:,}"),
            (
                "public audit of log and chain",
                f"{self.audit_finding or 'they agree'}, {self.log_entries} entries",
            ),
            ("seconds an enrolment, a proof", self._times()),
            ("seconds in all", f"{self.seconds:.1f}"),
        ]

    def print_table(self, console: Console) -> None:
        table = Table(title="personhood demo", show_header=False, title_justify="left")
        for name, value in self.rows():
            table.add_row(name, value)
        console.print(table)

    def write_json(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    def write_html(self, path: Path, plot: bytes) -> None:
        """Write one self-contained page.

        Args:
            plot: the audit's score histogram as PNG.
        """
        rows = "\n".join(
            f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>"
            for name, value in self.rows()
        )
        tiles = "\n".join(
            f"<li><b>{value}</b>{escape(label)}</li>"
            for label, value in (
                ("people enrolled", self.people_enrolled),
                ("duplicates refused", self.duplicates_refused),
                ("anonymous claims paid", self.claims_paid),
                ("second claims and strangers refused", self._frauds_refused()),
            )
        )
        image = base64.b64encode(plot).decode()
        path.write_text(_PAGE.substitute(rows=rows, tiles=tiles, plot=image))

    def broken_promises(self, *, every_face_decided: bool) -> list[str]:
        """What came out otherwise than promised; empty when all is well.

        Args:
            every_face_decided: whether the photographs are known to be good enough that every
                duplicate must be refused and nobody falsely matched.
        """
        promises = {
            "every member was paid once": self.claims_paid == self.members,
            "balances are what was paid": self.balance_sum == self.amount_paid > 0,
            "no second claim": self.second_claims_refused == self.second_claims_tried,
            "no stranger paid": self.strangers_refused == self.strangers_tried,
            "log and chain agree": self.log_entries > 0 and not self.audit_finding,
            "bad photographs refused": self.bad_inputs_refused == self.bad_inputs_tried,
        }
        if every_face_decided:
            promises["every duplicate refused"] = self.duplicates_refused == self.duplicates_tried
            promises["everybody enrolled"] = self.people_enrolled == self.people_tried
        return [promise for promise, held in promises.items() if not held]

    def _frauds_refused(self) -> int:
        return self.second_claims_refused + self.strangers_refused

    def _times(self) -> str:
        return f"{self.seconds_per_enrollment:.3f}, {self.seconds_per_proof:.2f}"


_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>personhood: one run of the whole loop</title>
<style>
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent) }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
         padding: 0 1rem }
  h1 { font-size: 1.6rem; margin-bottom: .2rem }
  ul { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem;
       list-style: none; padding: 0 }
  li { border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem }
  li b { display: block; font-size: 2rem; line-height: 1.1 }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; font-weight: normal; padding: .4rem .5rem;
           border-bottom: 1px solid var(--line); vertical-align: top }
  td { font-variant-numeric: tabular-nums }
  img { width: 100%; height: auto; background: #fff; border-radius: .6rem }
</style>
<h1>One person, one credential, one income</h1>
<p>One run of the whole loop: real photographs, real proofs, a real chain.</p>
<ul>
$tiles
</ul>
<table>
$rows
</table>
<h2>How near was the nearest person already enrolled?</h2>
<p>Each enrolment's best score against the gallery, by what was decided. The service keeps counts
by bins of a hundredth, never a person's score.</p>
<img alt="Histogram of the best gallery score of each enrolment, by decision, with the thresholds"
     src="data:image/png;base64,$plot">
</html>
""")
