-- For the fleet page's arrivals per minute (server/store/pages.py).
CREATE INDEX envelopes_received ON envelopes (received_ms);
