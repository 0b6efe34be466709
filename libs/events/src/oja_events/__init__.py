"""Domain events between services: what is said, how it leaves, how it arrives.

    aggregate --> outbox --relay--> RabbitMQ --consumer--> inbox + effect
    (one transaction)                                     (one transaction)

Start with `contracts` (the published language), then `outbox`, `relay`, `consuming`.
"""
