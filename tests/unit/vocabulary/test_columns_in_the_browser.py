"""Server and browser join buckets to the same columns, to the last bit."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import numpy as np

from fallline.vocabulary.binary import binary, opening
from fallline.vocabulary.columns import Buckets, Records, coarsen, from_records
from fallline.vocabulary.packed import packed

GOLDEN = Path(__file__).parents[2] / "golden" / "columns.json"
NAMES = ("batch_loss", "train_loss")
AT_MOST = (1000, 64, 17, 8)


def frame(buckets: Buckets) -> str:
    """Return a binary frame of two runs in base64, the second of which is brief."""
    one, data = binary(buckets, 2)
    other, more = binary(buckets, 2, start=len(data), is_brief=True)
    text = f'{{"type":"frame","runs":{{"gd":{{"step":300,"columns":{one}}},"sgd":{{"columns":{other}}}}}}}'
    return base64.b64encode(opening(text) + data + more).decode()


def columns() -> dict[str, object]:
    """Return 300 noisy steps in each encoding, and merged to several sizes."""
    step = np.arange(300)
    noise = (step * 7919 % 101) / 100
    loss = np.where((step < 40) | (step % 3 == 0), 1 / (1 + step) + noise * 1e-3, np.nan)
    seconds = ((step + 1) * 1e-4).astype(float)
    records = Records(0, (step + 1) * 32, seconds, NAMES, np.stack([noise + 1 / (1 + step), loss]))
    single = from_records(records)
    return {
        "json": single.as_json(2),
        "bdata": single.as_bdata(2),
        "packed": [packed(coarsen(single, most), 2) for most in AT_MOST],
        "binary": [frame(coarsen(single, most)) for most in AT_MOST],
        "merged": [
            {"at_most": most, "columns": coarsen(single, most).as_json(2, every_step=frozenset())}
            for most in AT_MOST
        ],
    }


def test_buckets_match_the_golden_file_of_the_browser_tests() -> None:
    """Set `FALLLINE_WRITE_GOLDEN=1` to rewrite the file after an intended change."""
    if os.environ.get("FALLLINE_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(columns()) + "\n", "utf-8")
    assert columns() == json.loads(GOLDEN.read_text("utf-8"))
