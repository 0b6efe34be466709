"""Tables of products that staff send: taken in as they come, worked through afterwards.

A batch of lines and the note of how far we are commit together, so that a worker that dies costs
nothing but time, and no line is applied twice.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from uuid import UUID

from catalog.domain.sheet import BadTable, Entry, Fault, read_header, read_line
from catalog.use_cases.merging import Known, Merged, merge, slugs_of
from catalog.use_cases.ports import ImportJob, Tally, UnitOfWork

BATCH = 500
MOST_OF_A_PRODUCT = 100  # a product has no more variants
MOST_LINES = 200_000
MOST_ATTEMPTS = 5  # since it last went on

Record = tuple[int, list[str]]
"""A line's number and its cells."""


def start_import(chunks: Iterable[bytes], *, dry_run: bool, by: str, uow: UnitOfWork) -> UUID:
    """Keep the table for the worker, chunk by chunk; raises BadTable if its header is wrong, or if
    it has more than MOST_LINES lines."""
    pieces = iter(chunks)
    head = next(pieces, b"")
    _check_header(head)
    with uow:
        import_id = uow.imports.add(dry_run=dry_run, by=by)
        for n, chunk in enumerate(chain([head], pieces)):
            if uow.imports.append(import_id, n, chunk) > MOST_LINES:
                raise BadTable("line", f"send at most {MOST_LINES:,} lines; split the table")
        uow.audit.note("import_started", import_id, after={"dry_run": dry_run})
        uow.commit()
    return import_id


def advance(*, unit_of_work: Callable[[], UnitOfWork], currency: str) -> int:
    """Work through one table that waits, to its end; 1 if there was one.

    Whatever goes wrong is raised, and the table is taken up again where it was left.
    """
    with unit_of_work() as uow:
        job = uow.imports.claim()
        uow.commit()
    if job is None:
        return 0
    if job.fruitless > MOST_ATTEMPTS:
        _finish(job, unit_of_work, Fault(job.line, "line", "could not be worked on; see the logs"))
        return 1
    _Importer(job, unit_of_work, currency).run()
    return 1


def _finish(job: ImportJob, unit_of_work: Callable[[], UnitOfWork], fault: Fault | None) -> None:
    with unit_of_work() as uow:
        uow.imports.finish(job, fault)
        uow.commit()


def _check_header(head: bytes) -> None:
    first = head.split(b"\n", 1)[0]
    try:
        [names] = list(csv.reader([first.decode("utf-8-sig")])) or [[]]
    except (UnicodeDecodeError, csv.Error):
        raise BadTable("header", "cannot be read; send comma-separated values in UTF-8") from None
    read_header(names)


class _Importer:
    def __init__(
        self, job: ImportJob, unit_of_work: Callable[[], UnitOfWork], currency: str
    ) -> None:
        self._job = job
        self._unit_of_work = unit_of_work
        self._currency = currency
        self._seen: dict[str, int] = {}

    def run(self) -> None:
        try:
            for batch in self._batches():
                self._apply(batch)
        except BadTable as error:
            _finish(self._job, self._unit_of_work, Fault(1, error.column, error.reason))
        except UnicodeDecodeError:
            self._stop("is not UTF-8")
        except csv.Error as error:
            self._stop(f"cannot be read: {error}")
        else:
            _finish(self._job, self._unit_of_work, None)

    def _stop(self, reason: str) -> None:
        _finish(self._job, self._unit_of_work, Fault(self._line + 1, "line", reason))

    def _batches(self) -> Iterator[list[Record]]:
        """Lines of one product that follow each other stay together, while there may be so many."""
        records = self._records()
        self._columns = read_header(next(records, (1, []))[1])
        key = self._columns.index("product") if "product" in self._columns else None
        batch: list[Record] = []
        for record in records:
            full = len(batch) >= BATCH and not _same_product(batch[-1], record, key)
            if full or len(batch) >= BATCH + MOST_OF_A_PRODUCT:
                yield batch
                batch = []
            batch.append(record)
        if batch:
            yield batch

    def _records(self) -> Iterator[Record]:
        self._line = 0
        text = io.TextIOWrapper(
            io.BufferedReader(_Chunks(self._chunks())), encoding="utf-8-sig", newline=""
        )
        reader = csv.reader(text, strict=True)
        for cells in reader:
            start, self._line = self._line + 1, reader.line_num
            if cells:
                yield start, cells

    def _chunks(self) -> Iterator[bytes]:
        for n in range(self._job.chunks):
            with self._unit_of_work() as uow:
                chunk = uow.imports.chunk(self._job.id, n)
            yield chunk  # no transaction stays open while its lines are worked on

    def _apply(self, batch: Sequence[Record]) -> None:
        entries, tally = self._read(batch)
        end = batch[-1][0]
        if end <= self._job.line:
            return  # a worker before us came so far
        with self._unit_of_work() as uow:
            merged = _merged(entries, self._currency, uow)
            if not self._job.dry_run:
                uow.bulk.store(merged.created, merged.changed, merged.terms, by=self._job.by)
                uow.imports.progress(self._job, _counted(tally, merged, details=False), end)
                uow.commit()
        if self._job.dry_run:
            with self._unit_of_work() as uow:
                uow.imports.progress(self._job, _counted(tally, merged, details=True), end)
                uow.commit()

    def _read(self, batch: Sequence[Record]) -> tuple[list[Entry], Tally]:
        tally = Tally(lines=len(batch))
        entries = []
        for line, cells in batch:
            read = read_line(line, self._columns, cells)
            if isinstance(read, Entry):
                first = self._seen.setdefault(read.sku, line)
                if first == line:
                    entries.append(read)
                    continue
                read = [Fault(line, "sku", f"is in line {first} already")]
            tally.failed += 1
            tally.faults += read
        return entries, tally


def _same_product(one: Record, other: Record, key: int | None) -> bool:
    if key is None or key >= len(one[1]) or key >= len(other[1]):
        return False
    return bool(one[1][key]) and one[1][key] == other[1][key]


def _merged(entries: Sequence[Entry], currency: str, uow: UnitOfWork) -> Merged:
    found = uow.bulk.find({entry.sku for entry in entries}, slugs_of(entries))
    known = Known(
        products={product.id: product for product in found.products},
        owners=found.owners,
        slugs=found.slugs,
        categories=found.categories,
        thresholds=found.thresholds,
        currency=currency,
        now=uow.now(),
    )
    return merge(entries, known, uow.products.next_id)


def _counted(tally: Tally, merged: Merged, *, details: bool) -> Tally:
    actions = [change.action for change in merged.changes]
    return Tally(
        lines=tally.lines,
        created=actions.count("create"),
        updated=actions.count("update"),
        unchanged=actions.count("none"),
        failed=tally.failed + len({fault.line for fault in merged.faults}),
        faults=sorted([*tally.faults, *merged.faults], key=lambda fault: fault.line),
        changes=[each for each in merged.changes if each.action != "none"] if details else [],
    )


class _Chunks(io.RawIOBase):
    """Bytes that come piece by piece, as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]", /) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
