import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def write_pictures():
    def write(folder, classes, size=(8, 6), suffix=".png"):
        for k, (name, files) in enumerate(classes.items()):
            (folder / name).mkdir(parents=True)
            for i, file in enumerate(files):
                rng = np.random.default_rng(100 * k + i)
                pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
                Image.fromarray(pixels).save((folder / name / file).with_suffix(suffix))
        return folder

    return write


@pytest.fixture
def folder(tmp_path, write_pictures):
    classes = {"pear": ["2_a", "10_a", "r_1_a", "ripe"], "fig": ["1", "0"]}
    return write_pictures(tmp_path / "pictures", classes)
