"""The versions that a result depends on, as files and reports tell them."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from ga_ann import __version__

__all__ = ["package_versions"]


def package_versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python and of packages, by name.

    Parameters
    ----------
    *packages : str
        Names as pip has them, such as ``"scikit-learn"``.

    Returns
    -------
    dict of str to str
        ``"python"`` first; ``"not installed"`` where that is so.

    Examples
    --------
    >>> list(package_versions("ga-ann", "numpy"))
    ['python', 'ga-ann', 'numpy']
    """
    return {"python": platform.python_version()} | {name: _version(name) for name in packages}


def _version(package: str) -> str:
    if package == "ga-ann":
        return __version__  # a checkout need not be installed
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
