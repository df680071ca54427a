"""The runbooks of alerts/runbooks/, as the exporter serves them."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.support.exporter import Exporter
from tests.support.process import REPOSITORY, free_port

RUNBOOKS = sorted((Path(REPOSITORY) / "alerts/runbooks").glob("*.md"))
ALERTS = [path.stem for path in RUNBOOKS]
VOID = {"meta", "br", "hr", "img"}


class Page(HTMLParser):
    """What a reader gets out of an HTML page."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.links, self.headings, self.code = [], [], [], []
        self._open = []
        self.feed(html)
        assert self._open == [], f"not closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        if tag in ("h1", "h2"):
            self.headings.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data):
        if {"h1", "h2"} & set(self._open):
            self.headings[-1] += data
        if self._open[-2:] == ["pre", "code"]:
            self.code.append(data)


@pytest.fixture(scope="module")
def exporter():
    """One with nothing to watch: runbooks must be there when nothing else is."""
    with Exporter({"targets": [{"name": "gone", "dsn": f"host=127.0.0.1 port={free_port()} user=x"}]}) as running:
        yield running


def outside_code(markdown):
    return re.sub(r"^```.*?^```$", "", markdown, flags=re.MULTILINE | re.DOTALL)


def test_there_are_runbooks():
    assert ALERTS


@pytest.mark.parametrize("path", RUNBOOKS, ids=ALERTS)
def test_every_runbook_is_a_page_with_its_headings_tables_and_commands(exporter, path):
    markdown = path.read_text()
    answer = exporter.get(f"/runbooks/{path.stem}", {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    prose = outside_code(markdown)
    headings = [line.lstrip("# ").replace("`", "") for line in re.findall(r"^##? .*", prose, re.MULTILINE)]
    assert page.headings == headings and headings[0] == path.stem
    assert page.elements.count("table") == len(re.findall(r"^\|[-:| ]+\|$", prose, re.MULTILINE))
    blocks = re.findall(r"^```\w*\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)
    assert [code for code in blocks if code not in "".join(page.code)] == []
    assert not {"script", "img", "iframe", "link", "object"} & set(page.elements)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_link_of_a_runbook_leads_to_a_page_of_this_server(exporter, alert):
    here = f"/runbooks/{alert}"
    links = [urljoin(here, link) for link in Page(exporter.get(here).text).links]
    assert {"/", "/runbooks/"} < set(links) | {here}
    assert [link for link in links if not link.startswith("/")] == []
    assert [link for link in set(links) if exporter.get(link).status != 200] == []


@pytest.mark.parametrize("suffix, accept, kind", [
    ("", "text/plain", "text/plain"), ("", "text/markdown", "text/markdown"), (".md", "*/*", "text/markdown"),
])
def test_the_markdown_itself_is_served(exporter, suffix, accept, kind):
    answer = exporter.get(f"/runbooks/{ALERTS[0]}{suffix}", {"Accept": accept})
    assert answer.status == 200 and answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert answer.body == RUNBOOKS[0].read_bytes()


def test_the_list_has_every_runbook_and_the_page_for_people_links_to_it(exporter):
    assert "/runbooks/" in Page(exporter.get("/").text).links
    for path in ("/runbooks", "/runbooks/"):
        links = Page(exporter.get(path).text).links
        assert [link for link in links if link.startswith("/runbooks/P")] == [f"/runbooks/{name}" for name in ALERTS]


@pytest.mark.parametrize("path", ["/runbooks/", f"/runbooks/{ALERTS[0] if ALERTS else ''}"])
def test_head_gives_the_headers_of_get_and_no_body(exporter, path):
    get, head = exporter.get(path), exporter.get(path, method="HEAD")
    assert head.status == 200 and head.body == b"" and len(get.body) > 100
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))


@pytest.mark.parametrize("name", [
    "PgConnNothing", "../PgConnWatchdog", "%2e%2e/%2e%2e/etc/passwd", "..%2fREADME.md", "%00", "%ff", ".md", "a/b",
    "%3Cscript%3E", "x" * 3000,
])
def test_an_unknown_name_is_404_and_told_where_the_list_is(exporter, name):
    answer = exporter.get(f"/runbooks/{name}")
    assert answer.status == 404 and answer.headers["content-type"].startswith("text/plain")
    assert "/runbooks/" in answer.text and "<" not in answer.text


def test_a_typing_error_is_answered_with_the_nearest_name(exporter):
    answer = exporter.get(f"/runbooks/{ALERTS[0][:-1]}")
    assert answer.status == 404 and f"Did you mean /runbooks/{ALERTS[0]}?" in answer.text


def test_browsers_are_told_to_load_and_run_nothing(exporter):
    for path in ("/", "/runbooks/", f"/runbooks/{ALERTS[0]}"):
        policy = exporter.get(path).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")


def test_requests_for_runbooks_are_counted_under_one_path(exporter):
    before = exporter.metrics().samples("pgconn_exporter_http_requests_total", path="/runbooks", code="404")
    exporter.get("/runbooks/no-such-one")
    exporter.get(f"/runbooks/{ALERTS[0]}")
    samples = exporter.metrics().samples("pgconn_exporter_http_requests_total")
    counts = {(sample.labels["path"], sample.labels["code"]): sample.value for sample in samples}
    assert {path for path, _ in counts if "runbooks" in path} == {"/runbooks"}
    assert counts["/runbooks", "404"] == 1 + sum(sample.value for sample in before)
    assert counts["/runbooks", "200"] >= 1
