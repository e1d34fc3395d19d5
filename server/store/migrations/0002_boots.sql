-- Starts of each kiosk that were heard of: a request of one of them is never taken for a clone's.
CREATE TABLE boots (
  kiosk_id BLOB NOT NULL REFERENCES kiosks,
  boot_id BLOB NOT NULL CHECK (length(boot_id) = 4),
  PRIMARY KEY (kiosk_id, boot_id)
) WITHOUT ROWID, STRICT;
INSERT INTO boots SELECT kiosk_id, boot_id FROM kiosks WHERE length(boot_id) = 4;
