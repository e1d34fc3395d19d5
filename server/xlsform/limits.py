"""Bounds of a form that is uploaded, each with its unit and its reason."""

FILE_BYTES_MAX = 4 * 1024 * 1024  # the largest form of ODK's examples has 200 kB
UNPACKED_BYTES_MAX = 16 * 1024 * 1024  # of all parts of an .xlsx, against bombs; examples: 2 MB
ROWS_MAX = 5000  # of a sheet; villages and crops in `choices`
COLUMNS_MAX = 256  # a sheet of ten languages has 80
CELLS_MAX = 60_000  # of a sheet
CELL_CHARS_MAX = 4000  # as an expression's bound
REPEATS_USUAL = 6  # instances where the form names no count: a family
REPEATS_MAX = 30  # instances that a form may ask for
QUESTIONS_MAX = 400  # after repeats are unrolled; 50 bytes of "not answered" bits
LABEL_CHARS_USUAL = 120  # longer ones do not fit the smallest screen with large letters
FINDINGS_MAX = 500  # of one form; a sheet that is none has as many as it has cells
OLD_FILE_MEMORY_BYTES = 512 * 1024 * 1024  # of what reads an .xls; a usual one takes 40 MB
OLD_FILE_CPU_S = 10  # of that process; usual forms take 0.1 s
OLD_FILE_S = 60.0  # until it is given up, on a machine that is busy
OLD_FILE_READ_BYTES_MAX = 16 * 1024 * 1024  # what it may answer; cut JSON is refused as damaged
