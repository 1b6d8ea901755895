"""How much of each kind one session may keep in Redis; what is over it is refused, or the oldest goes."""

MAX_INBOX = 64  # commands that no turn has shown yet
MAX_RESULTS = 16  # results of delegated questions that no turn has told yet
MAX_BLOCKS = 32  # blocks of memory that have not entered the state yet
MAX_OUTBOX = 512  # messages that JetStream has not stored yet
MAX_FRAMES = 8_192  # pictures of the chunk
MAX_ARCHIVE = 2_000  # summaries and exchanges to recall; the oldest goes
MAX_ARCHIVE_BYTES = 4_194_304  # of them together; the oldest goes
MAX_KEY_FRAMES = 64  # pictures of what is summarised; the one closest to its neighbours goes
MAX_LOG = 1_000  # replies to look at; the oldest goes
MAX_TASK_RECORDS = 64  # of the work on tasks; the oldest goes
MAX_APPROVALS = 256  # requests of all of a tenant's sessions that are remembered; the oldest goes
MAX_GRANTS = 64  # patterns of a tenant
