"""Validation of a report's documents: by our schema and its rules, or by the authority's own."""

from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.reporting.authorities.cybertipline.documents import (
    Reporter,
    file_document,
    parse_xml,
    report_document,
)
from kinward.reporting.authorities.cybertipline.rules import faults
from kinward.reporting.draft import from_json
from kinward.reporting.models import Report

MAX_SCHEMA = 4 * 1024 * 1024


def faults_of(report: Report, xsd: Path | None = None) -> list[str]:
    """Return everything wrong with the documents of a report; empty if they are valid."""
    draft, now = from_json(report.draft), datetime.now(UTC)
    reporter = Reporter(email=config().reporter_email or "nobody@example.org")
    batched = bool(draft.viral_accounts)
    documents = [
        report_document(draft, reporter=reporter, now=now),
        *(
            file_document(file, report_id="1", file_id="0" * 32, now=now, batched=batched)
            for file in draft.files
        ),
    ]
    if xsd is None:
        return [fault for document in documents for fault in faults(document, now)]
    schema = _schema(xsd)
    problems = []
    for document in documents:
        if not schema.validate(document):
            problems += [entry.message for entry in schema.error_log]  # type: ignore[attr-defined]
    return problems


def _schema(path: Path) -> etree.XMLSchema:
    if path.stat().st_size > MAX_SCHEMA:
        raise Invalid(f"A schema has at most {MAX_SCHEMA:,} bytes.")
    try:
        return etree.XMLSchema(parse_xml(path.read_bytes()))
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise Invalid(f"This is not an XML schema: {error}.") from error
