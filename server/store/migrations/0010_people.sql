-- Accounts, sessions and what was done to them (server/people, server/store/people.py).

CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  shown_name TEXT NOT NULL,
  -- One role: whoever acts cannot also watch, and who manages accounts opens no case.
  role TEXT NOT NULL CHECK (role IN ('operator', 'clerk', 'admin', 'auditor')),
  departments TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(departments)),
  village_prefix TEXT NOT NULL DEFAULT '',
  password_hash TEXT NOT NULL,
  must_change INTEGER NOT NULL DEFAULT 1 CHECK (must_change IN (0, 1)),
  is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
  created_ms INTEGER NOT NULL,
  signed_in_ms INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Names are never given to someone else: the ledger of openings speaks of people by name.
CREATE TRIGGER account_stays BEFORE DELETE ON account
BEGIN SELECT RAISE(ABORT, 'accounts are disabled, not deleted'); END;

CREATE TRIGGER account_keeps_role BEFORE UPDATE OF name, role ON account
WHEN OLD.name <> NEW.name OR OLD.role <> NEW.role
BEGIN SELECT RAISE(ABORT, 'an account keeps its name and role'); END;

CREATE TABLE staff_session (
  token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
  account_id INTEGER NOT NULL REFERENCES account (id),
  csrf TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_session_account ON staff_session (account_id);

CREATE TABLE login_failure (
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  failures INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (name, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE staff_event (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  -- Account that did it; 'command line' for who works on the machine itself.
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TRIGGER staff_event_stays BEFORE UPDATE ON staff_event
BEGIN SELECT RAISE(ABORT, 'what happened stays'); END;
CREATE TRIGGER staff_event_is_kept BEFORE DELETE ON staff_event
BEGIN SELECT RAISE(ABORT, 'what happened stays'); END;
