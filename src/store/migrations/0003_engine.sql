-- Who runs the engine of a cluster, as far as this state directory knows.
-- `holder` is the name that stands in the cluster's Lease too; NULL when nobody runs it. `here` says whether it is a
-- process of this state directory: whoever has the directory's lock knows that such a one has ended.

CREATE TABLE engines (
    cluster               TEXT PRIMARY KEY REFERENCES clusters (name),
    epoch                 INTEGER NOT NULL CHECK (epoch >= 1),
    holder                TEXT,
    here                  INTEGER NOT NULL CHECK (here IN (0, 1)),
    host                  TEXT NOT NULL,
    pid                   INTEGER,
    since                 TEXT NOT NULL,
    takeover_requested_by TEXT
) STRICT;

-- An epoch is given once, whatever the code does.
CREATE TRIGGER epochs_grow
BEFORE UPDATE OF epoch ON engines WHEN NEW.epoch < OLD.epoch
BEGIN
    SELECT RAISE(ABORT, 'an epoch only grows');
END;
