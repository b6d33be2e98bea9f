-- Actions: who asked for which, what their functions called, and what they printed.

-- The answers to its prompts; secrets are references.
ALTER TABLE operations ADD COLUMN action TEXT;

CREATE TRIGGER the_action_of_an_operation_is_frozen
BEFORE UPDATE OF action ON operations
BEGIN
    SELECT RAISE(ABORT, 'a plan is frozen');
END;

-- A try that was cut off goes on in the same run; one that failed ends it.
CREATE TABLE action_runs (
    operation INTEGER NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    step      INTEGER NOT NULL CHECK (step >= 0),
    run       INTEGER NOT NULL CHECK (run > 0),
    context   TEXT NOT NULL,
    -- Whether a function that was cut off is run again from its top, with the answers that it had.
    replays   INTEGER NOT NULL CHECK (replays IN (0, 1)),
    ended_at  TEXT,
    PRIMARY KEY (operation, step, run)
) STRICT;

CREATE TABLE calls (
    operation  INTEGER NOT NULL,
    step       INTEGER NOT NULL,
    run        INTEGER NOT NULL,
    position   INTEGER NOT NULL CHECK (position >= 0),
    name       TEXT NOT NULL,
    arguments  TEXT NOT NULL,
    digest     TEXT NOT NULL,
    place      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('Open', 'Answered', 'Refused', 'Undone', 'Told')),
    answer     TEXT,
    started_at TEXT NOT NULL,
    ended_at   TEXT,
    PRIMARY KEY (operation, step, run, position),
    FOREIGN KEY (operation, step, run) REFERENCES action_runs (operation, step, run) ON DELETE CASCADE
) STRICT;

CREATE TABLE output_lines (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    operation INTEGER NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    step      INTEGER NOT NULL CHECK (step >= 0),
    at        TEXT NOT NULL,
    source    TEXT NOT NULL CHECK (source IN ('log', 'out', 'error', 'note')),
    text      TEXT NOT NULL
) STRICT;

CREATE INDEX lines_of_a_step ON output_lines (operation, step, seq);
