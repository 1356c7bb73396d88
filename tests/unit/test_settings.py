"""One table of settings."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from fallline.settings import TABLE, BadSetting, Settings, as_text, read_settings, unknown_settings


def test_the_table_and_the_settings_have_the_same_rows_and_defaults() -> None:
    assert [row.name.lower() for row in TABLE] == [field.name for field in fields(Settings)]
    read = read_settings({})
    assert read.data is not None
    assert replace(read, data=None) == Settings()


def test_what_is_stored_lies_in_the_users_own_place_unless_another_is_named(tmp_path: Path) -> None:
    data = read_settings({}).data
    assert data is not None
    assert data.is_absolute()
    assert data.name == "fallline"
    assert read_settings({"FALLLINE_DATA": str(tmp_path)}).data == tmp_path


def test_the_environment_is_read() -> None:
    settings = read_settings(
        {"FALLLINE_PORT": "80", "FALLLINE_HOSTS": "Lab.example, two.example", "PORT": "1"}
    )
    assert (settings.port, settings.hosts) == (80, ("lab.example", "two.example"))


@pytest.mark.parametrize(
    ("name", "text"),
    [("PORT", "http"), ("PORT", "70000"), ("PORT", "-1"), ("EXPERIMENTS", "0"),
     ("KEEP_DAYS", "0"), ("IDLE_SECONDS", "nan"),
     ("IDLE_SECONDS", "0"), ("REQUESTS_PER_SECOND", "inf"),
     ("LOG_LEVEL", "loud"), ("WORKERS", "1.5"), ("KERNEL", "fast")],
)  # fmt: skip
def test_a_setting_that_means_nothing_says_what_would_be_right(name: str, text: str) -> None:
    with pytest.raises(BadSetting, match=f"FALLLINE_{name} must be"):
        read_settings({f"FALLLINE_{name}": text})


def test_a_misspelt_setting_is_noticed() -> None:
    assert unknown_settings({"FALLLINE_PROT": "1", "FALLLINE_PORT": "1", "HOME": "/"}) == ["FALLLINE_PROT"]


def test_the_table_is_printed_with_the_values_in_force() -> None:
    text = as_text(read_settings({"FALLLINE_PORT": "81"}))
    assert "FALLLINE_PORT" in text
    assert " 81 " in text
    assert len(text.splitlines()) == len(TABLE)
