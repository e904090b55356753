"""Which store a URL opens, and that its secrets stay secret."""

import subprocess
import sys

import pytest

from lineage.errors import StoreError
from lineage.store import StoreSettings, open_store


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("neo4js://h", r"did you mean neo4j"),
        ("sqlit:x", r"did you mean sqlite"),
        ("https://h", r"use sqlite:PATH"),
        ("", r"use sqlite:PATH"),
    ],
)
def test_an_unknown_kind_of_url_is_refused_with_what_was_meant(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        open_store(url)


@pytest.mark.parametrize("password", ["s3cret", "s3cret@x", "s3cret/x", "s3cret:x"])
def test_a_password_in_a_url_is_in_no_message(password: str) -> None:
    for scheme in ("bolt", "nonsense"):
        settings = StoreSettings(f"{scheme}://neo4j:{password}@127.0.0.1:1", password="s3cret")
        assert "s3cret" not in repr(settings) + settings.address
        assert settings.credentials == ("neo4j", password)
        with pytest.raises(StoreError) as caught:
            open_store(settings)
        assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


def test_credentials_come_from_the_url_first() -> None:
    assert StoreSettings("bolt://u:p%40@h", user="x", password="y").credentials == ("u", "p@")
    assert StoreSettings("bolt://h", user="x", password="y").credentials == ("x", "y")
    assert StoreSettings("bolt://h", password="y").credentials == ("neo4j", "y")
    assert StoreSettings("bolt://h", user="x").credentials == ("x", "")
    assert StoreSettings("bolt://h").credentials is None


def test_the_address_of_an_embedded_store_is_its_url() -> None:
    assert StoreSettings("sqlite:/a@b.db").address == "sqlite:/a@b.db"


def test_nothing_answers_at_the_uri() -> None:
    with pytest.raises(StoreError, match=r"'bolt://127\.0\.0\.1:1': no server answers there"):
        open_store("bolt://127.0.0.1:1")


@pytest.mark.parametrize("url", ["bolt://127.0.0.1:port", "bolt://127.0.0.1:1?x=1"])
def test_a_uri_the_driver_can_not_use_is_explained(url: str) -> None:
    with pytest.raises(StoreError, match="write bolt://HOST:7687"):
        open_store(url)


def test_the_embedded_store_does_not_import_the_driver() -> None:
    code = (
        "import sys; from lineage import open_store; open_store('sqlite::memory:').close(); "
        "sys.exit('neo4j' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
