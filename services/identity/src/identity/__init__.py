"""Identity owns users, their roles and addresses, refresh tokens, admin sessions, the audit log."""
