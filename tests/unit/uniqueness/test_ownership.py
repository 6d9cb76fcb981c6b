import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from uniqueness.errors import GalleryOwned
from uniqueness.ownership import Ownership

HOLDER = (
    "import sys, time\n"
    "from sqlalchemy import create_engine\n"
    "from uniqueness.ownership import Ownership\n"
    "held = Ownership(create_engine(sys.argv[1]))\n"
    "print('held', flush=True)\n"
    "time.sleep(60)\n"
)


def test_a_second_owner_is_refused_until_the_first_lets_go(engine):
    with Ownership(engine):
        with pytest.raises(GalleryOwned) as caught:
            Ownership(engine)
        assert caught.value.code == "gallery_owned"
    with Ownership(engine):
        pass


def test_a_killed_owner_holds_nothing(engine, database_url):
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", HOLDER, database_url]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=root, env=os.environ
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(GalleryOwned):
            Ownership(engine)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    for _ in range(100):  # PostgreSQL notices the broken connection within moments
        try:
            Ownership(engine).release()
        except GalleryOwned:
            time.sleep(0.05)
            continue
        return
    pytest.fail("the lock outlived its owner")
