"""Train plain NumPy neural networks with a genetic algorithm."""

import lazy_loader

__version__ = "0.2.0"

# A name is imported when it is first used (all of them together take seconds); `__init__.pyi` is
# the list of them.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
