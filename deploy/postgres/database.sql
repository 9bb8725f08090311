-- The database as a whole: only roles with a grant may connect. The schema vault must exist before the migrations run.
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS vault;
