"""Who works at the centre: accounts, sessions, and what each role may do."""
