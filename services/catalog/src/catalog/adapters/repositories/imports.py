"""Tables that staff have sent, in pieces, and how far each is worked through."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from catalog.adapters.tables import ImportChunkRow, ImportNoteRow, ImportRow
from catalog.domain.sheet import Fault
from catalog.use_cases.errors import ImportTakenOver
from catalog.use_cases.ports import ImportJob, Tally

# Nobody reads more; how many there were is counted all the same.
MOST_NOTES = 1_000

# A worker that dies loses its claim when it has shown no progress for a minute.
_CLAIM = text("""
    UPDATE imports SET status = 'running', attempts = attempts + 1,
        started_at = coalesce(started_at, now()), leased_until = now() + interval '60 seconds'
    WHERE id = (
        SELECT id FROM imports
        WHERE status IN ('queued', 'running') AND coalesce(leased_until, now()) <= now()
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, dry_run, by, attempts, attempts - attempts_at_progress AS fruitless, line,
        (SELECT count(*) FROM import_chunks WHERE import_id = imports.id) AS chunks
""")

_PROGRESS = text("""
    UPDATE imports SET
        lines = lines + :lines, created = created + :created, updated = updated + :updated,
        unchanged = unchanged + :unchanged, failed = failed + :failed, line = :line,
        attempts_at_progress = attempts,
        leased_until = now() + interval '60 seconds'
    WHERE id = :id AND attempts = :attempts AND status = 'running' RETURNING id
""")

_FINISH = text("""
    UPDATE imports SET status = :status, finished_at = now(), leased_until = NULL
    WHERE id = :id AND attempts = :attempts AND status = 'running' RETURNING id
""")


class SqlImportRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, *, dry_run: bool, by: str) -> UUID:
        import_id = uuid7()
        counters = dict.fromkeys(
            ("attempts", "size", "line", "lines", "created", "updated", "unchanged", "failed"), 0
        )
        row = insert(ImportRow).values(
            id=import_id,
            status="queued",
            dry_run=dry_run,
            by=by,
            created_at=func.now(),
            **counters,
        )
        self._session.execute(row)
        return import_id

    def append(self, import_id: UUID, n: int, chunk: bytes) -> int:
        row = insert(ImportChunkRow).values(import_id=import_id, n=n, content=chunk)
        self._session.execute(row)
        longer = (
            update(ImportRow)
            .where(ImportRow.id == import_id)
            .values(size=ImportRow.size + _line_ends(chunk))
        )
        return self._session.scalars(longer.returning(ImportRow.size)).one()

    def claim(self) -> ImportJob | None:
        row = self._session.execute(_CLAIM).mappings().first()
        return ImportJob(**row) if row else None

    def chunk(self, import_id: UUID, n: int) -> bytes:
        query = select(ImportChunkRow.content).where(
            ImportChunkRow.import_id == import_id, ImportChunkRow.n == n
        )
        return bytes(self._session.scalars(query).one())

    def progress(self, job: ImportJob, tally: Tally, line: int) -> None:
        values = {
            "lines": tally.lines,
            "created": tally.created,
            "updated": tally.updated,
            "unchanged": tally.unchanged,
            "failed": tally.failed,
            "line": line,
        }
        self._write(_PROGRESS, job, **values)
        self._note(job, "error", [asdict(fault) for fault in tally.faults])
        self._note(job, "change", [asdict(change) for change in tally.changes])

    def finish(self, job: ImportJob, fault: Fault | None) -> None:
        self._write(_FINISH, job, status="failed" if fault else "done")
        self._note(job, "error", [asdict(fault)] if fault else [])
        self._session.execute(delete(ImportChunkRow).where(ImportChunkRow.import_id == job.id))

    def _write(self, statement: Any, job: ImportJob, **values: Any) -> None:
        values |= {"id": job.id, "attempts": job.attempts}
        if self._session.execute(statement, values).first() is None:
            raise ImportTakenOver(job.id)

    def _note(self, job: ImportJob, kind: str, notes: Sequence[dict[str, Any]]) -> None:
        if not notes:
            return
        of_job = ImportNoteRow.import_id == job.id, ImportNoteRow.kind == kind
        there = self._session.scalar(select(func.count()).select_from(ImportNoteRow).where(*of_job))
        room = MOST_NOTES - (there or 0)
        rows = [{"import_id": job.id, "kind": kind, "note": note} for note in notes[:room]]
        if room > 0:
            self._session.execute(insert(ImportNoteRow), rows)


def _line_ends(chunk: bytes) -> int:
    # csv takes either for the end of a line, and both together for one.
    return max(chunk.count(b"\n"), chunk.count(b"\r"))
