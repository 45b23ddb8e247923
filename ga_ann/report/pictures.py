"""Thumbnails: pictures as the page carries them."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

from PIL import Image

from ga_ann.datasets import read_picture

__all__ = ["Album"]

SIDE = 72
"""Pixels of the longer side of a thumbnail."""

QUALITY = 80


class Album:
    """The pictures of samples that are called by their paths in a folder.

    Parameters
    ----------
    folder : path
        The folder.

    Raises
    ------
    NotADirectoryError
        If there is no such folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise NotADirectoryError(f"pictures must be a folder of them, got {os.fspath(folder)}.")
        self._root = self.folder.resolve()

    def find(self, name: str) -> str | None:
        """Return a sample's picture, small, as a ``data:`` address; None where there is none.

        Nothing outside of the folder is read.
        """
        try:
            path = (self._root / name).resolve()
            if not path.is_relative_to(self._root):
                return None
            picture = Image.fromarray(read_picture(path))
        except (OSError, ValueError):
            return None
        picture.thumbnail((SIDE, SIDE))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=QUALITY)
        return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
