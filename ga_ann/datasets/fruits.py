"""The shipped table: hue histograms of 1,962 Fruits-360 pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from ga_ann.datasets.feature_table import load_table
from ga_ann.datasets.selection import select_by_std

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_fruits360", "shipped_table"]

Array = NDArray[Any]

_SHIPPED_TABLE = "fruits360_hue_histograms.npz"


def load_fruits360(
    *,
    min_std: float | None = None,
    n_features: int | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """Load the hue histograms of 1,962 Fruits-360 pictures: apple, raspberry, mango, lemon.

    Parameters
    ----------
    min_std : float, optional
        Keep the columns whose standard deviation over all samples is greater: 50, the tutorial's
        rule, keeps 109 of the 360. To keep the test data out of the choice, use `select_by_std` on
        the training part instead.
    n_features : int, optional
        Keep this many columns, those of largest standard deviation, in their old order: 102 gives
        the tutorial's network. Not together with `min_std`.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` rather than everything.
    as_frame : bool, default=False
        Whether `data` is a pandas DataFrame and `target` a Series.

    Returns
    -------
    sklearn.utils.Bunch, or (data, target)
        With

        ``data``
            float64, of shape (1962, 360) or fewer columns.
        ``target``
            int64, of shape (1962,): index into ``target_names``.
        ``frame``
            DataFrame of both with `as_frame`, else None.
        ``target_names``, ``feature_names``, ``picture_names``
            What labels, columns and rows stand for.
        ``groups``
            1 where the fruit turns about the other axis, else 0: train on one, test on the other.
        ``DESCR``, ``filename``
            Source and licence (CC BY-SA 4.0); the file.

    Raises
    ------
    ImportError
        If `as_frame` is asked for without pandas.
    TypeError, ValueError
        If `min_std` or `n_features` is out of its range, or both are given.

    Examples
    --------
    >>> X, y = load_fruits360(return_X_y=True, n_features=102)
    >>> X.shape, y.shape
    ((1962, 102), (1962,))
    >>> fruits = load_fruits360(min_std=50)
    >>> fruits.data.shape, fruits.target_names.tolist()
    ((1962, 109), ['apple', 'raspberry', 'mango', 'lemon'])
    """
    filename = shipped_table()
    table = load_table(filename)
    keep = select_by_std(table.data, min_std=min_std, n_features=n_features)
    data: Any = table.data[:, keep].astype(np.float64)
    feature_names = [name for name, kept in zip(table.feature_names, keep, strict=True) if kept]
    target: Any = table.target
    frame = None
    if as_frame:
        frame = _as_frame(data, target, feature_names)
        data, target = frame[feature_names], frame["target"]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        target_names=table.target_names,
        feature_names=feature_names,
        groups=table.groups,
        picture_names=table.picture_names,
        DESCR=filename.with_name("README.md").read_text(encoding="utf-8"),
        filename=str(filename),
    )


def shipped_table() -> Path:
    """Return the file that `load_fruits360` reads.

    Raises
    ------
    FileNotFoundError
        If it is missing.
    """
    package = Path(__file__).parents[1]
    for home in (package, package.parent):  # a wheel has it inside, a checkout beside
        if (path := home / "data" / _SHIPPED_TABLE).is_file():
            return path
    raise FileNotFoundError(f"{package / 'data' / _SHIPPED_TABLE} is missing; reinstall ga_ann.")


def _as_frame(data: Array, target: Array, feature_names: list[str]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("load_fruits360 with as_frame=True requires pandas.") from error
    return pd.DataFrame(data, columns=feature_names).assign(target=target)
