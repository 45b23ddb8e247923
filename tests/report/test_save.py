import importlib.util
import re

import pytest

import ga_ann
from ga_ann.comparison import Comparison
from ga_ann.report import save, save_report

MOST_BYTES = 3_000_000


def test_the_same_results_give_the_same_bytes(full, result, tmp_path):
    for source in (full, result):
        first, second = (save_report(tmp_path / f"{k}.html", source).read_bytes() for k in range(2))
        assert first == second
        assert len(first) < MOST_BYTES


def test_other_results_give_other_bytes(full, tmp_path):
    rows = [{**row} for row in full.rows]
    rows[0]["n_wrong"] += 40
    other = Comparison(**{**vars(full), "rows": rows})
    first, second = (
        save_report(tmp_path / f"{k}.html", one).read_bytes() for k, one in enumerate((full, other))
    )
    assert first != second


def test_pages_name_no_other_place(full, tmp_path):
    text = save_report(tmp_path / "a.html", full).read_text(encoding="utf-8")
    own = text.replace(save._bundle(), "")
    assert len(own) < len(text)
    assert not re.findall(r"(?:src|href)\s*=\s*\"(?!data:)", own)
    # Vega-Lite names its version by an address, which nobody visits.
    assert set(re.findall(r"https?://[^\"]*/", own)) <= {"https://vega.github.io/schema/vega-lite/"}
    assert "default-src 'none'" in own


def test_names_are_text_in_the_html(dangerous, hostile, tmp_path):
    text = save_report(tmp_path / "a.html", dangerous).read_text(encoding="utf-8")
    own = text.replace(save._bundle(), "")
    assert "window.hacked" in own
    for name in hostile:
        assert name not in own
    assert own.count("</script>") == own.count("<script")


def test_a_command_is_shown_as_it_is_given(result, tmp_path):
    text = save_report(tmp_path / "a.html", result, command="ga-ann train '<b>'").read_text()
    assert "ga-ann train &#39;&lt;b&gt;&#39;" in text


def test_nothing_is_written_if_anything_is_refused(full, result, iris, tmp_path):
    path = tmp_path / "a.html"
    empty = Comparison(**{**vars(full), "rows": []})
    with pytest.raises(ValueError, match="no finished run"):
        save_report(path, empty)
    with pytest.raises(ValueError, match="a Comparison has its own"):
        save_report(path, full, data=iris)
    with pytest.raises(NotADirectoryError):
        save_report(path, full, pictures=tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        save_report(tmp_path / "none" / "a.html", result)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named_with_its_extra(full, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "altair" else find(name)
    )
    with pytest.raises(ValueError, match=r"takes altair: pip install 'ga-ann\[report\]'"):
        save_report(tmp_path / "a.html", full)


def test_it_is_a_public_name():
    assert ga_ann.save_report is save_report
