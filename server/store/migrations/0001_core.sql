-- Kiosks are never deleted, so that neither an identity nor a number is ever given twice.
CREATE TABLE kiosks (
  kiosk_id BLOB PRIMARY KEY CHECK (length(kiosk_id) = 8),
  kiosk_no INTEGER NOT NULL UNIQUE CHECK (kiosk_no BETWEEN 1 AND 9999),
  name TEXT NOT NULL,
  village_code TEXT NOT NULL,
  device_public BLOB NOT NULL CHECK (length(device_public) = 32),
  notice_public BLOB NOT NULL CHECK (length(notice_public) = 32),
  fingerprint BLOB NOT NULL,
  state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'revoked', 'forked')),
  enrolled_ms INTEGER NOT NULL,
  replaced_by BLOB REFERENCES kiosks,
  -- Exchange: the newest request seen, so that an old one moves nothing back.
  counter INTEGER NOT NULL DEFAULT 0,
  claimed_ms INTEGER NOT NULL DEFAULT 0,
  boot_id BLOB NOT NULL DEFAULT x'',
  cursor INTEGER NOT NULL DEFAULT 0,
  -- The chain: everything up to the mark is here, link by link; a fork stops it.
  mark_seq INTEGER NOT NULL DEFAULT 0,
  mark_hash BLOB NOT NULL DEFAULT x'0000000000000000',
  fork_seq INTEGER,
  -- What the kiosk says of itself.
  last_seen_ms INTEGER NOT NULL DEFAULT 0,
  head_seq INTEGER NOT NULL DEFAULT 0,
  pending INTEGER NOT NULL DEFAULT 0,
  oldest_s INTEGER NOT NULL DEFAULT 0,
  disk_free_mb INTEGER NOT NULL DEFAULT 0,
  attachments_pending INTEGER NOT NULL DEFAULT 0,
  version TEXT NOT NULL DEFAULT '',
  catalogue INTEGER NOT NULL DEFAULT 0,
  clock_skew_ms INTEGER NOT NULL DEFAULT 0,
  devices TEXT NOT NULL DEFAULT '{}',
  bytes_in INTEGER NOT NULL DEFAULT 0,
  bytes_out INTEGER NOT NULL DEFAULT 0,
  envelope_count INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE health (
  id INTEGER PRIMARY KEY,
  kiosk_id BLOB NOT NULL REFERENCES kiosks,
  at_ms INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  oldest_s INTEGER NOT NULL,
  disk_free_mb INTEGER NOT NULL
) STRICT;
CREATE INDEX health_of_kiosk ON health (kiosk_id, at_ms);

CREATE TABLE enrolment_codes (
  locator TEXT PRIMARY KEY,
  key BLOB NOT NULL,
  name TEXT NOT NULL,
  village_code TEXT NOT NULL,
  replaces INTEGER REFERENCES kiosks (kiosk_no),
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  used_ms INTEGER,
  request_hash BLOB,
  reply BLOB
) STRICT;

-- The inbox: envelopes as they came, sealed.
CREATE TABLE envelopes (
  id INTEGER PRIMARY KEY,
  kiosk_id BLOB NOT NULL REFERENCES kiosks,
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 8),
  prev BLOB NOT NULL CHECK (length(prev) = 8),
  catalogue INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  carrier TEXT NOT NULL CHECK (carrier IN ('exchange', 'courier')),
  fate TEXT NOT NULL CHECK (fate IN
    ('waiting', 'case', 'correction', 'rating', 'query', 'duplicate', 'dead', 'quarantined')),
  raw BLOB NOT NULL,
  UNIQUE (kiosk_id, seq, hash)
) STRICT;
CREATE INDEX envelopes_waiting ON envelopes (id) WHERE fate = 'waiting';

-- Ids are remembered for ever: a kiosk may sleep for a year.
CREATE TABLE transactions (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  envelope_id INTEGER NOT NULL REFERENCES envelopes
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
  envelope_id INTEGER PRIMARY KEY REFERENCES envelopes,
  reason TEXT NOT NULL,
  detail_code TEXT NOT NULL DEFAULT '',
  awaits TEXT NOT NULL DEFAULT '',
  tries INTEGER NOT NULL DEFAULT 1,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_letters_awaiting ON dead_letters (awaits) WHERE awaits != '';

CREATE TABLE attachments (
  kiosk_id BLOB NOT NULL REFERENCES kiosks,
  seq INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 16),
  total INTEGER NOT NULL,
  received INTEGER NOT NULL DEFAULT 0,
  completed_ms INTEGER,
  sealed BLOB,
  PRIMARY KEY (kiosk_id, seq, idx, digest)
) STRICT;
CREATE TABLE chunks (
  kiosk_id BLOB NOT NULL,
  seq INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  digest BLOB NOT NULL,
  start INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (kiosk_id, seq, idx, digest, start)
) STRICT;

CREATE TABLE cases (
  case_no TEXT PRIMARY KEY,
  envelope_id INTEGER NOT NULL UNIQUE REFERENCES envelopes,
  kiosk_id BLOB NOT NULL REFERENCES kiosks,
  service TEXT NOT NULL,
  department TEXT NOT NULL,
  village_code TEXT NOT NULL,
  language TEXT NOT NULL,
  state TEXT NOT NULL
    CHECK (state IN ('received', 'accepted', 'correction', 'refused', 'completed')),
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
CREATE INDEX cases_by_deadline ON cases (state, due_on);
CREATE INDEX cases_of_department ON cases (department, state, due_on);

CREATE TABLE case_events (
  id INTEGER PRIMARY KEY,
  case_no TEXT NOT NULL REFERENCES cases,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX case_events_of ON case_events (case_no, id);

-- Blind index: HMAC of the ID number under a key that only the vault holds.
CREATE TABLE case_tags (
  tag BLOB NOT NULL,
  case_no TEXT NOT NULL REFERENCES cases,
  PRIMARY KEY (tag, case_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE corrections (
  envelope_id INTEGER PRIMARY KEY REFERENCES envelopes,
  case_no TEXT NOT NULL REFERENCES cases,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX corrections_of ON corrections (case_no, envelope_id);

CREATE TABLE ratings (
  envelope_id INTEGER PRIMARY KEY REFERENCES envelopes,
  case_no TEXT NOT NULL REFERENCES cases,
  level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX ratings_of ON ratings (case_no, envelope_id);

CREATE TABLE follow_ups (
  id INTEGER PRIMARY KEY,
  envelope_id INTEGER NOT NULL UNIQUE REFERENCES envelopes,
  case_no TEXT NOT NULL REFERENCES cases,
  level INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  due_on TEXT NOT NULL,
  due_is_about INTEGER NOT NULL,
  closed_ms INTEGER
) STRICT;

-- Notices are sealed to the kiosk when written: the words never lie here in the clear.
CREATE TABLE notices (
  kiosk_id BLOB NOT NULL REFERENCES kiosks,
  number INTEGER NOT NULL,
  case_no TEXT NOT NULL,
  kind TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (kiosk_id, number)
) STRICT;

CREATE TABLE blobs (
  sha256 TEXT PRIMARY KEY,
  raw BLOB NOT NULL
) STRICT;
CREATE TABLE catalogues (
  version INTEGER PRIMARY KEY,
  manifest BLOB NOT NULL,
  catalogue_sha256 TEXT NOT NULL REFERENCES blobs,
  dictionary_sha256 TEXT NOT NULL REFERENCES blobs,
  villages_sha256 TEXT NOT NULL REFERENCES blobs,
  reasons_sha256 TEXT NOT NULL REFERENCES blobs,
  hotline TEXT NOT NULL,
  published_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE centre (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
