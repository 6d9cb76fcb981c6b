"""A real enrolment service for tests: real models, a real database, a real socket."""

import asyncio
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy import Engine, create_engine, func, select
from starlette.types import ASGIApp

from enrollment.api import FrontDesk, create_app
from enrollment.challenges import Challenges
from enrollment.examination import Examiner
from enrollment.face_models import face_model
from enrollment.faces import FaceDetector, FaceEmbedder
from enrollment.kiosks import KioskRegistry
from enrollment.manifest import Manifest
from enrollment.pipeline import EnrollmentService
from enrollment.pose import Pose
from enrollment.receipts import ReceiptIssuer
from enrollment.rows import EnrollmentRow
from enrollment.sessions import SessionStore
from enrollment.signatures import sign
from enrollment.store import EnrollmentStore
from identity_proofs.identity import Identity
from personhood.http_protocol import BoundedHttp
from personhood.kiosk_client import Device, KioskClient, Prepared, Turn
from transparency.api import create_log_router
from transparency.journal import Journal
from transparency.store import DecisionLog
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.ownership import Ownership
from uniqueness.schema import TemplateRow
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore


def wallet(number: int) -> Identity:
    """The same wallet for the same number."""
    return Identity.from_private_key(b"wallet %d" % number)


def commitments(*numbers: int) -> list[int]:
    """The commitments of those wallets."""
    return [wallet(number).commitment for number in numbers]


@dataclass(frozen=True)
class Kiosk:
    """A running service and a registered device that speaks to it as a kiosk does."""

    client: httpx.Client
    device: Device
    service: EnrollmentService
    gallery: Gallery
    kiosks: KioskRegistry
    engine: Engine
    journal: Journal

    def prepare(
        self, number: int, *frames: bytes, key: str | None = None, **wishes: Any
    ) -> Prepared:
        """Begin a turn, and put together what a wallet's holder would send in it."""
        session = self.post("/v1/sessions", b"{}").json()
        turn = Turn(session["session_id"], session["challenge"], tuple(session["poses"]))
        prepared = KioskClient("http://service").prepare(turn, wallet(number), *frames, **wishes)
        return replace(prepared, idempotency_key=key) if key is not None else prepared

    def send(self, prepared: Prepared) -> httpx.Response:
        """Send one enrolment, signed anew."""
        headers = {"Idempotency-Key": prepared.idempotency_key}
        return self.post("/v1/enrollments", prepared.body, headers)

    def enroll(
        self, number: int, *frames: bytes, key: str | None = None, **wishes: Any
    ) -> httpx.Response:
        """Give the holder of a wallet a turn; for wishes see `KioskClient.prepare`."""
        return self.send(self.prepare(number, *frames, key=key, **wishes))

    def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """Sign and send any request."""
        plain = {"Content-Type": "application/json"} | (headers or {})
        url = str(self.client.base_url.join(path))
        device = self.device
        signed = sign("POST", url, body, kiosk_id=device.kiosk_id, key=device.key, headers=plain)
        return self.client.post(path, content=body, headers=signed)

    def stored(self) -> tuple[int, int]:
        """How many templates and how many enrolments the database holds."""
        with self.engine.connect() as connection:
            templates = connection.scalar(select(func.count()).select_from(TemplateRow))
            enrollments = connection.scalar(select(func.count()).select_from(EnrollmentRow))
        return templates or 0, enrollments or 0


@contextmanager
def running_kiosk(
    directory: Path,
    manifest: Manifest,
    engine: tuple[FaceDetector, FaceEmbedder],
    *,
    draw_poses: Callable[[], tuple[Pose, ...]] = lambda: (Pose.FRONT,),
    requests_per_minute: int = 10_000,
    max_in_flight: int = 64,
) -> Iterator[Kiosk]:
    """Serve on a free port, with its data in a directory, for as long as the block runs."""
    database = create_engine(f"sqlite:///{directory}/personhood.db")
    keyring = Keyring(b"k" * 32)
    store = GalleryStore(database, keyring)
    indexes = {manifest.model: FaissFlatIndex(manifest.embedding_size)}
    with Ownership(database), Gallery.open(store, indexes, manifest.thresholds) as gallery:
        examiner = Examiner([face_model(*engine, manifest)])
        journal = Journal(DecisionLog(database), b"l" * 32, model=manifest.model)
        service = EnrollmentService(examiner, gallery, EnrollmentStore(database, keyring, journal))
        kiosks = KioskRegistry(database)
        desk = FrontDesk(
            service,
            kiosks,
            SessionStore(database),
            ReceiptIssuer(b"r" * 32),
            Challenges(b"c" * 32),
            draw_poses,
            requests_per_minute,
            max_in_flight=max_in_flight,
        )
        app = create_app(desk)
        app.include_router(create_log_router(journal))
        with (
            served(app) as url,
            httpx.Client(base_url=url, timeout=60) as client,
            KioskClient(url) as device_client,
        ):
            device = device_client.register(kiosks.invite(uuid.uuid4().hex))
            yield Kiosk(client, device, service, gallery, kiosks, database, journal)
    database.dispose()


@contextmanager
def served(app: ASGIApp, http: type[asyncio.Protocol] | str = BoundedHttp) -> Iterator[str]:
    """Run an application under uvicorn in a thread; yields its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", http=http))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield "http://{}:{}".format(*listener.getsockname())
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
