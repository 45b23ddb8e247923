import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ga_ann import preprocessing as module
from ga_ann.preprocessing import MOST_CATEGORIES, Preprocessing, list_doubts
from ga_ann.storage import Model, load_model, save_model


def draw(seed=0, n=60):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "city": rng.choice(["Oslo", "Rome", "Kyiv"], n),
            "x": 1e3 * rng.normal(size=n),
            "member": rng.random(n) < 0.5,
            "age": rng.integers(1, 90, n),
            "same": np.full(n, 0.1),
        }
    )
    frame.loc[rng.random(n) < 0.2, "x"] = np.nan
    frame.loc[rng.random(n) < 0.2, "city"] = None
    return frame


NUMBERS, TEXTS = ["x", "age", "same"], ["city", "member"]


def oracle(train):
    plain = train.assign(city=train["city"].fillna("").astype(object))
    plain["member"] = plain["member"].astype(str).astype(object)
    transformer = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS),
        (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), TEXTS),
    ).fit(plain)

    def transform(frame):
        frame = frame.assign(
            city=frame["city"].fillna("").astype(object),
            member=frame["member"].astype(str).astype(object),
        )
        return transformer.transform(frame)

    return transform


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_scikit_learns_transformers_give(seed):
    train, test = draw(seed), draw(seed + 100)
    preprocessing, expected = Preprocessing.fit(train), oracle(train)
    for frame in (train, test):
        # Sums over a column are rounded by the order of its numbers in memory.
        np.testing.assert_allclose(preprocessing.transform(frame), expected(frame), 1e-12, 1e-12)


def test_columns_are_matched_by_name_whatever_their_order_and_company():
    frame = draw()
    preprocessing = Preprocessing.fit(frame)
    shuffled = frame[frame.columns[::-1]].assign(more="?")
    np.testing.assert_array_equal(preprocessing.transform(shuffled), preprocessing.transform(frame))
    with pytest.raises(ValueError, match=r"lacks city, age; it has"):
        preprocessing.transform(shuffled.drop(columns=["age", "city"]))
    with pytest.raises(ValueError, match="lacks age; it has"):
        preprocessing.transform(frame.rename(columns={"age": "Age"}))


def test_columns_without_names_are_known_by_their_places():
    X = np.random.default_rng(0).normal(size=(9, 4))
    table = pd.DataFrame(X)
    preprocessing = Preprocessing.fit(table[[1, 3]], label=0)
    expected = StandardScaler().fit_transform(X[:, [1, 3]])
    for given in (X, table, X[:, [1, 3]], pd.DataFrame(X, columns=list("abcd"))):
        np.testing.assert_allclose(preprocessing.transform(given), expected, 1e-12)
    with pytest.raises(ValueError, match="must have 2 columns, as the training data had, got 3"):
        preprocessing.transform(X[:, :3])
    assert preprocessing.find_label(table) == 0
    assert preprocessing.find_label(table[[1, 3]]) is None


def test_a_category_that_was_never_seen_is_told_and_counts_as_none():
    frame = draw()
    preprocessing = Preprocessing.fit(frame)
    other = frame.assign(city=frame["city"].mask(frame.index == 3, "Bern"))
    with pytest.warns(UserWarning, match=r"'city' .* never saw, in 1 of 60 rows: Bern"):
        found = preprocessing.transform(other)
    expected = preprocessing.transform(frame)
    expected[3, 3:7] = 0
    np.testing.assert_array_equal(found, expected)


def test_cells_as_text_are_the_numbers_that_they_spell():
    frame = draw()
    spelt = frame.astype({"age": str, "x": object})
    a, b = Preprocessing.fit(frame), Preprocessing.fit(spelt)
    np.testing.assert_array_equal(a.transform(frame), b.transform(spelt))
    np.testing.assert_array_equal(a.transform(frame), a.transform(spelt))
    with pytest.raises(ValueError, match="'age' must hold numbers, as in the training, got 'old'"):
        a.transform(spelt.assign(age=spelt["age"].mask(frame.index == 7, "old")))


def test_raw_numbers_stay_and_nothing_else_is_taken():
    frame = draw()[["age", "same"]]
    raw = Preprocessing.fit(frame, raw=True)
    np.testing.assert_array_equal(raw.transform(frame[["same", "age"]]), frame.to_numpy())
    with pytest.raises(ValueError, match="must be numbers, but the column 'city' holds"):
        Preprocessing.fit(draw(), raw=True)
    hole = frame.assign(age=frame["age"].mask(frame.index == 4))
    for refused in (lambda: Preprocessing.fit(hole, raw=True), lambda: raw.transform(hole)):
        with pytest.raises(ValueError, match=r"row 4 .* of the column 'age' is empty"):
            refused()


@pytest.mark.parametrize(("n_different", "n_rows"), [(20, 21), (MOST_CATEGORIES, 1000), (30, 60)])
def test_names_of_rows_are_refused_and_categories_are_not(n_different, n_rows):
    def column(n):
        return pd.DataFrame({"id": [f"p{k % n}" for k in range(n_rows)], "x": 1.0})

    assert len(Preprocessing.fit(column(n_different)).categories) == n_different
    with pytest.raises(ValueError, match=f"'id' holds {n_different + 1} different texts"):
        Preprocessing.fit(column(n_different + 1))
    long = column(n_different).replace("p0", "p" * module.LONGEST_TEXT)
    assert Preprocessing.fit(long).is_text.any()
    with pytest.raises(ValueError, match="at most 255 characters, got 256"):
        Preprocessing.fit(long.replace("p" * 255, "p" * 256))


def test_infinite_and_huge_numbers_are_refused():
    for cells, match in (([1.0, np.inf], "finite, got inf in row 1"), ([1e200, -1e200], "scale")):
        with pytest.raises(ValueError, match=match):
            Preprocessing.fit(pd.DataFrame({"x": cells}))
    with pytest.raises(ValueError, match="rows and columns"):
        Preprocessing.fit(pd.DataFrame({"x": []}))


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("label", [None, "class", 3])
def test_a_saved_model_predicts_what_it_predicted(tmp_path, raw, label):
    frame = draw()[["age", "same"]] if raw else draw()
    preprocessing = Preprocessing.fit(frame, label=label, raw=raw)
    weights = [np.random.default_rng(0).normal(size=(preprocessing.n_inputs, 2))]
    model = Model(weights, "relu", "identity", np.array(["a", "b"]), preprocessing=preprocessing)
    save_model(tmp_path / "m.npz", model)
    held = load_model(tmp_path / "m.npz")
    assert held.preprocessing.label == label
    np.testing.assert_array_equal(held.predict_scores(frame), model.predict_scores(frame))
    with np.load(tmp_path / "m.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "biufU" for name in arrays.files)


BROKEN = {
    "columns": lambda a: np.where(a == "age", "x", a),
    "is_text": lambda a: ~a,
    "medians": lambda a: a * np.inf,
    "means": lambda a: a[:-1],
    "scales": lambda a: a * 0,
    "categories": lambda a: a[:-1],
    "n_categories": lambda a: a - a,
    "label": lambda a: True,
}


@pytest.mark.parametrize("name", BROKEN)
def test_parts_that_do_not_fit_each_other_are_refused(name):
    preprocessing = Preprocessing.fit(draw(), label="class")
    same = dataclasses.replace(preprocessing)
    np.testing.assert_array_equal(same.transform(draw()), preprocessing.transform(draw()))
    with pytest.raises(ValueError, match="must"):
        dataclasses.replace(preprocessing, **{name: BROKEN[name](getattr(preprocessing, name))})


def test_a_model_refuses_a_preprocessing_of_another_width():
    preprocessing = Preprocessing.fit(draw())
    n, classes = preprocessing.n_inputs, np.array(["a", "b"])
    for n_weights, columns in ((n, None), (n, np.ones(n, bool)), (2, np.arange(n) < 2)):
        weights = [np.ones((n_weights, 2))]
        Model(weights, "relu", "identity", classes, columns, preprocessing=preprocessing)
    for n_weights, columns in ((n + 1, None), (n - 1, None), (n, np.arange(n + 1) > 0)):
        weights = [np.ones((n_weights, 2))]
        with pytest.raises(ValueError, match=f"preprocessing must give .* features, got {n}"):
            Model(weights, "relu", "identity", classes, columns, preprocessing=preprocessing)


STRANGERS = {
    "dates": pd.to_datetime(["2020-01-01", None] * 30),
    "dates with a zone": pd.to_datetime(["2020-01-01"] * 60, utc=True),
    "durations": pd.to_timedelta(np.arange(60), unit="s"),
    "periods": pd.period_range("2020", periods=60, freq="D"),
    "complex": np.arange(60) * 1j,
    "lists": [[1, 2]] * 60,
    "arrays": [np.arange(2)] * 60,
    "days": [pd.Timestamp("2020-01-01").date()] * 60,
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_columns_of_neither_numbers_nor_text_are_refused_by_name(kind):
    frame = draw().assign(when=pd.Series(STRANGERS[kind]))
    for raw in (True, False):
        with pytest.raises(ValueError, match=r"'when' must hold numbers, .* drop it"):
            Preprocessing.fit(frame[["age", "when"]], raw=raw)
    known = Preprocessing.fit(frame[["age", "x"]])
    with pytest.raises(ValueError, match=r"'age' must hold numbers"):
        known.transform(frame.assign(age=frame["when"]))
    assert known.transform(frame).shape == (60, 2)


def test_booleans_are_no_numbers_of_the_training():
    frame = draw()
    known = Preprocessing.fit(frame[["age", "same"]])
    with pytest.raises(ValueError, match=r"'age' must hold numbers, .* got (True|False)"):
        known.transform(frame.assign(age=frame["member"]))
    known.transform(frame.assign(age=frame["member"].astype(float)))


@pytest.mark.parametrize("dtype", [str, "string", object, "boolean"])
def test_booleans_are_known_however_they_are_spelt(dtype):
    frame = draw().assign(member=lambda f: f["member"].astype(object))
    frame.loc[::7, "member"] = None
    known = Preprocessing.fit(frame)
    for spell in (str, str.lower, str.upper):
        cells = frame["member"].map(lambda b, f=spell: b if b is None else f(str(b)))
        given = frame["member"] if dtype == "boolean" else cells
        spelt = frame.assign(member=given.astype(dtype).where(frame["member"].notna(), None))
        np.testing.assert_array_equal(known.transform(spelt), known.transform(frame))


def test_integers_that_call_columns_are_names():
    X = np.random.default_rng(0).normal(size=(9, 3))
    frame = pd.DataFrame(X, columns=[2019, 2020, 2021])
    known = Preprocessing.fit(frame)
    expected = known.transform(frame)
    for given in (frame[[2021, 2019, 2020]], frame[[2020, 2021, 2019]].assign(more="?"), X):
        np.testing.assert_array_equal(known.transform(given), expected)
    with pytest.raises(ValueError, match="lacks 2021; it has 2019, 2020, 2022"):
        known.transform(frame.rename(columns={2021: 2022}))
    turned = frame[[2021, 2019, 2020]]
    spelt = Preprocessing.fit(frame.rename(columns=str))
    np.testing.assert_array_equal(spelt.transform(turned), expected)
    places = Preprocessing.fit(X)
    np.testing.assert_array_equal(places.transform(pd.DataFrame(X)[[2, 0, 1]]), expected)


def test_sparse_samples_are_refused_by_name():
    known = Preprocessing.fit(np.eye(3))
    for refused in (lambda X: Preprocessing.fit(X), known.transform):
        with pytest.raises(ValueError, match=r"dense array, got a csr_array; X\.toarray"):
            refused(csr_array(np.eye(3)))
    model = Model([np.eye(3)], "relu", "identity", np.arange(3), preprocessing=known)
    with pytest.raises(ValueError, match="dense array"):
        model.predict(csr_array(np.eye(3)))


def test_text_is_rounded_to_the_nearest_number():
    numbers = np.random.default_rng(0).normal(size=(2000, 1))
    spelt = np.vectorize(repr)(numbers.astype(object))
    raw = Preprocessing.fit(spelt, raw=True)
    np.testing.assert_array_equal(raw.transform(spelt), numbers)


@pytest.mark.parametrize("text", ["1_0", "nan", "1e999", "0x1f"])
def test_what_only_looks_like_a_number_is_text(text):
    frame = pd.DataFrame({"a": ["10", text, "3"]})
    assert Preprocessing.fit(frame).is_text.all()
    assert not Preprocessing.fit(frame.replace(text, "1")).is_text.any()


def test_integers_that_call_columns_tell_the_label_by_their_value():
    table = pd.DataFrame({10: [1.0, 2, 3], 20: [3.0, 5, 4], 30: [0, 1, 0]})
    model = Preprocessing.fit(table[[10, 20]], label=30)
    assert model.find_label(table) == 30
    assert model.find_label(table[[30, 20, 10]]) == 30
    assert model.find_label(table[[10, 20]]) is None
    assert model.find_label(table.rename(columns={30: 40})) is None


def test_columns_that_teach_nothing_or_name_the_rows_are_told():
    rng = np.random.default_rng(0)
    plain = pd.DataFrame(
        {"x": rng.normal(size=9), "n": [3, 1, 4, 1, 5, 9, 2, 6, 5], "c": list("abc") * 3}
    )
    assert list_doubts(plain) == list_doubts(plain.to_numpy()) == []
    shuffled = rng.permutation(9)
    for column, told in (
        (np.full(9, np.nan), "empty in all rows"),
        ([None] * 9, "empty in all rows"),
        ([2.5] * 9, "the same in all rows"),
        ([2.5] * 8 + [None], "the same in all rows"),
        (["cm"] * 9, "the same in all rows"),
        (["cm"] * 8 + [None], ""),
        ([2.5] * 8 + [2.6], ""),
        (np.arange(9), "different whole numbers"),
        (np.arange(1, 10), "different whole numbers"),
        (np.arange(1.0, 10.0), "different whole numbers"),
        (np.arange(9) ** 2, ""),
        (np.arange(2, 11), ""),
        (np.arange(-1, 8), ""),
        (np.arange(9)[::-1], ""),
        ([0, 1, 2, 3, 4, 5, 6, 7, None], ""),
        (np.arange(9) / 2, ""),
        ([0, *range(8)], ""),
        (shuffled, ""),
    ):
        lines = list_doubts(plain.assign(extra=column))
        assert [line.startswith(told) and "the column 'extra'" in line for line in lines] == (
            [True] if told else []
        )
    for name in (
        *("id", "ID", "Id", "customer_id", "customerId", "userID", "PassengerId", "id_customer"),
        *("Nr", "nr.", "Row number", "rowIndex", "index", "uuid", "No"),
    ):
        for told in (shuffled, shuffled + 1000.0, [*shuffled[1:], None]):
            (line,) = list_doubts(plain.assign(**{name: told}))
            assert f"{name!r}; --drop leaves it out" in line
        for plural in ([*shuffled[1:], shuffled[1]], shuffled / 2, [f"{k}x" for k in shuffled]):
            assert list_doubts(plain.assign(**{name: plural})) == []
        (line,) = list_doubts(plain.assign(**{name: shuffled}))
        assert f"{name!r}; --drop leaves it out" in line
    for name in ("acid", "idea", "numbers", "Idaho", "idle_time", "casino", "valid", "REINDEX"):
        assert list_doubts(plain.assign(**{name: shuffled})) == []
    for name in ("year", "Age", "dose_mg", "dayOfYear", "TIME"):
        for counted in (np.arange(9), np.arange(1, 10), np.arange(2001, 2010), shuffled):
            assert list_doubts(plain.assign(**{name: counted})) == []


def test_each_column_is_told_where_long_names_look_alike():
    names = [f"{'a' * 40}{k}{'b' * 40}" for k in range(3)]
    table = pd.DataFrame({"x": [1.5, 0.5, 2.5], **{name: [2.5] * 3 for name in names}})
    (line,) = list_doubts(table)
    assert line.endswith(": column 2, column 3, column 4")
    (line,) = list_doubts(table[["x", names[1]]])
    assert line.endswith("bbb'")
