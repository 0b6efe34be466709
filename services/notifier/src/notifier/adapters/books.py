"""What notifier shows to an auditor (see oja_events.books). No word of a mail is among it."""

FACTS = {
    "mails": """
        SELECT order_id,
            jsonb_agg(jsonb_build_object('template', template, 'occasion', occasion)) AS mails
        FROM mails WHERE order_id = ANY(CAST(:ids AS uuid[])) AND kind = 'event'
        GROUP BY order_id
    """,
}
