ALTER TABLE devices ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
UPDATE devices SET updated_at = created_at;
-- Whether it was linked once and is no more.
ALTER TABLE devices ADD COLUMN logged_out INTEGER NOT NULL DEFAULT 0 CHECK (logged_out IN (0, 1));
