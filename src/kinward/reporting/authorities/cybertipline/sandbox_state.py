"""The sandbox's state: reports and files, in a SQLite file that outlives the process."""

import hashlib
import secrets
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from lxml import etree

from kinward.ground.text import is_number
from kinward.reporting.authorities.cybertipline.rules import faults

FIRST_ID: Final = 100_000_001
OPEN_FOR: Final = timedelta(hours=24)
OPEN_AFTER_CHANGE: Final = timedelta(hours=1)

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS report (
  id INTEGER PRIMARY KEY, state TEXT NOT NULL, opened REAL NOT NULL, modified REAL NOT NULL,
  xml TEXT NOT NULL, batched INTEGER NOT NULL, finished REAL);
CREATE TABLE IF NOT EXISTS file (
  id TEXT PRIMARY KEY, report INTEGER NOT NULL REFERENCES report, number INTEGER NOT NULL,
  name TEXT NOT NULL, size INTEGER NOT NULL, md5 TEXT NOT NULL, sha256 TEXT NOT NULL, details TEXT);
"""


class Problem(Exception):
    """A refusal with a code of the authority."""

    def __init__(self, code: int, description: str) -> None:
        self.code, self.description = code, description
        super().__init__(description)


class State:
    """The reports of one sandbox. Each method is one transaction."""

    def __init__(self, path: Path, expiry_scale: float = 1.0) -> None:
        """Open the file. `expiry_scale` shortens unfinished reports' life: 0.001 is 86 seconds."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(SCHEMA)
        self._lock = threading.Lock()
        self._scale = expiry_scale

    def submit(self, document: etree._Element) -> int:
        """Open a report."""
        self._check(document, "report")
        now = datetime.now(UTC).timestamp()
        with self._lock, self._db as db:
            top = db.execute("SELECT coalesce(max(id) + 1, ?) FROM report", [FIRST_ID]).fetchone()
            db.execute(
                "INSERT INTO report VALUES (?, 'open', ?, ?, ?, ?, NULL)",
                [
                    top[0],
                    now,
                    now,
                    etree.tostring(document, encoding="unicode"),
                    document.find("batchedReport") is not None,
                ],
            )
            return int(top[0])

    def upload(self, report_id: str, name: str, data: bytes) -> tuple[str, str]:
        """Take a file for an open report; store its digests and not its bytes."""
        with self._lock, self._db as db:
            report = self._open_report(report_id)
            file_id, md5 = secrets.token_hex(16), hashlib.md5(data, usedforsecurity=False)
            count = db.execute("SELECT count(*) FROM file WHERE report = ?", [report["id"]])
            db.execute(
                "INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                [
                    file_id,
                    report["id"],
                    count.fetchone()[0] + 1,
                    name,
                    len(data),
                    md5.hexdigest(),
                    hashlib.sha256(data).hexdigest(),
                ],
            )
            self._touch(report)
            return file_id, md5.hexdigest()

    def describe(self, document: etree._Element) -> int:
        """Take the details of an uploaded file, once."""
        self._check(document, "fileDetails")
        with self._lock, self._db as db:
            report = self._open_report(document.findtext("reportId") or "")
            file_id = (document.findtext("fileId") or "").strip()
            file = db.execute(
                "SELECT * FROM file WHERE id = ? AND report = ?", [file_id, report["id"]]
            ).fetchone()
            if file is None:
                raise Problem(5002, "File does not exist")
            if file["details"] is not None:
                raise Problem(4000, "Details of this file were given before")
            if report["batched"]:
                _check_batched_file(document)
            db.execute(
                "UPDATE file SET details = ? WHERE id = ?",
                [etree.tostring(document, encoding="unicode"), file_id],
            )
            self._touch(report)
            return int(report["id"])

    def finish(self, report_id: str) -> tuple[int, list[str]]:
        """Finish a report; return its id and the ids of its files."""
        with self._lock, self._db as db:
            report = self._open_report(report_id)
            rows = db.execute(
                "SELECT id FROM file WHERE report = ? ORDER BY number", [report["id"]]
            ).fetchall()
            if report["batched"] and len(rows) > 1:
                raise Problem(4100, "A batched report has at most one file")
            now = datetime.now(UTC).timestamp()
            db.execute(
                "UPDATE report SET state = 'finished', finished = ? WHERE id = ?",
                [now, report["id"]],
            )
            return int(report["id"]), [row["id"] for row in rows]

    def retract(self, report_id: str) -> int:
        """Cancel an open report."""
        with self._lock, self._db as db:
            report = self._open_report(report_id)
            db.execute("UPDATE report SET state = 'retracted' WHERE id = ?", [report["id"]])
            return int(report["id"])

    def all(self) -> list[dict[str, Any]]:
        """Return every report ever submitted, for tests and the curious."""
        with self._lock:
            self._expire()
            reports = [dict(row) for row in self._db.execute("SELECT * FROM report ORDER BY id")]
            for report in reports:
                rows = self._db.execute(
                    "SELECT * FROM file WHERE report = ? ORDER BY number", [report["id"]]
                )
                report["files"] = [dict(row) for row in rows]
            return reports

    def _open_report(self, report_id: str) -> sqlite3.Row:
        self._expire()
        if not is_number(report_id.strip(), 1000):
            raise Problem(4000, "id is not a report ID")
        row: sqlite3.Row | None = self._db.execute(
            "SELECT * FROM report WHERE id = ?", [min(int(report_id), 2**63 - 1)]
        ).fetchone()
        if row is None or row["state"] == "expired":
            raise Problem(5001, "Report does not exist")
        if row["state"] == "retracted":
            raise Problem(5101, "Report already retracted")
        if row["state"] == "finished":
            raise Problem(5102, "Report already finished")
        return row

    def _expire(self) -> None:
        now = datetime.now(UTC).timestamp()
        self._db.execute(
            "UPDATE report SET state = 'expired' WHERE state = 'open'"
            " AND ? > max(opened + ?, modified + ?)",
            [
                now,
                OPEN_FOR.total_seconds() * self._scale,
                OPEN_AFTER_CHANGE.total_seconds() * self._scale,
            ],
        )
        self._db.commit()

    def _touch(self, report: sqlite3.Row) -> None:
        self._db.execute(
            "UPDATE report SET modified = ? WHERE id = ?",
            [datetime.now(UTC).timestamp(), report["id"]],
        )

    def _check(self, document: etree._Element, root: str) -> None:
        if document.tag != root:
            raise Problem(4100, f"Validation failed: expected {root}")
        problems = faults(document, datetime.now(UTC))
        if problems:
            raise Problem(4100, f"Validation failed: {problems[0]}")


def _check_batched_file(document: etree._Element) -> None:
    allowed = {
        "reportId",
        "fileId",
        "uploadedToEspTimestamp",
        "fileViewedByEsp",
        "exifViewedByEsp",
        "publiclyAvailable",
        "fileRelevance",
        "potentialMeme",
        "fileAnnotations",
        "industryClassification",
    }
    marks = {str(child.tag) for child in document.iterfind("fileAnnotations/*")}
    if document.findtext("potentialMeme") == "true":
        marks.add("potentialMeme")
    if not marks or not marks <= {"viral", "potentialMeme"}:
        raise Problem(4100, "A batched report's file is marked viral or potentialMeme, no more")
    if any(child.tag not in allowed for child in document):
        raise Problem(4100, "A batched report's file has an element that is not allowed")
    if document.findtext("fileRelevance", "Reported") != "Reported":
        raise Problem(4100, "A batched report's file is Reported")
