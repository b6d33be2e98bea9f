-- What an object is to its deployment: a part of it, a hook of its chart, or a part that its chart keeps.
ALTER TABLE inventory ADD COLUMN role TEXT NOT NULL DEFAULT 'part' CHECK (role IN ('part', 'hook', 'kept'));
