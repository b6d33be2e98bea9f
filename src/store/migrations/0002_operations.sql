-- Durable operations: the journal, the inventory, and what is desired beyond parameters.

ALTER TABLE environments ADD COLUMN drift  TEXT NOT NULL DEFAULT 'correct' CHECK (drift IN ('correct', 'warn', 'ignore'));
ALTER TABLE environments ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE environments ADD COLUMN quota  TEXT NOT NULL DEFAULT '{}';

ALTER TABLE deployments ADD COLUMN components TEXT NOT NULL DEFAULT '{}';
ALTER TABLE deployments ADD COLUMN drift      TEXT CHECK (drift IN ('correct', 'warn', 'ignore'));

-- What was asked for when the instance was frozen: a rollback asks for it again.
ALTER TABLE instances ADD COLUMN draft TEXT;

CREATE TRIGGER the_draft_of_an_instance_is_frozen
BEFORE UPDATE OF draft ON instances
BEGIN
    SELECT RAISE(ABORT, 'an instance is frozen');
END;

-- The subject is kept in words: the history of a deployment outlives it.
CREATE TABLE operations (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster      TEXT NOT NULL,
    environment  TEXT NOT NULL,
    name         TEXT NOT NULL,
    deployment   INTEGER,
    revision     INTEGER NOT NULL,
    instance     INTEGER,
    kind         TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN
        ('Queued', 'Running', 'Succeeded', 'Failed', 'PartiallyFailed', 'Cancelled', 'Superseded', 'Stale')),
    plan         TEXT NOT NULL,
    plan_hash    TEXT NOT NULL,
    actor        TEXT NOT NULL,
    cause        TEXT NOT NULL,
    confirmed    INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    created_at   TEXT NOT NULL,
    started_at   TEXT,
    ended_at     TEXT,
    deadline     TEXT,
    cancelled_by TEXT,
    superseded   INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)),
    problem      TEXT,
    epoch        INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX operations_of_a_subject ON operations (cluster, environment, name, id);
CREATE INDEX epochs ON operations (cluster, epoch);
CREATE INDEX open_operations ON operations (cluster) WHERE state IN ('Queued', 'Running');

CREATE INDEX operations_of_a_deployment ON operations (deployment);

-- One operation at a time works on a subject, whatever the code does.
CREATE UNIQUE INDEX one_running_operation ON operations (cluster, environment, name) WHERE state = 'Running';

-- What was planned and by whom never changes afterwards.
CREATE TRIGGER plans_are_frozen
BEFORE UPDATE OF cluster, environment, name, kind, plan, plan_hash, actor, cause, confirmed, created_at ON operations
BEGIN
    SELECT RAISE(ABORT, 'a plan is frozen');
END;

CREATE TRIGGER the_goal_of_an_operation_is_gone
AFTER DELETE ON deployments
BEGIN
    UPDATE operations SET deployment = NULL WHERE deployment = OLD.id;
END;

CREATE TABLE operation_steps (
    operation  INTEGER NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL CHECK (position >= 0),
    state      TEXT NOT NULL CHECK (state IN
        ('Pending', 'Started', 'Unknown', 'Retrying', 'Asking', 'Succeeded', 'Failed', 'Skipped')),
    attempt    INTEGER NOT NULL DEFAULT 0,
    started_at TEXT,
    ended_at   TEXT,
    next_try   TEXT,
    output     TEXT,
    problem    TEXT,
    stale      INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1)),
    PRIMARY KEY (operation, position)
) STRICT;

CREATE TABLE operation_events (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    operation INTEGER NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    position  INTEGER,
    at        TEXT NOT NULL,
    message   TEXT NOT NULL
) STRICT;

CREATE INDEX events_of_an_operation ON operation_events (operation, seq);

-- What was written for a deployment, and what the server recorded as ours then. The labels on the objects say the same.
CREATE TABLE inventory (
    deployment  INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    api_version TEXT NOT NULL,
    kind        TEXT NOT NULL,
    namespace   TEXT NOT NULL,
    name        TEXT NOT NULL,
    uid         TEXT NOT NULL,
    digest      TEXT NOT NULL,
    owned       TEXT,
    PRIMARY KEY (deployment, api_version, kind, namespace, name)
) STRICT;

-- Who is to have the fields of an object that somebody else owns.
CREATE TABLE resolutions (
    deployment  INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    api_version TEXT NOT NULL,
    kind        TEXT NOT NULL,
    namespace   TEXT NOT NULL,
    name        TEXT NOT NULL,
    field       TEXT NOT NULL,
    manager     TEXT NOT NULL,
    resolution  TEXT NOT NULL CHECK (resolution IN ('yield', 'take', 'share')),
    PRIMARY KEY (deployment, api_version, kind, namespace, name, field)
) STRICT;
