-- Which kiosk a new one takes the place of. Two may take the place of one: a copied card.
ALTER TABLE kiosks ADD COLUMN replaces BLOB REFERENCES kiosks;
UPDATE kiosks SET replaces =
  (SELECT o.kiosk_id FROM kiosks o WHERE o.replaced_by = kiosks.kiosk_id);
CREATE INDEX kiosks_replacing ON kiosks (replaces) WHERE replaces IS NOT NULL;

-- What a person decided on an envelope of a revoked kiosk; its reason is in the ledger too.
CREATE TABLE reviews (
  envelope_id INTEGER PRIMARY KEY REFERENCES envelopes,
  verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'refused')),
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
