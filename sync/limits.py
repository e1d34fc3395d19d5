"""Every bound in one place, each with its unit and its reason."""

# --- envelope and frames (sync/wire) ---
ENVELOPE_BYTES_MAX = 4096  # a form's texts are capped far below; more is an attack or a fault
COURIER_BYTES_MAX = 400  # version 16 at error level M: the largest a cheap phone reads
FRAME_BYTES_MAX = 256 * 1024  # what one exchange may carry; 64 s at 32 kbit/s
FRAME_ENVELOPES_MAX = 512  # keeps one group commit short
UVARINT_BYTES_MAX = 7  # 49 bits: milliseconds since 1970 fit for 17,000 years
SEQ_MAX = 999_999  # six digits of the case number; a busy kiosk takes 30 years
CHUNKS_MAX = 64  # attachment pieces in one frame
CHUNK_BYTES_MAX = 64 * 1024  # what a dropped link costs at most
SEALED_ATTACHMENT_BYTES_MAX = 513 * 1024  # ATTACHMENT_BYTES_MAX, its names and the seal
HEALTH_BYTES_MAX = 400  # a heartbeat stays below one packet
HEALTH_WORD_BYTES_MAX = 48  # a device's name or state: three or four words
NOTICES_MAX = 256  # in one reply; the rest comes with the next
NOTICE_BYTES_MAX = 2048  # a clerk's 300 characters, 20 question ids, the seal
EXTENSIONS_MAX = 16  # in one frame
VERSION_BYTES_MAX = 32  # of the kiosk's software, e.g. "2026.11.3"
# --- outbox and its database (sync/database, sync/outbox) ---
BALLAST_BYTES = 8 * 1024 * 1024  # freed when the disk is full: room for acknowledgements, pruning
BUSY_MS = 5000  # a reader (doctor, backup) may hold the file so long
WAL_KEPT_BYTES = 4 * 1024 * 1024  # the write-ahead log is cut back to this after a checkpoint
SETTLED_KEPT_DAYS = 30  # a centre restored from a backup is refilled from these
RECEIPT_KEPT_DAYS = 800  # "my matters" outlives the longest service; 100 bytes each
SALVAGE_SEQ_GAP = 100  # numbers skipped when the newest one is unreadable: none is given twice
SALVAGE_PROBE_MAX = 2000  # rows probed beyond the last readable one
PRUNE_ROWS = 500  # in one commit, so that a touch never waits for it
# --- exchange (sync/backoff, sync/batching, sync/agent) ---
RETRY_FIRST_S = 2.0  # a lost packet
RETRY_MAX_S = 900.0  # after a night without link the morning's first try comes within 15 min
HEARTBEAT_S = 60.0  # what an operator waits for "last seen"; 250 bytes each
BATCH_BYTES_MIN = 512  # one envelope with room
BATCH_BYTES_MAX = 64 * 1024  # unless the link proves to be quick: then FRAME_BYTES_MAX
BATCH_QUICK_S = 10.0  # an exchange below this may grow
BATCH_SLOW_S = 20.0  # one above this shrinks
QUIET_S = 60.0  # no byte for so long: the link is dead, however slow it is
EXCHANGE_S_MAX = 900.0  # end of the longest exchange that still made progress
PENDING_SEEN_MAX = 640  # envelopes that one plan looks at: a frame's worth and the newest
ENROL_BYTES_MAX = 64 * 1024  # an enrolment's answer with its manifest
MANIFEST_BYTES_MAX = 32 * 1024  # a page of names and hashes
BLOB_BYTES_MAX = 4 * 1024 * 1024  # a catalogue of 300 services; guards against bombs
REFILL_EVERY_MS = 86_400_000  # centre time; a fork keeps the mark down until a new enrolment
NOTICES_SURGE = 16  # so many come only after an absence: ask for more at once
PRUNE_EVERY_S = 3600.0  # nothing about pruning is urgent
# --- answers (sync/answers) ---
TEXT_CHARS_MAX = 2000  # longer than anyone types with a finger
NAME_CHARS_MAX = 50  # minority names with middle dots; GA/T 2000
TEXT_BYTES_MAX = 3000  # UTF-8, all texts of one transaction: fits one envelope whatever else is in
BODY_BYTES_MAX = 3840  # padded answers; leaves 256 bytes of an envelope to header and seal
DICTIONARY_BYTES_MAX = 32 * 1024  # sent once a catalogue version
ATTACHMENTS_MAX = 9  # per transaction
ATTACHMENT_BYTES_MAX = 512 * 1024  # a 1600 px JPEG at quality 0.7 is 150 kB to 300 kB
# --- accounts and sessions (server/people) ---
ACCOUNT_NAME_CHARS_MAX = 40  # fits the corner of a phone-wide page
ACCOUNTS_MAX = 2000  # staff of one county; keeps the page of accounts one page
PASSWORD_CHARS_MIN = 12  # ASVS 5.0 V6.2.1 asks 8, this is for who can open personal data
PASSWORD_CHARS_MAX = 128  # a sentence fits; argon2 is not fed megabytes
HASHES_AT_ONCE = 2  # of 64 MiB each
HASHES_WAITING_MAX = 60  # half a minute of work; beyond it people are told to come back
LOGIN_PER_MINUTE = 60  # per network address; an office shares one
SESSION_IDLE_MS = 15 * 60_000  # a desk left alone in an office that residents walk through
SESSION_LIFE_MS = 8 * 3_600_000  # one working day
SESSION_TOUCH_MS = 60_000  # writing "seen" at every click would cost a commit each
LOGIN_FAILURES_FREE = 5  # typing errors
LOGIN_DELAY_MS_MAX = 15 * 60_000  # never a lock: that would be a switch for strangers
LOGIN_FORGET_MS = 24 * 3_600_000  # a failure of yesterday says nothing of today
STAFF_FORM_BYTES_MAX = 64 * 1024  # the longest form is a correction with every question ticked
# --- pages of the centre (server/dashboard) ---
PAGE_ROWS = 50  # rows of a table before paging
CONCERNS_SHOWN = 6  # two rows of cards; more is a list, not a priority
PURPOSE_CHARS_MIN = 4  # a purpose, not a keystroke
PURPOSE_CHARS_MAX = 100  # kept in the ledger for years
DESK_WORDS_CHARS_MAX = 300  # spoken to the resident: half a minute
LIVE_STREAMS_MAX = 200  # open event streams in one process
LIVE_QUIET_S = 15.0  # a comment goes out so often, so that proxies keep the stream open
LIVE_PAUSE_S = 2.0  # between two drawings of the same page
# --- phone pages (server/phone) ---
COURIER_PER_MINUTE = 30  # per network address; a village shares one address
STATUS_PER_MINUTE = 10  # per network address; makes walking through numbers slow
BUCKETS_MAX = 10_000  # addresses remembered at once
# --- the centre (server/) ---
LIVE_TOPICS_MAX = 64  # waiting words per open page; pages draw themselves whole at each
STORE_BATCH_MAX = 256  # writes in one commit; keeps a commit below 100 ms
STORE_QUEUE_MAX = 4096  # writes waiting; more would hold their callers for seconds
STORE_READERS = 3  # threads that read beside the one that writes
STORE_BUSY_S = 10.0  # how long a second process (cli, vault) waits for the lock
KIOSKS_MAX = 9999  # four digits of the case number
ENROL_TRIES_MAX = 5  # wrong secrets for one code before it is dead
ENROL_CODE_MS = 24 * 3_600_000  # an installer's day
ENROL_REQUEST_BYTES_MAX = 512  # keys, fingerprint, proof and signature are 231
ENROL_PER_MINUTE = 10  # per network address; a code has 40 secret bits and five tries
EXCHANGES_PER_MINUTE = 600  # per kiosk; one on a fast link with weeks of photos makes 300
BODY_TIMEOUT_S = 300.0  # a full frame at 8 kbit/s; slower is an attack or a broken link
NOTICES_PER_REPLY = 200  # with 300 bytes each they still fit beside a catalogue pointer
NOTICE_REPLY_BYTES_MAX = 128 * 1024  # half of a frame
PIPELINE_BATCH = 64  # envelopes the vault opens under one ledger entry
PIPELINE_TRIES_MAX = 3  # faults of one record before it is buried with its reason
PIPELINE_IDLE_S = 5.0  # looks again even when nobody woke it
VAULT_FRAME_BYTES_MAX = 1024 * 1024  # one attachment with its head
VAULT_TIMEOUT_S = 20.0  # opening takes under 1 ms, a batch under 100 ms
VAULT_UP_S = 3.0  # a supervisor asks for health more often than the vault may be slow
VAULT_OPENINGS_PER_HOUR = 60  # per actor: a diligent clerk decides 20 cases an hour
VAULT_RESTART_S = 1.0  # pause before a dead vault is started again
LEDGER_PAGE_MAX = 500  # entries in one answer
CORRECTION_WORKING_DAYS = 15  # to bring what is missing, when the clerk names no day
FOLLOW_UP_WORKING_DAYS = 5  # a bad rating is answered within; domain.md section 5
CERTIFICATE_DAYS = 400  # signing certificate; renewed with the offline root once a year
PUBLISH_PROBLEMS_MAX = 100  # faults named in one refusal
HEALTH_EVERY_MS = 10 * 60_000  # between two points of a kiosk's trend
HEALTH_POINTS_KEPT = 4500  # per kiosk; a month of points
CENTRE_KEEP_ALIVE_S = 330.0  # longer than a kiosk keeps its connection, so that it never races
# --- expressions (sync/expressions) ---
EXPRESSION_CHARS_MAX = 4000  # four times the longest of the catalogue, the ID number's check
EXPRESSION_DEPTH_MAX = 32  # brackets in brackets; keeps parsing far from Python's own limit
PATTERN_CHARS_MAX = 400  # of one regular expression
# --- kiosk visit (kiosk/) ---
IDLE_S = 120  # until "are you still there?"; VVSG 2.0 asks for 2 to 5 minutes
STILL_THERE_S = 45  # of warning before the wipe; VVSG 2.0: 20 to 45 s
RECEIPT_S = 60  # to read, copy or photograph the receipt
LAST_SCREEN_S = 30  # rating, thanks and fault; 60 s was complained about (vxsuite #1823)
IDLE_FACTOR = 3  # the page keeps the time; when it is dead, the kiosk waits this much longer
HELPER_CALLED_S = 600  # how long "a helper was called" stays in the health report
ACT_BYTES_MAX = 64 * 1024  # a form post: the longest text, percent-encoded, is 18 kB
WRONG_TRIES_HELP = 2  # the same mistake twice: offer the helper
LIVE_CLIPS_MAX = 64  # spoken pieces of one screen that no clip exists for
LIVE_BYTES_MAX = 8 * 1024 * 1024  # all live audio of one visit in memory
SCRYPT_N = 2**14  # 16 MiB and about 50 ms: an eight-digit guess space costs days per person
MATTERS_MAX = 24  # of one person on one kiosk; four pages
