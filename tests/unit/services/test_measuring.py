"""What measurements may take of the time, and how soon whoever keeps to that asks again."""

from __future__ import annotations

from fallline.runs import allowance
from fallline.services.measuring import SHARE


def test_instruments_and_the_doctor_together_slow_no_training_by_5_percent() -> None:
    assert SHARE + allowance.SHARE < 0.05
