"""The notebook of the documentation, run, and as a page: ``python docs/tools/notebook.py`` rewrites both.

The site shows Markdown only, so ``docs/researcher.md`` is made of ``docs/researcher.ipynb``: its text, its code, and
what the code showed. A test runs the notebook and fails where it shows something else, or where the page is stale.
"""

import base64
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

DOCS = Path(__file__).parents[1]
NOTEBOOK, PAGE = DOCS / "researcher.ipynb", DOCS / "researcher.md"
NOTE = "<!-- Made from researcher.ipynb by `python docs/tools/notebook.py`; do not edit. -->"
MARK = "<!-- notebook -->"
"""In front of code that is run with the notebook, not by itself."""

SHOWN = ("text/html", "image/png", "text/plain")
"""Which of the forms of an output is kept, the first that there is."""

_SECONDS = 300


def read() -> nbformat.NotebookNode:
    """Return the notebook as it is stored."""
    return nbformat.read(NOTEBOOK, as_version=4)


def run(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """Run all cells in a folder and return the notebook with what they show."""
    made = NotebookClient(notebook, timeout=_SECONDS, resources={"metadata": {"path": str(folder)}}).execute()
    made.metadata = {"language_info": {"name": "python"}}
    for cell in made.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = list(_joined(_kept(output) for output in cell.outputs))
    return made


def _joined(outputs: Iterable[Any]) -> Iterator[Any]:
    """Join what was printed: it comes in as many parts as it happens to."""
    for printed, group in groupby(outputs, lambda output: output.output_type == "stream"):
        if printed:
            yield nbformat.v4.new_output("stream", name="stdout", text="".join(output.text for output in group))
        else:
            yield from group


def _kept(output: Any) -> Any:
    """Return an output in one form, without what differs from run to run."""
    if output.output_type == "stream":
        return output
    if output.output_type == "error":
        raise ValueError("\n".join(output.traceback))
    form = next(form for form in SHOWN if form in output.data)
    return nbformat.v4.new_output("display_data", data={form: output.data[form]})


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what cells print or show as text, which is the same in every run; pictures differ by their encoders."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [text for text in map(_text, outputs) if text is not None]


def _text(output: Any) -> str | None:
    text = output.text if output.output_type == "stream" else output.data.get("text/plain")
    return None if text is None else str(text).rstrip()


def page(notebook: nbformat.NotebookNode) -> str:
    """Return the notebook as Markdown."""
    parts: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        else:
            parts += [f"{MARK}\n```python\n{cell.source}\n```", *map(_shown, cell.outputs)]
    title, *rest = parts
    return "\n\n".join([title, NOTE, *rest]) + "\n"


def _shown(output: Any) -> str:
    text = _text(output)
    if text is not None:
        return f"```text\n{text}\n```"
    if "text/html" in output.data:
        # In one line: a blank one would end the HTML.
        return "".join(_lines(output.data["text/html"]))
    picture = base64.b64encode(base64.b64decode(output.data["image/png"])).decode()
    return f'<img src="data:image/png;base64,{picture}" alt="">'


def _lines(html: str) -> Iterator[str]:
    inside_style = False
    for line in map(str.strip, html.splitlines()):
        inside_style |= line.startswith("<style")
        if not inside_style:
            yield line
        inside_style &= not line.endswith("</style>")


def main() -> None:
    """Run the notebook and rewrite it and its page."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        made = run(read(), Path(folder))
    nbformat.write(made, NOTEBOOK)
    PAGE.write_text(page(made), encoding="utf-8")


if __name__ == "__main__":
    main()
