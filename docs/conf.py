"""The documentation site: what builds it, and what its build insists on."""

import shutil
import subprocess
import sys
from pathlib import Path

from sphinx.application import Sphinx

import ga_ann

DOCS = Path(__file__).parent
GENERATED = DOCS / "generated"

project = "ga_ann"
author = "the developers of ga_ann"
copyright = author
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
smartquotes = False  # quotes in the text are those that one types

# -- references: explicit roles must resolve; `name` is a link where there is such a name ---------

nitpicky = True
default_role = "py:obj"
nitpick_ignore_regex = [("py:obj", ".*")]
linkcheck_anchors = False
linkcheck_timeout = 20

# -- API reference --------------------------------------------------------------------------------

autosummary_generate = True
autodoc_default_options = {"members": True, "inherited-members": True}
autodoc_typehints = "none"  # the docstrings name the types
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_validation_checks = {
    "all",
    *("ES01", "EX01", "SA01"),  # without extended summary, example, "see also": where all is said
    *("GL01", "GL02"),  # the summary stands on the line of the quotes
    *("SS06", "RT01", "RT02", "RT03", "RT04"),  # "Return the ...": what returns one thing says so there
    *("PR01", "PR04"),  # hooks and predictors are documented by their base; "As in `fit`."
    "YD01",
}
numpydoc_validation_exclude = {"__init__", r"GeneticMLP\w+$"}  # several lines of parameters in one

# -- examples and tutorial, run by the build ------------------------------------------------------

# The examples write files beside themselves, so the build runs copies of them.
shutil.rmtree(GENERATED / "examples", ignore_errors=True)
shutil.copytree(DOCS.parent / "examples", GENERATED / "examples")
shutil.copy(DOCS / "gallery.rst", GENERATED / "examples" / "GALLERY_HEADER.rst")

sphinx_gallery_conf = {
    "examples_dirs": ["generated/examples", "tutorial"],
    "gallery_dirs": ["auto_examples", "auto_tutorial"],
    "filename_pattern": r"/(plot_|\d\d_)",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("ga_ann",),
    "reference_url": {"ga_ann": None},
    "image_srcset": ["2x"],
    "show_signature": False,
    "write_computation_times": False,
    "matplotlib_animations": True,
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
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "install": [], "first_run": [], "performance": [], "comparison": [],
                 "changelog": [], "cli": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def write_command_line_reference() -> None:
    """Have typer write what the commands take."""
    GENERATED.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "typer", "ga_ann.cli", "utils", "docs"]
        + ["--name", "ga-ann", "--title", "The command line"]
        + ["--output", str(GENERATED / "command_line.md")],
        check=True,
        capture_output=True,
    )


def leave_out_foreign_members(_app, _what, _name, member, _skip, _options) -> bool | None:
    """Show what the package defines, and not what scikit-learn's and PyGAD's classes hand down."""
    member = getattr(member, "fget", member)
    module = getattr(member, "__module__", None) or "ga_ann"
    return None if module.startswith("ga_ann") else True


def setup(app: Sphinx) -> None:
    """Connect what Sphinx has no setting for."""
    app.connect("autodoc-skip-member", leave_out_foreign_members)


write_command_line_reference()
