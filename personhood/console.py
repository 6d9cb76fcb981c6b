"""The console put together: operators, what they look at, and the chain read beside the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from fastapi import APIRouter
from sqlalchemy import Engine

from console.address import ConsoleAddress
from console.desk import ConsoleDesk, Operations, Staff
from console.routes import create_console_router
from enrollment.api import FrontDesk
from enrollment.store import EnrollmentStore
from personhood.chain_reader import ChainReader
from personhood.console_report import ReportMaker
from personhood.database import open_database
from personhood.keys import ServiceKey, service_key
from personhood.settings import Settings
from personhood.side_process import SideProcess
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring


@contextmanager
def console_pages(
    settings: Settings,
    engine: Engine,
    gallery: Gallery,
    desk: FrontDesk,
    enrollments: EnrollmentStore,
) -> Iterator[APIRouter]:
    """The console's routes, beside the routes of a desk, for as long as the block runs.

    Raises:
        ConsoleAddressInvalid: PERSONHOOD_CONSOLE_URL cannot be used.
    """
    with SideProcess() as side:
        operations = Operations(
            engine=engine,
            gallery=gallery,
            turnstile=desk.turnstile,
            kiosks=desk.kiosks,
            turns=desk.sessions,
            enrollments=enrollments,
            receipts=desk.receipts,
            adjudication=desk.service.adjudication,
            journal=enrollments.journal,
            chain=ChainReader(settings, side).read,
            report=ReportMaker(settings, side).make,
        )
        staff = Staff.open(engine, Keyring(service_key(settings, ServiceKey.CONSOLE)))
        address = ConsoleAddress(settings.console_url)
        yield create_console_router(ConsoleDesk(address, staff, operations))


def open_staff(settings: Settings) -> Staff:
    """Operators; also while the service runs."""
    return Staff.open(open_database(settings), Keyring(service_key(settings, ServiceKey.CONSOLE)))


def sign_up_link(settings: Settings, code: str) -> str:
    """The address at which a one-time code is used; on this machine at the service's port."""
    port = urlsplit(settings.service_url).port or 8000
    return ConsoleAddress(settings.console_url).link(f"/console/join#{code}", port)
