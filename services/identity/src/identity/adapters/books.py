"""What identity shows to an auditor (see oja_events.books): its journal, and nothing of its own."""

from oja_events.books.facts import Facts

FACTS: Facts = {}
