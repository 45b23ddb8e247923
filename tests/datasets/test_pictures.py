import pytest

from ga_ann.datasets.pictures import list_pictures


def test_list_pictures_is_ordered_by_class_and_number(folder):
    paths, labels, names = list_pictures(folder)
    assert names == ["fig", "pear"]
    assert [p.name for p in paths] == [
        "0.png",
        "1.png",
        "2_a.png",
        "10_a.png",
        "r_1_a.png",
        "ripe.png",
    ]
    assert labels.tolist() == [0, 0, 1, 1, 1, 1]
    paths, labels, names = list_pictures(str(folder), classes=["pear"])
    assert names == ["pear"]
    assert len(paths) == 4


def test_hidden_files_other_files_and_links_that_lead_out_are_left_aside(
    folder, write_pictures, tmp_path
):
    expected = list_pictures(folder)[0]
    (folder / ".git").mkdir()
    (folder / "notes.txt").write_text("x")
    (folder / "fig" / ".hidden.png").write_bytes(b"x")
    (folder / "fig" / "notes.txt").write_text("x")
    (folder / "fig" / "folder.png").mkdir()
    outside = write_pictures(tmp_path / "outside", {"kiwi": ["0"]})
    (folder / "fig" / "secret.png").symlink_to(outside / "kiwi" / "0.png")
    (folder / "fig" / "broken.png").symlink_to(outside / "missing.png")
    (folder / "fig" / "loop.png").symlink_to("loop.png")
    (folder / "kiwi").symlink_to(outside / "kiwi")
    assert list_pictures(folder)[0] == expected
    (folder / "fig" / "again.png").symlink_to(folder / "fig" / "0.png")
    assert len(list_pictures(folder)[0]) == len(expected) + 1


def test_a_folder_reached_through_a_link_is_read(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert len(list_pictures(tmp_path / "link")[0]) == 6


def test_folders_that_hold_no_pictures_are_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="missing does not exist"):
        list_pictures(tmp_path / "missing")
    with pytest.raises(NotADirectoryError, match=r"0\.png is not a folder"):
        list_pictures(folder / "fig" / "0.png")
    with pytest.raises(ValueError, match="fig has no sub-folders"):
        list_pictures(folder / "fig")
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no picture"):
        list_pictures(folder)


@pytest.mark.parametrize("classes", ["fig", [], ["fig", "fig"]])
def test_classes_must_be_a_list_of_different_names(folder, classes):
    with pytest.raises(ValueError, match="list of different names"):
        list_pictures(folder, classes=classes)


def test_classes_must_be_there(folder):
    with pytest.raises(ValueError, match=r"\['fig', 'pear'\]; got \['\.\./x'\]"):
        list_pictures(folder, classes=["fig", "../x"])
