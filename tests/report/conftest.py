"""Results of a class made by hand, with students who try their luck in names and messages, and the pages about them."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading

import pytest

from autograder.batch import gradebook
from autograder.batch.contents import Graded
from autograder.batch.discovery import Found, Student
from autograder.batch.store import Roll, Store, record_of
from autograder.commands.report import run
from autograder.results.model import ExerciseResult, Result, State
from report.hostile_class import HOSTILE, SECRET, result_of


@pytest.fixture(scope="session")
def graded_class(tmp_path_factory):
    """12 ordinary students, a hostile one, one whose grader failed and one who was not graded."""
    out = tmp_path_factory.mktemp("report") / "out"
    labels = [f"student{number:02}" for number in range(12)] + [HOSTILE[:100], "unlucky", "missing"]
    found = tuple(
        Found(f"s{number}", label, f"/nowhere/{number}", (Student(label),), handed_in="late" if number == 0 else "")
        for number, label in enumerate(labels)
    )
    with Store(out) as store:
        store.call(Roll("tiny", "Tiny & small", {"pool": 10.0, "norm": 10.0}, found))
        for number, each in enumerate(found[:-1]):
            result = result_of(number, each.label)
            if each.label == "unlucky":
                empty = (ExerciseResult("pool", 10), ExerciseResult("norm", 10))
                result = Result("tiny", "Tiny & small", each.label, State.ERROR, empty, log=(SECRET,))
            left_out = {0: ("notes.txt", "data.csv"), 12: (HOSTILE,)}.get(number, ())
            graded = Graded("pooling.ipynb", 12, left_out) if left_out else Graded()
            note, twin = HOSTILE if number == 12 else "", "s1" if number == 3 else ""
            store.adopt(each, record_of(result, "f", graded, note, twin))
        gradebook.write(store)
    assert run(out) == 0
    return out


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: what is asked for is in `requested`."""

    def send_head(self):
        self.server.requested.append(self.path)
        return super().send_head()


@pytest.fixture(scope="session")
def site(graded_class):
    """The pages as a web server on this machine serves them, and what was requested of it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(graded_class)))
    server.requested = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", server.requested
    server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium with its driver."""
    binary, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("there is no Chromium with chromedriver here")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    quiet = ("no-first-run", "disable-background-networking", "disable-component-update", "disable-sync")
    for option in ("headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", *quiet):
        options.add_argument(f"--{option}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield browser
    browser.quit()
