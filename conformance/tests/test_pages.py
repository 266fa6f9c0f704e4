"""The pages in a browser: no script fails, and nothing is wider than the window."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rnn_conformance.faces.reports.html import html
from rnn_conformance.faces.reports.scoreboard import board, scoreboard_html

from .report_samples import SAMPLES, bent, known, right, wrong

pytestmark = pytest.mark.slow
sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
WIDTHS = (1400, 400)
PAGES = {
    "failing": lambda: html(wrong()),
    "plotted": lambda: html(bent()),
    "conforming": lambda: html(right()),
    "known": lambda: html(known()),
    "scoreboard": lambda: scoreboard_html(board([sample() for sample in SAMPLES * 4])),
}
BROKEN = """
[...document.querySelectorAll(".board thead th, .board td")].filter(cell => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return new Set([...range.getClientRects()].map(line => Math.round(line.top))).size !== 1;
}).map(cell => cell.innerText)
"""
FRAMES = """
[...document.querySelectorAll("table")].map(
  table => (table.closest(".scroll") ?? table).getBoundingClientRect().right)
"""  # a table may scroll in a frame of its own
INSTALLED = ("chromium", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, of this machine or of playwright."""
    found = next(filter(None, map(shutil.which, INSTALLED)), None)
    with sync_api.sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except sync_api.Error as error:
            if found:
                raise
            pytest.skip(f"needs Chromium: {error}")
        yield launched
        launched.close()


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def opened(browser: Any, errors: list[str], tmp_path: Path) -> Iterator[Any]:
    """Opens a page; what its scripts, or the rules for them, complain of goes to `errors`."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])

    def open_page(text: str, width: int) -> Any:
        (tmp_path / "page.html").write_text(text, "utf-8")
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text))
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield open_page
    context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_window(name: str, width: int, opened: Any, errors: list[str]) -> None:
    page = opened(PAGES[name](), width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    frames = page.evaluate(FRAMES)
    assert frames
    assert max(frames) <= width
    assert errors == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_header_and_no_cell_of_the_scoreboard_breaks(width: int, opened: Any) -> None:
    page = opened(PAGES["scoreboard"](), width)
    assert page.evaluate(BROKEN) == []


def test_the_failures_of_one_clause_are_shown(opened: Any, errors: list[str]) -> None:
    page = opened(html(wrong()), 1400)
    sections = page.locator("section[data-clauses]")
    clauses = [each.get_attribute("data-clauses").split() for each in sections.all()]
    for chosen in ("RNN-CELL-1", "RNN-STATE-1", ""):
        page.select_option("#clause", chosen)
        visible = [each.is_visible() for each in sections.all()]
        assert visible == [not chosen or chosen in each for each in clauses]
    assert errors == []


def test_the_lines_that_repeat_a_failure_can_be_copied(opened: Any, errors: list[str]) -> None:
    page = opened(html(wrong()), 1400)
    page.locator("section summary").first.click()
    page.locator("section button.copy").first.click()
    page.wait_for_function("document.querySelector('button.copy').textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == wrong().failures[0].reproduction
    assert errors == []


def test_a_script_that_fails_is_noticed(opened: Any, errors: list[str]) -> None:
    opened(html(right()).replace("</body>", "<script>1 / x</script></body>"), 400)
    assert len(errors) == 1


def test_a_page_that_is_too_wide_is_noticed(opened: Any) -> None:
    wide = html(right()).replace("</body>", "<pre style='width: 2000px'></pre></body>")
    assert opened(wide, 400).evaluate("document.documentElement.scrollWidth") > 400
