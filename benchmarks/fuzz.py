"""Hostile files for every loader: ``python -m benchmarks.fuzz [--seconds N] [--loader NAME]``.

Valid files of every kind are the seeds. atheris (the extra ``fuzz``) changes them and keeps what
reaches new code; where it is not installed, they are changed at random, and the table says so. The
package's own archives are changed in their header and arrays as well, and sealed again: what is
behind the seal would not be reached otherwise. Any exception but ValueError is a finding; so are a
crash, 2 GiB of memory, and 30 seconds for one file.
"""

import argparse
import io
import random
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from traceback import extract_tb
from typing import Any, NamedTuple

try:
    import atheris
except ImportError:  # there is no wheel for some versions of Python
    atheris = None

WATCHED = ["ga_ann", "csv", "json", "numpy.lib", "pickle", "PIL", "zipfile"]
is_worker = atheris is not None and "--worker" in sys.argv
with atheris.instrument_imports(include=WATCHED) if is_worker else nullcontext():
    import json
    import pickle
    import zipfile

    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_iris

    import ga_ann
    from ga_ann import datasets
    from ga_ann.storage import archive, info, model
    from ga_ann.storage.checkpoint import load_checkpoint
    from ga_ann.storage.files import read_npz

LONGEST = 60_000  # bytes of a file
LIMITS = ["-rss_limit_mb=2048", "-timeout=30", f"-max_len={LONGEST}"]

X, Y = load_iris(return_X_y=True)
RUN = {
    "hidden_layer_sizes": (3,),
    "n_generations": 3,
    "population_size": 8,
    "n_parents": 2,
    "batch_size": 32,
    "selection": "sus",  # PyGAD's, so that its generators are in the file
    "random_state": np.random.Generator(np.random.MT19937(0)),
    "n_jobs": 1,
}
HOSTILE: list[Any] = [
    None, True, -1, 0, 1, 2**31, 2**63, 2**64, 10**400, 1e308, float("nan"), float("-inf"), "",
    "\0", "softmax", "MT19937", [], {}, [[]], [10**9, 10**9], [0], "x" * 10**4,
]  # fmt: skip
DTYPES = ["f8", "f4", "f2", "i1", "u8", "?", "U3", "S2", "c8", "M8[s]", "V8", "f8,i4"]


# ---------------------------------------------------------------- seeds: valid files


def _history() -> ga_ann.History:
    history = ga_ann.History(label="GA", settings={"sigma": 0.3, "sizes": [3, 4]})
    for k in range(3):
        history.append(generation=k, best_fitness=k / 7, evaluations=k, seconds=0.1 * k)
    return history


def _archives(folder: Path) -> Iterator[Path]:
    network = [np.eye(2, dtype=np.float32), np.zeros(2, dtype=np.float32)]
    fruits = np.array(["apple", "mango"])
    columns, extraction = np.array([True, False, True]), {"bins": 3, "hue_range": [0.0, 1.0]}
    some = model.Model(network, "relu", "softmax", fruits, columns, extraction, {"sigma": 0.3})
    model.save_model(folder / "model", some, _history())
    model.save_history(folder / "history", _history())
    yield folder / "model"
    yield folder / "history"
    callbacks = [ga_ann.Checkpoint(folder / "checkpoint")]
    ga_ann.evolve(X, Y, callbacks=callbacks, **RUN)
    yield folder / "checkpoint"


def _arrays(folder: Path) -> Iterator[Path]:
    for k, array in enumerate([X[:9], Y[:9], np.array(["a", "bc"]), X[:9].astype(">f4").T]):
        np.save(folder / f"{k}.npy", array)
        yield folder / f"{k}.npy"


def _npz(folder: Path) -> Iterator[Path]:
    for k, save in enumerate([np.savez, np.savez_compressed]):
        save(folder / f"{k}.npz", X=X[:9], y=Y[:9].astype(str))
        yield folder / f"{k}.npz"


def _tables(folder: Path) -> Iterator[Path]:
    (folder / "fig").mkdir()
    Image.new("RGB", (9, 9), "red").save(folder / "fig" / "r_0.png")
    datasets.save_table(folder / "table.npz", datasets.extract_features(folder, bins=9))
    yield folder / "table.npz"


def _pickles(folder: Path) -> Iterator[Path]:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for k, array in enumerate([X[:9], np.array(["a", "bc"])]):
            path = folder / f"{protocol}{k}.pkl"
            path.write_bytes(pickle.dumps(array, protocol))
            yield path


def _csv(folder: Path) -> Iterator[Path]:
    texts = [
        "1,2,0\n3,4,1\n",
        'a,b,class\n1,2,"pe""ar"\n\n3,-4e1, fig \n',
        "\ufeff1;2\r\n3,nan,01\r",
    ]
    for k, text in enumerate(texts):
        (folder / f"{k}.csv").write_text(text, encoding="utf-8")
        yield folder / f"{k}.csv"


def _pictures(folder: Path) -> Iterator[Path]:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8))
    for kind in datasets.FORMATS:
        picture.save(folder / kind, format=kind)
        yield folder / kind
    picture.convert("P").save(folder / "palette", format="PNG", transparency=bytes(range(200)))
    yield folder / "palette"


# ---------------------------------------------------------------- loaders


def _resume(path: Path) -> object:
    return ga_ann.evolve(X, Y, start=path, **RUN | {"n_generations": 5})


def _features_or_labels(path: Path) -> object:
    try:
        return datasets.load_unlabelled(path)
    except ValueError:
        features = path.with_name("features.npy")
        np.save(features, X[:2])
        return datasets.load_features(features, path)


class Loader(NamedTuple):
    """What reads a file, the ending that it expects, its seeds, and whether they are sealed."""

    read: Callable[[Path], object]
    suffix: str
    seeds: Callable[[Path], Iterator[Path]]
    sealed: bool = False


LOADERS = {
    "load_model": Loader(model.load_model, ".npz", _archives, True),
    "load_history": Loader(model.load_history, ".npz", _archives, True),
    "load_checkpoint": Loader(load_checkpoint, ".npz", _archives, True),
    "describe_file": Loader(info.describe_file, ".npz", _archives, True),
    "evolve(start=)": Loader(_resume, ".npz", _archives, True),
    "load_table": Loader(datasets.load_table, ".npz", _tables),
    "load_features npz": Loader(datasets.load_features, ".npz", _npz),
    "load_features npy": Loader(_features_or_labels, ".npy", _arrays),
    "load_features pkl": Loader(_features_or_labels, ".pkl", _pickles),
    "load_features csv": Loader(datasets.load_features, ".csv", _csv),
    "load_unlabelled npz": Loader(datasets.load_unlabelled, ".npz", _npz),
    "load_unlabelled csv": Loader(
        lambda p: datasets.load_unlabelled(p, n_features=3), ".csv", _csv
    ),
    "HueHistogram": Loader(lambda p: ga_ann.HueHistogram(bins=5).transform([p]), ".png", _pictures),
}


# ---------------------------------------------------------------- changes


def change_bytes(data: bytes, rng: random.Random) -> bytes:
    """Change, remove, repeat or insert a few bytes."""
    content = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8])):
        start = rng.randrange(len(content) + 1)
        stop = start + rng.choice([1, 1, 2, 4, 8, 64])
        piece = rng.choice([b"", rng.randbytes(stop - start), content[start:stop] * 2, b"\xff" * 4])
        content[start:stop] = piece
    return bytes(content[:LONGEST])


def change_archive(content: bytes, rng: random.Random, folder: Path) -> bytes:
    """Change an entry of the header or an array, and seal the archive again."""
    path = folder / "before"
    path.write_bytes(content)
    try:
        arrays = read_npz(path)
        header = json.loads(arrays.pop(archive.HEADER).tobytes())
    except Exception:  # it was changed beyond repair before
        return seal(content)
    if rng.random() < 0.6:
        header = change_json(header, rng)
    else:
        name = rng.choice(sorted(arrays))
        arrays[name] = change_array(arrays[name], rng)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, array in (arrays | {archive.HEADER: json.dumps(header).encode()}).items():
            values = np.frombuffer(array, np.uint8) if isinstance(array, bytes) else array
            with file.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, values)
        file.comment = bytes(archive.SEAL_LENGTH)
    return seal(stream.getvalue())


def change_json(value: Any, rng: random.Random) -> Any:
    """Replace or remove something at a random place in it."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        return rng.choice(HOSTILE)
    value = value.copy()
    key = rng.choice(sorted(value)) if isinstance(value, dict) else rng.randrange(len(value))
    if rng.random() < 0.1:
        del value[key]
    else:
        value[key] = change_json(value[key], rng)
    return value


def change_array(array: np.ndarray, rng: random.Random) -> np.ndarray:
    """Give it another type, shape or value."""
    how = rng.randrange(4)
    if how == 0:
        return np.zeros(array.shape, dtype=rng.choice(DTYPES))
    if how == 1:
        return np.resize(array, [rng.choice([0, 1, 2, 7]) for _ in range(rng.randrange(4))])
    array = array.copy()
    if array.size and array.dtype.kind == "f":
        array.flat[rng.randrange(array.size)] = rng.choice([np.nan, np.inf, -1, 1e30, 0])
    return array[:-1] if how == 2 and array.ndim else array


def seal(content: bytes) -> bytes:
    """Put the right checksum at the end."""
    stream = io.BytesIO(content.ljust(archive.SEAL_LENGTH, b"\0"))
    archive.seal(stream)
    return stream.getvalue()


# ---------------------------------------------------------------- one loader, in its own process


class Target:
    """Writes an input to a file, has it read, and tells each kind of finding once."""

    def __init__(self, loader: Loader, folder: Path) -> None:
        self.loader, self.folder = loader, folder
        self.path = folder / f"input{loader.suffix}"
        self.seen: set[str] = set()

    def __call__(self, data: bytes) -> None:
        """Have it read; anything but ValueError is a finding."""
        self.path.write_bytes(data)
        try:
            self.loader.read(self.path)
        except Exception as error:
            if type(error) is ValueError:
                return
            place = extract_tb(error.__traceback__)[-1]
            finding = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            if finding not in self.seen:
                self.seen.add(finding)
                kept = self.folder.parent / f"finding{len(self.seen)}{self.loader.suffix}"
                kept.write_bytes(data)
                print(f"FINDING {finding}: {str(error)[:200]} ({kept})", flush=True)

    def change(self, data: bytes, largest: int, seed: int) -> bytes:
        """Change an input, as libFuzzer asks for it."""
        rng = random.Random(seed)
        if self.loader.sealed and rng.random() < 0.7:
            changed = change_archive(data, rng, self.folder)
        elif atheris is None:
            changed = change_bytes(data, rng)
        else:
            changed = atheris.Mutate(data, largest)
        if self.loader.sealed and rng.random() < 0.7:
            changed = seal(changed)
        return changed[:largest]


def work(name: str, seconds: float, folder: Path) -> None:
    """Feed one loader, and print how many inputs it took."""
    loader = LOADERS[name]
    (folder / "seeds").mkdir()
    (folder / "corpus").mkdir()
    (folder / "input").mkdir()
    target = Target(loader, folder / "input")
    seeds = [path.read_bytes() for path in loader.seeds(folder / "seeds")]
    for k, content in enumerate(seeds):
        (folder / "corpus" / str(k)).write_bytes(content)
    if atheris is not None:
        arguments = [f"-max_total_time={seconds:.0f}", *LIMITS, f"-artifact_prefix={folder}/"]
        atheris.Setup(
            [name, *arguments, str(folder / "corpus")], target, custom_mutator=target.change
        )
        atheris.Fuzz()  # ends the process
    rng, stop, count = random.Random(0), perf_counter() + seconds, 0
    while perf_counter() < stop:
        target(target.change(rng.choice(seeds), LONGEST, rng.getrandbits(32)))
        count += 1
    print(f"Done {count} runs in {seconds:.0f} second(s)")


# ---------------------------------------------------------------- all loaders


def measure(names: list[str], seconds: float, keep: Path) -> list[dict[str, Any]]:
    """Feed each loader in a process of its own; return a row each."""
    rows = []
    for name in names:
        folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=keep))
        command = [sys.executable, "-m", "benchmarks.fuzz", "--worker", str(folder)]
        command += ["--loader", name, "--seconds", str(seconds)]
        start = perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        output = done.stdout + done.stderr
        findings = re.findall("^FINDING .*", output, re.MULTILINE)
        if done.returncode:
            findings.append(f"CRASH, code {done.returncode}: {output[-2000:]}")
        print("".join(f"{name}: {finding}\n" for finding in findings), end="", flush=True)
        counts = re.findall(r"Done (\d+) runs|^#(\d+)\t", output, re.MULTILINE)
        rows.append(
            {
                "loader": name,
                "engine": "random" if atheris is None else "atheris",
                "inputs": max((int(a or b) for a, b in counts), default=0),
                "seconds": round(perf_counter() - start),
                "findings": len(findings),
            }
        )
    return rows


def main() -> None:
    """Feed the loaders and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each loader")
    parser.add_argument("--loader", choices=LOADERS, action="append", help="this one alone")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.loader or list(LOADERS)
    if options.worker is not None:
        warnings.simplefilter("ignore")
        work(names[0], options.seconds, options.worker)
        return
    from benchmarks.__main__ import as_table

    keep = Path(tempfile.mkdtemp(prefix="ga-ann-fuzz-"))
    rows = measure(names, options.seconds, keep)
    print(as_table(rows))
    if any(row["findings"] for row in rows):
        sys.exit(f"what was found is in {keep}")


if __name__ == "__main__":
    main()
