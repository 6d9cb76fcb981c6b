"""The report that the console hands out, made by a process of its own."""

import json
from pathlib import Path

import pytest

from console.errors import ReportFailed
from console.report import ReportForm
from personhood.console_report import ReportMaker
from personhood.database import open_database
from personhood.settings import Settings
from personhood.side_process import SideProcess

pytestmark = pytest.mark.slow


def test_every_form_is_made_and_a_failure_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    open_database(settings).dispose()
    with SideProcess() as side:
        maker = ReportMaker(settings, side)
        assert json.loads(maker.make(ReportForm.JSON))["format"] == "personhood-audit-report"
        assert maker.make(ReportForm.PDF).startswith(b"%PDF-")
        assert b"<html" in maker.make(ReportForm.HTML)
        assert b"," in maker.make(ReportForm.CSV)
        settings.deployment_file().write_text("{}")
        with pytest.raises(ReportFailed):
            maker.make(ReportForm.CSV)
