-- The grants of one service: read and write the rows of its own schema, and create temporary tables for COPY.
-- The role owns no table: the administrator who applies the migrations owns them, so a service cannot alter or drop one.
GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role};
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
