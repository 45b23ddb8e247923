"""Devices that the tests compute on: a strict library, NumPy, and PyTorch's CPU if it is there."""

from importlib.util import find_spec

import array_api_strict
import numpy as np
import pytest

from ga_ann.evolution.device import Device, find_device

STRICT = Device(array_api_strict, "cpu", array_api_strict.Device("CPU_DEVICE"))
"""Refuses whatever the array API standard does not have."""

HAS_TORCH = find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed")

DEVICES = {"strict": STRICT, "numpy": Device(np, "cpu", "cpu")}
if HAS_TORCH:
    DEVICES["torch"] = find_device("cpu")

each_device = pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES.keys())
