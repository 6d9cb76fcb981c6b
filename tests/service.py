"""A real enrolment service for tests: real models, a real database, a real socket."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine, func, select

from enrollment.api import create_app
from enrollment.faces import FaceDetector, FaceEmbedder
from enrollment.manifest import Manifest
from enrollment.pipeline import EnrollmentService
from enrollment.store import EnrollmentRow, EnrollmentStore
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.ownership import Ownership
from uniqueness.schema import TemplateRow
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore

TOKEN = "kiosk-token"


@dataclass(frozen=True)
class Kiosk:
    """A running service and a client that speaks to it as a kiosk does."""

    client: httpx.Client
    service: EnrollmentService
    gallery: Gallery
    engine: Engine

    def send(self, commitment: object, capture: bytes, key: str | None = None) -> httpx.Response:
        """Send one enrolment."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        body = {"commitment": commitment, "capture": base64.b64encode(capture).decode()}
        return self.client.post("/v1/enrollments", json=body, headers=headers)

    def stored(self) -> tuple[int, int]:
        """How many templates and how many enrolments the database holds."""
        with self.engine.connect() as connection:
            templates = connection.scalar(select(func.count()).select_from(TemplateRow))
            enrollments = connection.scalar(select(func.count()).select_from(EnrollmentRow))
        return templates or 0, enrollments or 0


@contextmanager
def running_kiosk(
    directory: Path, manifest: Manifest, engine: tuple[FaceDetector, FaceEmbedder]
) -> Iterator[Kiosk]:
    """Serve on a free port, with its data in a directory, for as long as the block runs."""
    database = create_engine(f"sqlite:///{directory}/personhood.db")
    store = GalleryStore(database, Keyring(b"k" * 32))
    indexes = {manifest.model: FaissFlatIndex(manifest.embedding_size)}
    with Ownership(database), Gallery.open(store, indexes, manifest.thresholds) as gallery:
        service = EnrollmentService(*engine, gallery, EnrollmentStore(database))
        app = create_app(service, kiosk_token=TOKEN)
        with served(app) as url, httpx.Client(base_url=url, timeout=60) as client:
            yield Kiosk(client, service, gallery, database)
    database.dispose()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Run an application under uvicorn in a thread; yields its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield "http://{}:{}".format(*listener.getsockname())
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
