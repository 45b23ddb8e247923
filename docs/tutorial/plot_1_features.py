"""
1. From pictures to numbers
===========================

A network takes numbers, and we have pictures of fruits. This part turns each picture into a list
of 360 numbers, looks at them, and keeps the 102 that tell most.
"""

# %%
# Colour as an angle
# ------------------
#
# A picture stores for each pixel how much red, green and blue it has. For telling a lemon from a
# raspberry there is a better way to say the same: *hue*, *saturation* and *value*. Hue is the
# colour's place on a circle: red at 0, then yellow, green, blue, and back to red at 1. Saturation
# tells how far a colour is from grey, and value how bright it is. A lemon in the shade changes its
# value and keeps its hue, so hue is what we count.
#
# The photographs are not part of the package. To see the steps we draw four balls that are coloured
# like fruits.

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv

from ga_ann import hue_histogram, load_fruits360, select_by_std

rng = np.random.default_rng(0)
y, x = np.mgrid[-1:1:100j, -1:1:100j]
inside = np.hypot(x, y) < 0.85


def draw_fruit(first_hue, last_hue):
    """Return a picture of a ball on white whose hue changes from its left to its right."""
    share = np.clip(0.5 + 0.4 * x + 0.25 * y + rng.normal(0, 0.1, x.shape), 0, 1)
    hue = (first_hue + (last_hue - first_hue) * share) % 1
    value = np.where(inside, 1 - 0.5 * np.hypot(x + 0.3, y + 0.3) ** 2, 1)
    hsv = np.stack([hue, 0.85 * inside, np.clip(value, 0.3, 1)], axis=-1)
    return (255 * hsv_to_rgb(hsv)).astype(np.uint8)


drawings = {
    "apple": draw_fruit(-0.03, 0.11),
    "raspberry": draw_fruit(-0.09, 0.01),
    "mango": draw_fruit(0.04, 0.27),
    "lemon": draw_fruit(0.12, 0.17),
}

# %%
# Counting hues
# -------------
#
# A *histogram* cuts the circle of hues into equal bins and counts the pixels in each.
# `hue_histogram` does it. Below each drawing is its hue, with the brightness taken out, and below
# that its histogram in 72 bins. The white background has no colour; its hue is 0 by convention,
# which is why the first bin is as high as it gets, and cut off here.

figure, axes = plt.subplots(3, 4, figsize=(9, 5.2), height_ratios=(3, 3, 2), layout="constrained")
middles = (np.arange(72) + 0.5) / 72
colours = hsv_to_rgb(np.stack([middles, np.ones(72), np.full(72, 0.9)], axis=-1))
for (name, picture), (above, middle, below) in zip(drawings.items(), axes.T, strict=True):
    hue = rgb_to_hsv(picture / 255)[..., 0]
    pure = hsv_to_rgb(np.stack([hue, 1.0 * inside, np.ones_like(hue)], axis=-1))
    above.imshow(picture)
    middle.imshow(pure)
    below.bar(360 * middles, hue_histogram(picture, bins=72, hue_range=(0, 1)), 5, color=colours)
    above.set_title(name)
    below.set(xlim=(0, 360), ylim=(0, 2500), xticks=(0, 120, 240, 360), xlabel="Hue (°)")
for ax in axes[:2].flat:
    ax.set_axis_off()
axes[2, 0].set_ylabel("Pixels")
plt.show()

# %%
# A histogram forgets where the colours are: a fruit that turns or rolls away keeps its numbers.
# That makes the task easy for a small network. It forgets shape, too. Two fruits of one colour
# would be the same to it.
#
# The table
# ---------
#
# The same was done with 1,962 photographs of the Fruits-360 collection [1]_, in 360 bins, and
# `load_fruits360` loads the result.

fruits = load_fruits360()
X, y = fruits.data, fruits.target
for label, name in enumerate(fruits.target_names):
    print(f"{np.count_nonzero(y == label)} pictures of class {label}, {name}")
print(f"a table of {X.shape[0]} x {X.shape[1]} numbers; each row sums to {X[0].sum():.0f} pixels")

# %%
# One thing is odd in it, and it is kept because the original did so: each picture's bins span *its
# own* range of hues, from its smallest to its largest. Bin 100 is one hue in one picture and
# another hue in the next. So the columns of this table have no colour of their own, and the figures
# below are grey. It works all the same, since pictures of one fruit have much the same range. For
# pictures of your own, give ``hue_range=(0, 1)`` as we did above.
#
# Here is the mean histogram of each fruit. The scale is logarithmic, as the background fills the
# first bin.

figure, axes = plt.subplots(4, 1, figsize=(8, 5), sharex=True, sharey=True, layout="constrained")
for label, ax in enumerate(axes):
    ax.bar(np.arange(360), X[y == label].mean(axis=0), width=1, color="0.35")
    ax.set(yscale="log", ylim=(0.05, 20000), xlim=(-1, 360), yticks=(1, 100, 10000))
    ax.text(350, 2000, fruits.target_names[label], ha="right")
axes[-1].set_xlabel("Bin of each picture's own range of hues")
figure.supylabel("Mean number of pixels")
plt.show()

# %%
# From 360 features to 102
# ------------------------
#
# A column of the table is called a *feature*. A feature that is the same in all pictures tells
# nothing about the fruit. How much it changes is its standard deviation, and `select_by_std` keeps
# the features where that is large. The tutorial that this follows kept those above 50, and got 102
# of them. The rule gives 109 with this table, so that its pictures or its computation must have
# been a little different. To build the very same network we ask for the 102 largest.

std = X.std(axis=0)
kept = select_by_std(X, n_features=102)
print(f"{np.count_nonzero(std > 50)} features have a standard deviation above 50")
print(f"the 102 largest are those above {std[~kept].max():.1f}")

figure, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
ax.bar(np.arange(360)[kept], std[kept], width=1, color="#0072B2", label="102 that are kept")
ax.bar(np.arange(360)[~kept], std[~kept], width=1, color="0.75", label="258 that are not")
ax.axhline(50, color="#D55E00", lw=1, label="50, the rule")
ax.set(xlim=(-1, 360), yscale="log", ylim=(0.5, None), xlabel="Feature")
ax.set_ylabel("Standard deviation (pixels)")
ax.legend(loc="upper center", ncols=3, frameon=False, bbox_to_anchor=(0.5, 1.17))
plt.show()

# %%
# ``load_fruits360(n_features=102)`` does this in one call, and the next part begins with it.
#
# One warning, for later. We chose the features by looking at *all* pictures. When some pictures are
# set aside to test the network, they should have no say in the choice. Part 5 does it right.
#
# .. [1] M. Oltean, Fruits-360 dataset, 2017-, CC BY-SA 4.0; H. Muresan and M. Oltean, Fruit
#    recognition from images using deep learning, Acta Universitatis Sapientiae, Informatica 10,
#    2018, 26-42. The table of histograms is under the same licence.
