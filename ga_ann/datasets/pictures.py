"""Pictures: folders of them, and reading one with suspicion."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ga_ann.storage import named_errors

__all__ = ["FORMATS", "list_flat", "list_pictures", "read_picture", "to_rgb"]

PathLike = str | os.PathLike[str]

FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "TGA", "TIFF", "WEBP")
"""Pillow's formats that are read. Some of its others run programs (EPS starts Ghostscript)."""


def list_pictures(
    folder: PathLike, *, classes: Sequence[str] | None = None
) -> tuple[list[Path], NDArray[np.int64], list[str]]:
    """Find the pictures in a folder that has one sub-folder a class.

    Parameters
    ----------
    folder : path
        The folder. Files are pictures if their extension is one of `FORMATS`, such as ``.jpg``,
        ``.png``, ``.tif`` or ``.webp``. Hidden files and links that lead out of the folder are left
        aside.
    classes : sequence of str, optional
        Names of the sub-folders to take, in the order of the labels; None for all of them in
        alphabetical order.

    Returns
    -------
    paths : list of pathlib.Path
        Class after class; within a class in the order of their names, numbers by their value.
    labels : ndarray of int64, of shape (n_pictures,)
        Index into `class_names`.
    class_names : list of str

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `folder` does not exist, or is not a folder.
    ValueError
        If there is no sub-folder, a sub-folder without a picture, or `classes` names one that is
        not there, or the same one twice.
    """
    root = Path(folder)
    if not root.exists():
        raise FileNotFoundError(f"{root} does not exist; expected a folder of pictures.")
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is not a folder; expected a folder of pictures.")
    paths: list[Path] = []
    labels: list[int] = []
    class_names = _class_folders(root, classes)
    for label, name in enumerate(class_names):
        pictures = _pictures_of(root, root / name)
        if not pictures:
            raise ValueError(
                f"{root / name} holds no picture; remove it, or name the classes to use. (Files "
                "without a picture's extension and links that lead out of the folder do not "
                "count.)"
            )
        paths += pictures
        labels += [label] * len(pictures)
    return paths, np.array(labels, dtype=np.int64), class_names


def list_flat(folder: PathLike) -> list[Path]:
    """Find the pictures that lie in a folder itself, whatever their class.

    Parameters
    ----------
    folder : path
        The folder; what counts as a picture is said in `list_pictures`.

    Returns
    -------
    list of pathlib.Path
        In the order of their names, numbers by their value.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it holds no picture.
    """
    root = Path(folder)
    pictures = _pictures_of(root, root)
    if not pictures:
        raise ValueError(f"{root} holds no picture.")
    return pictures


def _class_folders(root: Path, classes: Sequence[str] | None) -> list[str]:
    present = sorted(path.name for path in root.iterdir() if path.is_dir() and _is_own(path, root))
    if not present:
        raise ValueError(f"{root} has no sub-folders; expected one sub-folder of pictures a class.")
    if classes is None:
        return present
    if isinstance(classes, str) or not classes or len(set(classes)) != len(classes):
        raise ValueError(f"classes must be a list of different names, got {classes!r}.")
    if missing := [name for name in classes if name not in present]:
        raise ValueError(
            f"classes must be among the sub-folders of {root}, {present}; got {missing}."
        )
    return list(classes)


def _pictures_of(root: Path, folder: Path) -> list[Path]:
    Image.init()
    extensions = {e for e, kind in Image.registered_extensions().items() if kind in FORMATS}
    pictures = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in extensions and path.is_file() and _is_own(path, root)
    ]
    return sorted(pictures, key=lambda path: _natural(path.name))


def _is_own(path: Path, root: Path) -> bool:
    """Whether a path is neither hidden nor a link that leads out of the folder."""
    return not path.name.startswith(".") and path.resolve().is_relative_to(root.resolve())


def _natural(name: str) -> tuple[list[str | int], str]:
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if k % 2 else part for k, part in enumerate(parts)], name


def read_picture(path: PathLike) -> NDArray[np.uint8]:
    """Return the pixels of a file as RGB, of shape (height, width, 3).

    Raises
    ------
    OSError
        If the file is not there, or must not be read.
    ValueError
        If it is no picture of `FORMATS`, or is damaged or huge; the message names it.
    """
    with named_errors(path, "a picture"), warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(Path(path), formats=FORMATS) as image:
            return to_rgb(image)


def to_rgb(image: Image.Image | NDArray[Any]) -> NDArray[np.uint8]:
    """Return the pixels of a picture as RGB, without its transparency.

    Raises
    ------
    ValueError
        If it has no pixel, or is an array of another shape or dtype.
    """
    if isinstance(image, Image.Image):
        if image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")  # straight to RGB, Pillow warns
        pixels = np.asarray(image.convert("RGB"))
    else:
        pixels = np.asarray(image)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise ValueError(
                "a picture must be an array of uint8 of shape (height, width, 3), "
                f"got shape {pixels.shape} of {pixels.dtype}."
            )
    if pixels.size == 0:
        raise ValueError(f"a picture must have pixels, got shape {pixels.shape}.")
    return pixels
