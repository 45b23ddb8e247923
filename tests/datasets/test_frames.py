import io
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

from ga_ann.datasets import frames
from ga_ann.datasets.frames import find_column, read_frame
from ga_ann.datasets.tables import load_features, load_frame, load_unlabelled_frame
from ga_ann.preprocessing import Preprocessing


@pytest.mark.parametrize(
    ("text", "features", "labels"),
    [
        ("1,2,0\n3,4,1\n", [[1, 2], [3, 4]], [0, 1]),
        ("a,b,class\n1,2,pear\n\n3,-4e1, fig \n", [[1, 2], [3, -40]], ["pear", "fig"]),
        ("\ufeff1,0\n", [[1]], [0]),
        ("a,class\r\n1,0.5\r\n2,1\r\n", [[1], [2]], [0.5, 1.0]),
        ('1,"a, b"\n2,c\n', [[1], [2]], ["a, b", "c"]),
        ("0,1,target\n1,2,0\n3,4,1\n", [[1, 2], [3, 4]], [0, 1]),
        ("1,target\n", [[1]], ["target"]),
        ("1,001\n2,1\n", [[1], [2]], ["001", "1"]),
        ("1,9007199254740993\n2,1\n", [[1], [2]], ["9007199254740993", "1"]),
        ("1,2,0\n3,4,1\n,,\n", [[1, 2], [3, 4]], [0, 1]),
    ],
)
def test_csv_is_read(tmp_path, text, features, labels):
    path = tmp_path / "t.CSV"
    path.write_bytes(text.encode())
    loaded, y = load_features(path)
    assert loaded.tolist() == features
    assert y.tolist() == labels
    assert loaded.dtype == np.float64


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no rows"),
        ("a,b,class\n", "no rows"),
        ("1,2,0\n3,1\n", "line 2 must hold 3 cells as line 1 does, got 2"),
        ("1,2,0\n3,1,0,0\n", "line 2 must hold 3 cells as line 1 does, got 4"),
        ("1,2,0\n3,x,1\n", "column 2 holds 'x'"),
        ("1,,0\n", r"row 0 \(counted from 0\) of column 2 is empty"),
        ("1,2,\n", "label must be there in each row, got none in row 0"),
        ("label\n1\n", "must hold features and a label"),
        ("1,nan,0\n", "column 2 is empty"),
        ("1,inf,0\n", "numbers must be finite, got inf"),
        ("1,2,0\n1,2,inf\n", "labels must be finite"),
        ("1,2,0\n1,2,\ud800\n", "text in UTF-8, got the byte 0xed in line 2; save it as"),
        ("a,a,b\n1,2,3\n", "different names, got 'a' twice"),
    ],
)
def test_bad_csv_is_refused(tmp_path, text, reason):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ValueError, match=rf"t\.csv cannot be read.*{reason}"):
        load_features(path)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "class": rng.choice(["no", "yes"], 30),
            "x": rng.normal(size=30),
            "city, land": rng.choice(["Oslo", "Rome"], 30),
            "code": rng.integers(0, 9, 30),
        }
    )


def write(table, path, **options):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".xlsx":
        table.to_excel(path, index=False)
    else:
        table.to_csv(path, index=False, **options)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("t.csv", {}),
        ("t.csv", {"sep": ";"}),
        ("t.csv", {"sep": ";", "decimal": ","}),
        ("t.txt", {"sep": "|"}),
        ("t.csv", {"sep": "\t"}),
        ("t.tsv", {"sep": "\t"}),
        ("t.parquet", {}),
        ("t.xlsx", {}),
    ],
)
def test_every_format_gives_the_same_table(tmp_path, table, name, options):
    path = write(table, tmp_path / name, **options)
    for label, drop in (("class", ["code"]), (1, [4]), ("1", ["4"])):
        X, y, place = load_frame(path, label=label, drop=drop)
        assert place == "class"
        assert X.columns.tolist() == ["x", "city, land"]
        # Excel keeps fewer digits.
        rtol = 1e-14 if path.suffix == ".xlsx" else 0
        np.testing.assert_allclose(X["x"].astype(float), table["x"], rtol)
        assert X["city, land"].tolist() == table["city, land"].tolist()
        assert y.tolist() == table["class"].tolist()
    assert load_frame(path)[1].tolist() == table["code"].tolist()


def test_standard_input_is_a_table(tmp_path, table, monkeypatch):
    content = write(table, tmp_path / "t.csv").read_bytes()

    class Stdin:
        buffer = io.BytesIO(content)

    monkeypatch.setattr("sys.stdin", Stdin)
    pd.testing.assert_frame_equal(load_frame("-")[0], load_frame(tmp_path / "t.csv")[0])


@pytest.mark.parametrize("first", [0, 1])
def test_a_header_of_numbers_is_no_sample(tmp_path, first):
    X = np.random.default_rng(0).normal(size=(9, 4)).round(3)
    frame = pd.DataFrame(X).rename(columns=lambda k: k + first)
    for labels, name in (([0, 1, 2] * 3, 4 + first), (["a", "b", "c"] * 3, "species")):
        frame[name] = labels
        frame.to_csv(tmp_path / "t.csv", index=False)
        X_read, y = load_features(tmp_path / "t.csv")
        np.testing.assert_array_equal(X_read, X)
        assert y.tolist() == labels
        del frame[name]


def test_row_numbers_that_pandas_writes_are_left_out(tmp_path, table):
    table.to_csv(tmp_path / "t.csv")
    assert load_frame(tmp_path / "t.csv", label="class")[0].columns.tolist() == [
        "x",
        "city, land",
        "code",
    ]
    table.set_index("code").to_csv(tmp_path / "t.csv")
    assert "code" in load_frame(tmp_path / "t.csv", label="class")[0].columns


def test_a_column_is_found_by_name_before_its_number():
    assert find_column(["a", "1", "b"], "1") == "1"
    assert find_column(["a", "1", "b"], 1) == "1"
    assert find_column(["a", "2", "b"], "1") == "a"
    assert find_column([0, 1, 2], "1") == 0
    for wanted in ("0", "4", "-1", "c", "1.0"):
        with pytest.raises(ValueError, match=r"no column .* from 1 to 3 or one of the names"):
            find_column(["a", "2", "b"], wanted)


def test_the_label_is_not_dropped_and_something_is_left(tmp_path, table):
    path = write(table, tmp_path / "t.csv")
    with pytest.raises(ValueError, match="'class' is the label"):
        load_frame(path, label="class", drop=["x", "class"])
    with pytest.raises(ValueError, match="must hold features and a label"):
        load_frame(path, label="class", drop=["x", "city, land", "code"])


def test_a_cell_far_away_in_a_sheet_is_refused(tmp_path):
    book = Workbook()
    for row, column in ((1, 1), (2, 2)):
        book.active.cell(row, column, 1)
    book.save(tmp_path / "near.xlsx")
    assert read_frame(tmp_path / "near.xlsx").shape == (2, 2)
    book.active.cell(50_000, 10_000, 1)
    book.save(tmp_path / "far.xlsx")
    with pytest.raises(ValueError, match="too far apart"):
        load_frame(tmp_path / "far.xlsx")


def test_a_sheet_that_unpacks_to_too_much_is_refused(tmp_path, table, monkeypatch):
    path = write(table, tmp_path / "t.xlsx")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2**22))
    load_frame(path)
    monkeypatch.setattr("ga_ann.storage.files.MOST_UNPACKED", 2**20)
    with pytest.raises(ValueError, match=r"t\.xlsx cannot be read.*unpack to"):
        load_frame(path)


def test_a_parquet_file_of_too_many_cells_is_refused(tmp_path, table, monkeypatch):
    pd.DataFrame({"a": np.zeros(10**6), "b": np.ones(10**6)}).to_parquet(tmp_path / "t.parquet")
    load_frame(tmp_path / "t.parquet")
    monkeypatch.setattr(frames, "MOST_RATIO", 1)
    with pytest.raises(ValueError, match="claim 2,000,000 cells"):
        load_frame(tmp_path / "t.parquet")


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_files_that_are_none_are_refused(tmp_path, table, suffix):
    path = write(table, tmp_path / f"t{suffix}")
    whole = path.read_bytes()
    for content in (b"", b"PK\x03\x04", whole[: len(whole) // 2], b"a,b\n1,2\n"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="cannot be read as features and labels"):
            load_frame(path)


def test_without_their_packages_the_extra_is_named(tmp_path, table, monkeypatch):
    for suffix, package in ((".parquet", "pyarrow"), (".xlsx", "openpyxl")):
        path = write(table, tmp_path / f"t{suffix}")
        with monkeypatch.context() as patched:
            patched.setitem(__import__("sys").modules, package, None)
            with pytest.raises(ValueError, match=r"pip install 'ga-ann\[tables\]'"):
                load_frame(path)


def test_a_table_to_predict_on_needs_no_label(tmp_path, table):
    model = Preprocessing.fit(table.drop(columns="class"), label="class")
    for name in ("t.csv", "t.tsv", "t.parquet", "t.xlsx"):
        options = {"sep": "\t"} if name == "t.tsv" else {}
        path = write(table, tmp_path / name, **options)
        X, y = load_unlabelled_frame(path, model)
        assert y.tolist() == table["class"].tolist()
        path = write(table.drop(columns="class"), tmp_path / name, **options)
        alone, y = load_unlabelled_frame(path, model)
        assert y is None
        pd.testing.assert_frame_equal(alone, X)
        with pytest.raises(ValueError, match="no column 'class'"):
            load_unlabelled_frame(path, model, label="class")


@pytest.mark.parametrize("holed", [False, True])
@pytest.mark.parametrize("yes", ["true", "TRUE", "True"])
def test_booleans_are_the_categories_of_the_training(tmp_path, yes, holed):
    no = {"true": "false", "TRUE": "FALSE", "True": "False"}[yes]
    cells = [yes, no, "" if holed else no, yes] * 5
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["member,x,class", *(f"{c},{k},a" for k, c in enumerate(cells))]))
    X, _, label = load_frame(path)
    model = Preprocessing.fit(X, label=label)
    again, _ = load_unlabelled_frame(path, model)
    found = model.transform(again)
    np.testing.assert_array_equal(found, model.transform(X))
    assert found[:, 1:].sum(axis=1).tolist() == [1.0] * 20


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_known_names_are_no_sample(tmp_path, suffix):
    frame = pd.DataFrame(np.random.default_rng(0).integers(0, 9, (9, 3)), columns=list("abc"))
    texts = frame.astype(str).replace({str(k): "pqrstuvwx"[k] for k in range(9)})
    for given, names in ((frame, ["2019", "2020", "2021"]), (texts, ["u", "v", "w"])):
        named = given.set_axis(names, axis=1)
        model = Preprocessing.fit(named)
        turned = write(named[names[::-1]], tmp_path / f"t{suffix}")
        expected = model.transform(named)
        X, _ = load_unlabelled_frame(turned, model)
        np.testing.assert_array_equal(model.transform(X), expected)


def test_columns_taken_in_their_order_are_told(tmp_path, table):
    model = Preprocessing.fit(table[["x", "code"]])
    table[["x", "code"]].to_csv(tmp_path / "t.csv", index=False, header=False)
    with pytest.warns(UserWarning, match=r"t\.csv has no names of columns, so they are taken in"):
        X, _ = load_unlabelled_frame(tmp_path / "t.csv", model)
    np.testing.assert_array_equal(model.transform(X), model.transform(table))
    places = Preprocessing.fit(table[["x", "code"]].to_numpy())
    load_unlabelled_frame(tmp_path / "t.csv", places)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet", "t.xlsx"])
@pytest.mark.parametrize("columns", [["a", "b"], ["a"]])
def test_samples_of_missing_cells_alone_stay_in_their_rows(tmp_path, name, columns):
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0, np.nan, 5.0], "b": [1, np.nan, 2, np.nan, 4]})
    model = Preprocessing.fit(frame[columns])
    path = write(frame[columns], tmp_path / name, **({"sep": "\t"} if name == "t.tsv" else {}))
    if name == "t.csv":  # what a spreadsheet leaves at the end
        path.write_text(path.read_text() + "\n" + "," * (len(columns) - 1) + "\n")
    X, _ = load_unlabelled_frame(path, model)
    np.testing.assert_array_equal(model.transform(X), model.transform(frame))


def test_a_text_in_each_row_of_a_parquet_file_is_held_once(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": ["x" * 2**20] * 300, "y": 1}).to_parquet(path)
    X, _, _ = load_frame(path)
    assert X["a"].map(len).tolist() == [2**20] * 300
    # Here the writing of the file took more memory.
    program = (
        "import sys, pyarrow\n"
        "from ga_ann.datasets import load_frame\n"
        "load_frame(sys.argv[1])\n"
        "print(pyarrow.default_memory_pool().max_memory())"
    )
    command = [sys.executable, "-c", program, path]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 16 * 2**20


def test_a_parquet_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    frame = pd.DataFrame({"a": [f"{k}" + "x" * 2**15 for k in range(99)], "y": 1})
    frame.to_parquet(tmp_path / "t.parquet", compression="zstd", use_dictionary=False)
    load_frame(tmp_path / "t.parquet")
    monkeypatch.setattr(frames, "MOST_RATIO", 2)
    with pytest.raises(ValueError, match="bytes unpack to"):
        load_frame(tmp_path / "t.parquet")


def test_lists_in_cells_are_refused_by_the_name_of_their_column(tmp_path):
    frame = pd.DataFrame({"words": [[1, 2], [3]], "x": [1, 2], "y": [0, 1]})
    frame.to_parquet(tmp_path / "t.parquet")
    X, _, _ = load_frame(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="'words' must hold numbers, booleans or text"):
        Preprocessing.fit(X)
    with pytest.raises(ValueError, match="label 'words' must hold numbers or text"):
        load_frame(tmp_path / "t.parquet", label="words")


def test_labels_that_python_alone_reads_as_numbers_stay_apart(tmp_path):
    (tmp_path / "t.csv").write_text("1,1_0\n2,10\n3,1_0\n4,10\n")
    assert load_features(tmp_path / "t.csv")[1].tolist() == ["1_0", "10", "1_0", "10"]
    (tmp_path / "t.csv").write_text("1,20\n2,10\n3,20\n4,10\n")
    assert load_features(tmp_path / "t.csv")[1].tolist() == [20, 10, 20, 10]


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\f", "\x1c"])
def test_only_ends_of_lines_end_lines(tmp_path, sign):
    (tmp_path / "t.csv").write_bytes(f"a{sign}b,c,class\n1,2,0\n3,4,1\n".encode())
    X, y, _ = load_frame(tmp_path / "t.csv")
    assert X.columns.tolist() == [f"a{sign}b", "c"]
    assert (X.to_numpy().tolist(), y.tolist()) == ([[1, 2], [3, 4]], [0, 1])


def test_decimal_commas_are_points_in_columns_of_numbers_alone(tmp_path):
    rows = ["size;share;word;class", "1.000,5;0,5;1,5;1,5", "-20,25;1;a;b", "1.234.567;;b;1,5"]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    X, y, _ = load_frame(tmp_path / "t.csv")
    X["share"] = X["share"].fillna("0")
    numbers = Preprocessing.fit(X[["size", "share"]], raw=True).transform(X)
    assert numbers.tolist() == [[1000.5, 0.5], [-20.25, 1], [1234567, 0]]
    assert X["word"].tolist() == ["1,5", "a", "b"]
    assert y.tolist() == ["1,5", "b", "1,5"]


def test_missing_cells_of_the_first_row_make_it_no_header(tmp_path):
    (tmp_path / "t.csv").write_text("1,NA,0\n3,4,1\n5,6,0\n")
    assert load_frame(tmp_path / "t.csv")[0].shape == (3, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_is_read_in_the_encoding_that_it_names(tmp_path, encoding):
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    text = "größe,Sorte\n1,Äpfel\n2,Birnen\n3,Äpfel\n4,Birnen\n"
    (tmp_path / "t.csv").write_bytes((mark + text).encode(encoding))
    X, y, _ = load_frame(tmp_path / "t.csv")
    assert X.columns.tolist() == ["größe"]
    assert y.tolist() == ["Äpfel", "Birnen"] * 2


@pytest.mark.parametrize("line", [2, 3, 300])
def test_a_byte_that_is_no_utf8_is_named_with_its_line(tmp_path, line):
    rows = ["a,b,class", *(f"{k},{k},pear" for k in range(2, 400))]
    rows[line - 1] = f"{line},{line},Äpfel"
    for end in ("\n", "\r\n"):
        (tmp_path / "t.csv").write_bytes(end.join(rows).encode())
        assert load_frame(tmp_path / "t.csv")[0].shape == (398, 2)
        (tmp_path / "t.csv").write_bytes(end.join(rows).encode("cp1252"))
        with pytest.raises(
            ValueError, match=rf"t\.csv .* byte 0xc4 in line {line}; save it as UTF-8"
        ):
            load_frame(tmp_path / "t.csv")


def test_utf16_that_ends_within_a_letter_is_refused(tmp_path):
    whole = "a,class\n1,b\n2,c\n".encode("utf-16")
    (tmp_path / "t.csv").write_bytes(whole)
    load_frame(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_bytes(whole[:-1])
    with pytest.raises(ValueError, match=r"begins as UTF-16 .* save it as UTF-8"):
        load_frame(tmp_path / "t.csv")


@pytest.mark.parametrize("delimiter", list(frames.DELIMITERS))
@pytest.mark.parametrize("line", [1, 2, 7, 150])
@pytest.mark.parametrize("n_cells", [1, 2, 6])
def test_a_line_of_another_length_is_named(tmp_path, delimiter, line, n_cells):
    rows = [["a", "b", "c", "class"], *([str(k), "2", "3.5", "pear"] for k in range(200))]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(map(delimiter.join, rows)))
    assert load_frame(path)[0].shape == (200, 3)
    rows[line - 1] = ["# 1", "x", "y", "z", "u", "v"][:n_cells]
    path.write_text("\n".join(map(delimiter.join, rows)))
    with pytest.raises(ValueError, match=r"t\.csv cannot be read") as refusal:
        load_frame(path)
    wrong, first = (line, 4) if line > 1 else (2, n_cells)
    came = n_cells if line > 1 else 4
    told = f"line {wrong} must hold {first} cell{'s' * (first > 1)} as line 1 does, got {came};"
    assert told in str(refusal.value)
    assert ("comment or a title" in str(refusal.value)) == (line < 3)


def test_cells_between_spaces_are_refused_and_words_in_a_column_are_not(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("a b class\n1 2 pear\n3 4 fig\n")
    with pytest.raises(ValueError, match="commas, semicolons, tabs or bars, got 3 in a line with"):
        load_frame(path)
    path.write_text("a b\n1 2\n3 4\n")
    numbers = Preprocessing.fit(pd.DataFrame({"a": [1, 2], "b": [3, 4]}))
    with pytest.raises(ValueError, match="spaces between them"):
        load_unlabelled_frame(path, numbers)
    towns = pd.DataFrame({"home town": ["New York", "Los Angeles", "New York", "Los Angeles"]})
    model = Preprocessing.fit(towns)
    for content in ("home town\nNew York\nLos Angeles\n", "New York\nLos Angeles\n"):
        path.write_text(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # there are no names of columns
            X, _ = load_unlabelled_frame(path, model)
        assert X.iloc[0, 0] == "New York"


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
def test_a_false_ending_is_told_both_ways(tmp_path, table, suffix):
    real = write(table, tmp_path / f"t{suffix}")
    load_frame(real)
    false = tmp_path / f"false{suffix}"
    write(table, tmp_path / "t.csv").rename(false)
    with pytest.raises(ValueError, match=rf"as \{suffix} files do, got b'clas'; save it anew"):
        load_frame(false)
    real.rename(tmp_path / "t.csv")
    with pytest.raises(ValueError, match=rf"no text but a \{suffix} file; give it that ending"):
        load_frame(tmp_path / "t.csv")


def test_a_missing_label_is_told_with_its_column_and_the_way_to_another(tmp_path, table):
    for name, told in (("class", "the column 'class'"), (0, "column 1")):
        path = tmp_path / "t.csv"
        holed = table.assign(**{"class": table["class"].where(table.index > 1)})
        holed.to_csv(path, index=False, header=name != 0)
        with pytest.raises(ValueError, match=rf"of {told}, and 1 more such in 30 rows; .*--label"):
            load_frame(path, label=1)
        assert load_frame(path, label="code" if name else 4)[0].shape == (30, 3)


def test_of_several_sheets_the_first_is_read_and_told(tmp_path, table):
    path = tmp_path / "t.xlsx"
    with pd.ExcelWriter(path) as book:
        table.to_excel(book, sheet_name="Mine", index=False)
        table[::-1].to_excel(book, sheet_name="Other", index=False)
    with pytest.warns(
        UserWarning, match=r"t\.xlsx has 2 sheets, of which the first, 'Mine', is read"
    ):
        X, _, _ = load_frame(path)
    assert X["class"].tolist() == table["class"].tolist()
    load_frame(write(table, path))  # one sheet: nothing is told


DECIMALS = {
    "1,5": 1.5,
    "-0,25": -0.25,
    "1.234,5": 1234.5,
    "-1.234.567,25": -1234567.25,
    "1,5e3": 1500.0,
    "2,5E-05": 2.5e-05,
    "1,234": 1.234,
    "12": 12.0,
}


def as_written(path, rows):
    """Write a table with quotes where commas separate the cells; return the path."""
    sep = {".tsv": "\t", ".txt": "|"}.get(path.suffix, ";" if "half" in path.name else ",")
    pd.DataFrame(rows[1:], columns=rows[0]).to_csv(path, sep=sep, index=False)
    return path


@pytest.mark.parametrize("name", ["half.csv", "t.tsv", "t.txt", "quoted.csv"])
def test_decimal_commas_are_numbers_whatever_separates_the_cells(tmp_path, name):
    rows = [["a", "n", "word", "y"], *([c, "7", f"{c} m", c] for c in DECIMALS)]
    X, y, _ = load_frame(as_written(tmp_path / name, rows))
    assert X["word"].tolist() == [f"{c} m" for c in DECIMALS]
    assert Preprocessing.fit(X[["a"]], raw=True).transform(X)[:, 0].tolist() == [*DECIMALS.values()]
    assert y.tolist() == [*DECIMALS.values()]
    named = [[c, "pear"] for c in DECIMALS]  # all the cells below the names are numbers or not
    assert load_frame(as_written(tmp_path / name, [["a", "y"], *named]))[0].columns.tolist() == [
        "a"
    ]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        *((name, "1.000") for name in ("half.csv", "t.tsv", "t.txt", "quoted.csv")),
        *(("half.csv", cell) for cell in ("0.123", "1.5", "1.5e3", "1.", "-2.25")),
    ],
)
@pytest.mark.parametrize(("place", "column"), [(0, "a"), (1, "b"), (1500, "a"), (1500, "b")])
def test_a_point_in_a_table_with_decimal_commas_is_refused(tmp_path, name, place, column, cell):
    table = pd.DataFrame({"a": ["1,5", "2,25", "3"] * 501, "b": "1000", "y": ["x", "z", "x"] * 501})
    path = tmp_path / name
    assert len(load_frame(as_written(path, [list(table), *table.to_numpy().tolist()]))[0]) == 1503
    table.loc[place, column] = cell
    with pytest.raises(ValueError, match=r"write all decimals alike, and thousands") as refusal:
        load_frame(as_written(path, [list(table), *table.to_numpy().tolist()]))
    other = "2,25" if place == 0 and column == "a" else "1,5"
    told = f"the column '{column}' holds '{cell}' with a point, and the column 'a' '{other}' with"
    assert told in str(refusal.value)
    table["a"] = "17"  # no decimal comma is left: points are decimals
    table.loc[place, column] = cell
    X, _, _ = load_frame(as_written(path, [list(table), *table.to_numpy().tolist()]))
    numbers = Preprocessing.fit(X, raw=True).transform(X)
    assert numbers[place, X.columns.get_loc(column)] == float(cell)


def test_a_late_comma_in_a_long_table_refuses_the_points_before_it(tmp_path):
    rows = [["a", "b", "y"], *(["1.000", "7", "x"] for _ in range(2999))]
    X, _, _ = load_frame(as_written(tmp_path / "half.csv", rows))
    assert X["a"].tolist() == [1.0] * 2999
    rows.append(["2.000", "0,5", "z"])
    with pytest.raises(ValueError, match=r"'a' holds '1\.000' with a point, and .* 'b' '0,5'"):
        load_frame(as_written(tmp_path / "half.csv", rows))


def test_a_cell_is_the_same_number_in_training_and_prediction_or_refused(tmp_path):
    path = tmp_path / "half.csv"
    trained = [["lot", "area", "y"], ["1.000,5", "0,5", "x"], ["2.273,0", "1,5", "z"]]
    X, _, label = load_frame(as_written(path, trained))
    model = Preprocessing.fit(X, label=label, raw=True)
    for cell, number in {"2.273,0": 2273, "2.273": 2.273, "2,273": 2.273, "2273": 2273}.items():
        for area in ("126", "126,5"):
            rows = [["lot", "area"], [cell, area]]
            as_written(path, rows)
            if cell == "2.273" and "," in area:
                with pytest.raises(ValueError, match=r"holds '2\.273' with a point"):
                    load_unlabelled_frame(path, model)
            else:
                found = model.transform(load_unlabelled_frame(path, model)[0])
                assert found.tolist() == [[number, float(area.replace(",", "."))]]


@pytest.mark.parametrize(("cell", "is_told"), [("12", False), ("12,345", False), ("0,5", True)])
def test_commas_in_quotes_that_may_be_thousands_are_refused(tmp_path, cell, is_told):
    rows = [["a", "y"], ["1,234", "x"], ["2,345", "z"], [cell, "x"]]
    path = as_written(tmp_path / "quoted.csv", rows)
    if is_told:
        assert load_frame(path)[0]["a"].tolist() == ["1.234", "2.345", "0.5"]
    else:
        with pytest.raises(ValueError, match="'a' holds '1,234', and nothing tells whether its"):
            load_frame(path)
    assert load_frame(as_written(tmp_path / "half.csv", rows))[0]["a"].tolist()[0] == "1.234"


def test_decimals_and_grouped_numbers_of_other_forms_stay_text(tmp_path):
    for cell in ("0.123,5", "1,2,3", "12.34,5", "1,234.5", "24.12.2020", "1.2.3", "1,"):
        rows = [["a", "b", "y"], [cell, "1,5", "x"], ["7", "2,5", "z"]]
        X, _, _ = load_frame(as_written(tmp_path / "half.csv", rows))
        assert X["a"].tolist() == [cell, "7"]
        assert X["b"].tolist() == ["1.5", "2.5"]


@pytest.mark.parametrize("sep", [";", "\t"])
def test_the_names_above_decimal_commas_are_no_sample(tmp_path, sep):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 3)), columns=list("uvy"))
    table.iloc[::7] *= 1e-6
    for names in (["u", "v", "y"], ["2019", "2020", "y"], ["0", "1", "2"]):
        path = tmp_path / "t.csv"
        table.set_axis(names, axis=1).to_csv(path, sep=sep, decimal=",", index=False)
        X, y, _ = load_frame(path)
        assert X.columns.tolist() == names[:2]
        np.testing.assert_array_equal(
            Preprocessing.fit(X, raw=True).transform(X), table[["u", "v"]]
        )
        np.testing.assert_array_equal(y, table["y"])
    table.round(3).map(lambda x: f"{1000 + abs(x):,.3f}".translate({44: ".", 46: ","})).to_csv(
        path, sep=sep, index=False
    )
    assert load_frame(path)[0].shape == (300, 2)
    table.to_csv(path, sep=sep, decimal=",", index=False, header=False)
    assert load_frame(path)[0].shape == (300, 2)


@pytest.mark.parametrize("gap", [" ", "  ", " \t"])
@pytest.mark.parametrize("point", [".", ","])
@pytest.mark.parametrize("label", ["0", "pear"])
@pytest.mark.parametrize("header", [["a", "b", "y"], None])
def test_spaces_between_the_cells_are_told(tmp_path, gap, point, label, header):
    rows = [[f"1{point}{k}", f"2{point}{k}", label] for k in range(9)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(gap.join(row) for row in ([header] if header else []) + rows))
    if "\t" not in gap:
        with pytest.raises(ValueError, match="got 3 in a line with spaces between them"):
            load_frame(path)
    path.write_text("\n".join("; ".join(row) for row in ([header] if header else []) + rows))
    assert load_frame(path)[0].shape == (9, 2)


def test_commas_beside_spaces_separate_the_cells_of_text(tmp_path):
    for rows in (["flat 1,250", "flat 2,300"], ["1, 5, 0", "1, 6, 1"], ["1 ,5 ,0", "1 ,6 ,1"]):
        (tmp_path / "t.csv").write_text("\n".join(rows))
        assert load_frame(tmp_path / "t.csv")[0].shape[0] == 2


@pytest.mark.parametrize("word", [word for word in frames.NOT_THERE if word])
@pytest.mark.parametrize("place", [0, 1])
def test_a_class_that_is_called_like_a_missing_one_is_told_by_its_word(tmp_path, word, place):
    path = tmp_path / "t.csv"
    rows = [[str(k), "7"] for k in range(6)]
    for k, row in enumerate(rows):
        row.insert(place, word if k in (2, 4) else "Brick")
    rows.insert(3, ["", "", ""])  # no row at all
    header = ["a", "b"]
    header.insert(place, "type")
    path.write_text("\n".join(map(",".join, [header, *rows])))
    with pytest.raises(ValueError, match="'type', and 1 more such in 6 rows: it counts as") as told:
        load_frame(path, label="type")
    assert f"got {word!r} in row 2 (counted from 0)" in str(told.value)
    path.write_text(path.read_text().replace(word, ""))
    with pytest.raises(ValueError, match="must be there in each row, got none in row 2"):
        load_frame(path, label="type")
    path.write_text("\n".join(map(",".join, [header, *rows])).replace(word, f"{word}x"))
    assert sorted(load_frame(path, label="type")[1]) == sorted([*["Brick"] * 4, *[f"{word}x"] * 2])


def test_a_label_that_counts_as_missing_is_none_in_a_prediction(tmp_path):
    model = Preprocessing.fit(pd.DataFrame({"a": [1.0, 2.0]}), label="type")
    (tmp_path / "t.csv").write_text("a,type\n1,None\n2,Brick\n3,NA\n")
    assert load_unlabelled_frame(tmp_path / "t.csv", model)[1].tolist() == ["", "Brick", ""]


def test_missing_cells_and_empty_columns_stay_so_beside_decimal_commas(tmp_path):
    rows = ["a;empty;n;text;y", "1,5;;;;x", ";;2;m;z", "3;;4;;x"]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    X, y, _ = load_frame(tmp_path / "t.csv")
    assert X["text"].dropna().tolist() == ["m"]
    assert X["empty"].isna().all()
    assert X["a"].dropna().tolist() == ["1.5", "3"]
    assert X["a"].isna().tolist() == [False, True, False]
    assert X["n"].isna().tolist() == [True, False, False]
    assert y.tolist() == ["x", "z", "x"]
