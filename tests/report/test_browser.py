"""Reports in a real browser: Debian's Chromium, steered by playwright (extra `browser`)."""

import shutil

import pytest

from ga_ann.report import save_report

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1100, "height": 800}


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def files(full, measured, dangerous, result, iris, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    return {
        "comparison": save_report(folder / "comparison.html", full),
        "regression": save_report(folder / "regression.html", measured),
        "dangerous": save_report(folder / "dangerous.html", dangerous),
        "run": save_report(folder / "run.html", result, data=iris),
    }


REPORTS = ("comparison", "regression", "dangerous", "run")


@pytest.fixture
def visit(browser, files):
    """Open a report; what the page complains of or asks the network for is listed in `told`."""
    contexts = []

    def open_page(name, viewport=DESKTOP, scheme="light", **options):
        context = browser.new_context(viewport=viewport, color_scheme=scheme, **options)
        contexts.append(context)
        context.set_default_timeout(5000)
        page = context.new_page()
        page.told = []
        page.on("console", lambda message: page.told.append(message.text))
        page.on("pageerror", lambda error: page.told.append(str(error)))
        page.on("request", lambda asked: page.told.append(asked.url[:100]))
        page.goto(files[name].as_uri())
        page.wait_for_function(
            "document.querySelectorAll('.chart svg').length"
            " === document.querySelectorAll('.chart').length"
        )
        # The page itself, and the pictures that it carries.
        own = ("file:", "data:")
        page.told = [line for line in page.told if not line.startswith(own)]
        return page

    yield open_page
    for context in contexts:
        context.close()


def unfold(page):
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")


def lines(page, chart="#curves ~ figure .chart"):
    """Return the paths of the lines that the first chart draws."""
    return page.locator(chart).first.locator("g.mark-line path[stroke]").all()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", REPORTS)
def test_no_error_is_told_and_no_network_is_asked(visit, name, scheme):
    page = visit(name, scheme=scheme)
    page.wait_for_timeout(200)
    assert page.locator(".chart svg").count() > 0
    assert page.told == []


@pytest.mark.parametrize("name", REPORTS)
def test_a_phone_needs_no_sideways_scroll(visit, name):
    page = visit(name, PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_switches_take_their_curve_away_and_give_it_back(visit, full):
    page = visit("comparison")
    before = len(lines(page))
    assert before >= 5
    chart = page.locator("section[aria-labelledby=curves] .chart").first
    labels = [full.settings["labels"][method] for method in full.methods()]
    for label in labels:
        chart.get_by_label(label, exact=True).uncheck()
    page.wait_for_timeout(100)
    assert len(lines(page)) == 0
    chart.get_by_label("default GA", exact=True).check()
    page.wait_for_timeout(100)
    (line,) = lines(page)
    expected = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--m4')")
    shown = line.evaluate("path => getComputedStyle(path).stroke")
    red, green, blue = (int(expected.strip()[k : k + 2], 16) for k in (1, 3, 5))
    assert shown == f"rgb({red}, {green}, {blue})"


def axis_labels(chart):
    return chart.locator("g.role-axis-label").first.locator("text").all_text_contents()


def test_the_axis_is_evaluations_or_seconds_logarithmic_or_not_whole_or_its_beginning(visit):
    page = visit("comparison")
    chart = page.locator("section[aria-labelledby=curves] .chart").first
    seen = [axis_labels(chart)]
    chart.get_by_label("seconds").check()
    page.wait_for_timeout(100)
    seen.append(axis_labels(chart))
    chart.get_by_label("logarithmic").click()
    page.wait_for_timeout(100)
    seen.append(axis_labels(chart))
    chart.locator("input[type=range]").fill("5")
    page.wait_for_timeout(100)
    seen.append(axis_labels(chart))
    assert len({tuple(labels) for labels in seen}) == 4
    assert float(seen[3][-1].replace(",", "")) < float(seen[2][-1].replace(",", ""))


def test_hovering_tells_the_curve_and_its_numbers(visit):
    page = visit("run")
    plot = page.locator("section[aria-labelledby=curves] .chart svg").first
    plot.scroll_into_view_if_needed()
    plot.locator("path[aria-roledescription=point][opacity='0']").last.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element")
    tooltip.wait_for(state="visible")
    text = tooltip.inner_text()
    assert "curve" in text
    known = ("best solution", "mean of the generation", "held out")
    assert [name for name in known if name in text], text
    assert "%" in text


def test_shift_and_the_wheel_zoom_and_the_wheel_alone_scrolls(visit):
    page = visit("run")
    chart = page.locator("section[aria-labelledby=curves] .chart").first
    chart.scroll_into_view_if_needed()
    box = chart.locator("svg").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    before, top = axis_labels(chart), page.evaluate("scrollY")
    page.mouse.wheel(0, 300)
    page.wait_for_timeout(300)
    assert axis_labels(chart) == before
    assert page.evaluate("scrollY") > top
    chart.scroll_into_view_if_needed()
    box = chart.locator("svg").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -600)
    page.keyboard.up("Shift")
    page.wait_for_timeout(300)
    assert axis_labels(chart) != before


@pytest.mark.parametrize("bypass", [False, True])
def test_names_with_html_are_shown_as_text(visit, hostile, bypass):
    # Without the page's policy too: the escapes alone must hold.
    page = visit("dangerous", bypass_csp=bypass)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    assert page.locator("h1").inner_text() == hostile[0]
    body = page.locator("body").inner_text()
    for name in hostile:
        assert name in body
        switch = page.locator("section[aria-labelledby=curves]").get_by_role("checkbox", name=name)
        switch.first.uncheck()
        switch.first.check()
    plot = page.locator("section[aria-labelledby=curves] .chart svg").first
    plot.scroll_into_view_if_needed()
    plot.locator("path[aria-roledescription=point][opacity='0']").last.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element")
    tooltip.wait_for(state="visible")
    assert any(name in tooltip.inner_text() for name in hostile)
    assert page.evaluate("window.hacked") is None
    assert page.told == []


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["comparison", "regression", "run"])
def test_axe_finds_no_serious_fault(visit, name, scheme, viewport):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(name, viewport, scheme, bypass_csp=True)
    unfold(page)
    found = axe.Axe().run(page).response["violations"]
    serious = [
        (fault["id"], [node["html"][:200] for node in fault["nodes"][:3]])
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_print_opens_what_is_folded_and_is_light(visit):
    page = visit("comparison", scheme="dark")
    assert page.locator("details:not([open])").count() > 0
    assert page.pdf(format="A4").startswith(b"%PDF")
    assert page.locator("details:not([open])").count() == 0
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
