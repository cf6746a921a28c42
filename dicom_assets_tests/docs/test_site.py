"""The documentation as a site: built without a warning, every page in the navigation, nothing asked of other hosts."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from dicom_assets_tests.support.snippets import PAGES, PROJECT

LOADING = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src",
    "object": "data", "use": "href", "image": "href",
}  # fmt: skip
"""Elements that make a browser ask for what they name."""
LINKS_THAT_LOAD_NOTHING = {"canonical", "alternate", "next", "prev", "author", "license"}
_MARKDOWN_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|<(https?://[^>]+)>")
_CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site as ``make docs`` does, in a copy."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(PROJECT / "mkdocs.yml", folder)
    shutil.copytree(PROJECT / "docs", folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    done = _build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    return folder / "site"


def _build(folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("zensical", path=str(Path(sys.executable).parent))
    assert program, "the dependency group `docs` is not installed"
    command = [program, "build", "--clean", "--strict"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


class Requests(HTMLParser):
    """What a browser asks for when it shows a page, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag in LOADING and LOADING[tag] in given:
            self.asked.append(given[LOADING[tag]])
        if "srcset" in given:
            self.asked += [part.split()[0] for part in given["srcset"].split(",")]
        if tag == "link" and given.get("rel") not in LINKS_THAT_LOAD_NOTHING:
            self.asked.append(given["href"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if "style" in given:
            self.asked += re.findall(r"url\(['\"]?([^'\")]+)", given["style"])


def read(page: Path) -> Requests:
    found = Requests()
    found.feed(page.read_text(encoding="utf-8"))
    return found


def test_every_page_is_built_and_in_the_navigation(site):
    navigation = yaml.safe_load((PROJECT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    named = set(re.findall(r"[\w-]+\.md", str(navigation)))
    assert named == {page.name for page in PAGES if page.name != "README.md"}
    for name in named:
        folder = "" if name == "index.md" else name.removesuffix(".md")
        assert (site / folder / "index.html").is_file(), name


def test_pages_ask_no_other_host(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        for address in read(page).asked:
            parts = urlsplit(address)
            assert parts.scheme in {"", "data"}, f"{page.relative_to(site)}: {address}"
            assert not parts.netloc, f"{page.relative_to(site)}: {address}"


def test_styles_ask_no_other_host(site):
    sheets = list(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        for address in re.findall(r"@import\s+['\"]?([^'\";]+)|url\(\s*['\"]?([^'\")]+)", text):
            assert not urlsplit("".join(address)).netloc, f"{sheet.name}: {address}"


def test_links_within_the_site_lead_somewhere(site):
    for page in site.rglob("*.html"):
        for link in read(page).links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not parts.path or page.name == "404.html":
                continue
            target = (page.parent / parts.path).resolve()
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{page.relative_to(site)}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_are_written_as_they_should_be(page):
    """Internal ones lead to files of the project; external ones are looked at, not followed."""
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    for link in ("".join(found) for found in _MARKDOWN_LINK.findall(text)):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme in {"https", "http"}, link
            assert parts.hostname == "127.0.0.1" or "." in (parts.hostname or ""), link
        elif parts.path:
            target = (page.parent / parts.path).resolve()
            assert target.is_file(), f"{page.name}: {link}"
            assert page.name == "README.md" or target.is_relative_to(PROJECT / "docs"), f"{page.name}: {link}"


def test_a_broken_link_and_a_broken_anchor_fail_the_build(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text("site_name: x\n")
    for number, target in enumerate(("index.md", "nowhere.md", "index.md#nowhere")):
        (tmp_path / "docs" / "index.md").write_text(f"# X\n\n[x]({target})\n")
        assert (_build(tmp_path).returncode == 0) is (number == 0), target
