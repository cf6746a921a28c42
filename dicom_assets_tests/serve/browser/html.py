"""Pages as tests read them: tags with their attributes, text, and what a browser would object to."""

from html.parser import HTMLParser
from urllib.parse import urlsplit


class Html(HTMLParser):
    """The tags of a page in order, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.source, self.text = html, ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag, **attributes):
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]

    @property
    def links(self):
        return [found["href"] for found in self.all("a") if "href" in found]

    @property
    def violations(self):
        """What the Content-Security-Policy of the pages forbids, and addresses elsewhere."""
        found = []
        for tag, attributes in self.tags:
            found += [(tag, name) for name in attributes if name.startswith("on") or name == "style"]
            if tag == "style" or (tag == "script" and not str(attributes.get("src")).startswith("/static/")):
                found.append((tag, attributes))
            for name in ("src", "href", "action", "formaction"):
                address = urlsplit(attributes.get(name) or "")
                if (address.scheme or address.netloc) and address.netloc != "dagster.example":
                    found.append((tag, attributes[name]))
        return found
