-- What tells two histories of one kiosk apart without clocks: the newest request's hash, how often
-- the kiosk had started then, and which start each boot id stands for (0: not known).
ALTER TABLE kiosks ADD COLUMN request_hash BLOB NOT NULL DEFAULT x'';
ALTER TABLE kiosks ADD COLUMN boots INTEGER NOT NULL DEFAULT 0;
ALTER TABLE boots ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
CREATE INDEX boots_by_number ON boots (kiosk_id, number) WHERE number > 0;
