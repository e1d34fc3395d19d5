-- Highest epoch that a kiosk saw: higher than ours, this database was restored without a word.
ALTER TABLE kiosks ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
-- Whose attachment it is, after a fork gave one number to two; NULL when that cannot be told.
ALTER TABLE attachments ADD COLUMN envelope_id INTEGER REFERENCES envelopes;
UPDATE attachments SET envelope_id = (
  SELECT CASE WHEN count(*) = 1 THEN min(e.id) END FROM envelopes e
  WHERE e.kiosk_id = attachments.kiosk_id AND e.seq = attachments.seq);
-- What was typed as a name and is none may be a password.
DELETE FROM login_failure WHERE name NOT IN (SELECT name FROM account);
