"""Who closed their account, so that what is heard of them later is kept without words and address;
mails by the person that they are to."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # The index is of facts that every release has written, and needs nothing of a running one.
    op.execute("""
        CREATE TABLE erasures (
            customer_id uuid PRIMARY KEY,
            erased_at timestamptz NOT NULL
        );
        INSERT INTO erasures
            SELECT CAST(subject AS uuid), max(occurred_at) FROM event_log
            WHERE type = 'oja.notifier.customer_mails_erased.v1' GROUP BY subject;

        CREATE INDEX mails_by_person
            ON mails (coalesce(facts ->> 'customer_id', facts ->> 'user_id'));
    """)
    # Mails to staff about mails that failed named whom those were to.
    address = r"""'[^][\s"\\<>{}():;,]+@[^][\s"\\<>{}():;,]+', 'somebody', 'g'"""
    op.execute(f"""
        UPDATE mails SET
            subject = regexp_replace(subject, {address}),
            text = regexp_replace(text, {address}),
            html = regexp_replace(html, {address}),
            facts = CAST(regexp_replace(CAST(facts AS text), {address}) AS jsonb)
        WHERE template = 'mail_failing' AND next_attempt_at IS NULL AND claimed_by IS NULL
    """)  # noqa: S608  nobody's text is in it  # nosec B608
    # Where two transactions meet, whoever comes second must see what the first has done: the second
    # query of the function looks anew, a statement that waits for a lock itself does not.
    op.execute("""
        CREATE FUNCTION erased_customer(person text, concerning uuid, member uuid) RETURNS uuid
        LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_advisory_xact_lock_shared(
                hashtext('notifier erasures'),
                hashtext(coalesce(person, CAST(concerning AS text))));
            PERFORM pg_advisory_xact_lock_shared(
                hashtext('notifier erasures'), hashtext(CAST(member AS text)));
            IF person IS NOT NULL THEN
                RETURN (SELECT customer_id FROM erasures WHERE customer_id = CAST(person AS uuid));
            END IF;
            RETURN (
                SELECT customer_id FROM mails JOIN erasures ON customer_id = CAST(
                    coalesce(facts ->> 'customer_id', facts ->> 'user_id') AS uuid)
                WHERE order_id = concerning LIMIT 1);
        END $$
    """)
