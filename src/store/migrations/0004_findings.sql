-- What the engine of a cluster found, for every process of this state directory to show: what keeps it from going on with a
-- deployment (JSON, NULL for nothing), and what somebody else changed (JSON). A deployment may be known to the cluster only.

CREATE TABLE findings (
    cluster   TEXT NOT NULL REFERENCES clusters (name),
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    problem   TEXT,
    drift     TEXT NOT NULL,
    PRIMARY KEY (cluster, namespace, name)
) STRICT;
