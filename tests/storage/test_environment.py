import platform

import numpy as np
import sklearn

import ga_ann
from ga_ann.storage.environment import package_versions


def test_versions_are_those_of_what_runs():
    assert package_versions("ga-ann", "numpy", "scikit-learn") == {
        "python": platform.python_version(),
        "ga-ann": ga_ann.__version__,
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
    }


def test_a_package_that_is_not_there_is_said_to_be_so():
    assert package_versions("no-such-package")["no-such-package"] == "not installed"
