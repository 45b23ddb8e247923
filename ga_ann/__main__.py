"""``python -m ga_ann`` is ``ga-ann``."""

from ga_ann.cli import main

if __name__ == "__main__":
    main()
