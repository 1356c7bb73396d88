"""A record of examinations as plain JSON, to store it, and back."""

from __future__ import annotations

from dataclasses import asdict

from fallline.diagnosis.examine import Edited, Record, Stretch, Taken
from fallline.diagnosis.view import Best, Losses
from fallline.vocabulary.findings import Evidence, Finding
from fallline.vocabulary.journal import Json


def record_as_json(record: Record) -> Json:
    """Return plain JSON for `read_record`. The last examined state is left out: rules do not need it."""
    return {
        "step": record.step,
        "first_slope": record.first_slope,
        "seen": [list(each) for each in record.seen],
        "now": record.now and asdict(record.now),
        "level": record.level and list(record.level),
        "best": asdict(record.best),
        "dates": [[*key, list(dates.items())] for key, dates in record.dates.items()],
        "stretches": [
            [rule, list(subject), asdict(stretch)] for (rule, subject), stretch in record.stretches.items()
        ],
        "findings": [finding.stored() for finding in record.findings],
        "fresh": {id: asdict(evidence) for id, evidence in record.fresh.items()},
        "verdict": record.verdict,
        "verdicts": [list(each) for each in record.verdicts],
        "edited": asdict(record.edited),
    }


def read_record(stored: Json) -> Record:
    """Return the record from its stored JSON."""
    return Record(
        step=stored["step"],
        first_slope=stored["first_slope"],
        seen=tuple((step, loss) for step, loss in stored["seen"]),
        now=_losses(stored["now"]),
        level=stored["level"] and tuple(stored["level"]),
        best=Best(**stored["best"]),
        dates={(kind, layer): dict(dates) for kind, layer, dates in stored["dates"]},
        stretches={
            (rule, tuple((name, value) for name, value in subject)): Stretch(**stretch)
            for rule, subject, stretch in stored["stretches"]
        },
        findings=tuple(map(Finding.read, stored["findings"])),
        fresh={id: Evidence(**evidence) for id, evidence in stored["fresh"].items()},
        verdict=stored["verdict"],
        # earlier versions stored the last one only
        verdicts=tuple(
            (step, each) for step, each in stored.get("verdicts", [(stored["step"], stored["verdict"])])
        ),
        edited=_edited(stored["edited"]),
    )


def _losses(stored: Json | None) -> Losses | None:
    return None if stored is None else Losses(**stored)


def _edited(stored: Json) -> Edited:
    losses = tuple(Losses(**each) for each in stored["losses"])
    return Edited(losses, tuple(Taken(**each) for each in stored["taken"]))
