-- Files that people carried here from kiosks without a link (server/sticks.py).
CREATE TABLE stick_deliveries (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  -- As the file claims; it may be nobody's.
  kiosk_id BLOB NOT NULL,
  -- Name of the replies, made by us of kiosk and counter; '' when there are none.
  answers TEXT NOT NULL,
  ending TEXT NOT NULL,
  -- Kiosk's clock in its newest frame, a claim; 0 when none was good.
  written_ms INTEGER NOT NULL,
  frames INTEGER NOT NULL,
  stored INTEGER NOT NULL,
  duplicates INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  attachments INTEGER NOT NULL,
  notices INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  -- It told something newer than what was heard before.
  is_contact INTEGER NOT NULL
) STRICT;
CREATE INDEX stick_deliveries_of_kiosk ON stick_deliveries (kiosk_id, at_ms) WHERE is_contact;
