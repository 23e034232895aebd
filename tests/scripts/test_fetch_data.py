from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.lookup.catalog import Catalogue
from core.settings import ROOT
from tests.fakes.spotify_rows import SONGS, row, write_csv


def run(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script from another folder, without the settings of whoever runs the tests."""
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "scripts" / "fetch_data.py", *options],
        cwd=folder,
        env={**os.environ, "HF_HOME": str(folder / "hf"), "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["songs.csv", "songs.csv.gz"])
def test_a_copy_at_hand_becomes_the_catalogue(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / name)
    done = run(tmp_path, "--csv", name, "--out", "new/catalogue.sqlite")
    assert done.returncode == 0, done.stderr
    assert "17" in done.stdout
    with closing(Catalogue.open(tmp_path / "new" / "catalogue.sqlite")) as catalogue:
        assert len(catalogue) == len(SONGS) - 1


def test_the_setting_says_where_it_goes(tmp_path: Path) -> None:
    write_csv(tmp_path / "songs.csv")
    done = run(tmp_path, "--csv", "songs.csv", DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "catalogue.sqlite").is_file()


def test_bad_data_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    write_csv(tmp_path / "bad.csv", (row("a", "b"), row("[bold]c", "d", tempo="fast")))
    done = run(tmp_path, "--csv", "bad.csv", "--out", "c.sqlite")
    assert done.returncode == 1
    assert "bad.csv, row 3, column tempo: 'fast' is not a number" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "c.sqlite").exists()


def test_a_missing_file_and_an_impossible_place_are_named(tmp_path: Path) -> None:
    done = run(tmp_path, "--csv", "none.csv", "--out", "c.sqlite")
    assert (done.returncode, "there is no none.csv" in done.stderr) == (1, True)
    write_csv(tmp_path / "songs.csv")
    done = run(tmp_path, "--csv", "songs.csv", "--out", "songs.csv/c.sqlite")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


@contextmanager
def hub(body: bytes) -> Iterator[str]:
    """Serve one file the way the Hugging Face hub does."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()
            self.wfile.write(body)

        def _answer(self) -> None:
            known = self.path == "/datasets/maharshipandya/spotify-tracks-dataset/resolve/main/dataset.csv"
            self.send_response(200 if known else 404)
            self.send_header("ETag", '"0123456789abcdef"')
            self.send_header("X-Repo-Commit", "f" * 40)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_cut_off_download_is_refused(tmp_path: Path) -> None:
    with hub(write_csv(tmp_path / "d.csv").read_bytes()) as address:
        done = run(tmp_path, "--out", "c.sqlite", HF_ENDPOINT=address, HF_HUB_DISABLE_TELEMETRY="1")
    assert done.returncode == 1, done.stderr
    assert "dataset.csv is cut off: it has 18 rows instead of 114,000" in done.stderr


def test_a_refused_download_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "--out", "c.sqlite", HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert "--csv" in done.stderr
    assert "Traceback" not in done.stderr
