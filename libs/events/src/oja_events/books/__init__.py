"""The Books: does everything that the services and Paystack have written down add up?

    facts of each service ──┐
                            ├──▶ rules ──▶ report: each rule green, red or unknown
    Paystack's own lists ───┘

Read-only. A service shows facts about itself (`facts`), nobody reads another's tables; where the
facts come from (SQL with an operator's rights, HTTP between services) is not decided here.

Lag is not a fault. What two services say of one order is compared only when everybody who listens
has handled all news of that order: see `news`.
"""
