-- The database as a whole: nobody gets in who is not named, and the vault exists before anything needs it.
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS vault;
