"""The documentation site: what builds it, and what its build insists on."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import ga_ann

DOCS = Path(__file__).parent
EXAMPLES = DOCS / "generated" / "examples"

project = "ga_ann"
copyright = "the developers of ga_ann"
release = version = ga_ann.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    "sphinx_copybutton",
    "myst_parser",
]
exclude_patterns = ["_build", "_templates", "tutorial", "gallery.rst", "generated/examples"]
templates_path = ["_templates"]
smartquotes = False  # quotes stay those that one types

# -- references: roles that are written out must resolve; a `name` is a link where it can be ------

nitpicky = True
default_role = "py:obj"
nitpick_ignore_regex = [("py:obj", ".*")]
linkcheck_anchors = False
linkcheck_timeout = 20

# -- API reference --------------------------------------------------------------------------------

autodoc_default_options = {"members": True, "inherited-members": True}
autodoc_typehints = "none"  # the docstrings name the types
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_validation_checks = {
    "all",
    *("ES01", "EX01", "SA01", "YD01"),  # not every docstring is long
    *("GL01", "GL02", "SS06"),  # summaries begin beside the quotes, and may take two lines
    *("RT01", "RT02", "RT03", "RT04"),  # "Return the ...": where one thing is returned
    *("PR01", "PR04"),  # hooks and predictors are as their base says; "As in `fit`."
}
numpydoc_validation_exclude = {"__init__", r"GeneticMLP\w+$"}  # parameters in several lines

# -- examples and tutorial, which the build runs --------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": [str(EXAMPLES), "tutorial"],
    "gallery_dirs": ["auto_examples", "auto_tutorial"],
    "filename_pattern": r"/(plot_|\d\d_)",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("ga_ann",),
    "reference_url": {"ga_ann": None},
    "image_srcset": ["2x"],
    "matplotlib_animations": True,
    "show_signature": False,
    "write_computation_times": False,
    "download_all_examples": False,
}
plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 150)]
plot_rcparams = {"savefig.bbox": "tight"}

# -- appearance -----------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "ga_ann"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "ga_ann"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
}
html_sidebars: dict[str, list[str]] = {
    page: []
    for page in (
        *("index", "install", "first_run", "generated/command_line"),
        *("performance", "comparison", "changelog"),
    )
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# -- what Sphinx has no setting for ---------------------------------------------------------------


def copy_examples() -> None:
    """Let the build run copies of the examples, which write files beside themselves."""
    shutil.rmtree(EXAMPLES, ignore_errors=True)
    shutil.copytree(DOCS.parent / "examples", EXAMPLES, ignore=shutil.ignore_patterns("[!0-9]*"))
    shutil.copy(DOCS / "gallery.rst", EXAMPLES / "GALLERY_HEADER.rst")


def write_command_line_reference() -> None:
    """Have typer write down what the commands take."""
    arguments = ["--name", "ga-ann", "--title", "The command line"]
    page = EXAMPLES.with_name("command_line.md")
    program = [sys.executable, "-m", "typer", "ga_ann.cli", "utils", "docs"]
    subprocess.run([*program, *arguments, "--output", page], check=True, stdout=subprocess.DEVNULL)


def leave_out_foreign(_app: Any, _what: str, _name: str, member: Any, *_: Any) -> bool | None:
    """Show what the package defines, not what scikit-learn's and PyGAD's classes hand down."""
    module = getattr(getattr(member, "fget", member), "__module__", None)
    return None if module is None or module.startswith("ga_ann") else True


def setup(app: Sphinx) -> None:
    """Connect what is above."""
    app.connect("autodoc-skip-member", leave_out_foreign)


copy_examples()
write_command_line_reference()
