import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

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


def test_who_waits_becomes_the_owner(engine):
    waiting, taken, let_go = threading.Event(), threading.Event(), threading.Event()

    def wait_for_it():
        waiting.set()
        with Ownership(engine, stop=threading.Event()):
            taken.set()
            let_go.wait(20)

    with Ownership(engine):
        heir = threading.Thread(target=wait_for_it)
        heir.start()
        assert waiting.wait(20)
        assert not taken.wait(0.2)
    assert taken.wait(20)
    with pytest.raises(GalleryOwned):
        Ownership(engine)
    let_go.set()
    heir.join()


def test_who_is_stopped_while_waiting_owns_nothing(engine):
    stop = threading.Event()
    stop.set()
    with Ownership(engine), pytest.raises(GalleryOwned):
        Ownership(engine, stop=stop)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_owner_hears_that_its_connection_broke(engine, caplog):
    lost = threading.Event()
    with Ownership(engine, on_lost=lost.set) as ownership:
        process = ownership._held.connection.dbapi_connection.info.backend_pid
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": process})
        assert lost.wait(20)
        with Ownership(engine):  # the lock is free for somebody else
            pass
    assert "[gallery_ownership_lost]" in caplog.text
