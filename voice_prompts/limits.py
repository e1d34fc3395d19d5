"""The voice's bounds, each with its unit and its reason.

They stand here and not in `sync/limits.py` because `voice_prompts` imports
nothing else of ours.
"""

# --- texts ---
PROMPT_CHARS_MAX = 400  # the longest sentence that anyone would read aloud in one breath, thrice
LIVE_TEXT_CHARS_MAX = 2000  # a form's longest text; 1.4 s of work at the measured 0.7 ms a hanzi
NUMBER_DIGITS_MAX = 12  # below ten to the twelfth 亿 needs no further unit

# --- pauses between pieces ---
SENTENCE_PAUSE_MS = 350  # clips are trimmed, so the rest between sentences is ours
CLAUSE_PAUSE_MS = 150  # where a comma or colon was cut away beside a slot
GROUP_PAUSE_MS = 300  # between digit groups: long enough to write four digits' worth down
SLOT_PAUSE_MS = 60  # between the fixed words and a spoken value

# --- synthesis ---
CHINESE_RATE_WPM = 150  # 0.34 s a hanzi, measured: slow enough for old ears
ENGLISH_RATE_WPM = 150  # as slow as the Chinese
PITCH = 50  # espeak's middle
VOLUME_PERCENT = 100  # espeak's own full scale; loudness is set afterwards
WORKER_RENDERS_MAX = 200  # espeak's state drifts by milliseconds; start afresh now and then
WORKER_START_TIMEOUT_S = 20.0  # a cold start on a slow board, imports included
SPEECH_TIMEOUT_S = 3.0  # to start speaking a text …
SPEECH_TIMEOUT_PER_CHAR_S = 0.02  # … and thirty times the measured time of each hanzi
WORKER_AUDIO_BYTES_MAX = 64 * 1024 * 1024  # 24 minutes of sound: a broken length word is refused
WORKER_MEMORY_BYTES_MAX = 768 * 1024 * 1024  # of addresses; 2,000 hanzi took 447 MiB (measured)
LIVE_WAITING_MAX = 4  # a screen shows the text anyway; older requests are worth nothing

# --- sound ---
SAMPLE_RATE_HZ = 22_050  # what espeak-ng gives
TRIM_THRESHOLD_DBFS = -50.0  # below it espeak's own silence lies
TRIM_KEEP_MS = 15  # a hard cut clicks
FADE_MS = 5  # at both ends, for the same reason
LOUDNESS_LUFS = -16.0  # EBU R 128 s2 for streams; loud in a village hall, still with headroom
PEAK_DBFS = -3.0  # sample peak before encoding; Opus adds up to 1 dB (measured), so −1.5 dBTP holds
SHORT_CLIP_MS = 400  # the loudness meter's block; shorter clips are set by their plain power
GAIN_DB_MAX = 24.0  # more would only amplify noise

# --- encoding ---
OPUS_BITRATE = 24_000  # bits a second; a sixteenth of the wav, measured
OPUS_SAMPLE_RATE_HZ = 24_000  # nearest that Opus knows above espeak's
ENCODE_BATCH_COUNT = 24  # prompts per ffmpeg: its start is paid once, one fault costs little
ENCODE_TIMEOUT_S = 120.0  # for one batch, on a loaded machine

CODING_EXCESS_DB_MAX = 3.0  # clean clips: below 2.5 dB; the encoder's bursts: above 5 (measured)
DECODED_PEAK_DBFS_MAX = -1.5  # what a player hears; EBU R 128 s2 asks for −1

# --- library ---
RECORDING_BYTES_MAX = 8 * 1024 * 1024  # 90 s of 44.1 kHz mono wav: no prompt is longer
RECORDINGS_COUNT_MAX = 20_000  # a whole catalogue in one dialect, several times over
RECORDING_MS_MAX = 120_000  # the longest prompt, read slowly, is a quarter of this

# --- dialect packs ---
PACK_BYTES_MAX = 1024 * 1024 * 1024  # 4,000 texts as 48 kHz wav; a stick's rest is not ours
PACK_MANIFEST_BYTES_MAX = 8 * 1024 * 1024  # RECORDINGS_COUNT_MAX entries of 200 bytes, twice
PACK_NAME_CHARS_MAX = 8  # hanzi on a button of 24 mm in two lines, never smaller than 4 mm
PACK_NOTE_CHARS_MAX = 400  # author, consent, licence: a line each
PACK_ENTRIES_MAX = 2 * 20_000  # files in a zip: the clips, and as many of the speaker's own
PACKS_MAX = 32  # installed at once; a switch of more languages helps nobody
PACK_SPARE_BYTES = 200 * 1024 * 1024  # what an installation leaves free: residents go first

# --- check (tuned on the shipped catalogue, see tests) ---
SILENCE_DBFS = -35.0  # speech set to −16 LUFS never comes near
CLIPPED_SAMPLES_MAX = 8  # full-scale samples; a limiter leaves none
CLIP_MS_MIN = 90  # the shortest syllable measured, trimmed, is above it
LOUDNESS_SPREAD_LU = 3.0  # further from the target the neighbours jump in the ear
