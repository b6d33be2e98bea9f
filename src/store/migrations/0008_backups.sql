-- Backups: locations, the catalogue, schedules and their runs; operations that are made of others, and how far steps are that move data.

ALTER TABLE environments ADD COLUMN backup_location TEXT;

-- What is asked for where the plan alone does not say, and the operation and step that this one is part of.
ALTER TABLE operations ADD COLUMN request TEXT;
ALTER TABLE operations ADD COLUMN parent INTEGER REFERENCES operations (id) ON DELETE SET NULL;
ALTER TABLE operations ADD COLUMN parent_step INTEGER;

CREATE UNIQUE INDEX one_part_per_step ON operations (parent, parent_step) WHERE parent IS NOT NULL;

CREATE TRIGGER the_request_of_an_operation_is_frozen
BEFORE UPDATE OF request ON operations
BEGIN
    SELECT RAISE(ABORT, 'a plan is frozen');
END;

CREATE TABLE step_progress (
    operation INTEGER NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    step      INTEGER NOT NULL CHECK (step >= 0),
    progress  TEXT NOT NULL,
    PRIMARY KEY (operation, step)
) STRICT;

CREATE TABLE locations (
    name     TEXT NOT NULL PRIMARY KEY,
    -- Everything said about it; secrets are references.
    location TEXT NOT NULL,
    checked  TEXT,
    size     INTEGER
) STRICT;

-- The catalogue. It can be rebuilt from the manifests in the locations.
CREATE TABLE backups (
    id          TEXT NOT NULL PRIMARY KEY,
    cluster     TEXT NOT NULL,
    environment TEXT NOT NULL,
    application TEXT NOT NULL,
    location    TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    backup      TEXT NOT NULL
) STRICT;

CREATE INDEX backups_of_an_application ON backups (cluster, environment, application, created_at);

CREATE TABLE schedules (
    cluster  TEXT NOT NULL,
    name     TEXT NOT NULL,
    schedule TEXT NOT NULL,
    PRIMARY KEY (cluster, name)
) STRICT;

CREATE TABLE schedule_runs (
    cluster  TEXT NOT NULL,
    schedule TEXT NOT NULL,
    due      TEXT NOT NULL,
    run      TEXT NOT NULL,
    PRIMARY KEY (cluster, schedule, due),
    FOREIGN KEY (cluster, schedule) REFERENCES schedules (cluster, name) ON DELETE CASCADE
) STRICT;
