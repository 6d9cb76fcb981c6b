"""axe's rules of accessibility, on a page as it stands."""

from playwright.sync_api import Page

from enrollment.kiosk_files import NODE_MODULES

AXE = NODE_MODULES / "axe-core/axe.min.js"


def serious_violations(page: Page, *, settle: int = 400) -> list[str]:
    """What axe calls serious or critical.

    Args:
        settle: milliseconds; colours in the middle of an animation are no fault.
    """
    page.wait_for_timeout(settle)
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run()")
    return [
        f"{rule['id']}: {node['html']}"
        for rule in result["violations"]
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]
