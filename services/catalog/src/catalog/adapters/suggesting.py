"""What people may have meant: words of product names that look like theirs."""

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST_WORDS = 6
"""Of how many words a search may consist to be set right."""
_LIKENESS = 0.4

_BEGIN = text("""
    SELECT set_config('pg_trgm.word_similarity_threshold', :likeness, true),
           set_config('pg_trgm.similarity_threshold', :likeness, true)
""")

# A word that begins some word of the catalogue is right, or going to be.
_CORRECT = text("""
    WITH given AS (
        SELECT word, place
        FROM unnest(string_to_array(folded(:q), ' ')) WITH ORDINALITY AS typed (word, place)
        WHERE word ~ '^[[:alnum:]]{3,40}$'
    ), like_it AS MATERIALIZED (
        SELECT given.place, named.word AS better,
               similarity(named.word, given.word) AS likeness, count(*) AS uses
        FROM given
        JOIN products ON products.status = 'published' AND given.word <% products.sort_name
        CROSS JOIN unnest(string_to_array(products.sort_name, ' ')) AS named (word)
        WHERE named.word % given.word
            AND NOT EXISTS (
                SELECT FROM products AS known WHERE known.search @@ to_tsquery('simple',
                    '''' || given.word || ''':*')
            )
        GROUP BY given.place, named.word, given.word
    )
    SELECT string_agg(coalesce(nearest.better, given.word), ' ' ORDER BY given.place),
           count(nearest.better)
    FROM given LEFT JOIN LATERAL (
        SELECT better FROM like_it WHERE like_it.place = given.place
        ORDER BY likeness DESC, uses DESC, better LIMIT 1
    ) AS nearest ON true
""")


def suggest(session: Session, q: str) -> str | None:
    """The search with its unknown words replaced by similar ones; None if there is nothing better.

    For searches that find nothing, on a connection that uses indexes only (see finding).
    """
    if len(q.split()) > MOST_WORDS:
        return None
    session.execute(_BEGIN, {"likeness": str(_LIKENESS)})
    suggestion, replaced = session.execute(_CORRECT, {"q": q}).one()
    return suggestion if replaced else None
