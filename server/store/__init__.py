"""The centre's database: one file a subject, every statement of SQL in here."""
