"""`save_report`: one file that shows in any browser, without a network."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from ga_ann.comparison import Comparison
from ga_ann.history import HistoryOrOwner
from ga_ann.out_of_core import SamplesLike
from ga_ann.state import State
from ga_ann.storage import check_writable, replacing

if TYPE_CHECKING:
    from ga_ann.report.page import Page

__all__ = ["check_installed", "save_report"]

NEEDED = ("jinja2", "altair", "vl_convert")

TEMPLATES = Path(__file__).with_name("templates")


def check_installed() -> None:
    """Refuse to begin where the extra is not installed.

    Raises
    ------
    ValueError
        If a package is missing.
    """
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise ValueError(f"a report takes {', '.join(missing)}: pip install 'ga-ann[report]'.")


def save_report(
    path: str | os.PathLike[str],
    source: Comparison | HistoryOrOwner | State | str | os.PathLike[str],
    *,
    data: tuple[SamplesLike, ArrayLike] | None = None,
    sample_names: Sequence[str] | None = None,
    pictures: str | os.PathLike[str] | None = None,
    command: str | None = None,
) -> Path:
    """Write a report for the browser: one HTML file, which needs nothing but itself.

    It tells what was run and what came of it: a conclusion in words, tables with intervals, curves
    that can be switched off and looked into, confusion matrices and the samples that were wrong (or
    predictions against what is true and the largest errors, of a regression), and how the weights
    moved, where a `WeightMovement` noted it. The same results give the same bytes. It takes
    ``pip install 'ga-ann[report]'``.

    Parameters
    ----------
    path : path-like
        The file, named exactly so; it is replaced in one step when the new one is complete. Its
        folder must exist.
    source : Comparison, result, estimator, History, State or path-like
        What `compare` or training returned, a fitted estimator, or the file of a model, a
        checkpoint or a history.
    data : (X, y), optional
        Samples and their labels, which the network of a run is tested on; a Comparison has its own.
    sample_names : sequence of str, optional
        What these samples are called; their numbers from 0 by default.
    pictures : path-like, optional
        The folder in which the samples' names are paths of pictures: those that were wrong are
        shown. Nothing outside of it is read.
    command : str, optional
        The command that repeats what is reported; by default the call in Python, as far as the
        settings tell it.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        If `source` is none of the above.
    ValueError
        If there is nothing to report yet, the data do not fit the network, or a package of the
        extra is not installed.
    OSError
        If a file cannot be read or written, or `pictures` is no folder.

    Examples
    --------
    >>> import tempfile
    >>> from ga_ann import compare
    >>> comparison = compare(data="wine", methods=["random", "adam"], seeds=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_report(f"{folder}/wine.html", comparison).stat().st_size < 3_000_000
    True
    """
    check_installed()
    check_writable(path)
    page = _make_page(source, data, sample_names, pictures, command)
    content = render(page).encode()
    with replacing(path) as file:
        file.write(content)
    return Path(path)


def _make_page(
    source: Any,
    data: tuple[SamplesLike, ArrayLike] | None,
    sample_names: Sequence[str] | None,
    pictures: str | os.PathLike[str] | None,
    command: str | None,
) -> Page:
    from ga_ann.report.of_comparison import page_of_comparison
    from ga_ann.report.of_run import find_source, page_of_run
    from ga_ann.report.pictures import Album

    album = None if pictures is None else Album(pictures)
    if not isinstance(source, Comparison):
        return page_of_run(find_source(source), data, sample_names, album, command)
    if data is not None or sample_names is not None:
        raise ValueError("data and sample_names go with a run; a Comparison has its own.")
    if not source.rows:
        raise ValueError("the comparison has no finished run to report.")
    return page_of_comparison(source, album, command)


def render(page: Page) -> str:
    """Return the HTML of a page.

    Names of the user's are text wherever they stand: the template escapes them, the charts' JSON
    too, and the browser runs no script but the two whose hashes the page names.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    bundle = _bundle()
    html: str = environment.get_template("report.html").render(
        page=page,
        css=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        scripts=[bundle, script],
        hashes=[_hash(bundle), _hash(script)],
    )
    return html


@cache
def _bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    import altair
    import vl_convert

    version = ".".join(altair.SCHEMA_VERSION.split(".")[:2])
    converter: Any = vl_convert  # its types ask for a snippet, which it does without
    bundle: str = converter.javascript_bundle(vl_version=version)
    return bundle


def _hash(script: str) -> str:
    """Return a script's hash as a Content-Security-Policy names it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
