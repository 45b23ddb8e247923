"""Your own pictures
=================

A folder with one sub-folder a class.

Usage: ``python 05_own_pictures.py [FOLDER]``

Without a folder, it draws one with red, green and blue discs.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from sklearn.model_selection import train_test_split

from ga_ann import evolve, extract_features, plot_confusion


def draw_discs(folder: Path) -> None:
    """Draw 30 discs of slightly varying hue a class."""
    rng = np.random.default_rng(0)
    for name, hue in {"red": 0, "green": 85, "blue": 170}.items():
        (folder / name).mkdir()
        for k in range(30):
            picture = Image.new("HSV", (64, 64), (30, 20, 230))
            colour = (int(hue + rng.integers(0, 20)), 220, int(rng.integers(120, 250)))
            ImageDraw.Draw(picture).ellipse((8, 8, 56, 56), fill=colour)
            picture.convert("RGB").save(folder / name / f"{k}.png")


# %%
# Pictures become a table, and the table a network.
def train(folder: Path) -> None:
    """Extract hue histograms, train on three quarters, test on the rest."""
    # Few, fixed bins: with few pictures, 360 bins would leave most of them empty.
    table = extract_features(folder, bins=12, hue_range=(0, 1))
    X_train, X_test, y_train, y_test = train_test_split(
        table.data, table.target, stratify=table.target, random_state=0
    )
    result = evolve(X_train, y_train, hidden_layer_sizes=(20,), max_time=5, random_state=0)
    print(f"{len(table.data)} pictures of {', '.join(table.target_names)}")
    predicted = result.predict(X_test)
    print(f"held-out accuracy: {np.mean(predicted == y_test):.1%}")
    axes = plot_confusion(table.target_names[y_test], table.target_names[predicted])
    axes.figure.savefig("confusion.png")


# %%
# The folder that was named, or one that is drawn.
if len(sys.argv) > 1:
    train(Path(sys.argv[1]))
else:
    with tempfile.TemporaryDirectory() as temporary:
        draw_discs(Path(temporary))
        train(Path(temporary))
