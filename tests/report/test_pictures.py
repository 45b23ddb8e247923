import base64
import io

import pytest
from PIL import Image

from ga_ann.report.pictures import SIDE, Album


def test_a_thumbnail_is_the_picture_in_small(pictures):
    head, data = Album(pictures).find("apple/0.png").split(",")
    assert head == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert image.size == (SIDE, SIDE * 2 // 3)
        red, green, blue = image.getpixel((5, 5))
    assert red > 240
    assert max(green, blue) < 15


def test_what_is_no_picture_in_the_folder_has_no_thumbnail(pictures):
    album = Album(pictures)
    secret = pictures.parent / "secret.png"
    (pictures / "link.png").symlink_to(secret)
    for name in ("../secret.png", str(secret), "link.png", "apple", "none.png", "broken.png", "\0"):
        assert album.find(name) is None
    assert album.find("apple/../apple/0.png") is not None


def test_an_album_needs_a_folder(pictures):
    for path in (pictures / "none", pictures / "broken.png"):
        with pytest.raises(NotADirectoryError, match="must be a folder of them"):
            Album(path)
