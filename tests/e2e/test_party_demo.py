"""`personhood party demo`, as a user types it."""

import subprocess
import sys

import pytest

from tests.engines import engine_python

pytestmark = pytest.mark.slow


def test_the_demo_of_three_parties_keeps_what_it_promises() -> None:
    engine_python()
    done = subprocess.run(
        [sys.executable, "-m", "personhood", "party", "demo", "--people", "2"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout
    assert "all 2 sent again with another photograph: not one enrolled twice" in told
    assert "killed with -9: nobody is decided about (party_unavailable)" in told
    assert "lost its store: nobody is decided about (party_behind)" in told
    assert "resharing, party 2: from number 0 to 3" in told
    assert "hold shares of 4 templates" in told
    assert "4 people, 0 templates" in told
