-- A matter can be withdrawn by its resident. SQLite changes a CHECK by making the table anew: no
-- foreign key is checked here (the migrating connection does not ask for it), and the tables that
-- refer to `cases` find the new one under the same name.
CREATE TABLE cases_anew (
  case_no TEXT PRIMARY KEY,
  envelope_id INTEGER NOT NULL UNIQUE REFERENCES envelopes,
  kiosk_id BLOB NOT NULL REFERENCES kiosks,
  service TEXT NOT NULL,
  department TEXT NOT NULL,
  village_code TEXT NOT NULL,
  language TEXT NOT NULL,
  state TEXT NOT NULL
    CHECK (state IN ('received', 'accepted', 'correction', 'refused', 'completed', 'withdrawn')),
  received_ms INTEGER NOT NULL,
  claimed_ms INTEGER NOT NULL,
  due_on TEXT NOT NULL,
  due_is_about INTEGER NOT NULL,
  paused_on TEXT NOT NULL DEFAULT '',
  updated_ms INTEGER NOT NULL,
  attachments_expected INTEGER NOT NULL,
  problems INTEGER NOT NULL,
  rating INTEGER CHECK (rating BETWEEN 1 AND 5)
) STRICT;
INSERT INTO cases_anew SELECT case_no, envelope_id, kiosk_id, service, department, village_code,
  language, state, received_ms, claimed_ms, due_on, due_is_about, paused_on, updated_ms,
  attachments_expected, problems, rating FROM cases;
DROP TABLE cases;
ALTER TABLE cases_anew RENAME TO cases;
CREATE INDEX cases_by_deadline ON cases (state, due_on);
CREATE INDEX cases_of_department ON cases (department, state, due_on);
