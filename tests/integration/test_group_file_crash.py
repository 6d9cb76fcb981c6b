"""A writer that is killed in the middle of its work, many times over."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from identity_proofs.group import Group
from identity_proofs.group_file import GroupFile
from identity_proofs.group_file_writer import GroupFileWriter
from tests.integration.group_writing_process import change

ROOT = Path(__file__).parents[2]
WRITER = [sys.executable, "-m", "tests.integration.group_writing_process"]
KILLS = 12
FIRST_CHANGES = 40
READ_ROOTS = 30


@pytest.mark.slow
def test_kill_9_leaves_the_last_state_or_the_next(tmp_path: Path) -> None:
    pauses = random.Random(9)
    expected, done = Group(), 0
    for _ in range(KILLS):
        confirmed = run_until_killed(tmp_path, done, pauses.uniform(0, 0.05))
        while done < confirmed:
            change(expected, done)
            done += 1
        with GroupFile(tmp_path) as survivor:
            survivor.verify()
            if survivor.root != expected.root:  # the commit was made, and not reported any more
                change(expected, done)
                done += 1
            assert (survivor.root, survivor.members) == (expected.root, expected.members)
    assert done > KILLS


@pytest.mark.slow
def test_readers_answer_while_a_writer_commits(tmp_path: Path) -> None:
    with GroupFileWriter(tmp_path) as writer:
        for number in range(FIRST_CHANGES):
            change(writer, number)
    command = [*WRITER, str(tmp_path), str(FIRST_CHANGES)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT) as process:
        roots = set()
        with GroupFile(tmp_path) as reader:
            while len(roots) < READ_ROOTS:
                assert process.poll() is None
                proof = reader.proof(reader.size - 1)  # a leaf that the script never removes
                assert proof.verify()
                roots.add(proof.root)
        process.kill()


def run_until_killed(directory: Path, first: int, pause: float) -> int:
    """Start the writer and kill it soon after its first commit; return how many it reported."""
    command = [*WRITER, str(directory), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        reported = [process.stdout.readline()]
        time.sleep(pause)
        process.kill()
        reported += process.stdout.readlines()
    return int(next(line for line in reversed(reported) if line.endswith("\n"))) + 1
