"""The settings of a server, from the environment and from arguments."""

from pathlib import Path

import pytest

from fallline.settings import VARIABLES, BadSetting, Settings, as_text, read_settings, unknown_settings


def test_every_setting_has_a_variable_and_a_line_of_help() -> None:
    assert "FALLLINE_PORT" in VARIABLES
    assert len(VARIABLES) == len(Settings.model_fields)
    assert [name for name, field in VARIABLES.items() if not field.description] == []


def test_experiments_are_stored_in_the_users_own_folder_by_default(tmp_path: Path) -> None:
    data = read_settings().data
    assert data is not None
    assert data.is_absolute()
    assert data.name == "fallline"


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FALLLINE_DATA", str(tmp_path))
    assert read_settings().data == tmp_path
    assert Settings(data=None).data is None


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "FALLLINE_PORT": "80",
        "FALLLINE_HOSTS": "Lab.example, two.example,",
        "FALLLINE_DATA": "~/data",
        "FALLLINE_LOG_LEVEL": "DEBUG",
        "FALLLINE_MEMORY_MB": "",
        "PORT": "1",
    }.items():
        monkeypatch.setenv(name, text)
    settings = read_settings()
    assert (settings.port, settings.hosts) == (80, ("lab.example", "two.example"))
    assert settings.data == Path.home() / "data"
    assert (settings.log_level, settings.memory_mb) == ("debug", None)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("PORT", "http", "a whole number from 0 to 65,535"), ("PORT", "70000", "0 to 65,535"),
     ("PORT", "-1", "0 to 65,535"), ("EXPERIMENTS", "0", "a whole number from 1 to 1,000,000"),
     ("MEMORY_MB", "1", "a whole number from 16 to 10,000,000"), ("KEEP_DAYS", "0", "a number greater than 0"),
     ("IDLE_SECONDS", "nan", "a number greater than 0"), ("IDLE_SECONDS", "0", "a number greater than 0"),
     ("IDLE_SECONDS", "soon", "a number greater than 0"), ("REQUESTS_PER_SECOND", "inf", "a number greater than 0"),
     ("LOG_LEVEL", "loud", "debug, info, warning or error"), ("WORKERS", "1.5", "a whole number from 1 to 64"),
     ("KERNEL", "fast", "auto, numpy or compiled"),
     *(("FRAME_ANCESTORS", text, r"separated by commas; \* is refused") for text in (
         "*", "https://*.example.org", "https://a.example;script-src", "https://a.example https://b.example",
         "https://a.example; sandbox", "example.org", "https://example.org/", "https://example.org/page", "'self'",
         "null", "data:", "javascript://a", "https://user@example.org", "https://a.example\nX-Evil: 1", "https://",
         "https://a.example:port", "https://ex\u00e4mple.org", "https://a.example,*")),
     *(("HOSTS", text, r"without https:// and port, separated by commas; or \* for any") for text in (
         "https://example.org", "a.example b.example", "a.example:8000", "a.example/lab", "*.example.org",
         "a.example;b.example", "10.0.0.0/8", "ex\u00e4mple.org", "good.example,user@example.org")),
     *(("ORIGINS", text, r"separated by commas; \* is refused") for text in (
         "foo", "*", "null", "https://a.example/", "https://a.example https://b.example", "https://*.example.org",
         "https://a.example,b.example")),
     *(("BASE_PATH", text, "the first one no URL of the server such as /api") for text in (
         "fallline", "fallline/", "/..", "/a/../b", "/.", "//", "//a", "/a//b", "/1/2/3/4/5", "/a b", "/a?b", "/%61",
         "/ex\u00e4mple", "https://example.org/fallline", "/api", "/docs/x", "/healthz/")),
     *(("PROXIES", text, r"separated by commas; or \* alone for any") for text in (
         "foo", "10.0.0.0/99", "10.0.0.1/8", "10.0.0.1:80", "10.0.0.1 10.0.0.2", "[::1]", "10.0.0", "fd00::/200",
         "https://10.0.0.1", "127.0.0.1,*", "127.0.0.1,proxy"))],
)  # fmt: skip
def test_an_unusable_value_is_refused_with_what_would_be_right(
    name: str, text: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"FALLLINE_{name}", text)
    with pytest.raises(BadSetting, match=f"^FALLLINE_{name} must be .*{words}$"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [("HOSTS", "*", ("*",)), ("HOSTS", "Lab.example,my_host,*", ("lab.example", "my_host", "*")),
     ("HOSTS", "10.0.0.5, [FD00::1], fd00::1", ("10.0.0.5", "[fd00::1]", "fd00::1")),
     ("ORIGINS", "https://A.example, http://[::1]:8080", ("https://a.example", "http://[::1]:8080")),
     ("ORIGINS", "https://a.example:443,http://b.example:80,http://c.example:443",
      ("https://a.example", "http://b.example", "http://c.example:443")),
     ("PROXIES", "*", ("*",)), ("PROXIES", "127.0.0.1,::1", ("127.0.0.1", "::1")),
     ("PROXIES", "10.0.0.0/8, fd00::/8,", ("10.0.0.0/8", "fd00::/8"))],
)  # fmt: skip
def test_lists_are_read_as_they_are_compared(
    name: str, text: str, values: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"FALLLINE_{name}", text)
    assert getattr(read_settings(), name.lower()) == values


@pytest.mark.parametrize(
    ("text", "path"),
    [("", ""), ("/", ""), ("/fallline", "/fallline"), ("/fallline/", "/fallline"), ("/a.b~c_d-1/x", "/a.b~c_d-1/x")],
)  # fmt: skip
def test_a_base_path_is_read_without_its_final_slash(
    text: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FALLLINE_BASE_PATH", text)
    assert read_settings().base_path == path


def test_a_misspelt_setting_is_noticed() -> None:
    assert unknown_settings({"FALLLINE_PROT": "1", "FALLLINE_PORT": "1", "HOME": "/"}) == ["FALLLINE_PROT"]


def test_the_table_is_printed_with_the_values_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALLLINE_PORT", "81")
    text = as_text(read_settings())
    assert "FALLLINE_PORT" in text
    assert " 81 " in text
    assert len(text.splitlines()) == len(VARIABLES)
