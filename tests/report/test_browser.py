"""The pages in a real browser: they load without errors and without the network, sort, filter, and keep text text."""

from __future__ import annotations

import pytest

from report.hostile_class import HOSTILE, SECRET

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser, site):
    address, requested = site

    def open_(path: str):
        requested.clear()
        browser.get_log("browser")
        browser.get(f"{address}/{path}")
        return browser

    return open_


def column(browser, number: int) -> list[str]:
    script = """return [...document.querySelectorAll('#class tbody tr:not([hidden])')]
        .map(row => row.cells[arguments[0]].textContent)"""
    return browser.execute_script(script, number)


def click(browser, number: int) -> str:
    head = browser.find_elements("css selector", "#class thead th")[number]
    head.find_element("tag name", "button").click()
    return head.get_attribute("aria-sort")


@pytest.mark.parametrize("path", ["report.html", "feedback/s12.html", "feedback/s0.html"])
def test_a_page_loads_without_errors_and_asks_for_nothing_else(page, site, path):
    browser = page(path)
    complaints = [line for line in browser.get_log("browser") if "favicon" not in line["message"]]
    assert complaints == []
    assert [path for path in site[1] if "favicon" not in path] == [f"/{path}"]
    assert browser.execute_script("return document.querySelectorAll('img, iframe, object, link').length") == 0


def test_hostile_names_and_messages_stay_text(page):
    browser = page("report.html")
    assert browser.title == "Tiny & small: report"
    assert HOSTILE[:100] in column(browser, 0)
    assert "{{7*7}}" in browser.execute_script("return document.querySelector('#misconceptions ~ details').textContent")
    browser = page("feedback/s12.html")
    assert browser.title.startswith("Tiny & small: </script>")
    assert HOSTILE in browser.find_element("tag name", "main").text


def test_the_table_sorts_by_numbers_and_by_names_both_ways(page):
    browser = page("report.html")
    assert click(browser, 1) == "descending"
    totals = column(browser, 1)
    assert totals[-1] == ""  # who could not be graded comes last
    numbers = [float(total) for total in totals[:-1]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) > 2
    assert click(browser, 1) == "ascending"
    assert [float(total) for total in column(browser, 1)[:-1]] == sorted(numbers)
    assert column(browser, 1)[-1] == ""
    assert click(browser, 0) == "ascending"
    names = [name for name in column(browser, 0) if name.startswith("student")]
    assert names == sorted(names)
    assert len(browser.find_elements("css selector", "#class th[aria-sort]")) == 1


def test_the_table_filters_by_words_and_says_how_many_are_left(page):
    browser = page("report.html")
    field = browser.find_element("id", "find")
    field.send_keys("student 07")
    assert column(browser, 0) == ["student07"]
    assert browser.find_element("id", "count").text == "1 of 14 shown"
    field.clear()
    field.send_keys("<script>")
    assert column(browser, 0) == [HOSTILE[:100]]


def test_a_phone_shows_it_all_without_scrolling_the_page_sideways(page):
    for path in ("report.html", "feedback/s0.html"):
        browser = page(path)
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
        )
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        assert wide <= 360, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_background_by_day_and_in_the_dark(page, scheme):
    browser = page("feedback/s0.html")
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    ratios = browser.execute_script(CONTRASTS)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(ratios) > 10
    assert min(ratios) >= 4.5  # what WCAG's level AA asks for


# The contrast of each text with what is behind it; a canvas turns any CSS colour into numbers.
CONTRASTS = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgb = (colour) => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const colour = rgb(getComputedStyle(node).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
};
const texts = [...document.querySelectorAll('h1, h2, h3, h4, p, b, td, th, li, summary')];
return texts.filter(node => node.innerText).map(node => {
  const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
});
"""


def test_a_screen_reader_gets_headings_labels_and_a_sentence_for_each_plot(page):
    browser = page("report.html")
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles: dict[str, list[str]] = {}
    for node in tree:
        if not node.get("ignored"):
            roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    assert "Find" in roles["searchbox"]
    assert any("Score distribution" in name and "mean" in name for name in roles["figure"])
    assert all(roles["button"])
    assert roles["main"]
    levels = browser.execute_script("return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    browser = page("feedback/s0.html")
    cells = browser.execute_script("return [...document.querySelectorAll('td.differs')].map(cell => cell.textContent)")
    assert "0 differs" in cells


def test_matrices_are_drawn_as_coloured_grids_with_their_difference(page):
    browser = page("feedback/s0.html")
    script = "return [...document.querySelectorAll('.grid .name')].map(h => h.textContent)"
    assert browser.execute_script(script)[:5] == [
        "x 2×2 float32",
        "size int",
        "Expected 2×2 float32",
        "Got 2×2 float32",
        "Difference (got − expected)",
    ]
    grids = browser.find_elements("css selector", ".grid")
    difference = [cell.text.split()[0] for cell in grids[4].find_elements("tag name", "td")]
    assert difference == ["0", "+2", "0", "+36"]
    colours = {cell.value_of_css_property("background-color") for cell in grids[3].find_elements("tag name", "td")}
    assert len(colours) >= 3


def test_what_only_the_instructor_may_see_is_not_on_a_students_page(page):
    for path in ("feedback/s0.html", "feedback/s13.html"):
        assert SECRET not in page(path).page_source
    assert "not your fault" in page("feedback/s13.html").page_source
